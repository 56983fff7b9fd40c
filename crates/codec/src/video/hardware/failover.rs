//! From hardware to software at the first sign of trouble.

use super::judge::Judge;
use super::planes::{self, OwnedPicture};
use super::worker::{Job, Worker};
use crate::video::{Capabilities, Planes, Unit, VideoEncoder, VideoError, VideoRate};
use farpane_frame::Size;
use std::mem;
use std::time::Duration;

/// A picture that takes longer than this many intervals between pictures is a stall ...
const STALL_INTERVALS: f32 = 3.0;
/// ... at very high rates not before this time, which a busy machine can take to wake a thread ...
const STALL_AT_LEAST: Duration = Duration::from_millis(40);
/// ... and at very low ones no later than this: people watch.
const STALL_AT_MOST: Duration = Duration::from_secs(1);

/// How long [`FailoverEncoder::start`] waits for the driver to open. Drivers that a probe found
/// good open in 0.1 to 0.5 s.
pub const OPEN_LIMIT: Duration = Duration::from_secs(2);
/// How long the first picture may take: drivers put some of their work off until then.
pub const FIRST_LIMIT: Duration = Duration::from_millis(500);

/// An encoder in hardware with one in software in reserve, for as long as the first one works.
///
/// The hardware encoder lives on a thread of its own, so its driver may hang without hanging the
/// caller. The software encoder takes over, for good and from the same picture on, when
/// - the hardware encoder does not open, in [`OPEN_LIMIT`];
/// - a picture takes longer than three intervals between pictures (40 ms at least, 1 s at most,
///   and for the first one at least [`FIRST_LIMIT`]);
/// - it gives an error, refuses a rate, or panics;
/// - what it gives cannot be right: no bytes, more than the raw picture has, 8 units in a row of
///   more than 8 times what the rate allows (and more than a 64th of the raw picture), 60 skipped
///   pictures in a row, no H.264 access unit (Annex B, slices, parameter sets in keyframes), or
///   no keyframe when one was asked for.
///
/// The first unit of the software encoder is a keyframe, at the rate last set. Then
/// [`failed`](Self::failed) says why. The thread that was left to itself ends when the driver lets
/// it; until then it holds one picture, one unit and the encoder. What it still makes is dropped.
/// Open no other hardware encoder of that backend then: each may leave a thread behind.
pub struct FailoverEncoder {
    size: Size,
    rate: VideoRate,
    capabilities: Capabilities,
    state: State,
    failed: Option<String>,
}

