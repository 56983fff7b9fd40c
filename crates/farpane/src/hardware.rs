//! Encoding films in hardware: what an app says about it, and the process that tries a driver.

use farpane_codec::video::hardware::probe::{PROBE_LIMIT, PROBE_SIZE, child_main};
use farpane_codec::video::hardware::{Backend, installed};
use farpane_codec::video::{self, VideoCodec, VideoEncoder, VideoError, VideoRate};
use farpane_frame::Size;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

/// How a sharer finds out which encoder in hardware works, before it relies on one.
///
/// Drivers hang and crash, so each is tried in a process of its own first. A library has no such
/// process: the app names one, most simply itself with an argument of its own, and there calls
/// [`probe_encoder`].
#[derive(Clone)]
pub struct HardwareOptions {
    /// Gives the process that calls [`probe_encoder`] for a backend and ends with what that
    /// returns. Called on a thread of its own.
    pub probe: Arc<dyn Fn(Backend) -> Command + Send + Sync>,
    /// The file that keeps what was found out about each driver, so that none is tried twice. It
    /// need not exist, its folder does. To try a driver again, remove it.
    pub remembered: PathBuf,
    /// How long a probe may take; 5 s by default.
    pub limit: Duration,
    /// What this machine has.
    pub(crate) machine: Machine,
}

impl HardwareOptions {
    /// Probes by the process that `probe` gives, and remembers in the file `remembered`.
    pub fn new(
        remembered: impl Into<PathBuf>,
        probe: impl Fn(Backend) -> Command + Send + Sync + 'static,
    ) -> Self {
        Self {
            probe: Arc::new(probe),
            remembered: remembered.into(),
            limit: PROBE_LIMIT,
            machine: Machine::default(),
        }
    }
}

/// Opens an encoder of a backend.
type Open =
    dyn Fn(Backend, Size, VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> + Send + Sync;

/// The drivers of a machine.
#[derive(Clone)]
pub(crate) struct Machine {
    /// Those that are there, with their fingerprints.
    pub(crate) drivers: Arc<dyn Fn() -> Vec<(Backend, String)> + Send + Sync>,
    pub(crate) open: Arc<Open>,
}

impl Default for Machine {
    fn default() -> Self {
        Self { drivers: Arc::new(|| installed().collect()), open: Arc::new(Backend::open) }
    }
}

/// The process of a probe: encodes a few small pictures with `backend`, decodes and compares them,
/// and prints the verdict on the standard output. The process ends with what this returns, or by
/// itself after a minute; it does nothing else, and needs no display and no network.
pub fn probe_encoder(backend: Backend) -> ExitCode {
    child_main(backend, video::decoder(VideoCodec::H264, PROBE_SIZE))
}
