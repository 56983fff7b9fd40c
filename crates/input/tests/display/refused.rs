//! What must not happen does not: each case that is refused is counted.

use crate::desk::{Desk, EPOCH, Seen, batch, down, every_kind, place, up, wheel};
use crate::permit::Permit;
use farpane_input::{
    Button, Injector, InputBatch, InputEvent, Key, MAX_BATCH_EVENTS, MAX_HELD, Wheel,
};
use farpane_policy::Reach;

/// At least so many cases are tried.
const CASES: usize = 120;

#[test]
fn every_negative_case_is_refused() {
    let (values, bytes, tokens) = (bad_values(), bad_bytes(), bad_permissions());
    let cases = values + bytes + tokens;
    println!("negative cases, class input: {cases} refused of {cases}");
    println!("  {values} values, {bytes} batches, {tokens} events without permission");
    assert!(cases >= CASES);
}

/// Values that are no input.
fn bad_values() -> usize {
    let keys = [0, 1, 2, 3, 0xa5, 0xa9, 0xaf, 0xde, 0xdf, 0xe8, 0xf0, 0xff, 0x100, 0x104, u32::MAX];
    assert!(keys.iter().all(|usage| Key::new(*usage).is_none()));
    let buttons = [0, 6, 7, 8, 9, 255, 256, 257, u32::MAX];
    assert!(buttons.iter().all(|number| Button::from_number(*number).is_none()));
    let (min, max) = (i32::MIN, i32::MAX);
    let wheels = [(0, 0), (33, 0), (0, 33), (-33, 1), (1, -33), (128, 0), (256, 1), (min, max)];
    assert!(wheels.iter().all(|(right, down)| Wheel::new(*right, *down).is_none()));
    keys.len() + buttons.len() + wheels.len()
}

/// Bytes that are no batch.
fn bad_bytes() -> usize {
    let good =
        batch(300, &[place(-5, 700), wheel(1, -2), down(4), InputEvent::Press(Button::Back)]);
    let good = good.to_bytes();
    assert!(InputBatch::read(&good).is_ok());
    let mut bad: Vec<Vec<u8>> = (0..good.len()).map(|cut| good[..cut].to_vec()).collect();
    // Too long, of other versions, of kinds that there are not.
    bad.push([&good[..], &[0]].concat());
    bad.extend([0, 2, 3, 64, 128, 255].map(|version| [&[version], &good[1..]].concat()));
    bad.extend([0, 7, 8, 100, 255].map(|kind| vec![1, 1, 1, kind, 4]));
    // Keys, buttons and clicks that there are not.
    bad.extend([0, 3, 0xa5, 0xde, 0xe8, 0xff].map(|usage| vec![1, 1, 1, 5, usage]));
    bad.extend([0, 3, 0xa5, 0xde, 0xe8, 0xff].map(|usage| vec![1, 1, 1, 6, usage]));
    bad.extend([0, 6, 9, 255].map(|number| vec![1, 1, 1, 2, number]));
    bad.extend([0, 6, 9, 255].map(|number| vec![1, 1, 1, 3, number]));
    let turns = [&[0, 0][..], &[0x40, 66, 0], &[0, 0x40, 65], &[0x40, 66, 0x40, 66], &[2]];
    bad.extend(turns.map(|clicks| [&[1, 1, 1, 4], clicks].concat()));
    // More events than a batch may have, and fewer than it says.
    let many = MAX_BATCH_EVENTS as u8 + 1;
    bad.push([&[1, 1, 0x40, many][..], &[5, 4].repeat(many.into())].concat());
    bad.push(vec![1, 1, 2, 5, 4]);
    bad.push(vec![1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 5, 4]);
    // A coordinate that is no number of 32 bits.
    bad.push(vec![1, 1, 1, 1, 0xc0, 0, 0, 1, 0, 0, 0, 0, 0]);
    for bytes in &bad {
        assert!(InputBatch::read(bytes).is_err(), "{bytes:?}");
    }
    bad.len()
}

