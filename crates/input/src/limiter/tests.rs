use super::*;
use crate::{Button, Key, Wheel};
use InputEvent::{KeyDown, KeyUp, Press, Release};
use proptest::collection::vec;
use proptest::prelude::*;

const SECOND_US: u64 = 1_000_000;

fn key(usage: u32) -> Key {
    Key::new(usage).unwrap()
}

fn place(x: i32) -> InputEvent {
    InputEvent::Move { x, y: 0 }
}

fn drain(limiter: &mut Limiter, now_us: u64) -> Vec<InputEvent> {
    std::iter::from_fn(|| limiter.poll_event(now_us)).collect()
}

/// Takes all in at one moment; gives what comes out.
fn at_once(limiter: &mut Limiter, events: &[InputEvent], now_us: u64) -> Vec<InputEvent> {
    let mut out = Vec::new();
    for event in events {
        limiter.handle_event(*event, now_us);
        out.extend(drain(limiter, now_us));
    }
    out
}

fn weight(event: InputEvent) -> u32 {
    match event {
        InputEvent::Wheel(wheel) => wheel.clicks(),
        _ => 1,
    }
}

#[test]
fn what_a_person_does_passes_unchanged() {
    let mut limiter = Limiter::default();
    let (mut sent, mut came) = (Vec::new(), Vec::new());
    for step in 0..2_000_u32 {
        let button = Button::ALL[step as usize / 4 % 5];
        let event = match step % 4 {
            0 => place(step as i32),
            1 => Press(button),
            2 => KeyDown(key(4 + step % 26)),
            _ => Release(button),
        };
        let up = (step % 4 == 2).then(|| KeyUp(key(4 + step % 26)));
        for event in [event].into_iter().chain(up) {
            sent.push(event);
            came.extend(at_once(&mut limiter, &[event], u64::from(step) * 2_000));
        }
    }
    assert!(came == sent);
    assert_eq!((limiter.dropped(), limiter.merged()), (0, 0));
}

#[test]
fn a_flood_of_places_is_merged_and_the_last_one_arrives() {
    let mut limiter = Limiter::default();
    let flood: Vec<InputEvent> = (0..10_000).map(place).collect();
    let out = at_once(&mut limiter, &flood, 5);
    assert_eq!(out.len(), BURST as usize);
    let deadline_us = limiter.next_deadline_us().unwrap();
    assert_eq!(limiter.poll_event(deadline_us - 1), None);
    assert_eq!(limiter.poll_event(deadline_us), Some(place(9_999)));
    assert_eq!((limiter.next_deadline_us(), limiter.dropped()), (None, 0));
    assert_eq!(limiter.merged() as usize, flood.len() - out.len() - 1);
}

#[test]
fn a_click_comes_after_the_place_that_waits() {
    let mut limiter = Limiter::default();
    let flood: Vec<InputEvent> = (0..200).map(place).collect();
    at_once(&mut limiter, &flood, 0);
    let out = at_once(&mut limiter, &[Press(Button::Left)], 10_000);
    assert_eq!(out, [place(199), Press(Button::Left)]);
}

#[test]
fn excess_is_dropped_and_counted_and_no_key_stays_down() {
    let mut limiter = Limiter::default();
    let strokes = |n: u32| [KeyDown(key(4 + n % 100)), KeyUp(key(4 + n % 100))];
    let flood: Vec<InputEvent> = (0..500).flat_map(strokes).collect();
    let out = at_once(&mut limiter, &flood, 0);
    assert!(out.len() as i64 <= BURST + 1, "{}", out.len());
    assert_eq!(limiter.dropped() as usize, 500 - out.len() / 2);
    assert!(limiter.held().is_empty());
}

#[test]
fn releases_pass_however_many_there_were() {
    let mut limiter = Limiter::default();
    let down: Vec<InputEvent> = (4..4 + MAX_HELD as u32).map(|n| KeyDown(key(n))).collect();
    assert_eq!(at_once(&mut limiter, &down, 0).len(), MAX_HELD);
    let wheel = InputEvent::Wheel(Wheel::new(0, 32).unwrap());
    assert_eq!(at_once(&mut limiter, &[wheel; 9], 0).len(), 3);
    let up: Vec<InputEvent> = (4..4 + MAX_HELD as u32).map(|n| KeyUp(key(n))).collect();
    assert!(at_once(&mut limiter, &up, 0) == up);
    assert!(limiter.held().is_empty() && limiter.dropped() == 6);
}

#[test]
fn a_wheel_counts_by_its_clicks() {
    let mut limiter = Limiter::default();
    let wheel = InputEvent::Wheel(Wheel::new(-32, 32).unwrap());
    assert_eq!(at_once(&mut limiter, &[wheel; 5], 0), [wheel; 2]);
    assert_eq!(limiter.dropped(), 3);
}

#[test]
fn a_33rd_key_is_dropped_and_counted() {
    let mut limiter = Limiter::default();
    let down: Vec<InputEvent> = (4..4 + 33).map(|n| KeyDown(key(n))).collect();
    assert_eq!(at_once(&mut limiter, &down, 0).len(), MAX_HELD);
    assert_eq!(limiter.dropped(), 1);
}

#[test]
fn after_letting_go_of_everything_nothing_waits() {
    let mut limiter = Limiter::default();
    let flood: Vec<InputEvent> = (0..200).map(place).collect();
    at_once(&mut limiter, &[KeyDown(key(4)), Press(Button::Left)], 0);
    at_once(&mut limiter, &flood, 0);
    assert_eq!(limiter.release_all(), [Release(Button::Left), KeyUp(key(4))]);
    assert_eq!((limiter.poll_event(SECOND_US), limiter.next_deadline_us()), (None, None));
}

#[test]
fn a_clock_that_runs_backwards_gives_nothing() {
    let mut limiter = Limiter::default();
    let flood: Vec<InputEvent> = (0..200).map(place).collect();
    at_once(&mut limiter, &flood, 9 * SECOND_US);
    assert!(at_once(&mut limiter, &flood, 0).is_empty());
    assert!(at_once(&mut limiter, &flood, 9 * SECOND_US).is_empty());
}

fn any_event() -> impl Strategy<Value = InputEvent> {
    prop_oneof![
        (0..9_999).prop_map(place),
        (4..80_u32).prop_map(|n| KeyDown(key(n))),
        (4..80_u32).prop_map(|n| KeyUp(key(n))),
        (0..5_usize).prop_map(|n| Press(Button::ALL[n])),
        (0..5_usize).prop_map(|n| Release(Button::ALL[n])),
        (1..=32).prop_map(|n| InputEvent::Wheel(Wheel::new(0, n).unwrap())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_second_has_more_than_the_bound(
        steps in vec((any_event(), prop_oneof![4 => Just(0), 1 => 0..3_000_u64]), 2_000..6_000),
    ) {
        let (mut limiter, mut now_us, mut sent) = (Limiter::default(), 0, Vec::new());
        let mut down = Held::default();
        for (event, wait_us) in steps {
            now_us += wait_us;
            for event in at_once(&mut limiter, &[event], now_us) {
                prop_assert!(down.handle_event(event), "nothing is pressed or let go of twice");
                sent.push((now_us, weight(event)));
            }
            prop_assert!(down == *limiter.held());
        }
        let (mut first, mut within) = (0, 0);
        for (last_us, weight) in sent.iter().copied() {
            within += weight;
            while sent[first].0 + SECOND_US <= last_us {
                within -= sent[first].1;
                first += 1;
            }
            prop_assert!(within <= EVENTS_PER_SECOND, "{within} events in a second");
        }
    }
}
