//! TURN's messages over TLS over TCP: a relay on port 443, for networks without UDP.
//!
//! The relay is trusted by its pinned key alone. A proxy that inspects TLS shows another key and
//! is named, never accepted. TLS 1.3, or 1.2 for relays that have no newer one (RFC 9325 allows it
//! with these suites); what is inside is encrypted from end to end all the same.

use std::fmt;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use ring::digest;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, CipherSuite, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    SignatureScheme,
};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use super::RelayError;
use super::url::Pin;

/// Bytes that may wait for TCP to take them. More would be delay: what does not fit is dropped, as
/// a network would, and sent again when its loss shows.
const MAX_WAITING_BYTES: usize = 16 << 10;
/// After so many looks without anything new what waits is given to TCP: a sender of many datagrams
/// has its turn between every second two of them.
const QUIET_LOOKS: u8 = 2;
/// What one record takes, header included. All of it must arrive before any of it can be read.
const RECORD_BYTES: usize = 4 << 10;
/// Read from TCP at once.
const READ_BYTES: usize = 64 << 10;
/// What rustls takes at once.
const DECRYPT_BYTES: usize = 4 << 10;
/// Of a record in TLS 1.3 and 1.2 (RFC 5246, section 6.2.3).
const RECORD_HEADER_BYTES: usize = 5;
const MAX_RECORD_BYTES: usize = RECORD_HEADER_BYTES + (16 << 10) + 2_048;

/// What a server showed in place of the relay's key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presented {
    /// Its key.
    pub pin: Pin,
    /// The certificate's name.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} signed by {}, key {}", self.subject, self.issuer, self.pin)
    }
}

/// A stream of TURN's messages.
pub(super) struct TlsCarrier {
    tcp: TcpStream,
    tls: ClientConnection,
    /// What is not encrypted yet.
    waiting: Vec<u8>,
    looks: Looks,
    /// Bytes of messages whose records TCP has not wholly taken.
    sealed_bytes: usize,
    /// What TCP gave, encrypted, in its first `wire_bytes`.
    wire: Box<[u8]>,
    wire_bytes: usize,
    /// The beginning of a message that has not come whole.
    received: Vec<u8>,
}

impl fmt::Debug for TlsCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsCarrier").field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

