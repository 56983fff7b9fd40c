//! A helper's session: one thread that decodes, and what the app sees of it.

use super::diary::Diary;
use super::options::HelperOptions;
use super::standing::{Standing, standing};
use super::told::HelperEvent;
use super::{Composer, Picture};
use crate::Error;
use crate::channel::{BlobRoom, Files, SEAL_LABEL, Sealer, Tell, wire_rights};
use crate::membership::{Binding, Membership};
use crate::records::ViewRecord;
use crate::video_choice::decodable;
use bytes::Bytes;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use crossbeam::queue::ArrayQueue;
use farpane_net::{
    CloseReason, Identity, Invitation, Link, LinkHandle, LinkSink, LinkStats, NetThread, PathStats,
    PathSwitch, connect, now_us,
};
use farpane_policy::audit::Learned;
use farpane_policy::oidc::JwksError;
use farpane_policy::{EndReason, InvitationKey, Rights};
use farpane_proto::control::{Control, CursorShape};
use farpane_proto::datagram::Cursor;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Datagrams that may wait for the decoder; further ones are dropped and will be repeated.
const QUEUE_ARRIVALS: usize = 8_192;
/// Events that may wait for the app. There are few; the last place is kept for the end.
const QUEUE_EVENTS: usize = 256;
/// Cursor shapes remembered. The sharer relies on half as many.
const MAX_SHAPES: usize = 64;
/// Records for statistics that may wait; further ones are dropped.
const QUEUE_RECORDS: usize = 4_096;
/// How often the round-trip time paces the reports anew.
const RTT_EVERY_US: u64 = 500_000;

/// What a helper has counted since it was connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelperStats {
    /// Pictures composed.
    pub pictures: u64,
    /// The newest update in them.
    pub update: u64,
    /// Counters of the connection.
    pub link: LinkStats,
}

/// The sharer's pointer as it is to be drawn.
#[derive(Clone, Debug)]
pub struct RemoteCursor {
    /// Where its hot spot is, and whether it is visible.
    pub position: Cursor,
    /// Its picture, when it has arrived.
    pub shape: Option<Arc<CursorShape>>,
}

/// A helper in a session. Dropping it leaves the session.
pub struct Helper {
    pub(super) shared: Arc<Shared>,
    pub(super) link: LinkHandle,
    events: Receiver<HelperEvent>,
    records: Receiver<ViewRecord>,
    thread: Option<JoinHandle<()>>,
    /// Goes before the thread is waited for, so that nothing that comes keeps it.
    arrivals: Option<Sender<Arrival>>,
    membership: Option<Membership>,
    /// After the link, so that the farewell still goes out.
    _net: NetThread,
}

/// What the app's calls and the decoding thread share.
pub(super) struct Shared {
    picture: ArrayQueue<Picture>,
    cursor: Mutex<(Option<Cursor>, VecDeque<Arc<CursorShape>>)>,
    pictures: AtomicU64,
    update: AtomicU64,
    /// What the helper may do now, as the sharer says.
    pub(super) standing: Arc<Mutex<Standing>>,
    pub(super) files: Mutex<Files>,
    pub(super) sealer: Mutex<Sealer>,
    diary: Mutex<Diary>,
    on_change: Arc<dyn Fn() + Send + Sync>,
}

impl Shared {
    fn cursor(&self) -> MutexGuard<'_, (Option<Cursor>, VecDeque<Arc<CursorShape>>)> {
        self.cursor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session is over: nothing moves any more.
    fn end(&self) {
        *standing(&self.standing) = Standing::default();
        self.files().stop(true, "the session has ended");
        self.files().stop(false, "the session has ended");
    }
}

