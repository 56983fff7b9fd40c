//! The thread that alone calls a driver, and may be left to itself.

use super::planes::OwnedPicture;
use crate::video::{Capabilities, Unit, VideoEncoder, VideoError, VideoRate};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// A picture to encode. Its buffers come back with the unit and are used again.
pub(super) struct Job {
    pub(super) picture: OwnedPicture,
    /// A keyframe is asked for.
    pub(super) keyframe: bool,
    /// The rate from this picture on, if it is another one.
    pub(super) rate: Option<VideoRate>,
    /// The unit, when the job comes back.
    pub(super) out: Vec<u8>,
}

/// What the thread says.
enum Report {
    Opened(Result<Capabilities, String>),
    Encoded(Box<Job>, Result<Option<Unit>, String>),
}

/// An encoder on a thread of its own. Dropped, it never waits for the thread: that ends when the
/// driver lets it, and takes one picture, one unit and the encoder with it.
pub(super) struct Worker {
    jobs: SyncSender<Box<Job>>,
    reports: Receiver<Report>,
}

impl Worker {
    /// Opens the encoder on a new thread.
    pub(super) fn start<F>(open: F) -> Result<Self, String>
    where
        F: FnOnce() -> Result<Box<dyn VideoEncoder>, VideoError> + Send + 'static,
    {
        let (jobs, jobs_to_do) = sync_channel(1);
        let (report, reports) = channel();
        let thread = thread::Builder::new().name("farpane-video".into());
        let spawned = thread.spawn(move || work(open, &jobs_to_do, &report));
        spawned.map_err(|error| format!("no thread for the encoder: {error}"))?;
        Ok(Self { jobs, reports })
    }

    /// Waits until the encoder is open.
    pub(super) fn wait_open(&self, limit: Duration) -> Result<Capabilities, String> {
        match self.reports.recv_timeout(limit) {
            Ok(Report::Opened(opened)) => opened,
            Ok(Report::Encoded(..)) => Err("an unexpected answer".into()),
            Err(error) => Err(silence(error, "opening", limit)),
        }
    }

    /// Has a picture encoded. After an error the worker is of no more use.
    pub(super) fn encode(
        &self,
        job: Box<Job>,
        limit: Duration,
    ) -> Result<(Box<Job>, Option<Unit>), String> {
        self.jobs.try_send(job).map_err(|_| "the encoder's thread ended".to_string())?;
        match self.reports.recv_timeout(limit) {
            Ok(Report::Encoded(job, unit)) => Ok((job, unit?)),
            Ok(Report::Opened(_)) => Err("an unexpected answer".into()),
            Err(error) => Err(silence(error, "a picture", limit)),
        }
    }
}

fn silence(error: RecvTimeoutError, what: &str, limit: Duration) -> String {
    match error {
        RecvTimeoutError::Timeout => format!("{what} took longer than {} ms", limit.as_millis()),
        RecvTimeoutError::Disconnected => "the encoder's thread ended".into(),
    }
}

fn work<F>(open: F, jobs: &Receiver<Box<Job>>, report: &Sender<Report>)
where
    F: FnOnce() -> Result<Box<dyn VideoEncoder>, VideoError>,
{
    let opened = guard(|| open().map_err(|error| error.to_string()));
    let (mut encoder, capabilities) = match opened {
        Ok(encoder) => {
            let capabilities = guard(|| Ok(encoder.capabilities()));
            (Some(encoder), capabilities)
        }
        Err(reason) => (None, Err(reason)),
    };
    let _ = report.send(Report::Opened(capabilities));
    // After an error the other side drops its ends, and no other job comes.
    while let (Some(encoder), Ok(mut job)) = (&mut encoder, jobs.recv()) {
        let unit = guard(|| encode(encoder.as_mut(), &mut job));
        let _ = report.send(Report::Encoded(job, unit));
    }
    // Nobody waits for this: drivers hang and crash here too.
    let _ = guard(|| {
        drop(encoder);
        Ok(())
    });
}

fn encode(encoder: &mut dyn VideoEncoder, job: &mut Job) -> Result<Option<Unit>, String> {
    if let Some(rate) = job.rate {
        let refused = |error| format!("{} bit/s refused: {error}", rate.bits_per_s);
        encoder.set_rate(rate).map_err(refused)?;
    }
    if job.keyframe {
        encoder.request_keyframe();
    }
    job.out.clear();
    encoder.encode(&job.picture.planes(), &mut job.out).map_err(|error| error.to_string())
}

/// Calls into an encoder; a panic is an error.
fn guard<T>(call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // What a panic leaves half changed is the encoder, which is not used again.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the encoder panicked: {}", text.as_deref().unwrap_or("no reason given"))
}