/// Every kind of event under every permission that does not cover it.
fn bad_permissions() -> usize {
    let desk = Desk::start();
    let after = |reach, revoke: fn(&mut Permit)| {
        let mut permit = Permit::new(reach);
        revoke(&mut permit);
        permit
    };
    let cases = [
        after(Reach::Full, Permit::end),
        after(Reach::Full, Permit::suspend),
        after(Reach::Pointer, Permit::end),
        Permit::numbered(EPOCH - 1, Reach::Full),
        Permit::numbered(EPOCH + 1, Reach::Full),
        Permit::numbered(EPOCH + 1, Reach::Pointer),
        Permit::numbered(1_000, Reach::Full),
    ];
    let mut refused = 0;
    for permit in cases {
        refused += nothing_happens(&desk, &permit, &every_kind());
    }
    let no_moves: Vec<InputEvent> =
        every_kind().into_iter().filter(|e| !matches!(e, InputEvent::Move { .. })).collect();
    refused + nothing_happens(&desk, &Permit::new(Reach::Pointer), &no_moves)
}

/// Each event alone, under what the batch says is the permission of [`EPOCH`].
fn nothing_happens(desk: &Desk, permit: &Permit, events: &[InputEvent]) -> usize {
    let mut injector = Injector::open(Some(desk.display()), permit.token()).unwrap();
    let before = desk.state();
    for (step, event) in events.iter().enumerate() {
        let applied = injector.apply(&batch(EPOCH, &[*event]), step as u64 * 10_000).unwrap();
        assert_eq!((applied.applied, applied.refused), (0, 1), "{event:?}");
        assert!(injector.poll_shown().is_none(), "{event:?}");
        assert!(desk.state() == before, "{event:?} changed the display");
        assert!(desk.seen().is_empty(), "{event:?} reached a program");
    }
    drop(injector);
    assert!(desk.state() == before && desk.seen().is_empty(), "something came late");
    events.len()
}

#[test]
fn a_thousand_events_of_every_kind_change_nothing_under_a_revoked_token() {
    let desk = Desk::start();
    let (mut injector, mut permit) = desk.injector();
    let before = desk.state();
    permit.end();
    let kinds = every_kind();
    let mut refused = 0;
    for (round, kind) in kinds.iter().cycle().take(kinds.len() * 20).enumerate() {
        let events: Vec<InputEvent> = std::iter::repeat_n(*kind, 50).collect();
        let applied = injector.apply(&batch(EPOCH, &events), round as u64 * 100_000).unwrap();
        assert_eq!(applied.applied, 0);
        refused += applied.refused;
    }
    assert_eq!(refused as usize, kinds.len() * 1_000);
    assert!(desk.state() == before, "the display, its pointer or its keys changed");
    assert!(desk.seen().is_empty(), "a program was told of something");
}

#[test]
fn a_token_that_is_revoked_in_another_thread_stops_a_stream_of_input() {
    let desk = Desk::start();
    let (mut injector, mut permit) = desk.injector();
    let token = permit.token();
    let revoke = std::thread::spawn(move || permit.end());
    let mut now_us = 0;
    while token.is_valid() {
        now_us += 20_000;
        injector.apply(&batch(EPOCH, &[down(4), up(4), place(3, 3), place(4, 4)]), now_us).unwrap();
    }
    revoke.join().unwrap();
    injector.let_go().unwrap();
    desk.seen();
    let before = desk.state();
    let applied = injector.apply(&batch(EPOCH, &every_kind()), now_us + 1_000_000).unwrap();
    assert_eq!(applied.applied, 0);
    assert!(desk.state() == before && desk.seen().is_empty());
    desk.assert_nothing_down();
}

#[test]
fn a_press_beyond_what_hands_hold_is_dropped() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let many: Vec<InputEvent> = (0x04..0x04 + MAX_HELD as u32 + 3).map(down).collect();
    let applied = injector.apply(&batch(EPOCH, &many), 0).unwrap();
    assert_eq!((applied.applied, applied.dropped), (MAX_HELD as u64, 3));
    let pressed = |seen: &&Seen| matches!(seen, Seen::Key(_, true));
    assert_eq!(desk.await_seen(MAX_HELD).iter().filter(pressed).count(), MAX_HELD);
    assert_eq!(desk.keys_down().len(), MAX_HELD);
}
