//! A connection for threads that know nothing of async: callbacks in, a handle out.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::clock::now_us;
use crate::close::CloseReason;
use crate::congestion::WindowHandle;
use crate::connection::{
    self, CloseOnDrop, Connection, ConnectionStats, SendError, max_datagram_bytes,
};
use crate::ecn::Marks;
use crate::path::{PathStats, PathSwitch, Paths};
use crate::queue::DatagramQueue;
use crate::streams::{self, ControlReceiver, ControlSender};

/// Control messages that may wait in a link: a second of the busiest input, or 4 MiB at worst.
const CONTROL_QUEUE_MESSAGES: usize = 256;
/// Blobs that may wait in a link: cursor shapes of which only the last few still matter.
const BLOB_QUEUE: usize = 8;
/// Datagrams handed over between two looks at the other work of the network thread.
const BATCH_DATAGRAMS: usize = 256;
/// When to look whether MTU discovery has ended, in milliseconds after the start. Later changes
/// are seen with the traffic.
const MTU_LOOKS_MS: [u64; 6] = [20, 50, 150, 500, 1500, 4000];

/// Takes what arrives. Called on the network thread, so nothing in it may block.
pub trait LinkSink: Send + 'static {
    /// A datagram, with the time of [`now_us`] when its batch was read.
    fn datagram(&mut self, now_us: u64, bytes: Bytes);
    /// All datagrams that were there have been handed over: the moment to wake a consumer once.
    fn batch_end(&mut self) {}
    /// A control message, in order.
    fn control(&mut self, bytes: Bytes);
    /// A blob, whole, in the order in which the other side began them.
    fn blob(&mut self, kind: u8, bytes: Bytes);
    /// The longest datagram that fits now. Called once at the start and at every change.
    fn mtu(&mut self, max_datagram_bytes: usize);
    /// The connection goes by another path from now on: what was learnt of the old one, as its rate
    /// and its round-trip time, is not true of this one.
    fn path(&mut self, _switch: PathSwitch) {}
    /// Everything queued by [`LinkHandle::send_datagrams`] has been given to QUIC.
    fn drained(&mut self) {}
    /// The connection is over. The last call.
    fn closed(&mut self, reason: CloseReason);
}

/// Starts links.
///
/// Measured on two cores under load by `cargo run --release -p farpane-net --example loopback`:
/// 66 us at the median (p95 100 us) from [`LinkHandle::send_datagrams`] to [`LinkSink::datagram`]
/// for 200 bytes; 2 ms of CPU per MB of 1150-byte datagrams and 0.2 ms per second of idleness,
/// both ends together.
#[derive(Debug)]
pub struct Link(());

impl Link {
    /// Hands `connection` over to the network thread, which calls `sink` from now on. Callable
    /// from any thread.
    pub fn spawn(connection: Connection, sink: impl LinkSink) -> LinkHandle {
        let Connection { quinn, control, window, marks, limits, runtime, mut paths, .. } =
            connection;
        let switched = paths.as_mut().and_then(|paths| paths.switched.take());
        let (control_queue, control_waiting) = mpsc::channel(CONTROL_QUEUE_MESSAGES);
        let (blob_queue, blobs_waiting) = mpsc::channel(BLOB_QUEUE);
        let shared = Arc::new(Shared {
            sink: Mutex::new(Some(Box::new(sink))),
            quinn: quinn.0.clone(),
            queue: DatagramQueue::new(limits.link_queue_bytes),
            mtu: AtomicUsize::new(0),
            too_large: AtomicU64::new(0),
        });
        let (blob_bytes, control_bytes) = (limits.blob_bytes, limits.control_message_bytes);
        let link_shared = shared.clone();
        shared.check_mtu();
        let _entered = runtime.enter();
        tokio::spawn(send_datagrams(shared.clone()));
        tokio::spawn(send_control(shared.clone(), control.0, control_waiting));
        tokio::spawn(send_blobs(shared.clone(), blobs_waiting, blob_bytes));
        tokio::spawn(watch_mtu(shared.clone()));
        if let Some(switched) = switched {
            tokio::spawn(watch_paths(shared.clone(), switched));
        }
        let receiving = [
            tokio::spawn(receive_datagrams(shared.clone())),
            tokio::spawn(receive_control(shared.clone(), control.1)),
            tokio::spawn(receive_blobs(shared.clone(), blob_bytes)),
        ];
        tokio::spawn(async move {
            let reason = CloseReason::from(&shared.quinn.closed().await);
            shared.queue.close();
            for task in receiving {
                // What had arrived before the end is handed over first.
                let _ = task.await;
            }
            shared.finish(reason);
        });
        LinkHandle(Arc::new(Handle {
            quinn,
            shared: link_shared,
            control: control_queue,
            blobs: blob_queue,
            window,
            marks,
            paths,
            control_bytes,
            blob_bytes,
        }))
    }
}

