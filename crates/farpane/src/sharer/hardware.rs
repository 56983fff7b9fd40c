//! Films in hardware. Which encoder works is found out on a thread of its own, which also opens
//! encoders: drivers may take their time, or all time. Films that begin from then on are encoded
//! in hardware, until it fails for the first time.

use super::video::OpenEncoder;
use crate::Error;
use crate::hardware::{HardwareOptions, Machine};
use crossbeam::channel::{Receiver, Sender, TryRecvError, bounded, never, select};
use farpane_codec::video::hardware::{Backend, FailoverEncoder, Remembered, Verdict};
use farpane_codec::video::{
    Capabilities, Planes, Unit, VideoCodec, VideoEncoder, VideoError, VideoRate,
};
use farpane_frame::Size;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Films and failures that may wait for the thread; films beyond stay in software.
const QUEUE_REQUESTS: usize = 64;

/// The choice of an encoder in hardware, and the way to it. Dropping it ends the thread, and a
/// probe that runs; a driver that does not open keeps it for at most 2 s.
pub(crate) struct Hardware {
    way: Way,
    /// Closed, it ends the thread.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// What a film needs to know of it.
#[derive(Clone)]
struct Way {
    /// Whether an encoder was chosen and has not failed.
    works: Arc<AtomicBool>,
    requests: Sender<Request>,
}

enum Request {
    Open(Opening),
    /// The encoder of a film failed.
    Failed(String),
}

/// An encoder that a film waits for.
struct Opening {
    size: Size,
    rate: VideoRate,
    software: OpenEncoder,
    opened: Sender<FailoverEncoder>,
}

impl Request {
    fn failure(self) -> Option<Failure> {
        let Self::Failed(reason) = self else { return None };
        Some(Failure { reason, lasts: true })
    }
}

impl Hardware {
    /// Begins to choose.
    pub(crate) fn start(options: HardwareOptions) -> Result<Self, Error> {
        let (requests, asked) = bounded(QUEUE_REQUESTS);
        let (stop, stopped) = bounded(0);
        let works = Arc::new(AtomicBool::new(false));
        let chooser = Chooser { options, works: Arc::clone(&works), asked, stopped };
        let name = "farpane-hardware";
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(|| chooser.run());
        let thread = thread.map_err(|e| Error::Thread { name, reason: e.to_string() })?;
        Ok(Self { way: Way { works, requests }, stop: Some(stop), thread: Some(thread) })
    }

    /// Encodes films as `software` does until an encoder in hardware was chosen, and after that
    /// failed; else in hardware, as soon as that is open.
    pub(crate) fn over(&self, software: OpenEncoder) -> OpenEncoder {
        let way = self.way.clone();
        Arc::new(move |size, rate| {
            let encoder = software(size, rate)?;
            Ok(match way.ask(size, rate, &encoder.capabilities(), &software) {
                Some(opened) => {
                    let (way, stage) = (way.clone(), Stage::Software(encoder, opened));
                    Box::new(Film { stage, rate, way, told: false })
                }
                None => encoder,
            })
        })
    }
}

impl Drop for Hardware {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It tells nobody of a panic: films go on in software.
            let _ = thread.join();
        }
    }
}

impl Way {
    fn works(&self) -> bool {
        self.works.load(Ordering::Acquire)
    }

    /// Has an encoder opened that can take over from one in software.
    fn ask(
        &self,
        size: Size,
        rate: VideoRate,
        replaces: &Capabilities,
        software: &OpenEncoder,
    ) -> Option<Receiver<FailoverEncoder>> {
        if !self.works() || replaces.codec != VideoCodec::H264 {
            return None;
        }
        let (opened, wait) = bounded(1);
        let opening = Opening { size, rate, software: Arc::clone(software), opened };
        self.requests.try_send(Request::Open(opening)).ok().map(|()| wait)
    }

    fn fail(&self, reason: &str) {
        self.works.store(false, Ordering::Release);
        let _ = self.requests.try_send(Request::Failed(reason.to_owned()));
    }
}

/// What the thread does.
struct Chooser {
    options: HardwareOptions,
    works: Arc<AtomicBool>,
    asked: Receiver<Request>,
    stopped: Receiver<Infallible>,
}

/// Why there is no hardware any more.
struct Failure {
    reason: String,
    /// Whether the driver is to blame, also the next time.
    lasts: bool,
}

impl Chooser {
    fn run(self) {
        let remembered = Remembered::at(&self.options.remembered);
        let Some((backend, driver)) = self.choose(&remembered) else { return };
        self.works.store(true, Ordering::Release);
        let Some(Failure { reason, lasts }) = self.serve(backend) else { return };
        self.works.store(false, Ordering::Release);
        log::warn!("films: {backend} has failed ({reason}): in software from now on");
        let failed = Verdict::Fails { reason: format!("in use: {reason}") };
        if lasts && let Err(error) = remembered.note(backend, &driver, &failed) {
            log::warn!("films: this cannot be remembered: {error}");
        }
    }

