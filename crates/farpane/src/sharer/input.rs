//! A helper's input on its way to the sharer's display.
//!
//! Batches go from the network's thread straight to one that applies them, past the pipeline, so
//! that no frame delays a click.

use super::events::Teller;
use super::links::{LinkEvent, PeerId};
use super::told::SharerEvent;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use farpane_capture::{list_monitors, monotonic_us};
use farpane_input::{Injector, InputBatch, InputError, InputEvent};
use farpane_policy::InputToken;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Batches that may wait to be applied. A display that is so far behind is stuck.
const QUEUE_BATCHES: usize = 256;

/// Where a helper's input is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputTarget {
    /// Nowhere: helpers can neither point nor control.
    #[default]
    None,
    /// On an X display.
    X11 {
        /// Which, as `:0`; `None`: the one that `DISPLAY` names.
        display: Option<String>,
        /// The monitor that is shared, when it is only one: pixels of the picture count from its
        /// corner.
        monitor: Option<String>,
    },
}

/// The way that batches of one helper take, closed while its input does not count.
#[derive(Clone, Default)]
pub(crate) struct InputDoor(Arc<Mutex<Option<Open>>>);

struct Open {
    batches: Sender<Vec<u8>>,
    ways: Ways,
}

impl InputDoor {
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a batch on. One that finds a closed door is lost; one that finds no room closes it,
    /// so that what is down is let go of.
    pub(crate) fn pass(&self, batch: Vec<u8>) {
        let mut open = self.lock();
        let full = open.as_ref().is_some_and(|open| open.batches.try_send(batch).is_err());
        if let Some(open) = open.take_if(|_| full) {
            open.ways.fail("the display does not take input as fast as it comes");
        }
    }

    /// No batch passes any more. What is down is let go of.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    /// Batches pass, and are applied as far and as long as `token` allows.
    pub(crate) fn open(&self, target: &InputTarget, token: InputToken, ways: Ways) {
        let (sender, batches) = bounded(QUEUE_BATCHES);
        let target = target.clone();
        let outside = ways.clone();
        let spawned =
            std::thread::Builder::new().name("farpane-inject".to_owned()).spawn(move || {
                if let Err(error) = apply(&target, token, &batches, &ways) {
                    ways.fail(&error.to_string());
                }
            });
        match spawned {
            Ok(_) => *self.lock() = Some(Open { batches: sender, ways: outside }),
            Err(error) => outside.fail(&error.to_string()),
        }
    }
}

/// Whom the applying thread tells what happens.
#[derive(Clone)]
pub(crate) struct Ways {
    pub(crate) helper: PeerId,
    pub(crate) events: Teller,
    pub(crate) links: Sender<(PeerId, LinkEvent)>,
}

impl Ways {
    fn fail(&self, reason: &str) {
        let _ = self.links.try_send((self.helper, LinkEvent::InputFailed(reason.to_owned())));
    }
}

/// Applies batches until the door closes.
fn apply(
    target: &InputTarget,
    token: InputToken,
    batches: &Receiver<Vec<u8>>,
    ways: &Ways,
) -> Result<(), InputError> {
    let InputTarget::X11 { display, monitor } = target else { return Ok(()) };
    let corner = corner(display.as_deref(), monitor.as_deref());
    let mut injector = Injector::open(display.as_deref(), token)?;
    loop {
        match next(batches, injector.next_deadline_us()) {
            Ok(Some(bytes)) => {
                // Who sends what is no batch is not understood, and does no harm.
                let Ok(batch) = InputBatch::read(&bytes) else { continue };
                injector.apply(&moved(&batch, corner), monotonic_us())?;
            }
            Ok(None) => drop(injector.handle_timeout(monotonic_us())?),
            Err(()) => return injector.let_go(),
        }
        if let Some(at) = injector.poll_shown() {
            let x = i64::from(at.x) - i64::from(corner.0);
            let y = i64::from(at.y) - i64::from(corner.1);
            let [x, y] = [x, y].map(|at| u32::try_from(at).unwrap_or_default());
            ways.events.tell(SharerEvent::Pointing { helper: ways.helper, x, y });
        }
    }
}

/// The next batch, or none when something is due before; an error when the door is closed.
fn next(batches: &Receiver<Vec<u8>>, due_us: Option<u64>) -> Result<Option<Vec<u8>>, ()> {
    let Some(due_us) = due_us else { return batches.recv().map(Some).map_err(|_| ()) };
    let wait = Duration::from_micros(due_us.saturating_sub(monotonic_us()));
    match batches.recv_timeout(wait) {
        Ok(batch) => Ok(Some(batch)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(()),
    }
}

/// The corner of the shared monitor on its screen; the screen's own when there is none.
fn corner(display: Option<&str>, monitor: Option<&str>) -> (i32, i32) {
    let Some(monitor) = monitor else { return (0, 0) };
    let monitors = list_monitors(display).unwrap_or_default();
    let found = monitors.iter().find(|known| known.name == monitor);
    found.map_or((0, 0), |known| (known.area.x as i32, known.area.y as i32))
}

/// The batch in pixels of the screen.
fn moved(batch: &InputBatch, corner: (i32, i32)) -> InputBatch {
    let mut out = InputBatch::new(batch.epoch());
    for event in batch.events() {
        let _ = out.push(match *event {
            InputEvent::Move { x, y } => {
                InputEvent::Move { x: x.saturating_add(corner.0), y: y.saturating_add(corner.1) }
            }
            other => other,
        });
    }
    out
}