/// Sends on a link, from any thread, without blocking. Dropping the last clone closes the
/// connection.
#[derive(Clone)]
pub struct LinkHandle(Arc<Handle>);

impl fmt::Debug for LinkHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkHandle").field("quinn", &self.0.quinn).finish_non_exhaustive()
    }
}

struct Handle {
    quinn: CloseOnDrop,
    shared: Arc<Shared>,
    control: mpsc::Sender<Bytes>,
    blobs: mpsc::Sender<(u8, Bytes)>,
    window: WindowHandle,
    marks: Marks,
    paths: Option<Paths>,
    control_bytes: usize,
    blob_bytes: usize,
}

/// A link's counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// The connection's own.
    pub connection: ConnectionStats,
    /// Datagram bytes waiting to be given to QUIC.
    pub queued_bytes: usize,
    /// Datagrams dropped because the path's MTU had shrunk below their length.
    pub datagrams_too_large: u64,
}

impl LinkHandle {
    /// Queues datagrams in order until the queue is full, and returns how many it took; wakes the
    /// network thread once. A datagram longer than the last [`LinkSink::mtu`] is dropped later.
    pub fn send_datagrams(&self, datagrams: impl IntoIterator<Item = Bytes>) -> usize {
        self.0.shared.queue.push(datagrams)
    }

    /// Datagram bytes that are queued and not yet given to QUIC.
    pub fn queued_bytes(&self) -> usize {
        self.0.shared.queue.bytes()
    }

    /// Queues one control message.
    pub fn send_control(&self, message: Bytes) -> Result<(), SendError> {
        check(message.len(), self.0.control_bytes)?;
        self.0.control.try_send(message).map_err(|error| self.send_error(&error))
    }

    /// Queues one blob.
    pub fn send_blob(&self, kind: u8, blob: Bytes) -> Result<(), SendError> {
        check(blob.len(), self.0.blob_bytes)?;
        self.0.blobs.try_send((kind, blob)).map_err(|error| self.send_error(&error))
    }

    /// Ends the connection at once, as [`Connection::close`] does: what is queued is forgotten.
    pub fn close(&self, code: u32, reason: &str) {
        connection::close(&self.0.quinn, code, reason);
        self.0.shared.queue.close();
    }

    /// Longest datagram that fits the path now, in bytes.
    pub fn max_datagram_bytes(&self) -> usize {
        max_datagram_bytes(&self.0.quinn)
    }

    /// Smoothed round-trip time.
    pub fn rtt(&self) -> Duration {
        self.0.quinn.rtt()
    }

    /// Packets that arrived marked by the network (CE), as in [`ConnectionStats`].
    pub fn marked_packets(&self) -> u64 {
        self.0.marks.count()
    }

    /// The paths to the other side.
    pub fn paths(&self) -> Vec<PathStats> {
        self.0.paths.as_ref().map(Paths::stats).unwrap_or_default()
    }

    /// Counters since the start.
    pub fn stats(&self) -> LinkStats {
        let connection = connection::stats(&self.0.quinn, &self.0.marks);
        let datagrams_too_large = self.0.shared.too_large.load(Ordering::Relaxed);
        LinkStats { connection, queued_bytes: self.queued_bytes(), datagrams_too_large }
    }

    /// Sets QUIC's congestion window.
    pub fn window(&self) -> WindowHandle {
        self.0.window.clone()
    }

    fn send_error<T>(&self, error: &mpsc::error::TrySendError<T>) -> SendError {
        match (error, self.0.quinn.close_reason()) {
            (mpsc::error::TrySendError::Full(_), None) => SendError::Full,
            (_, Some(reason)) => SendError::Closed((&reason).into()),
            (mpsc::error::TrySendError::Closed(_), None) => SendError::Closed(CloseReason::Local),
        }
    }
}

fn check(bytes: usize, limit_bytes: usize) -> Result<(), SendError> {
    if bytes > limit_bytes {
        return Err(SendError::TooLarge { bytes, limit_bytes });
    }
    Ok(())
}

/// What the tasks of one link share. They all run on the network thread, so the lock is never
/// contended.
struct Shared {
    sink: Mutex<Option<Box<dyn LinkSink>>>,
    quinn: quinn::Connection,
    queue: DatagramQueue,
    mtu: AtomicUsize,
    too_large: AtomicU64,
}

