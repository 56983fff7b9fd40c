//! Networks in virtual time, for tests and measurements of what runs over them.
//!
//! A [`Link`] is one direction of a path: a policer, loss, a queue, a rate, a propagation delay
//! and jitter, in this order. Time is an argument, in integer nanoseconds; chance comes from a
//! seed. So a run with the same seed gives the same packets at the same times, and the same link
//! serves virtual time and a wall clock.
#![forbid(unsafe_code)]

mod jitter;
mod link;
mod loss;
mod nat;
mod packet;
mod policer;
mod queue;
mod rate;
mod span;
mod tcp;

pub use jitter::Jitter;
pub use link::{Link, LinkConfig, LinkStats};
pub use loss::Loss;
pub use nat::{Filtering, Nat, NatConfig};
pub use packet::{Delivered, Ecn, Packet};
pub use policer::PolicerConfig;
pub use queue::QueueKind;
pub use rate::{Rate, TraceError};
pub use span::Span;
pub use tcp::{TcpPipe, TcpPipeConfig};

/// Nanoseconds of virtual time since the beginning of the run.
pub type Ns = u64;

/// A microsecond.
pub const US: Ns = 1_000;
/// A millisecond.
pub const MS: Ns = 1_000_000;
/// A second.
pub const S: Ns = 1_000_000_000;
