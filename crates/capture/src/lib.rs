//! Sources of frames: X11, portable (xcap), pushed by the app, replay and synthetic.
#![warn(clippy::undocumented_unsafe_blocks)]

mod error;
mod outlet;
mod pattern;
mod pause;
mod push;
mod replay;
mod source;
mod spec;
mod trace;
mod x11;
#[cfg(feature = "xcap")]
mod xcap_source;
#[cfg(any(test, feature = "xvfb"))]
mod xvfb;

pub use error::CaptureError;
pub use pattern::{Pattern, PatternKind, PatternSource};
pub use push::{PushScreen, PushSource};
pub use replay::{Pace, ReplayOptions, ReplaySource};
pub use source::{
    CaptureCounters, CaptureEvent, CaptureSource, CursorShape, CursorUpdate, Damage, Frame,
    Monitor, PixelMemory, Pixels, Waker, monotonic_us,
};
pub use spec::SourceSpec;
pub use trace::{MAX_TRACE_PX, TraceError, TraceReader, TraceRecord, TraceWriter};
pub use x11::{SharedMemory, Transport, X11Options, X11Source, list_monitors};
#[cfg(feature = "xcap")]
pub use xcap_source::{XcapOptions, XcapSource, list_monitors as list_portable_monitors};
#[cfg(any(test, feature = "xvfb"))]
pub use xvfb::{Xvfb, XvfbError};

/// Longer waits than a day are cut, so that deadlines can be computed.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(86_400);