impl Helper {
    /// Connects to the sharer that gave out `invitation`. Use the same identity to come back
    /// after a lost connection.
    ///
    /// # Errors
    /// The sharer cannot be reached or refuses, or the system gives no threads.
    pub fn connect(
        invitation: &Invitation,
        identity: &Identity,
        options: HelperOptions,
    ) -> Result<Self, Error> {
        let net = NetThread::start()?;
        let connection = {
            let (invitation, identity) = (invitation.clone(), identity.clone());
            let config = options.net.clone();
            let connecting = async move { connect(&invitation, &identity, &config).await };
            net.run_unless(&options.cancel, connecting)??
        };
        let (arrivals, queue) = bounded(QUEUE_ARRIVALS);
        let (event_sender, events) = bounded(QUEUE_EVENTS);
        let (record_sender, records) = bounded(QUEUE_RECORDS);
        let bound = Binding::of(&connection).zip(connection.export(SEAL_LABEL));
        let (binding, key) =
            bound.ok_or_else(|| Error::Send("the connection is over".to_owned()))?;
        let room = BlobRoom::default();
        let sink = Sink { arrivals: arrivals.clone(), room: room.clone() };
        let link = Link::spawn(connection, sink);
        send(&link, &Control::hello(&options.name, decodable()))?;
        let tell = tell_of_files(event_sender.clone(), Arc::clone(&options.on_change));
        let shared = Arc::new(Shared {
            standing: Arc::default(),
            files: Mutex::new(Files::new(link.clone(), tell)),
            sealer: Mutex::new(Sealer::new(key)),
            diary: Mutex::new(Diary::new(options.audit, binding.session)),
            picture: ArrayQueue::new(1),
            cursor: Mutex::new((None, VecDeque::new())),
            pictures: AtomicU64::new(0),
            update: AtomicU64::new(0),
            on_change: options.on_change,
        });
        let mut decoder = Decoder {
            shared: Arc::clone(&shared),
            link: link.clone(),
            composer: Composer::new(),
            room,
            events: event_sender,
            records: record_sender,
            rtt_at_us: 0,
            invitation: *invitation.id().as_bytes(),
            rights: options.rights,
            membership: options.membership,
            binding,
            met: false,
            unmet: None,
        };
        let (arrivals, membership) = (Some(arrivals), decoder.membership.clone());
        if decoder.membership.is_none() {
            decoder.ask_first()?;
        }
        let name = "farpane-decode";
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _last = Farewell {
                    link: decoder.link.clone(),
                    events: decoder.events.clone(),
                    shared: Arc::clone(&decoder.shared),
                };
                decoder.run(&queue);
            })
            .map_err(|e| Error::Thread { name, reason: e.to_string() })?;
        let thread = Some(thread);
        Ok(Self { shared, link, events, records, thread, arrivals, membership, _net: net })
    }

    /// The newest picture, unless it has been taken already. Its damage says where it differs
    /// from the picture taken before.
    pub fn take_picture(&self) -> Option<Picture> {
        self.shared.picture.pop()
    }

    /// Whether [`Helper::take_picture`] would return one.
    pub fn has_picture(&self) -> bool {
        !self.shared.picture.is_empty()
    }

    /// Whether [`Helper::try_event`] would return one.
    pub fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// The sharer's pointer, when anything is known of it.
    pub fn cursor(&self) -> Option<RemoteCursor> {
        let cursor = self.shared.cursor();
        let position = cursor.0?;
        let shape = cursor.1.iter().find(|shape| shape.id == position.shape).cloned();
        Some(RemoteCursor { position, shape })
    }

    /// The next event, waiting for it at most `wait`.
    pub fn next_event(&self, wait: Duration) -> Option<HelperEvent> {
        self.events.recv_timeout(wait).ok()
    }

    /// The next event that is there.
    pub fn try_event(&self) -> Option<HelperEvent> {
        self.events.try_recv().ok()
    }

    /// The next record of an update, for statistics. Records nobody takes are dropped.
    pub fn try_record(&self) -> Option<ViewRecord> {
        self.records.try_recv().ok()
    }

    /// Takes in the keys of the tenant's OpenID provider, as after [`HelperEvent::KeysNeeded`].
    ///
    /// # Errors
    /// They are no key set; the former ones stay.
    pub fn handle_keys(&self, bytes: &[u8]) -> Result<(), JwksError> {
        if let Some(membership) = &self.membership {
            membership.handle_keys(bytes)?;
        }
        if let Some(arrivals) = &self.arrivals {
            // Fails only when the session is over.
            let _ = arrivals.send(Arrival::Keys);
        }
        Ok(())
    }

    /// Counters.
    pub fn stats(&self) -> HelperStats {
        HelperStats {
            pictures: self.shared.pictures.load(Ordering::Relaxed),
            update: self.shared.update.load(Ordering::Relaxed),
            link: self.link.stats(),
        }
    }

    /// The paths to the sharer.
    pub fn paths(&self) -> Vec<PathStats> {
        self.link.paths()
    }

    /// Leaves the session.
    pub fn end(&self, reason: &str) {
        self.link.close(EndReason::HelperEnded.code(), reason);
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.end("the helper left");
        self.arrivals.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The decoding thread's last words, also when it panics.
struct Farewell {
    link: LinkHandle,
    events: Sender<HelperEvent>,
    shared: Arc<Shared>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "the decoding thread failed".to_owned();
            self.link.close(EndReason::Error.code(), &reason);
            let cause = EndReason::Error;
            let _ = self.events.try_send(HelperEvent::Ended { cause, reason, lost: false });
        }
        (self.shared.on_change)();
    }
}

