//! Mouse and keyboard of a helper: what may be sent, and how it is applied.
//!
//! A helper's window makes [`InputEvent`]s ([`WindowInput`]), which travel in [`InputBatch`]es
//! and which an [`Injector`] applies to the sharer's display. Keys are positions on a keyboard,
//! never text: what a key writes is up to the sharer's layout. No keystroke is ever logged, and
//! none shows in the `Debug` form of anything here.
//!
//! An injector demands an [`InputToken`](farpane_policy::InputToken), which only a session makes:
//!
//! ```compile_fail
//! let injector = farpane_input::Injector::open(Some(":0"));
//! ```
//! ```compile_fail
//! let forged = farpane_policy::InputToken::default();
//! let injector = farpane_input::Injector::open(Some(":0"), forged);
//! ```
//!
//! It does nothing once the token is invalid or when the input was made under another
//! permission, and lets go of every key and button at every end. [`Limiter`] bounds what one
//! helper can do in a second. All times are microseconds of a monotonic clock that the caller
//! reads.
#![forbid(unsafe_code)]

mod batch;
mod error;
mod event;
mod held;
mod key;
mod limiter;
mod x11;

pub use batch::{InputBatch, MAX_BATCH_BYTES, MAX_BATCH_EVENTS};
pub use error::InputError;
pub use event::{Button, InputEvent, MAX_WHEEL_CLICKS, Wheel};
pub use held::{Held, MAX_HELD};
pub use key::Key;
pub use limiter::{EVENTS_PER_SECOND, Limiter};
pub use x11::{Applied, Injector, Keymap, PointerShown, WindowInput};
