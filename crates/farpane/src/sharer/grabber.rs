//! The capture thread: blocks on the display, hands over one frame at a time.

use crate::Error;
use crossbeam::channel::{Receiver, Sender, bounded};
use farpane_capture::{CaptureCounters, CaptureEvent, CaptureSource, Waker};
use farpane_policy::CaptureToken;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long one wait for the display lasts; sources look after themselves inside it.
const WAIT: Duration = Duration::from_secs(3_600);
/// Events that may wait for the pipeline: one frame, because one is asked for at a time, and the
/// cursor moves around it. The thread pauses when it is full.
const QUEUE_EVENTS: usize = 8;

/// What the capture thread reports.
#[derive(Debug)]
pub(crate) enum Grabbed {
    /// What the source found.
    Event(CaptureEvent),
    /// The source failed for good.
    Failed(farpane_capture::CaptureError),
}

/// Opens a source on the capture thread, once there is consent.
pub(crate) type OpenSource =
    Box<dyn FnOnce() -> Result<Box<dyn CaptureSource>, farpane_capture::CaptureError> + Send>;

/// A running capture thread. Dropping it stops the thread.
pub(crate) struct Grabber {
    pub(crate) events: Receiver<Grabbed>,
    want: Option<Sender<()>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    waker: Mutex<Option<Waker>>,
    counters: Mutex<CaptureCounters>,
}

impl Grabber {
    /// Starts the thread, which opens the source and waits to be asked for a frame. The token
    /// proves the sharer's consent.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(open: OpenSource, _consent: &CaptureToken) -> Result<Self, Error> {
        let (sender, events) = bounded(QUEUE_EVENTS);
        let (want, wanted) = bounded(1);
        let shared = Arc::new(Shared::default());
        let name = "farpane-capture";
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(open, &shared, &wanted, &sender)
            })
            .map_err(|e| Error::Thread { name, reason: e.to_string() })?;
        Ok(Self { events, want: Some(want), shared, thread: Some(thread) })
    }

    /// Asks for the next frame, while the consent stands. Asking again before it came changes
    /// nothing.
    pub(crate) fn want(&self, consent: &CaptureToken) {
        if let Some(want) = self.want.as_ref().filter(|_| consent.is_valid()) {
            let _ = want.try_send(());
        }
    }

    /// What the source has counted.
    pub(crate) fn counters(&self) -> CaptureCounters {
        *self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Grabber {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.want = None;
        // Room for whatever the thread is about to say, so that it sees the stop.
        while self.events.try_recv().is_ok() {}
        if let Some(waker) = &*self.shared.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.ring();
        }
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() {
                let _ = self.events.recv_timeout(Duration::from_millis(1));
            }
            let _ = thread.join();
        }
    }
}

fn run(open: OpenSource, shared: &Shared, wanted: &Receiver<()>, out: &Sender<Grabbed>) {
    let mut source = match open() {
        Ok(source) => source,
        Err(error) => {
            let _ = out.send(Grabbed::Failed(error));
            return;
        }
    };
    *shared.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(source.waker());
    while wanted.recv().is_ok() {
        if !grab_one(&mut *source, shared, out) {
            return;
        }
    }
}

/// Waits for one frame and passes on what else happens meanwhile; false when it is over.
fn grab_one(source: &mut dyn CaptureSource, shared: &Shared, out: &Sender<Grabbed>) -> bool {
    loop {
        if shared.stop.load(Ordering::SeqCst) {
            return false;
        }
        crate::fault::point("farpane-capture");
        let event = match source.next(WAIT) {
            Ok(CaptureEvent::Idle) => continue,
            Ok(event) => event,
            Err(error) => {
                let _ = out.send(Grabbed::Failed(error));
                return false;
            }
        };
        *shared.counters.lock().unwrap_or_else(PoisonError::into_inner) = source.counters();
        let ended = matches!(event, CaptureEvent::Ended);
        let frame = matches!(event, CaptureEvent::Frame(_));
        if out.send(Grabbed::Event(event)).is_err() || ended {
            return false;
        }
        if frame {
            return true;
        }
    }
}