/// Makes the software encoder, once.
type Reserve = Box<dyn FnOnce(Size, VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> + Send>;

enum State {
    Hardware(Box<Hardware>),
    Software(Box<dyn VideoEncoder>),
    /// Neither works.
    Over(VideoError),
}

impl FailoverEncoder {
    /// Opens an encoder with `hardware`, on a thread of its own; `software` is called when it is
    /// needed, maybe here. This waits for the driver, up to [`OPEN_LIMIT`].
    ///
    /// # Errors
    /// Neither encoder can be had, or `rate` is none.
    pub fn start<H, S>(
        size: Size,
        rate: VideoRate,
        hardware: H,
        software: S,
    ) -> Result<Self, VideoError>
    where
        H: FnOnce(Size, VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> + Send + 'static,
        S: FnOnce(Size, VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> + Send + 'static,
    {
        check_rate(rate)?;
        let opened = Worker::start(move || hardware(size, rate)).and_then(|worker| {
            let capabilities = worker.wait_open(OPEN_LIMIT)?;
            Ok((worker, capabilities))
        });
        let (state, capabilities, failed) = match opened {
            Ok((worker, capabilities)) => {
                let reserve = Box::new(software);
                let hardware = Hardware::new(worker, capabilities, size, rate, reserve);
                (State::Hardware(Box::new(hardware)), capabilities, None)
            }
            Err(reason) => {
                let encoder = software(size, rate)?;
                let capabilities = encoder.capabilities();
                (State::Software(encoder), capabilities, Some(reason))
            }
        };
        Ok(Self { size, rate, capabilities, state, failed })
    }

    /// Why the hardware encoder is no longer used. `None`: it is.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Gives the hardware encoder up.
    fn fail_over(&mut self, reason: String) {
        self.failed.get_or_insert(reason);
        let over = State::Over(VideoError::Failed {
            what: "the software encoder",
            reason: "it panicked when it was made".into(),
        });
        let State::Hardware(hardware) = mem::replace(&mut self.state, over) else { return };
        let made = (hardware.reserve)(self.size, self.rate).and_then(|encoder| {
            let (old, new) = (self.capabilities, encoder.capabilities());
            let same = old.codec == new.codec && old.chroma == new.chroma;
            if same { Ok((encoder, new)) } else { Err(VideoError::Kind) }
        });
        self.state = match made {
            Ok((mut encoder, capabilities)) => {
                encoder.request_keyframe();
                self.capabilities = capabilities;
                State::Software(encoder)
            }
            Err(error) => State::Over(error),
        };
    }
}

impl VideoEncoder for FailoverEncoder {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        planes::check(picture, self.size, self.capabilities.chroma)?;
        if let State::Hardware(hardware) = &mut self.state {
            match hardware.encode(picture, out) {
                Ok(unit) => return Ok(unit),
                Err(reason) => self.fail_over(reason),
            }
        }
        match &mut self.state {
            State::Software(encoder) => encoder.encode(picture, out),
            State::Over(error) => Err(error.clone()),
            State::Hardware(_) => Err(VideoError::Kind),
        }
    }

    fn request_keyframe(&mut self) {
        match &mut self.state {
            State::Hardware(hardware) => hardware.keyframe_wanted = true,
            State::Software(encoder) => encoder.request_keyframe(),
            State::Over(_) => {}
        }
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        check_rate(rate)?;
        match &mut self.state {
            State::Hardware(hardware) => hardware.set_rate(rate),
            State::Software(encoder) => encoder.set_rate(rate)?,
            State::Over(error) => return Err(error.clone()),
        }
        self.rate = rate;
        Ok(())
    }
}

fn check_rate(rate: VideoRate) -> Result<(), VideoError> {
    if rate.bits_per_s > 0 && rate.pictures_per_s > 0.0 && rate.pictures_per_s.is_finite() {
        return Ok(());
    }
    Err(VideoError::Failed { what: "setting the rate", reason: format!("{rate:?} is none") })
}

/// The hardware encoder, as long as it works.
struct Hardware {
    worker: Worker,
    judge: Judge,
    /// The buffers, between two pictures.
    job: Option<Box<Job>>,
    /// From the first picture on, a keyframe was asked for and has not come.
    keyframe_wanted: bool,
    /// A rate that the encoder has not been told.
    rate: Option<VideoRate>,
    stall: Duration,
    /// Nothing has come yet.
    first: bool,
    reserve: Reserve,
}

impl Hardware {
    fn new(
        worker: Worker,
        capabilities: Capabilities,
        size: Size,
        rate: VideoRate,
        reserve: Reserve,
    ) -> Self {
        let picture = OwnedPicture::new(size, capabilities.chroma);
        Self {
            worker,
            judge: Judge::new(capabilities.codec, capabilities.chroma, size, rate),
            job: Some(Box::new(Job { picture, keyframe: false, rate: None, out: Vec::new() })),
            keyframe_wanted: true,
            rate: None,
            stall: stall_limit(rate),
            first: true,
            reserve,
        }
    }

    fn set_rate(&mut self, rate: VideoRate) {
        self.judge.set_rate(rate);
        self.stall = stall_limit(rate);
        self.rate = Some(rate);
    }

    /// After an error the encoder is not used again, so nothing is put right.
    fn encode(&mut self, picture: &Planes<'_>, out: &mut Vec<u8>) -> Result<Option<Unit>, String> {
        let mut job = self.job.take().ok_or("the buffers are gone")?;
        job.picture.load(picture);
        job.keyframe = self.keyframe_wanted;
        job.rate = self.rate.take();
        let limit = if self.first { self.stall.max(FIRST_LIMIT) } else { self.stall };
        let (job, unit) = self.worker.encode(job, limit)?;
        self.judge.look(unit, &job.out, self.keyframe_wanted)?;
        self.first &= unit.is_none();
        self.keyframe_wanted &= !unit.is_some_and(|unit| unit.keyframe);
        out.extend_from_slice(&job.out);
        self.job = Some(job);
        Ok(unit)
    }
}

fn stall_limit(rate: VideoRate) -> Duration {
    // A rate that a duration cannot hold is as good as none.
    let intervals = Duration::try_from_secs_f32(STALL_INTERVALS / rate.pictures_per_s);
    intervals.unwrap_or(STALL_AT_MOST).clamp(STALL_AT_LEAST, STALL_AT_MOST)
}

#[cfg(all(test, feature = "h264"))]
mod h264_tests;
#[cfg(test)]
mod tests;
