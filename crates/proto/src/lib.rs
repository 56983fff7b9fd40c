//! Sans-IO wire messages and screen synchronisation.
//!
//! Everything here takes `now_us` as an argument and touches no clock, thread or socket, so the
//! whole protocol is tested in virtual time and compiles for a browser. `handle_*` takes input
//! in, `poll_*` gives output; after any `handle_*`, drain every `poll_*` until it gives `None`.
//!
//! The byte layouts are specified in `docs/protocol.md`.
#![forbid(unsafe_code)]

pub mod control;
pub mod datagram;
pub mod feedback;
pub mod screen;
mod wire;

pub use wire::{Reader, WireError, Writer};

/// The protocol's version; both sides must have the same.
pub const VERSION: u32 = 1;
