//! Stills are made on a thread of their own: one takes as long as ten pictures of a film.

use crate::Error;
use crossbeam::channel::{Receiver, Sender, bounded, select};
use farpane_codec::video::{self, Picture, VideoError};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;

/// Pictures that may wait for the thread: with the one it works on a second or two's work, and
/// about 10 MB. Beyond, there is no still.
const QUEUE_PICTURES: usize = 4;
/// AV1's quantiser and rav1e's speed: a SSIMULACRA2 of 76 in an eighth of the bytes of exact
/// tiles, as fast as it gets.
const QUANTIZER: u8 = 100;
const SPEED: u8 = 10;

/// The way to whoever makes stills.
pub(crate) type StillQueue = Sender<StillJob>;

type Made = Result<Vec<u8>, VideoError>;

/// A picture that is to become a still.
pub(crate) struct StillJob {
    picture: Picture,
    made: Weak<OnceLock<Made>>,
}

/// A still that is being made. Dropping it takes the wish back.
pub(crate) struct Still(Arc<OnceLock<Made>>);

/// A still that was made, for whoever wanted it.
pub(crate) struct MadeStill {
    made: Made,
    place: Weak<OnceLock<Made>>,
}

impl Still {
    /// Asks for a still of `picture`; `None`: too many others wait.
    pub(crate) fn begin(queue: &StillQueue, picture: Picture) -> Option<Self> {
        let made = Arc::new(OnceLock::new());
        let job = StillJob { picture, made: Arc::downgrade(&made) };
        queue.try_send(job).is_ok().then_some(Self(made))
    }

    /// The access unit, as soon as it is there.
    pub(crate) fn poll(&self) -> Option<&Made> {
        self.0.get()
    }
}

impl StillJob {
    /// Makes the still; `None` when nobody wants it any more.
    pub(crate) fn make(self) -> Option<MadeStill> {
        self.made.upgrade()?;
        let made = video::still(&self.picture.planes(), QUANTIZER, SPEED);
        Some(MadeStill { made, place: self.made })
    }
}

impl MadeStill {
    /// Hands it over, when it is still wanted.
    pub(crate) fn deliver(self) {
        if let Some(place) = self.place.upgrade() {
            let _ = place.set(self.made);
        }
    }
}

/// A queue, and the end from which stills are made.
pub(crate) fn still_queue() -> (StillQueue, Receiver<StillJob>) {
    bounded(QUEUE_PICTURES)
}

/// The thread that makes stills. Dropping it ends the thread, once the still that it works on is
/// made: within a second.
pub(crate) struct StillMaker {
    queue: StillQueue,
    /// Closed, it ends the thread.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl StillMaker {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Self, Error> {
        let (queue, jobs) = still_queue();
        let (stop, stopped) = bounded(0);
        let name = "farpane-still";
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || serve(&jobs, &stopped));
        let thread = thread.map_err(|e| Error::Thread { name, reason: e.to_string() })?;
        Ok(Self { queue, stop: Some(stop), thread: Some(thread) })
    }

    /// The way to it.
    pub(crate) fn queue(&self) -> StillQueue {
        self.queue.clone()
    }
}

impl Drop for StillMaker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It tells nobody of a panic: all goes exactly from then on.
            let _ = thread.join();
        }
    }
}

fn serve(jobs: &Receiver<StillJob>, stopped: &Receiver<Infallible>) {
    loop {
        let job = select! {
            recv(stopped) -> _ => return,
            recv(jobs) -> job => job,
        };
        let Ok(job) = job else { return };
        if let Some(made) = job.make() {
            made.deliver();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_codec::video::Chroma;
    use farpane_frame::Size;

    fn picture() -> Picture {
        Picture::new(Size::new(64, 64), Chroma::Full).unwrap()
    }

    #[cfg(feature = "av1")]
    #[test]
    fn the_thread_makes_what_is_asked_for_and_ends_with_what_waits_undone() {
        let maker = StillMaker::start().unwrap();
        let still = Still::begin(&maker.queue(), picture()).unwrap();
        let start = std::time::Instant::now();
        while still.poll().is_none() {
            assert!(start.elapsed().as_secs() < 60, "it is never made");
            std::thread::yield_now();
        }
        assert!(still.poll().unwrap().as_ref().is_ok_and(|unit| !unit.is_empty()));
        let queue = maker.queue();
        drop(maker);
        assert!(Still::begin(&queue, picture()).is_none(), "nobody is there");
    }

    #[test]
    fn the_queue_is_bounded_and_what_nobody_wants_is_not_made() {
        let (queue, jobs) = still_queue();
        let stills: Vec<_> = (0..9).filter_map(|_| Still::begin(&queue, picture())).collect();
        assert_eq!(stills.len(), QUEUE_PICTURES);
        drop(stills);
        assert!(jobs.try_iter().all(|job| job.make().is_none()));
    }
}