impl TlsCarrier {
    pub(super) async fn connect(
        server: SocketAddr,
        host: &str,
        pins: &[Pin],
    ) -> Result<Self, RelayError> {
        let tcp = TcpStream::connect(server).await.map_err(RelayError::Connect)?;
        tcp.set_nodelay(true).map_err(RelayError::Connect)?;
        // After an outage the next try comes soon, not after twice the time of the last (tcp(7)).
        #[cfg(target_os = "linux")]
        rustix::net::sockopt::set_tcp_thin_linear_timeouts(&tcp, true)
            .map_err(|error| RelayError::Connect(error.into()))?;
        let seen = Arc::new(Mutex::new(None));
        let config = config(pins, seen.clone())?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| RelayError::Lookup { host: host.to_owned(), why: "no name".into() })?;
        let tls = ClientConnection::new(Arc::new(config), name).map_err(RelayError::Tls)?;
        let mut carrier = Self {
            tcp,
            tls,
            waiting: Vec::new(),
            looks: Looks::default(),
            sealed_bytes: 0,
            wire: vec![0; READ_BYTES].into_boxed_slice(),
            wire_bytes: 0,
            received: Vec::new(),
        };
        carrier.shake_hands().await.map_err(|error| {
            let presented = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
            match presented {
                Some(presented) => RelayError::Inspected { presented, expected: pins.to_vec() },
                None => error,
            }
        })?;
        Ok(carrier)
    }

    pub(super) fn local_address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    async fn shake_hands(&mut self) -> Result<(), RelayError> {
        while self.tls.is_handshaking() {
            while self.tls.wants_write() {
                self.tcp.writable().await.map_err(RelayError::Connect)?;
                match self.tls.write_tls(&mut Socket(&self.tcp)) {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                        return Err(RelayError::Connect(error));
                    }
                    _ => {}
                }
            }
            if !self.tls.is_handshaking() {
                break;
            }
            self.tcp.readable().await.map_err(RelayError::Connect)?;
            match self.tls.read_tls(&mut Socket(&self.tcp)) {
                Ok(0) => return Err(RelayError::Connect(io::ErrorKind::UnexpectedEof.into())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(RelayError::Connect(error)),
                Ok(_) => {}
            }
            if let Err(error) = self.tls.process_new_packets() {
                // The alert tells the other side why.
                let _ = self.tls.write_tls(&mut Socket(&self.tcp));
                return Err(RelayError::Tls(error));
            }
        }
        Ok(())
    }

    /// Takes a message for [`TlsCarrier::flush`], which `encode` appends, padded to four bytes (RFC
    /// 8656, section 12.5), or drops it when TCP does not take what waits already.
    pub(super) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let start = self.waiting.len();
        encode(&mut self.waiting);
        let end = self.waiting.len().next_multiple_of(4);
        self.waiting.resize(end, 0);
        if self.sealed_bytes + end > MAX_WAITING_BYTES {
            let message = self.waiting.split_off(start);
            // That TCP is broken shows when the driver comes to it.
            let _ = self.flush();
            let end = self.waiting.len() + message.len();
            if self.sealed_bytes + end <= MAX_WAITING_BYTES {
                self.waiting.extend_from_slice(&message);
            }
        }
    }

    /// Whether more is likely to be pushed at once, as it has been between the last looks. What
    /// goes together takes fewer records, calls and segments.
    pub(super) fn is_filling(&mut self) -> bool {
        self.looks.is_filling(self.waiting.len())
    }

    /// Whether bytes wait for TCP.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() || self.tls.wants_write()
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.is_waiting() && self.tcp.poll_write_ready(cx)?.is_ready() {
            self.flush()?;
        }
        Ok(())
    }

    /// Gives TCP what it takes, in few records and few calls.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        loop {
            while self.tls.wants_write() {
                match self.tls.write_tls(&mut Socket(&self.tcp)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    written => written?,
                };
            }
            self.sealed_bytes = 0;
            if self.waiting.is_empty() {
                return Ok(());
            }
            self.sealed_bytes = self.tls.writer().write(&self.waiting)?;
            self.waiting.drain(..self.sealed_bytes);
        }
    }

    /// Calls with every whole message that has come; ready when the stream has ended.
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<io::Error> {
        loop {
            let mut buffer = ReadBuf::new(&mut self.wire[self.wire_bytes..]);
            if let Err(error) = ready!(std::pin::Pin::new(&mut self.tcp).poll_read(cx, &mut buffer))
            {
                return Poll::Ready(error);
            }
            let count = buffer.filled().len();
            if count == 0 {
                return Poll::Ready(io::ErrorKind::UnexpectedEof.into());
            }
            self.wire_bytes += count;
            if let Err(error) = self.open(&mut take) {
                return Poll::Ready(error);
            }
        }
    }

    /// Decrypts the whole records that TCP gave, and keeps the beginning of the next.
    fn open(&mut self, take: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let mut start = 0;
        loop {
            let count = whole_records_bytes(&self.wire[start..self.wire_bytes]);
            let mut records = &self.wire[start..start + count];
            if records.is_empty() {
                break;
            }
            while !records.is_empty() {
                self.tls.read_tls(&mut records)?;
                self.tls.process_new_packets().map_err(io::Error::other)?;
                read_messages(&mut self.tls.reader(), &mut self.received, take)?;
            }
            start += count;
        }
        self.wire.copy_within(start..self.wire_bytes, 0);
        self.wire_bytes -= start;
        Ok(())
    }
}

/// How many bytes of the records that have come whole are to be decrypted at once: as many as
/// rustls reads, for what it has to keep it copies.
fn whole_records_bytes(wire: &[u8]) -> usize {
    let mut end = 0;
    while let [_, _, _, high, low, ..] = wire[end..] {
        let record_bytes = RECORD_HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
        if record_bytes > MAX_RECORD_BYTES {
            // No record, as rustls will say.
            return wire.len();
        }
        let next = end + record_bytes;
        if next > wire.len() || (end > 0 && next > DECRYPT_BYTES) {
            break;
        }
        end = next;
    }
    end
}