impl Shared {
    fn sink(&self) -> MutexGuard<'_, Option<Box<dyn LinkSink>>> {
        // After a panic inside the sink the connection is closed; `closed` is still delivered.
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_sink(&self, call: impl FnOnce(&mut dyn LinkSink)) {
        if let Some(sink) = self.sink().as_mut() {
            call(sink.as_mut());
        }
    }

    fn check_mtu(&self) {
        let bytes = max_datagram_bytes(&self.quinn);
        if bytes != 0 && self.mtu.swap(bytes, Ordering::Relaxed) != bytes {
            self.with_sink(|sink| sink.mtu(bytes));
        }
    }

    fn finish(&self, reason: CloseReason) {
        let sink = self.sink().take();
        if let Some(mut sink) = sink {
            sink.closed(reason);
        }
    }
}

async fn send_datagrams(shared: Arc<Shared>) {
    let _close_if_sink_panics = CloseOnDrop(shared.quinn.clone());
    while shared.queue.filled().await {
        while let Some(datagram) = shared.queue.pop() {
            match connection::send_datagram(&shared.quinn, datagram).await {
                Ok(()) => {}
                Err(SendError::TooLarge { .. }) => {
                    shared.too_large.fetch_add(1, Ordering::Relaxed);
                    shared.check_mtu();
                }
                Err(_) => return,
            }
        }
        shared.check_mtu();
        shared.with_sink(|sink| sink.drained());
    }
}

async fn send_control(
    shared: Arc<Shared>,
    mut sender: ControlSender,
    mut waiting: mpsc::Receiver<Bytes>,
) {
    loop {
        tokio::select! {
            message = waiting.recv() => match message {
                Some(message) if sender.send(&message).await.is_ok() => {}
                _ => break,
            },
            _ = shared.quinn.closed() => break,
        }
    }
    // The stream must outlive the queue's last sender: its end would tell the other side that
    // the connection is over.
    shared.quinn.closed().await;
}

async fn send_blobs(
    shared: Arc<Shared>,
    mut waiting: mpsc::Receiver<(u8, Bytes)>,
    limit_bytes: usize,
) {
    while let Some((kind, blob)) = waiting.recv().await {
        if streams::send_blob(&shared.quinn, kind, blob, limit_bytes).await.is_err() {
            return;
        }
    }
}

async fn receive_datagrams(shared: Arc<Shared>) {
    let _close_if_sink_panics = CloseOnDrop(shared.quinn.clone());
    while let Ok(first) = shared.quinn.read_datagram().await {
        let now_us = now_us();
        shared.with_sink(|sink| {
            sink.datagram(now_us, first);
            for _ in 1..BATCH_DATAGRAMS {
                match ready_datagram(&shared.quinn) {
                    Some(datagram) => sink.datagram(now_us, datagram),
                    None => break,
                }
            }
            sink.batch_end();
        });
        shared.check_mtu();
    }
}

/// A datagram that has been received already.
fn ready_datagram(connection: &quinn::Connection) -> Option<Bytes> {
    match pin!(connection.read_datagram()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(datagram)) => Some(datagram),
        _ => None,
    }
}

async fn receive_control(shared: Arc<Shared>, mut receiver: ControlReceiver) {
    let _close_if_sink_panics = CloseOnDrop(shared.quinn.clone());
    while let Ok(message) = receiver.recv().await {
        shared.with_sink(|sink| sink.control(message));
        shared.check_mtu();
    }
}

async fn receive_blobs(shared: Arc<Shared>, limit_bytes: usize) {
    let _close_if_sink_panics = CloseOnDrop(shared.quinn.clone());
    while let Ok((kind, blob)) = streams::recv_blob(&shared.quinn, limit_bytes).await {
        shared.with_sink(|sink| sink.blob(kind, blob));
    }
}

async fn watch_paths(shared: Arc<Shared>, mut switched: mpsc::Receiver<PathSwitch>) {
    while let Some(switch) = switched.recv().await {
        shared.with_sink(|sink| sink.path(switch));
    }
}

async fn watch_mtu(shared: Arc<Shared>) {
    let start = tokio::time::Instant::now();
    for at_ms in MTU_LOOKS_MS {
        tokio::select! {
            () = tokio::time::sleep_until(start + Duration::from_millis(at_ms)) => {}
            _ = shared.quinn.closed() => return,
        }
        shared.check_mtu();
    }
}
