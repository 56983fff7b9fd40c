//! The trait every source of frames implements, and what it hands out.

use crate::CaptureError;
use farpane_frame::{FrameRef, Move, Rect, Region};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A source of frames: a display, a file, a pattern.
///
/// A source is owned by one thread. It captures only inside [`CaptureSource::next`], so a
/// consumer that is busy simply does not call it: damage is merged meanwhile, and the next frame
/// is the screen as it is then, never an older one.
pub trait CaptureSource: Send {
    /// Waits until something changed, at most `wait`, and captures it. Returns
    /// [`CaptureEvent::Idle`] when nothing changed in that time or the waker was rung. With a
    /// `wait` of zero it hands out what is there now. The first frame is the whole screen.
    ///
    /// # Errors
    /// Only what the source cannot repair by itself. A display that went away is reported as
    /// [`CaptureEvent::Lost`] and tried again on the next call.
    fn next(&mut self, wait: Duration) -> Result<CaptureEvent, CaptureError>;

    /// Declares all damaged: the next frame carries the whole screen.
    fn refresh(&mut self);

    /// A handle by which other threads interrupt [`CaptureSource::next`].
    fn waker(&self) -> Waker;

    /// What has been counted since the source was opened.
    fn counters(&self) -> CaptureCounters;
}

/// What [`CaptureSource::next`] found.
#[derive(Debug)]
#[non_exhaustive]
pub enum CaptureEvent {
    /// Pixels.
    Frame(Frame),
    /// The pointer moved or changed shape.
    Cursor(CursorUpdate),
    /// Nothing.
    Idle,
    /// The source went away (why, for people); it is being tried again with growing pauses.
    Lost(String),
    /// A finite source (a replay) has no more frames.
    Ended,
}

/// One captured state of the screen.
#[derive(Debug)]
pub struct Frame {
    /// Counts up by one with every frame of the source.
    pub id: u64,
    /// Counts up whenever size, format or the display itself changed; everything is then damaged.
    pub generation: u32,
    /// When the pixels were taken, in microseconds of the monotonic clock ([`monotonic_us`]).
    pub capture_us: u64,
    /// When the source learned of the change, same clock.
    pub notice_us: u64,
    /// The pixels, always [`farpane_frame::PixelFormat::Bgrx`]. Dropping them returns the buffer
    /// to the source, which has at least two.
    pub pixels: Pixels,
    /// Where the picture may differ from the frame before.
    pub damage: Damage,
    /// What the source itself knows to have moved; unverified.
    pub moves: Vec<Move>,
}

/// Where a frame may differ from the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// These rectangles changed, and nothing else did. All pixels of the frame are valid.
    Exact(Region),
    /// Nothing outside this region changed, not all inside it need have. Pixels outside are
    /// unspecified and must not be read.
    Hint(Region),
    /// Anything may have changed; all pixels are valid.
    Unknown,
}

/// The memory of a captured frame, kept by whoever owns it.
pub trait PixelMemory: Send + Sync {
    /// The picture.
    fn view(&self) -> FrameRef<'_>;
}

/// A captured frame's pixels.
pub struct Pixels(Box<dyn PixelMemory>);

impl Pixels {
    /// Pixels that live in `memory`.
    pub fn new(memory: impl PixelMemory + 'static) -> Self {
        Self(Box::new(memory))
    }

    /// The picture.
    pub fn view(&self) -> FrameRef<'_> {
        self.0.view()
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pixels").field(&self.view().size()).finish()
    }
}

/// A change of the pointer. Positions are of the hot spot, in pixels of the captured area; they
/// may lie outside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorUpdate {
    /// Column of the hot spot.
    pub x: i32,
    /// Row of the hot spot.
    pub y: i32,
    /// Whether the pointer is visible and inside the captured area.
    pub visible: bool,
    /// The shape, when it is not the one of the update before.
    pub shape: Option<Arc<CursorShape>>,
}

/// A pointer's picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorShape {
    /// The source's name for this shape: equal serials are equal pictures.
    pub serial: u64,
    /// Pixels in a row, at most [`CursorShape::MAX_PX`].
    pub width: u32,
    /// Rows, at most [`CursorShape::MAX_PX`].
    pub height: u32,
    /// Column of the hot spot in the picture.
    pub hot_x: u32,
    /// Row of the hot spot in the picture.
    pub hot_y: u32,
    /// `width * height` pixels of blue, green, red, alpha; colours premultiplied by alpha.
    pub bgra: Vec<u8>,
}

impl CursorShape {
    /// The largest side of a shape; larger ones are cut.
    pub const MAX_PX: u32 = 256;
}

/// A part of the desktop that can be captured by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The connector's name, as `eDP-1`.
    pub name: String,
    /// Identifies the device across reconnects (from its EDID), when it tells.
    pub edid_hash: Option<u64>,
    /// Where it is on the desktop.
    pub area: Rect,
    /// Whether it is the primary one.
    pub primary: bool,
}

/// Interrupts a source that waits. Cheap to clone; harmless after the source is gone.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// A waker that calls `ring`.
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(ring))
    }

    /// Makes the current or next wait return [`CaptureEvent::Idle`] at once.
    pub fn ring(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

/// What a source has counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureCounters {
    /// Frames handed out.
    pub frames: u64,
    /// Pixels fetched from the display.
    pub pixels: u64,
    /// Times the watchdog looked outside the reported damage.
    pub watchdog_checks: u64,
    /// Times it found a change the display had not reported.
    pub watchdog_misses: u64,
    /// Times the display was lost and found again.
    pub reconnects: u64,
}

/// Microseconds of the monotonic clock, the clock of every capture time.
pub fn monotonic_us() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    t.tv_sec as u64 * 1_000_000 + t.tv_nsec as u64 / 1_000
}