/// What the network thread hands to the decoder.
enum Arrival {
    Datagram {
        received_us: u64,
        bytes: Bytes,
    },
    Control(Bytes),
    Blob {
        kind: u8,
        bytes: Bytes,
    },
    Path(PathSwitch),
    /// The OpenID provider's keys are known.
    Keys,
    Closed(CloseReason),
}

struct Sink {
    arrivals: Sender<Arrival>,
    /// Room for blobs in the queue.
    room: BlobRoom,
}

impl LinkSink for Sink {
    fn datagram(&mut self, received_us: u64, bytes: Bytes) {
        crate::fault::point("farpane-net");
        // A full queue loses the datagram, as the network does.
        let _ = self.arrivals.try_send(Arrival::Datagram { received_us, bytes });
    }

    fn control(&mut self, bytes: Bytes) {
        let _ = self.arrivals.try_send(Arrival::Control(bytes));
    }

    fn blob(&mut self, kind: u8, bytes: Bytes) {
        let length = bytes.len();
        let taken = self.room.take(length);
        if taken && self.arrivals.try_send(Arrival::Blob { kind, bytes }).is_err() {
            self.room.give(length);
        }
    }

    fn mtu(&mut self, _max_datagram_bytes: usize) {}

    fn path(&mut self, switch: PathSwitch) {
        let _ = self.arrivals.try_send(Arrival::Path(switch));
    }

    fn closed(&mut self, reason: CloseReason) {
        let mut last = Arrival::Closed(reason);
        // The sender is dropped after this call, so a full queue cannot hide the end for long.
        while let Err(TrySendError::Full(back)) = self.arrivals.try_send(last) {
            last = back;
            std::thread::yield_now();
        }
    }
}

/// The decoding thread's state.
pub(super) struct Decoder {
    pub(super) shared: Arc<Shared>,
    pub(super) link: LinkHandle,
    composer: Composer,
    room: BlobRoom,
    events: Sender<HelperEvent>,
    records: Sender<ViewRecord>,
    rtt_at_us: u64,
    invitation: InvitationKey,
    /// What is asked for at first.
    rights: Rights,
    pub(super) membership: Option<Membership>,
    pub(super) binding: Binding,
    /// Whether the sharer has proved who it is.
    pub(super) met: bool,
    /// What it has shown for that, while keys of the OpenID provider are waited for.
    pub(super) unmet: Option<Vec<u8>>,
}

impl Decoder {
    /// Asks the sharer for a session.
    pub(super) fn ask_first(&mut self) -> Result<(), Error> {
        let (invitation, rights) = (self.invitation, self.rights);
        self.shared.diary().learn(&Learned::Requested { invitation, rights })?;
        self.say(&Control::Ask(wire_rights(rights)))
    }

    pub(super) fn say(&self, message: &Control) -> Result<(), Error> {
        send(&self.link, message)
    }

    fn run(&mut self, queue: &Receiver<Arrival>) {
        let end = loop {
            match self.wait(queue).and_then(|closed| self.advance().map(|()| closed)) {
                Ok(None) => {}
                Ok(Some(reason)) => break reason,
                Err(error) => {
                    let (cause, reason) = (error.end_reason(), error.to_string());
                    self.link.close(cause.code(), &reason);
                    break HelperEvent::Ended { cause, reason, lost: false };
                }
            }
        };
        if let HelperEvent::Ended { cause, .. } = &end {
            self.shared.diary().ended(*cause);
        }
        self.shared.end();
        let _ = self.events.try_send(end);
    }