/// Calls with every whole message that was decrypted; `received` keeps the beginning of the next.
fn read_messages(
    reader: &mut impl BufRead,
    received: &mut Vec<u8>,
    take: &mut impl FnMut(&[u8]),
) -> io::Result<()> {
    loop {
        let count = match reader.fill_buf() {
            Ok([]) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) if received.is_empty() => {
                let taken = take_messages(bytes, take)?;
                received.extend_from_slice(&bytes[taken..]);
                bytes.len()
            }
            Ok(bytes) => {
                received.extend_from_slice(bytes);
                received.drain(..take_messages(received, take)?);
                bytes.len()
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        reader.consume(count);
    }
}

/// Gives how many bytes its whole messages have.
fn take_messages(stream: &[u8], take: &mut impl FnMut(&[u8])) -> io::Result<usize> {
    let mut start = 0;
    while let Some(message) = first_message(&stream[start..])? {
        take(&stream[start..start + message.bytes]);
        start += message.padded_bytes;
    }
    Ok(start)
}

/// Looks at how much waits.
#[derive(Debug, Default)]
struct Looks {
    seen_bytes: usize,
    /// So many in a row found nothing new.
    quiet: u8,
}

impl Looks {
    /// Whether something waits and has grown lately.
    fn is_filling(&mut self, bytes: usize) -> bool {
        self.quiet = if bytes > self.seen_bytes { 0 } else { self.quiet.saturating_add(1) };
        self.seen_bytes = bytes;
        bytes > 0 && self.quiet < QUIET_LOOKS
    }
}

struct Framed {
    bytes: usize,
    padded_bytes: usize,
}

/// The first message of a stream, once all of it is there.
fn first_message(stream: &[u8]) -> io::Result<Option<Framed>> {
    let [first, _, high, low, ..] = *stream else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let bytes = match first >> 6 {
        0 => 20 + length,
        1 => 4 + length,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "neither STUN nor a channel")),
    };
    let padded_bytes = bytes.next_multiple_of(4);
    Ok((stream.len() >= padded_bytes).then_some(Framed { bytes, padded_bytes }))
}

/// What can be read and written without waiting.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, records: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(records)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Seen = Arc<Mutex<Option<Presented>>>;

fn config(pins: &[Pin], seen: Seen) -> Result<ClientConfig, RelayError> {
    let verifier = Pinned { pins: pins.to_vec(), seen };
    let mut provider = default_provider();
    // What is inside is encrypted once more, so the key may be the one that costs less.
    provider.cipher_suites.sort_by_key(|suite| !has_short_key(suite.suite()));
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(RelayError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.max_fragment_size = Some(RECORD_BYTES);
    Ok(config)
}

fn has_short_key(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    )
}

/// Accepts the pinned keys and no other.
#[derive(Debug)]
struct Pinned {
    pins: Vec<Pin>,
    seen: Seen,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = presented(end_entity)?;
        if self.pins.contains(&presented.pin) {
            return Ok(ServerCertVerified::assertion());
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(presented);
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn presented(certificate: &CertificateDer<'_>) -> Result<Presented, Error> {
    let parsed = webpki::EndEntityCert::try_from(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let key = parsed.subject_public_key_info();
    let hash = digest::digest(&digest::SHA256, key.as_ref());
    let mut pin = Pin([0; 32]);
    pin.0.copy_from_slice(hash.as_ref());
    let (subject, issuer) = (common_name(parsed.subject()), common_name(parsed.issuer()));
    Ok(Presented { pin, subject, issuer })
}

/// The common name in a distinguished name (X.520, 2.5.4.3), for people to read.
fn common_name(name: &[u8]) -> String {
    const OID: [u8; 5] = [6, 3, 0x55, 4, 3];
    let value = name.windows(OID.len()).position(|bytes| bytes == OID).and_then(|at| {
        let rest = &name[at + OID.len()..];
        let length = usize::from(*rest.get(1)?);
        rest.get(2..2 + length)
    });
    match value {
        Some(value) => String::from_utf8_lossy(value).escape_debug().to_string(),
        None => "no name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_a_stream_wherever_it_breaks() {
        let stun = [&[0, 1, 0, 4][..], &[9; 16], &[8; 4]].concat();
        let channel = [&[0x40, 0, 0, 5][..], &[7; 5], &[0; 3]].concat();
        let stream = [&stun[..], &channel, &stun].concat();
        for cut in 0..stream.len() {
            let (mut held, mut found) = (Vec::new(), Vec::new());
            for piece in [&stream[..cut], &stream[cut..]] {
                held.extend_from_slice(piece);
                while let Some(message) = first_message(&held).unwrap() {
                    found.push(held[..message.bytes].to_vec());
                    held.drain(..message.padded_bytes);
                }
            }
            assert_eq!(found, [&stun[..], &channel[..9], &stun]);
        }
        assert!(first_message(&[0x80; 4]).is_err());
    }

    /// Plaintext as rustls gives it, chunk by chunk.
    struct Chunks<'a>(Vec<&'a [u8]>);

    impl Read for Chunks<'_> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    impl BufRead for Chunks<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            self.0.first().copied().ok_or(io::ErrorKind::WouldBlock.into())
        }

        fn consume(&mut self, count: usize) {
            self.0[0] = &self.0[0][count..];
            self.0.retain(|chunk| !chunk.is_empty());
        }
    }

