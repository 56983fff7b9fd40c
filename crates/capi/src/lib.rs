//! The C ABI of Farpane: what `farpane.h` declares.
//!
//! Every export runs inside one boundary (`boundary`) that turns errors into codes and panics
//! into [`abi::FARPANE_ERR_PANIC`]. Handles are names in a table (`handle`), never addresses, so
//! a wrong or stale one is an error and no crash.

#[cfg(panic = "abort")]
compile_error!("the C ABI turns panics into errors: build it with panic = \"unwind\"");

pub mod abi;
mod audit;
mod boundary;
mod callback;
mod channel;
mod conduct;
mod consent;
mod credentials;
mod cursor;
mod event;
mod file;
mod frame;
mod handle;
mod hardware;
mod helper;
mod input;
mod invitation;
mod log;
mod memory;
mod push;
mod scope;
#[cfg(feature = "fuzzing")]
pub mod sequence;
mod session;
mod sharer;
mod signal;
mod stats;
mod tenant;
mod version;

pub use audit::*;
pub use channel::*;
pub use conduct::*;
pub use consent::*;
pub use credentials::*;
pub use cursor::*;
pub use event::*;
pub use file::*;
pub use frame::*;
pub use hardware::*;
pub use input::*;
pub use invitation::*;
pub use log::*;
pub use push::*;
pub use session::*;
pub use stats::*;
pub use tenant::*;
pub use version::*;
