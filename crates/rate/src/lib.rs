//! Sans-IO feedback, congestion control, pacing and the frame budget.
//!
//! Delay is the controlled quantity: a [`Controller`] learns from receive timestamps how long
//! datagrams wait in queues, and bounds the bytes in flight so that the wait stays short. The
//! [`Pacer`] spreads those bytes over time. Nothing here reads a clock; `now_us` is an argument.
#![forbid(unsafe_code)]

mod carried;
mod controller;
mod drain;
mod fixed;
mod gcc;
mod pacer;
mod queue;
mod rivals;
mod scream;
#[cfg(test)]
mod trial;
mod window_min;

use controller::MAX_RTT_US;
pub use controller::{Controller, MAX_SAMPLES, Report, Sample};
pub use fixed::FixedController;
pub use gcc::GccController;
pub use pacer::Pacer;
pub use scream::ScreamController;

/// An update takes what the path carries in this time at most: the next shows newer pixels.
const UPDATE_US: u64 = 33_000;
/// But this at the least, and this at the most: so much takes hosts long to encode and to show.
const UPDATE_BYTES: std::ops::RangeInclusive<u64> = 12_000..=400_000;

/// How many bytes the next update may take while `in_flight_bytes` are on the way and
/// `queued_bytes` wait to be sent: what the window leaves, and what leaves soon.
pub fn frame_budget_bytes(
    controller: &dyn Controller,
    in_flight_bytes: u64,
    queued_bytes: u64,
) -> u64 {
    let left = controller.window_bytes().saturating_sub(in_flight_bytes);
    let soon = controller.carried_bytes_per_s().saturating_mul(UPDATE_US) / 1_000_000;
    left.min(soon.clamp(*UPDATE_BYTES.start(), *UPDATE_BYTES.end())).saturating_sub(queued_bytes)
}