    #[test]
    fn messages_are_taken_from_chunks_wherever_these_end() {
        let channel = |length: u8| {
            let padded = usize::from(length).next_multiple_of(4);
            [&[0x40, 0, 0, length][..], &vec![length; padded]].concat()
        };
        let stream: Vec<u8> = (1..40).flat_map(channel).collect();
        for chunk_bytes in 1..200 {
            let (mut received, mut lengths) = (Vec::new(), Vec::new());
            let mut take = |message: &[u8]| {
                assert!(message[4..].iter().all(|byte| *byte == message[3]));
                lengths.push(message.len());
            };
            let mut chunks = Chunks(stream.chunks(chunk_bytes).collect());
            read_messages(&mut chunks, &mut received, &mut take).unwrap();
            assert_eq!(lengths, (1..40).map(|length| 4 + length).collect::<Vec<_>>());
            assert!(received.is_empty());
        }
        let ended = read_messages(&mut Chunks(vec![&[]]), &mut Vec::new(), &mut |_| {});
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn only_whole_records_are_decrypted_few_at_once() {
        let record = |bytes: u16| {
            let [high, low] = bytes.to_be_bytes();
            [&[23, 3, 3, high, low][..], &vec![0; usize::from(bytes)]].concat()
        };
        let wire = [record(1_000), record(2_000), record(3_000), record(9_000)].concat();
        let (two, three) = (3_010, 6_015);
        for end in 0..=wire.len() {
            let whole = if end < 1_005 {
                0
            } else if end < two {
                1_005
            } else {
                two
            };
            assert_eq!(whole_records_bytes(&wire[..end]), whole);
        }
        assert_eq!(whole_records_bytes(&wire[two..]), 3_005);
        assert_eq!(whole_records_bytes(&wire[three..]), 9_005, "a long one goes alone");
        assert_eq!(whole_records_bytes(&[23, 3, 3, 0xff, 0xff, 1]), 6, "for rustls to refuse");
    }

    #[test]
    fn what_waits_goes_when_it_has_stopped_growing() {
        let mut looks = Looks::default();
        let mut look = |bytes| looks.is_filling(bytes);
        assert!(!look(0), "nothing waits");
        assert_eq!([9, 9, 18, 18, 18].map(&mut look), [true, true, true, true, false]);
        assert!(!look(18), "TCP takes nothing");
        assert_eq!([0, 5, 5, 5].map(&mut look), [false, true, true, false]);
    }

    #[test]
    fn names_are_found_and_what_is_none_is_harmless() {
        let name = [&[0x30, 14, 0x31, 12, 0x30, 10, 6, 3, 0x55, 4, 3, 12, 3][..], b"Gov"].concat();
        assert_eq!(common_name(&name), "Gov");
        for end in 0..name.len() {
            assert_eq!(common_name(&name[..end]), "no name");
        }
    }
}
