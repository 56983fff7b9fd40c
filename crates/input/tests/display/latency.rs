//! How soon a program hears of input.

use crate::desk::{Desk, EPOCH, batch, down, place, up};
use farpane_input::InputEvent;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;

const ROUNDS: usize = 400;
/// Far above what is measured, far below what a person notices.
const LIMIT: Duration = Duration::from_millis(20);

/// From the call of `apply` until a program has read the event, for each round.
fn measure(desk: &Desk, event: impl Fn(usize) -> InputEvent) -> Vec<Duration> {
    let (mut injector, _permit) = desk.injector();
    desk.seen();
    let rounds = (0..ROUNDS).map(|round| {
        let batch = batch(EPOCH, &[event(round)]);
        let begin = Instant::now();
        injector.apply(&batch, round as u64 * 10_000).unwrap();
        desk.conn.wait_for_event().unwrap();
        begin.elapsed()
    });
    let mut took: Vec<Duration> = rounds.collect();
    took.sort_unstable();
    took
}

#[test]
fn a_program_hears_of_input_at_once() {
    let desk = Desk::start();
    let moves = measure(&desk, |round| place(round as i32 + 1, 40));
    let keys = measure(&desk, |round| if round % 2 == 0 { down(4) } else { up(4) });
    for (what, took) in [("pointer", moves), ("key", keys)] {
        let (p50, p95) = (took[ROUNDS / 2], took[ROUNDS * 95 / 100]);
        println!("apply to a program's event, {what}: p50 {p50:?}, p95 {p95:?}, of {ROUNDS}");
        assert!(p50 < LIMIT, "{p50:?}");
    }
}
