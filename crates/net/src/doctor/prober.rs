//! STUN binding requests from one UDP socket (RFC 8489): does a server answer, how soon, with what
//! size, and which address does it see?

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};
use stun_proto::types::attribute::{AttributeType, RawAttribute, XorMappedAddress};
use stun_proto::types::message::{
    BINDING, Message, MessageWriteExt, MessageWriteVec, TransactionId,
};
use stun_proto::types::prelude::MessageWrite;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::endpoint;

/// Waits for an answer to each repeat of a request. RFC 8489 (section 6.2.1) begins with 500 ms and
/// repeats for 39.5 s; somebody waits for these.
pub(super) const PATIENT: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
];
/// Requests whose answers may be outstanding at once; all checks of one relay together have fewer.
const MAX_WAITING: usize = 512;
/// Read at once: what the system joins from one flow.
const READ_BYTES: usize = 64 << 10;
/// Bytes before the value of the one attribute of a padded request: STUN's header and its own.
const BEFORE_PADDING_BYTES: usize = 20 + 4;
/// An attribute for padding. PADDING of RFC 5780 makes servers answer with an error unless they
/// know it; of those from 0xC000 on servers leave out what they do not know (RFC 8489, section
/// 18.3).
const PADDING: AttributeType = AttributeType::new(0xC0FA);

/// What a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// This socket's address, as the server sees it.
    pub(super) reflexive: SocketAddr,
    pub(super) round_trip: Duration,
}

/// A socket whose datagrams are never fragmented. Clones share it.
#[derive(Clone)]
pub(super) struct Prober(Arc<Inner>);

struct Inner {
    socket: Arc<dyn AsyncUdpSocket>,
    waiting: Arc<Mutex<Waiting>>,
    reader: AbortHandle,
}

type Waiting = HashMap<TransactionId, (Instant, mpsc::Sender<Answer>)>;

impl Drop for Inner {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Prober {
    /// A socket for servers of the family of `server`; must be called inside the runtime.
    pub(super) fn open(server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(endpoint::any_local(server))?;
        let socket = TokioRuntime.wrap_udp_socket(socket)?;
        let waiting = Arc::<Mutex<Waiting>>::default();
        let reader = tokio::spawn(read(socket.clone(), waiting.clone())).abort_handle();
        Ok(Self(Arc::new(Inner { socket, waiting, reader })))
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.0.socket.local_addr()?.port())
    }

    /// Asks `server` once for each of `waits`, until it answers, but not after `deadline`.
    pub(super) async fn ask(
        &self,
        server: SocketAddr,
        waits: &[Duration],
        deadline: Instant,
    ) -> Option<Answer> {
        self.ask_with(server, 0, waits, deadline).await
    }

    /// As [`Prober::ask`], by requests of `bytes` of UDP payload, a multiple of four, or the least
    /// that there are.
    pub(super) async fn ask_with(
        &self,
        server: SocketAddr,
        bytes: usize,
        waits: &[Duration],
        deadline: Instant,
    ) -> Option<Answer> {
        let (sender, mut answers) = mpsc::channel(waits.len().max(1));
        let mut asked = Vec::with_capacity(waits.len());
        let mut answer = None;
        for wait in waits {
            if answer.is_some() || Instant::now() >= deadline {
                break;
            }
            asked.extend(self.send(server, bytes, &sender).await);
            let until = deadline.min(Instant::now() + *wait);
            answer = timeout_at(until, answers.recv()).await.ok().flatten();
        }
        let mut waiting = lock(&self.0.waiting);
        asked.iter().for_each(|id| drop(waiting.remove(id)));
        answer
    }

    async fn send(
        &self,
        server: SocketAddr,
        bytes: usize,
        sender: &mpsc::Sender<Answer>,
    ) -> Option<TransactionId> {
        let (id, request) = request(bytes)?;
        {
            let mut waiting = lock(&self.0.waiting);
            if waiting.len() >= MAX_WAITING {
                return None;
            }
            waiting.insert(id, (Instant::now(), sender.clone()));
        }
        let socket = &self.0.socket;
        let mut poller = socket.clone().create_io_poller();
        let _ = poll_fn(|cx| poller.as_mut().poll_writable(cx)).await;
        let transmit = Transmit {
            destination: server,
            ecn: None,
            contents: &request,
            segment_size: None,
            src_ip: None,
        };
        // What cannot be sent is not answered.
        let _ = socket.try_send(&transmit);
        Some(id)
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

fn request(bytes: usize) -> Option<(TransactionId, Vec<u8>)> {
    let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
    let padding = vec![0; bytes.saturating_sub(BEFORE_PADDING_BYTES)];
    if !padding.is_empty() {
        message.add_attribute(&RawAttribute::new(PADDING, &padding)).ok()?;
    }
    let request = message.finish();
    let id = Message::from_bytes(&request).ok()?.transaction_id();
    Some((id, request))
}

async fn read(socket: Arc<dyn AsyncUdpSocket>, waiting: Arc<Mutex<Waiting>>) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let mut meta = [RecvMeta::default()];
        let received = poll_fn(|cx| {
            let mut slices = [IoSliceMut::new(&mut buffer)];
            socket.poll_recv(cx, &mut slices, &mut meta)
        });
        match received.await {
            Ok(_) => {}
            // Somebody unreachable; not the socket.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => continue,
            Err(_) => return,
        }
        let [RecvMeta { len, stride, .. }] = meta;
        for datagram in buffer[..len].chunks(stride.max(1)) {
            let Some((id, reflexive)) = answer(datagram) else { continue };
            if let Some((sent, sender)) = lock(&waiting).remove(&id) {
                let _ = sender.try_send(Answer { reflexive, round_trip: sent.elapsed() });
            }
        }
    }
}

/// The request that a datagram answers, and the address in it.
fn answer(datagram: &[u8]) -> Option<(TransactionId, SocketAddr)> {
    let message = Message::from_bytes(datagram).ok()?;
    let is_answer = message.method() == BINDING && message.is_response();
    let address = message.attribute::<XorMappedAddress>().ok()?;
    let id = message.transaction_id();
    is_answer.then(|| (id, address.addr(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_the_size_asked_for() {
        for bytes in [28, 32, 548, 1_232, 1_452, 1_472] {
            let (id, request) = request(bytes).unwrap();
            assert_eq!(request.len(), bytes);
            let read = Message::from_bytes(&request).unwrap();
            assert_eq!((read.transaction_id(), read.method()), (id, BINDING));
        }
        assert_eq!(request(0).unwrap().1.len(), 20);
    }

    #[test]
    fn only_answers_answer() {
        let (id, request) = request(0).unwrap();
        assert_eq!(answer(&request), None);
        let seen: SocketAddr = "192.0.2.7:4242".parse().unwrap();
        let request = Message::from_bytes(&request).unwrap();
        let mut success = Message::builder_success(&request, MessageWriteVec::new());
        success.add_attribute(&XorMappedAddress::new(seen, id)).unwrap();
        let success = success.finish();
        assert_eq!(answer(&success), Some((id, seen)));
        (0..success.len()).for_each(|end| assert_eq!(answer(&success[..end]), None));
    }
}
