//! How a sharer shares.

use super::input::InputTarget;
use crate::audit::Audit;
use crate::{CodecChoice, HardwareOptions, Membership};
use farpane_capture::{CaptureError, CaptureSource};
use farpane_damage::Processor;
use farpane_net::NetConfig;
use farpane_policy::{Capabilities, Capability, SessionLimits};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// How to share.
pub struct SharerOptions {
    /// Opens the screen. Called on a thread of its own, only while there is consent, and again
    /// when helpers come back after all had left.
    pub open: Arc<dyn Fn() -> Result<Box<dyn CaptureSource>, CaptureError> + Send + Sync>,
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The name that helpers see; not verified.
    pub name: String,
    /// Whether to send what moved as moves. Off only to measure what they save.
    pub find_moves: bool,
    /// Who compares frames: the CPU, a GPU, or whichever a calibration finds faster. By default
    /// what [`farpane_damage::PROCESSOR_VARIABLE`] names, or [`Processor::Auto`]. A GPU needs the
    /// feature `gpu`.
    pub processor: Processor,
    /// How regions that behave like films are sent.
    pub codec: CodecChoice,
    /// Whether films may be encoded in hardware, and how it is found out what works; `None`, the
    /// default: they are not. Until that is known, where nothing works and after the first failure
    /// they are encoded in software. In software there must be H.264 too: it decodes what a probe
    /// encodes, and takes over.
    pub hardware: Option<HardwareOptions>,
    /// What the sharer's own settings allow helpers at most. Default: to see the screen.
    pub allow: Capabilities,
    /// Where the input of helpers is applied. Default: nowhere, so that they can neither point nor
    /// control.
    pub input: InputTarget,
    /// The tenant of this machine. Default: none; then every holder of an invitation is let in to
    /// what `allow` says.
    pub membership: Option<Membership>,
    /// Whether a helper whose grant says so may view this machine with nobody at it. Default no.
    pub unattended: bool,
    /// Where what happens is written down. Default: nowhere.
    pub audit: Audit,
    /// How long what of a session may take.
    pub limits: SessionLimits,
    /// Whether the app asks somebody else for the lease of each session
    /// ([`LeaseDue`](crate::SharerEvent::LeaseDue)). Default no: this process leases it,
    /// as long as it lives.
    pub lease_by_app: bool,
    /// Whether capture waits for [`start_capture`](crate::Sharer::start_capture) even when there is
    /// consent.
    pub wait_for_start: bool,
    /// Called from other threads whenever there is a new event. Must not block.
    pub on_event: Arc<dyn Fn() + Send + Sync>,
    /// Limits and times of the transport.
    pub net: NetConfig,
}

impl SharerOptions {
    /// Shares what `open` opens, on a port of all interfaces that the system chooses, as soon as
    /// there is consent.
    pub fn new(
        open: impl Fn() -> Result<Box<dyn CaptureSource>, CaptureError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Arc::new(open),
            listen: (Ipv4Addr::UNSPECIFIED, 0).into(),
            name: "sharer".to_owned(),
            find_moves: true,
            processor: Processor::forced().ok().flatten().unwrap_or_default(),
            codec: CodecChoice::default(),
            hardware: None,
            allow: Capabilities::of(&[Capability::View]),
            input: InputTarget::None,
            membership: None,
            unattended: false,
            audit: Audit::default(),
            limits: SessionLimits::default(),
            lease_by_app: false,
            wait_for_start: false,
            on_event: Arc::new(|| {}),
            net: NetConfig::default(),
        }
    }
}