    /// Waits for something to do and takes in all that is there.
    fn wait(&mut self, queue: &Receiver<Arrival>) -> Result<Option<HelperEvent>, Error> {
        let first = match self.composer.poll_timeout() {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at_us) => {
                queue.recv_timeout(Duration::from_micros(at_us.saturating_sub(now_us())))
            }
        };
        let mut next = match first {
            Ok(arrival) => Some(arrival),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(ended(&CloseReason::Dropped))),
        };
        while let Some(arrival) = next {
            if let Some(end) = self.handle(arrival)? {
                return Ok(Some(end));
            }
            next = queue.try_recv().ok();
        }
        Ok(None)
    }

    fn handle(&mut self, arrival: Arrival) -> Result<Option<HelperEvent>, Error> {
        match arrival {
            Arrival::Datagram { received_us, bytes } => {
                self.composer.handle_datagram(received_us, &bytes)?;
            }
            Arrival::Control(bytes) => self.handle_control(&bytes)?,
            Arrival::Blob { kind, bytes } => {
                self.room.give(bytes.len());
                self.handle_blob(kind, &bytes)?;
            }
            Arrival::Path(switch) => {
                let _ = self.events.try_send(HelperEvent::PathChanged(switch));
                (self.shared.on_change)();
            }
            Arrival::Keys => {
                if let Some(presented) = self.unmet.take() {
                    self.meet(&presented)?;
                }
            }
            Arrival::Closed(reason) => return Ok(Some(ended(&reason))),
        }
        Ok(None)
    }

    pub(super) fn take_shape(&self, shape: CursorShape) {
        let mut cursor = self.shared.cursor();
        cursor.1.retain(|known| known.id != shape.id);
        cursor.1.push_back(Arc::new(shape));
        let excess = cursor.1.len().saturating_sub(MAX_SHAPES);
        cursor.1.drain(..excess);
        drop(cursor);
        (self.shared.on_change)();
    }

    pub(super) fn tell(&self, event: HelperEvent) {
        if self.events.len() + 1 < QUEUE_EVENTS {
            let _ = self.events.try_send(event);
        }
        (self.shared.on_change)();
    }

    /// Lets time pass and gives out what is due.
    fn advance(&mut self) -> Result<(), Error> {
        crate::fault::point("farpane-decode");
        let now = now_us();
        self.composer.handle_timeout(now)?;
        let shared = &self.shared;
        let mut news = false;
        if let Some(picture) = self.composer.poll_picture(now, || shared.picture.pop()) {
            let record = ViewRecord::new(&picture);
            shared.pictures.fetch_add(1, Ordering::Relaxed);
            shared.update.store(picture.update, Ordering::Relaxed);
            shared.picture.force_push(picture);
            let _ = self.records.try_send(record);
            news = true;
        }
        if let Some(cursor) = self.composer.poll_cursor() {
            shared.cursor().0 = Some(cursor);
            news = true;
        }
        if news {
            (shared.on_change)();
        }
        while let Some((stream, why)) = self.composer.poll_failed_stream() {
            log::warn!("video stream {stream}: {why}");
            self.say(&Control::VideoFailed { stream })?;
        }
        self.composer.set_marked(self.link.marked_packets());
        if let Some(report) = self.composer.poll_feedback(now) {
            self.link.send_datagrams([report]);
        }
        if now >= self.rtt_at_us {
            self.rtt_at_us = now + RTT_EVERY_US;
            self.composer.set_rtt(self.link.rtt().as_micros() as u64);
        }
        Ok(())
    }
}

/// Tells the app what became of files.
fn tell_of_files(events: Sender<HelperEvent>, on_change: Arc<dyn Fn() + Send + Sync>) -> Tell {
    Arc::new(move |event| {
        // The last place is kept for the end.
        if events.len() + 1 < QUEUE_EVENTS {
            let _ = events.try_send(HelperEvent::File(event));
        }
        on_change();
    })
}

fn send(link: &LinkHandle, message: &Control) -> Result<(), Error> {
    link.send_control(message.to_bytes().into()).map_err(|error| Error::Send(error.to_string()))
}

fn ended(reason: &CloseReason) -> HelperEvent {
    let lost =
        matches!(reason, CloseReason::TimedOut | CloseReason::Reset | CloseReason::Transport(_));
    let cause = match reason {
        CloseReason::Peer { code, reason } => match EndReason::from_code(*code) {
            None | Some(EndReason::Error) => {
                let reason = format!("the sharer failed: {reason}");
                return HelperEvent::Ended { cause: EndReason::Error, reason, lost };
            }
            Some(cause) => {
                let own = cause.to_string();
                let said: String = reason.chars().filter(|c| !c.is_control()).collect();
                let more = !said.is_empty() && said != own && cause != EndReason::HelperEnded;
                let reason = if more { format!("{own}: {said}") } else { own };
                return HelperEvent::Ended { cause, reason, lost };
            }
        },
        CloseReason::Local => EndReason::HelperEnded,
        _ => EndReason::ConnectionLost,
    };
    HelperEvent::Ended { cause, reason: reason.to_string(), lost }
}
