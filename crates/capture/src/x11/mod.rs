//! The X11 source: exact damage, pixels through shared memory, the pointer apart.
//!
//! It has a connection of its own and sleeps on it; while nothing changes it wakes up only for
//! the [watchdog](X11Options::watchdog). A change costs two round trips: one that tells where
//! (together with the pointer's position), one that brings the pixels.

mod backoff;
mod bands;
mod bell;
mod cursor;
mod display;
mod fault;
mod followup;
mod grab;
mod layout;
mod monitors;
mod segment;
mod session;
mod slots;
#[cfg(test)]
mod tests;
mod watchdog;

pub use grab::Transport;
pub use monitors::list_monitors;
pub use segment::SharedMemory;

use crate::{CaptureCounters, CaptureError, CaptureEvent, CaptureSource, Waker};
use backoff::Backoff;
use bell::Bell;
use cursor::Cursor;
use farpane_frame::Rect;
use fault::Fault;
use session::Session;
use std::sync::Arc;
use std::time::{Duration, Instant};
use watchdog::Watchdog;

/// What to capture, and how.
#[derive(Clone, Debug)]
pub struct X11Options {
    /// The display, as `:0`; `None` for the one that the environment variable `DISPLAY` names.
    pub display: Option<String>,
    /// The monitor's RandR name, as `eDP-1`; `None` for the whole screen.
    pub monitor: Option<String>,
    /// Uses this transport and no other; `None` (the default) for the best that works.
    pub transport: Option<Transport>,
    /// How often to look for changes that the display did not report; 4 s by default, `None` for
    /// never. Each look fetches and hashes 64 rows (some 0.1 ms at 1920 columns). Without it,
    /// pixels that a driver changes silently stay old at the helper.
    pub watchdog: Option<Duration>,
}

impl Default for X11Options {
    fn default() -> Self {
        Self {
            display: None,
            monitor: None,
            transport: None,
            watchdog: Some(Duration::from_secs(4)),
        }
    }
}

/// Captures an X11 display or one of its monitors.
///
/// A display that goes away (its server dies, or the named monitor is unplugged) is reported
/// once as [`CaptureEvent::Lost`] and awaited; when it is back a new generation begins. A
/// display that stops answering without closing the connection blocks
/// [`next`](CaptureSource::next) until it answers.
#[derive(Debug)]
pub struct X11Source {
    options: X11Options,
    bell: Arc<Bell>,
    link: Link,
    state: State,
}

/// Whether there is a display.
#[derive(Debug)]
enum Link {
    Up(Box<Session>),
    Down(Backoff),
}

/// What outlives a connection.
#[derive(Debug)]
struct State {
    generation: u32,
    frames: u64,
    counters: CaptureCounters,
    cursor: Cursor,
    watchdog: Watchdog,
    /// Reports of changes inside are dropped, as a broken driver would.
    #[cfg(test)]
    unreported: Rect,
}

/// What one step of [`X11Source::next`] led to.
enum Step {
    Event(CaptureEvent),
    Again,
}

impl X11Source {
    /// Connects to the display.
    ///
    /// # Errors
    /// When there is no such display or monitor, it refuses this user, or it lacks the XFIXES or
    /// DAMAGE extension, true colour, or the demanded transport.
    pub fn open(options: X11Options) -> Result<Self, CaptureError> {
        let bell = Bell::new()?;
        let session = Session::open(&options, &bell)?;
        let mut state = State {
            generation: 0,
            frames: 0,
            counters: CaptureCounters::default(),
            cursor: Cursor::new(),
            watchdog: Watchdog::new(options.watchdog, Instant::now()),
            #[cfg(test)]
            unreported: Rect::default(),
        };
        state.watchdog.reset(session.area().height);
        Ok(Self { options, bell, link: Link::Up(Box::new(session)), state })
    }

    /// How pixels get here; `None` while the display is away.
    pub fn transport(&self) -> Option<Transport> {
        match &self.link {
            Link::Up(session) => Some(session.transport()),
            Link::Down(_) => None,
        }
    }

    /// Which part of the root window is captured; `None` while the display is away.
    pub fn area(&self) -> Option<Rect> {
        match &self.link {
            Link::Up(session) => Some(session.area()),
            Link::Down(_) => None,
        }
    }

    /// Tries the display again when that is due; else waits for it to be.
    fn reconnect(&mut self, mut backoff: Backoff, deadline: Instant) -> Result<Step, Fault> {
        let mut now = Instant::now();
        if now >= backoff.due() {
            match Session::open(&self.options, &self.bell) {
                Ok(session) => {
                    self.state.counters.reconnects += 1;
                    self.state.cursor.reconnected();
                    self.state.begin_generation(session.area());
                    self.link = Link::Up(Box::new(session));
                    return Ok(Step::Again);
                }
                Err(_) => backoff.failed(now),
            }
            self.link = Link::Down(backoff);
            now = Instant::now();
        }
        if self.bell.take_rung() || now >= deadline {
            return Ok(Step::Event(CaptureEvent::Idle));
        }
        self.bell.wait(None, backoff.due().min(deadline) - now)?;
        Ok(Step::Again)
    }
}

impl CaptureSource for X11Source {
    fn next(&mut self, wait: Duration) -> Result<CaptureEvent, CaptureError> {
        let deadline = Instant::now() + wait.min(crate::LONGEST_WAIT);
        loop {
            let step = match &mut self.link {
                Link::Up(session) => session.advance(&mut self.state, &self.bell, deadline),
                Link::Down(backoff) => {
                    let backoff = *backoff;
                    self.reconnect(backoff, deadline)
                }
            };
            match step {
                Ok(Step::Event(event)) => return Ok(event),
                Ok(Step::Again) => {}
                Err(fault) => {
                    self.link = Link::Down(Backoff::new(Instant::now()));
                    return Ok(CaptureEvent::Lost(fault.reason()));
                }
            }
        }
    }

    fn refresh(&mut self) {
        if let Link::Up(session) = &mut self.link {
            session.refresh();
        }
    }

    fn waker(&self) -> Waker {
        self.bell.waker()
    }

    fn counters(&self) -> CaptureCounters {
        self.state.counters
    }
}

impl State {
    fn begin_generation(&mut self, area: Rect) {
        self.generation += 1;
        self.watchdog.reset(area.height);
    }
}
