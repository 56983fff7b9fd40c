//! What an app that shares its screen holds in its hands.

use super::admission::Admission;
use super::encoders::Encoders;
use super::events::Teller;
use super::grabber::OpenSource;
use super::guests::{Guests, House};
use super::hardware::Hardware;
use super::intake::Intake;
use super::links::{LinkEvent, PeerId};
use super::options::SharerOptions;
use super::pipeline::{Pipeline, Wiring};
use super::screen::Search;
use super::stills::StillMaker;
use super::told::SharerEvent;
use crate::channel::{FileId, FileProblem};
use crate::records::ShareRecord;
use crate::{Error, Unsent};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use farpane_capture::monotonic_us;
use farpane_codec::video::VideoCodec;
use farpane_net::{
    Identity, Invitation, Invitations, InvitedRelay, Listener, NetThread, PairingCode, RelayState,
    RelayUrl,
};
use farpane_policy::identity::CredentialError;
use farpane_policy::oidc::JwksError;
use farpane_policy::{AdvanceConsent, Answer, Capabilities, LeaseId, Rights};
use farpane_proto::control::{MAX_CLIPBOARD_BYTES, is_chat};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Messages from all links that may wait for the pipeline; further datagrams are lost.
const QUEUE_LINKS: usize = 4_096;
/// How often a wait for the pipeline's reply looks whether the pipeline still runs.
const LOOK: Duration = Duration::from_millis(20);
/// Commands that may wait.
const QUEUE_COMMANDS: usize = 256;
/// Records for statistics that may wait; further ones are dropped.
const QUEUE_RECORDS: usize = 4_096;

/// Why nothing is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// The sharer has not consented to anybody's seeing the screen.
    #[error("nobody may see the screen: answer a request for consent first")]
    ConsentRequired,
    /// The app has not said that its indicator shows.
    #[error("the indicator does not show: show it and say so first")]
    IndicatorRequired,
    /// The sharing thread has ended.
    #[error("the sharing thread has ended")]
    Ended,
}

/// What a sharer has counted since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharerStats {
    /// Helpers that see the screen now.
    pub helpers: u64,
    /// Updates sent, to each helper.
    pub updates: u64,
    /// Encoded bytes in them.
    pub bytes: u64,
    /// Frames captured since the screen was opened last.
    pub frames: u64,
    /// Of the frames of this screen those that a GPU compared.
    pub frames_by_gpu: u64,
    /// Times the watchdog looked for changes that the display had not reported, since then.
    pub watchdog_checks: u64,
    /// Times it found some, since then.
    pub watchdog_misses: u64,
    /// Smoothed round-trip time to the helper served last, in microseconds.
    pub rtt_us: u64,
    /// How long datagrams to it wait in queues on the way, in microseconds.
    pub queue_delay_us: u64,
}

/// What the app asks of the pipeline.
pub(crate) enum Command {
    Advance(AdvanceConsent),
    Answer(PeerId, Answer),
    IndicatorShown,
    StartCapture(Sender<Result<(), NotReady>>),
    ComplianceSeen(PeerId),
    RenewLease(PeerId, LeaseId, Capabilities),
    Lower(PeerId, Rights),
    Hold(PeerId, bool),
    Prompt(bool),
    Revoke(PeerId, Sender<()>),
    Revocations(Vec<u8>, Sender<Result<(), CredentialError>>),
    Keys(Vec<u8>, Sender<Result<(), JwksError>>),
    Chat(PeerId, String, Sender<bool>),
    Clipboard(PeerId, String, Sender<bool>),
    OfferFile(PeerId, Offer, Sender<Result<FileId, FileProblem>>),
    AnswerFile(PeerId, u32, Option<Box<dyn Write + Send>>),
    StopFile(PeerId, FileId),
    End(PeerId, Sender<()>),
    Stop,
}

/// A file to be offered.
pub(crate) struct Offer {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) content: Box<dyn Read + Send>,
}