    fn choose(&self, remembered: &Remembered) -> Option<(Backend, String)> {
        let Machine { drivers, .. } = &self.options.machine;
        let stopped = || matches!(self.stopped.try_recv(), Err(TryRecvError::Disconnected));
        let probe = |backend| (self.options.probe)(backend);
        let choice = remembered.choose(drivers(), self.options.limit, stopped, probe);
        if stopped() {
            return None;
        }
        for (backend, verdict) in choice.verdicts {
            log::info!("films: {backend} {verdict}");
        }
        choice.chosen
    }

    /// Opens encoders until one fails or the sharer is over.
    fn serve(&self, backend: Backend) -> Option<Failure> {
        loop {
            let request = select! {
                recv(self.stopped) -> _ => return self.asked.try_iter().find_map(Request::failure),
                recv(self.asked) -> request => request.ok()?,
            };
            match request {
                Request::Open(opening) if self.works.load(Ordering::Acquire) => {
                    if let Err(failure) = self.open(backend, opening) {
                        return Some(failure);
                    }
                }
                request => {
                    if let Some(failure) = request.failure() {
                        return Some(failure);
                    }
                }
            }
        }
    }

    /// Opens an encoder for a film. That a picture is too large for it is no failure.
    fn open(&self, backend: Backend, opening: Opening) -> Result<(), Failure> {
        let Opening { size, rate, software, opened } = opening;
        let open = Arc::clone(&self.options.machine.open);
        let (refuse, refused) = bounded(1);
        let hardware = move |size, rate| {
            open(backend, size, rate).inspect_err(|error| {
                let _ = refuse.try_send(error.clone());
            })
        };
        let started = FailoverEncoder::start(size, rate, hardware, move |s, r| software(s, r));
        let reason = match &started {
            Ok(encoder) => encoder.failed().map(str::to_owned),
            Err(error) => Some(error.to_string()),
        };
        match (reason, refused.try_recv(), started) {
            (None, _, Ok(encoder)) => {
                // A film that is over does not take it.
                let _ = opened.try_send(encoder);
                Ok(())
            }
            (_, Ok(VideoError::Size { .. }), _) => Ok(()),
            (reason, refused, _) => Err(Failure {
                reason: reason.unwrap_or_default(),
                // A device may refuse because others use it.
                lasts: refused.is_err(),
            }),
        }
    }
}

/// A film's encoder: in software until one in hardware is open.
struct Film {
    stage: Stage,
    rate: VideoRate,
    way: Way,
    /// Whether it told that the hardware failed.
    told: bool,
}

enum Stage {
    Software(Box<dyn VideoEncoder>, Receiver<FailoverEncoder>),
    Hardware(FailoverEncoder),
}

impl Film {
    /// Leaves software when the encoder in hardware has opened.
    fn take_opened(&mut self) {
        let Stage::Software(encoder, opened) = &mut self.stage else { return };
        let Ok(mut hardware) = opened.try_recv() else { return };
        // One, or none.
        *opened = never();
        let (old, new) = (encoder.capabilities(), hardware.capabilities());
        let same = old.codec == new.codec && old.chroma == new.chroma;
        if same && self.way.works() && hardware.set_rate(self.rate).is_ok() {
            self.stage = Stage::Hardware(hardware);
        }
    }

    fn encoder(&mut self) -> &mut dyn VideoEncoder {
        match &mut self.stage {
            Stage::Software(encoder, _) => encoder.as_mut(),
            Stage::Hardware(encoder) => encoder,
        }
    }

    /// Tells of the first failure.
    fn look(&mut self) {
        if let Stage::Hardware(encoder) = &self.stage
            && let Some(reason) = encoder.failed().filter(|_| !self.told)
        {
            self.told = true;
            self.way.fail(reason);
        }
    }
}

impl VideoEncoder for Film {
    fn capabilities(&self) -> Capabilities {
        match &self.stage {
            Stage::Software(encoder, _) => encoder.capabilities(),
            Stage::Hardware(encoder) => encoder.capabilities(),
        }
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        self.take_opened();
        let unit = self.encoder().encode(picture, out);
        self.look();
        unit
    }

    fn request_keyframe(&mut self) {
        self.encoder().request_keyframe();
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        self.encoder().set_rate(rate)?;
        self.rate = rate;
        Ok(())
    }
}

#[cfg(all(test, feature = "openh264-source"))]
mod tests;
