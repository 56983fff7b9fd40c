//! Input of a helper: the first byte is the time from one event to the next in units of 64 us, the
//! rest is a batch. What can be read must be written and read again as the same, and no more of it
//! may get through than the bound says, nor anything stay down.

use crate::Seed;
use farpane_input::{
    Button, EVENTS_PER_SECOND, Held, InputBatch, InputEvent, Key, Limiter, MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS, Wheel,
};

/// Whether the input is a batch.
pub fn accepts(input: &[u8]) -> bool {
    let Some((wait, bytes)) = input.split_first() else { return false };
    let Ok(batch) = InputBatch::read(bytes) else { return false };
    let again = batch.to_bytes();
    assert!(again.len() <= MAX_BATCH_BYTES && batch.events().len() <= MAX_BATCH_EVENTS);
    assert!(InputBatch::read(&again).is_ok_and(|read| read == batch));
    limit(&batch, u64::from(*wait) * 64);
    true
}

/// The batch again and again, at most half a second long.
fn limit(batch: &InputBatch, wait_us: u64) {
    let (mut limiter, mut held, mut now_us, mut weight) =
        (Limiter::default(), Held::default(), 0, 0);
    for event in batch.events().iter().cycle().take(batch.events().len() * 30) {
        now_us += wait_us.min(250);
        limiter.handle_event(*event, now_us);
        while let Some(event) = limiter.poll_event(now_us) {
            assert!(held.handle_event(event), "pressed or let go of twice");
            weight += match event {
                InputEvent::Wheel(wheel) => wheel.clicks(),
                _ => 1,
            };
        }
        assert!(held == *limiter.held());
    }
    assert!(weight <= EVENTS_PER_SECOND, "{weight} events in half a second");
    for release in limiter.release_all() {
        assert!(held.handle_event(release));
    }
    assert!(held.is_empty());
}

/// What a person does, all at once, and what no person could have done.
pub fn seeds() -> Vec<Seed> {
    let key = |usage| Key::new(usage).expect("a key");
    let (down, up) = (|n| InputEvent::KeyDown(key(n)), |n| InputEvent::KeyUp(key(n)));
    let place = |x, y| InputEvent::Move { x, y };
    let wheel = |right, down| InputEvent::Wheel(Wheel::new(right, down).expect("a turn"));
    let (press, release) = (InputEvent::Press, InputEvent::Release);
    let chord = [down(0xe0), down(0xe2), down(0x4c), up(0x4c), up(0xe2), up(0xe0)];
    let click = [place(700, 400), press(Button::Left), release(Button::Left)];
    let far = [place(i32::MIN, i32::MAX), place(-1, 1 << 20)];
    let mut all = InputBatch::new((1 << 62) - 1);
    let mut usages = (0x04..=0xe7).filter_map(Key::new).cycle();
    while all.push(InputEvent::KeyDown(usages.next().expect("keys"))) {}
    let typed = seed(9, 7, &[down(0x0b), up(0x0b), down(0x0c), up(0x0c)]);
    vec![
        ("chord", seed(200, 1, &chord)),
        ("click", seed(0, 300, &click)),
        ("far", seed(3, 70_000, &far)),
        ("held", [&[1], &all.to_bytes()[..]].concat()),
        ("nothing", seed(0, 1, &[])),
        ("typed", typed.clone()),
        ("wheel", seed(1, 1, &[wheel(0, 3), wheel(-32, 32), press(Button::Back)])),
        ("bad-cut", typed[..typed.len() - 1].to_vec()),
        ("bad-key", vec![0, 1, 1, 1, 5, 0xa5]),
        ("bad-rest", [&typed[..], &[0]].concat()),
        ("bad-version", vec![0, 2, 1, 1, 5, 4]),
        ("bad-wheel", vec![0, 1, 1, 1, 4, 0x40, 66, 0]),
    ]
}

fn seed(wait: u8, epoch: u64, events: &[InputEvent]) -> Vec<u8> {
    let mut batch = InputBatch::new(epoch);
    assert!(events.iter().all(|event| batch.push(*event)));
    [&[wait], &batch.to_bytes()[..]].concat()
}
