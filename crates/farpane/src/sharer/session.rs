//! What an app that shares its screen holds in its hands.

use super::encoders::Encoders;
use super::grabber::OpenSource;
use super::guests::Guests;
use super::links::{LinkEvent, PeerId};
use super::pipeline::{Pipeline, Wiring};
use crate::Error;
use crate::records::ShareRecord;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use farpane_capture::{CaptureError, CaptureSource, monotonic_us};
use farpane_net::{Identity, Invitation, Invitations, Listener, NetConfig, NetThread};
use farpane_policy::{AdvanceConsent, Answer, ConsentRequest, EndReason, Peer, Scope};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Messages from all links that may wait for the pipeline; further datagrams are lost.
const QUEUE_LINKS: usize = 4_096;
/// Commands and events that may wait.
const QUEUE_EVENTS: usize = 256;
/// Records for statistics that may wait; further ones are dropped.
const QUEUE_RECORDS: usize = 4_096;

/// What a sharer's app is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharerEvent {
    /// A helper waits for [`Sharer::answer`].
    ConsentRequested {
        /// Names the helper from now on.
        helper: u64,
        /// Who it says it is, its verified key, and what it asks for.
        request: ConsentRequest,
    },
    /// There is consent. Show who sees the screen, and say that it shows with
    /// [`Sharer::acknowledge_indicator`] now and every second: only then is the screen captured.
    ShowIndicator {
        /// Which helper.
        helper: u64,
        /// Who it says it is, and its verified key.
        peer: Peer,
        /// What it may do.
        scope: Scope,
    },
    /// The helper sees the screen from now on.
    Sharing {
        /// Which helper.
        helper: u64,
    },
    /// A helper's session is over.
    Left {
        /// Which helper.
        helper: u64,
        /// Why.
        reason: EndReason,
    },
    /// The display went away; it is tried again.
    ScreenLost {
        /// Why, for people.
        reason: String,
    },
    /// A replay has come to its end; the last picture stays.
    SourceEnded,
    /// The screen cannot be shared; every session has ended.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

/// What the app asks of the pipeline.
pub(crate) enum Command {
    Advance(AdvanceConsent),
    Answer(PeerId, Answer),
    IndicatorShown,
    End(PeerId),
    Stop,
}

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
    /// Limits and times of the transport.
    pub net: NetConfig,
}

/// A sharer. Dropping it ends every session.
pub struct Sharer {
    identity: Identity,
    invitations: Invitations,
    address: SocketAddr,
    commands: Sender<Command>,
    events: Receiver<SharerEvent>,
    records: Receiver<ShareRecord>,
    pipeline: Option<JoinHandle<()>>,
    /// After the pipeline, so that the farewells still go out.
    _net: NetThread,
}

impl Sharer {
    /// Listens for helpers. Nothing is captured until the sharer has consented to one.
    ///
    /// # Errors
    /// The address cannot be used, or the system gives no key, threads or memory.
    pub fn start(options: SharerOptions) -> Result<Self, Error> {
        let identity = Identity::generate()?;
        let invitations = Invitations::new();
        let net = NetThread::start()?;
        let (link_sender, links) = bounded(QUEUE_LINKS);
        let (commands, command_queue) = bounded(QUEUE_EVENTS);
        let (event_sender, events) = bounded(QUEUE_EVENTS);
        let (record_sender, records) = bounded(QUEUE_RECORDS);
        let address = listen(&net, &options, &identity, &invitations, link_sender.clone())?;
        let open = options.open;
        let wiring = Wiring {
            links,
            commands: command_queue,
            events: event_sender.clone(),
            records: record_sender,
            open: Box::new(move || {
                let open = Arc::clone(&open);
                let open: OpenSource = Box::new(move || open());
                open
            }),
        };
        let guests = Guests::new(options.name, link_sender, event_sender);
        let name = "farpane-share";
        let failed = |reason: String| Error::Thread { name, reason };
        let encoders = Encoders::new().map_err(|e| failed(e.to_string()))?;
        let pipeline = Pipeline::new(wiring, guests, encoders, options.find_moves);
        let pipeline = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || pipeline.run())
            .map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            identity,
            invitations,
            address,
            commands,
            events,
            records,
            pipeline: Some(pipeline),
            _net: net,
        })
    }

    /// The address it listens on.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Makes an invitation for one helper, valid for `valid_for`. `addresses` are `host:port`
    /// texts in the order in which the helper is to try them.
    ///
    /// # Errors
    /// An address is unusable or too many invitations are alive.
    pub fn invite(&self, addresses: Vec<String>, valid_for: Duration) -> Result<Invitation, Error> {
        Ok(self.invitations.issue(self.identity.public_key(), addresses, valid_for)?)
    }

    /// The sharer's own consent before anybody asks: to viewing only, for whoever holds this
    /// invitation, until it expires after `valid_for`.
    pub fn consent_in_advance(&self, invitation: &Invitation, valid_for: Duration) {
        let expires_us = monotonic_us().saturating_add(valid_for.as_micros() as u64);
        let key = *invitation.id().as_bytes();
        self.command(Command::Advance(AdvanceConsent::view_only(key, expires_us)));
    }

    /// The sharer's answer to a helper that asked.
    pub fn answer(&self, helper: u64, answer: Answer) {
        self.command(Command::Answer(helper, answer));
    }

    /// Says that the indicator is on the screen. Sharing stops when this stops for 3 s.
    pub fn acknowledge_indicator(&self) {
        self.command(Command::IndicatorShown);
    }

    /// Ends one helper's session.
    pub fn end(&self, helper: u64) {
        self.command(Command::End(helper));
    }

    /// The next event, waiting for it at most `wait`.
    pub fn next_event(&self, wait: Duration) -> Option<SharerEvent> {
        match self.events.recv_timeout(wait) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let reason = "the sharing thread has ended".to_owned();
                Some(SharerEvent::Failed { reason })
            }
        }
    }

    /// The next record of an update, for statistics. Records nobody takes are dropped.
    pub fn try_record(&self) -> Option<ShareRecord> {
        self.records.try_recv().ok()
    }

    fn command(&self, command: Command) {
        // The pipeline takes commands as fast as it runs; only its end closes the queue.
        let _ = self.commands.send(command);
    }
}

impl Drop for Sharer {
    fn drop(&mut self) {
        self.command(Command::Stop);
        if let Some(pipeline) = self.pipeline.take() {
            let _ = pipeline.join();
        }
    }
}

/// Listens and passes every helper that proves itself to the pipeline.
fn listen(
    net: &NetThread,
    options: &SharerOptions,
    identity: &Identity,
    invitations: &Invitations,
    links: Sender<(PeerId, LinkEvent)>,
) -> Result<SocketAddr, Error> {
    let (address, config) = (options.listen, options.net.clone());
    let (identity, invitations) = (identity.clone(), invitations.clone());
    let listener =
        net.run(async move { Listener::bind(address, &identity, invitations, config).await })??;
    let local = listener
        .local_address()
        .map_err(|source| farpane_net::ListenError::Bind { address, source })?;
    net.spawn(async move {
        while let Some(connection) = listener.accept().await {
            // A full queue turns the helper away: dropping the connection closes it.
            let _ = links.try_send((0, LinkEvent::Joined(Box::new(connection))));
        }
    });
    Ok(local)
}