/// A sharer. Dropping it ends every session.
pub struct Sharer {
    identity: Identity,
    invitations: Invitations,
    listener: Listener,
    address: SocketAddr,
    commands: Sender<Command>,
    events: Receiver<SharerEvent>,
    records: Receiver<ShareRecord>,
    stats: Arc<Mutex<SharerStats>>,
    pipeline: Option<JoinHandle<()>>,
    /// After the pipeline, so that the farewells still go out.
    net: NetThread,
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
        let (commands, command_queue) = bounded(QUEUE_COMMANDS);
        let on_event = Arc::clone(&options.on_event);
        let (teller, events) = Teller::new(Arc::clone(&on_event));
        let stats = Arc::new(Mutex::new(SharerStats::default()));
        let (record_sender, records) = bounded(QUEUE_RECORDS);
        let listener = listen(&net, &options, &identity, &invitations, link_sender.clone())?;
        let address = listener
            .local_address()
            .map_err(|source| farpane_net::ListenError::Bind { address: options.listen, source })?;
        let search = Search { moves: options.find_moves, processor: options.processor };
        let open = Arc::clone(&options.open);
        let wiring = Wiring {
            intake: Intake::new(command_queue, links),
            events: teller.clone(),
            records: record_sender,
            stats: Arc::clone(&stats),
            wait_for_start: options.wait_for_start,
            open: Box::new(move || {
                let open = Arc::clone(&open);
                let open: OpenSource = Box::new(move || open());
                open
            }),
        };
        let guests = Guests::new(house(options, link_sender, teller)?);
        let name = "farpane-share";
        let failed = |reason: String| Error::Thread { name, reason };
        let encoders = Encoders::new().map_err(|e| failed(e.to_string()))?;
        let pipeline = Pipeline::new(wiring, guests, encoders, search);
        let pipeline = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Also when the thread panics: the app then finds the queue of events closed.
                let _last = OnDrop(on_event);
                pipeline.run();
            })
            .map_err(|e| failed(e.to_string()))?;
        Ok(Self {
            identity,
            invitations,
            listener,
            address,
            commands,
            events,
            records,
            stats,
            pipeline: Some(pipeline),
            net,
        })
    }

    /// The address it listens on.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Makes an invitation for one helper, valid for `valid_for`. `addresses` are `host:port`
    /// texts in the order in which the helper is to try them; relays are tried after them. Waits
    /// until every relay has answered or failed, at most 5 s.
    ///
    /// # Errors
    /// An address is unusable, there is none and no relay works, or too many invitations are alive.
    pub fn invite(&self, addresses: Vec<String>, valid_for: Duration) -> Result<Invitation, Error> {
        let listener = self.listener.clone();
        let relays = self.net.run(async move { listener.invited_relays().await })?;
        self.invite_by(addresses, relays, valid_for)
    }

    /// As [`Sharer::invite`], with relays as the helper is to use them, for example with a
    /// credential of its own.
    ///
    /// # Errors
    /// As those of [`Sharer::invite`].
    pub fn invite_by(
        &self,
        addresses: Vec<String>,
        relays: Vec<InvitedRelay>,
        valid_for: Duration,
    ) -> Result<Invitation, Error> {
        let key = self.identity.public_key();
        Ok(self.invitations.issue_by_relays(key, addresses, relays, valid_for)?)
    }

    /// As [`Sharer::invite`], for at most 10 minutes and without a secret in the invitation: it may
    /// travel openly, and the code that comes with it is told to the helper by another way, as by
    /// telephone. After 5 wrong codes the right one is refused.
    ///
    /// # Errors
    /// As those of [`Sharer::invite`].
    pub fn invite_with_code(
        &self,
        addresses: Vec<String>,
        valid_for: Duration,
    ) -> Result<(Invitation, PairingCode), Error> {
        let (listener, key) = (self.listener.clone(), self.identity.public_key());
        let relays = self.net.run(async move { listener.invited_relays().await })?;
        Ok(self.invitations.issue_with_code(key, addresses, relays, valid_for)?)
    }

    /// The relays, and what became of each.
    pub fn relays(&self) -> Vec<(RelayUrl, RelayState)> {
        self.listener.relays()
    }

    /// Takes an invitation back that nobody has used yet.
    pub fn withdraw(&self, invitation: &Invitation) {
        self.invitations.withdraw(invitation.id());
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

    /// Says that the sharer has seen the warning of [`SharerEvent::ComplianceWarning`].
    pub fn acknowledge_compliance(&self, helper: u64) {
        self.command(Command::ComplianceSeen(helper));
    }

    /// What whoever leases sessions allows this one at most, as the answer to
    /// [`SharerEvent::LeaseDue`].
    pub fn renew_lease(&self, helper: u64, renewal: LeaseId, allowed: Capabilities) {
        self.command(Command::RenewLease(helper, renewal, allowed));
    }

    /// Takes rights from a helper: no more than these from now on.
    pub fn lower(&self, helper: u64, rights: Rights) {
        self.command(Command::Lower(helper, rights));
    }

    /// Holds a helper's session, or lets it go on: meanwhile nothing is captured and no input
    /// counts.
    pub fn hold(&self, helper: u64, held: bool) {
        self.command(Command::Hold(helper, held));
    }

    /// A prompt for consent or credentials has opened on the sharer's machine. Until it is closed
    /// again ([`Sharer::prompt_closed`], as often), no helper's input counts, and who may answer
    /// prompts can send credentials.
    pub fn prompt_opened(&self) {
        self.command(Command::Prompt(true));
    }

    /// It has closed.
    pub fn prompt_closed(&self) {
        self.command(Command::Prompt(false));
    }

    /// Ends one helper's session because what it was granted was taken back. As [`Sharer::end`].
    pub fn revoke(&self, helper: u64) {
        let _ = self.ask(|reply| Command::Revoke(helper, reply));
    }

    /// Takes in a revocation list of the tenant: sessions by what it names end, as by
    /// [`Sharer::revoke`].
    ///
    /// # Errors
    /// It is not the tenant's, is older than the one that is known, or has expired.
    pub fn handle_revocations(&self, bytes: &[u8]) -> Result<(), CredentialError> {
        self.ask(|reply| Command::Revocations(bytes.to_vec(), reply)).unwrap_or(Ok(()))
    }

    /// Takes in the keys of the tenant's OpenID provider, as after [`SharerEvent::KeysNeeded`].
    ///
    /// # Errors
    /// They are no key set; the former ones stay.
    pub fn handle_keys(&self, bytes: &[u8]) -> Result<(), JwksError> {
        self.ask(|reply| Command::Keys(bytes.to_vec(), reply)).unwrap_or(Ok(()))
    }

    /// Sends a message of at most [`MAX_CHAT_BYTES`](crate::MAX_CHAT_BYTES) to a helper.
    ///
    /// # Errors
    /// It may not be.
    pub fn send_chat(&self, helper: u64, text: &str) -> Result<(), Unsent> {
        if text.is_empty() || !is_chat(text) {
            return Err(Unsent::Invalid);
        }
        self.send(|reply| Command::Chat(helper, text.to_owned(), reply))
    }

    /// Sends the sharer's clipboard, of at most [`MAX_CLIPBOARD_BYTES`], to a helper.
    ///
    /// # Errors
    /// It may not be, or so much waits that there is no room.
    pub fn send_clipboard(&self, helper: u64, text: &str) -> Result<(), Unsent> {
        if text.len() > MAX_CLIPBOARD_BYTES {
            return Err(Unsent::Invalid);
        }
        self.send(|reply| Command::Clipboard(helper, text.to_owned(), reply))
    }

    fn send(&self, command: impl FnOnce(Sender<bool>) -> Command) -> Result<(), Unsent> {
        match self.ask(command) {
            Some(true) => Ok(()),
            Some(false) => Err(Unsent::NotAllowed),
            None => Err(Unsent::Ended),
        }
    }

    /// Offers a file of so many bytes to a helper. It is read on a thread of its own once it is
    /// wanted; [`SharerEvent::File`] says what became of it.
    ///
    /// # Errors
    /// It is not offered.
    pub fn offer_file(
        &self,
        helper: u64,
        name: &str,
        bytes: u64,
        content: impl Read + Send + 'static,
    ) -> Result<FileId, FileProblem> {
        let offer = Offer { name: name.to_owned(), bytes, content: Box::new(content) };
        let offered = self.ask(|reply| Command::OfferFile(helper, offer, reply));
        offered.unwrap_or(Err(FileProblem::Unsent))
    }

    /// Where a file goes that a helper offered, `None` if it is not wanted. It is written on a
    /// thread of its own, and never more than was offered.
    pub fn answer_file(&self, helper: u64, file: FileId, to: Option<Box<dyn Write + Send>>) {
        if !file.outgoing {
            self.command(Command::AnswerFile(helper, file.number, to));
        }
    }

    /// Gives a file up.
    pub fn stop_file(&self, helper: u64, file: FileId) {
        self.command(Command::StopFile(helper, file));
    }

    /// Starts the capture, if it waits for that.
    ///
    /// # Errors
    /// Nobody may see the screen now; nothing is captured.
    pub fn start_capture(&self) -> Result<(), NotReady> {
        self.ask(Command::StartCapture).unwrap_or(Err(NotReady::Ended))
    }

    /// Ends one helper's session. When this returns, nothing that is captured from then on gets
    /// to that helper.
    pub fn end(&self, helper: u64) {
        let _ = self.ask(|reply| Command::End(helper, reply));
    }

    /// Ends every session and stops listening; [`SharerEvent::Stopped`] says when it is done.
    pub fn stop(&self) {
        self.command(Command::Stop);
    }

    /// Counters.
    pub fn stats(&self) -> SharerStats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its thread has ended.
    fn has_ended(&self) -> bool {
        self.pipeline.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Whether [`Sharer::next_event`] would return one at once.
    pub fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event, waiting for it at most `wait`.
    pub fn next_event(&self, wait: Duration) -> Option<SharerEvent> {
        match self.events.recv_timeout(wait) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(SharerEvent::Stopped { failed: true }),
        }
    }

    /// The next record of an update, for statistics. Records nobody takes are dropped.
    pub fn try_record(&self) -> Option<ShareRecord> {
        self.records.try_recv().ok()
    }

    /// Waits for the pipeline's reply; `None` when the pipeline has ended.
    fn ask<T>(&self, command: impl FnOnce(Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = bounded(1);
        self.command(command(reply));
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(reply) => return Some(reply),
                // What comes after the pipeline's last look stays in its queue for ever.
                Err(RecvTimeoutError::Timeout) if !self.has_ended() => {}
                Err(_) => return answer.try_recv().ok(),
            }
        }
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

/// Calls back when it goes.
struct OnDrop(Arc<dyn Fn() + Send + Sync>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What all helpers share.
fn house(
    options: SharerOptions,
    links: Sender<(PeerId, LinkEvent)>,
    events: Teller,
) -> Result<House, Error> {
    // It makes H.264 only.
    let may = options.codec.encoder_for(1 << VideoCodec::H264.to_byte()).is_some();
    let hardware = options.hardware.filter(|_| may).map(Hardware::start).transpose()?;
    let may = options.codec.has_stills(1 << VideoCodec::Av1.to_byte());
    let stills = may.then(StillMaker::start).transpose()?;
    Ok(House {
        name: options.name,
        codec: options.codec,
        hardware,
        stills,
        admission: Admission {
            local: options.allow,
            platform: Admission::platform(&options.input),
            limits: options.limits,
            membership: options.membership,
            unattended: options.unattended,
        },
        input: options.input,
        lease_by_app: options.lease_by_app,
        audit: options.audit,
        links,
        events,
    })
}

/// Listens and passes every helper that proves itself to the pipeline.
fn listen(
    net: &NetThread,
    options: &SharerOptions,
    identity: &Identity,
    invitations: &Invitations,
    links: Sender<(PeerId, LinkEvent)>,
) -> Result<Listener, Error> {
    let (address, config) = (options.listen, options.net.clone());
    let (identity, invitations) = (identity.clone(), invitations.clone());
    let listener =
        net.run(async move { Listener::bind(address, &identity, invitations, config).await })??;
    let accepting = listener.clone();
    net.spawn(async move {
        while let Some(connection) = accepting.accept().await {
            // A full queue turns the helper away: dropping the connection closes it.
            let _ = links.try_send((0, LinkEvent::Joined(Box::new(connection))));
        }
    });
    Ok(listener)
}
