//! What both ends tell each other about their paths, beside QUIC and outside of it.
//!
//! A datagram whose first byte is [`FIRST_BYTE`] is a path message: QUIC's have bit 6 set (RFC
//! 9000, section 17; it is never greased here), STUN's first byte is at most 3 (RFC 9443). Then
//! come the session's name (8 bytes), a counter (8 bytes, network order), and the message,
//! encrypted and authenticated with ChaCha20-Poly1305 (RFC 8439) under a key of the sender's
//! direction; all before it is authenticated too. The keys come from the TLS session (RFC 8446,
//! section 7.5), so that whoever did not take part in it can neither read nor forge nor repeat one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

use super::PathKind;

/// Marks a path message.
pub(crate) const FIRST_BYTE: u8 = 0x0f;
/// Labels the keys of the TLS exporter.
pub(crate) const EXPORTER_LABEL: &[u8] = b"EXPORTER-farpane-paths";
/// Bytes of the exporter: the session's name, then the helper's key and the sharer's.
pub(crate) const EXPORTED_BYTES: usize = SESSION_BYTES + 2 * KEY_BYTES;

const SESSION_BYTES: usize = 8;
const KEY_BYTES: usize = 32;
const HEADER_BYTES: usize = 1 + SESSION_BYTES + 8;
const TAG_BYTES: usize = 16;
/// Counters that may come late.
const WINDOW: u64 = 64;
/// The longest message: candidates, all with IPv6.
const MAX_PLAIN_BYTES: usize = 2 + 5 + MAX_CANDIDATES * 20;
/// Most addresses told at once.
pub(crate) const MAX_CANDIDATES: usize = 8;

/// Names a session to both ends and to nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionName([u8; SESSION_BYTES]);

impl SessionName {
    /// The name in a datagram, if that is a path message.
    pub(crate) fn of(datagram: &[u8]) -> Option<Self> {
        let (first, rest) = datagram.split_first()?;
        let name = rest.first_chunk()?;
        (*first == FIRST_BYTE).then_some(Self(*name))
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Asks for a [`Message::Pong`] by the same path.
    Ping {
        /// Comes back in the answer.
        id: u32,
        /// The newest epoch that its sender knows.
        epoch: u32,
        /// Its sender sends by this path in that epoch.
        active: bool,
        /// Its sender hears nothing by the path it sends by.
        doubt: bool,
    },
    /// Answers a ping.
    Pong {
        /// The ping's.
        id: u32,
        /// The newest epoch that its sender knows.
        epoch: u32,
        /// Where the ping came from.
        seen: SocketAddr,
    },
    /// Where its sender could be reached as well. Told until it is confirmed.
    Candidates {
        /// Counts up with every change.
        number: u32,
        /// The addresses, and how the sender is behind each.
        addresses: Vec<(SocketAddr, PathKind)>,
    },
    /// Confirms candidates.
    Known {
        /// Their number.
        number: u32,
    },
}

/// Seals and opens one session's messages.
#[derive(Debug)]
pub(crate) struct Sealer {
    session: SessionName,
    out: LessSafeKey,
    into: LessSafeKey,
    sent: u64,
    /// The highest counter that came, and which of those below it came.
    newest: u64,
    seen: u64,
}

impl Sealer {
    /// For the end that opened the connection, or for the other.
    pub(crate) fn new(exported: &[u8; EXPORTED_BYTES], is_helper: bool) -> Self {
        let (name, keys) = exported.split_at(SESSION_BYTES);
        let (helper, sharer) = keys.split_at(KEY_BYTES);
        let key = |bytes| {
            let key = UnboundKey::new(&aead::CHACHA20_POLY1305, bytes);
            LessSafeKey::new(key.expect("the key has the algorithm's length"))
        };
        let (out, into) = if is_helper { (helper, sharer) } else { (sharer, helper) };
        let mut session = SessionName([0; SESSION_BYTES]);
        session.0.copy_from_slice(name);
        Self { session, out: key(out), into: key(into), sent: 0, newest: 0, seen: 0 }
    }

    pub(crate) fn session(&self) -> SessionName {
        self.session
    }

    /// The datagram of a message.
    pub(crate) fn seal(&mut self, message: &Message) -> Vec<u8> {
        self.sent += 1;
        let mut datagram = Vec::with_capacity(HEADER_BYTES + MAX_PLAIN_BYTES + TAG_BYTES);
        datagram.push(FIRST_BYTE);
        datagram.extend_from_slice(&self.session.0);
        datagram.extend_from_slice(&self.sent.to_be_bytes());
        let mut body = message.write();
        let (nonce, aad) = (nonce(self.sent), Aad::from(&datagram[..]));
        let tag = self.out.seal_in_place_separate_tag(nonce, aad, &mut body);
        let tag = tag.expect("a message is far shorter than the algorithm's limit");
        datagram.extend_from_slice(&body);
        datagram.extend_from_slice(tag.as_ref());
        datagram
    }

    /// The message in a datagram of this session; `None` when it is forged, damaged, repeated or
    /// very late.
    pub(crate) fn open(&mut self, datagram: &[u8]) -> Option<Message> {
        let (header, sealed) = datagram.split_at_checked(HEADER_BYTES)?;
        if SessionName::of(header) != Some(self.session)
            || sealed.len() > MAX_PLAIN_BYTES + TAG_BYTES
        {
            return None;
        }
        let counter = u64::from_be_bytes(*header.last_chunk()?);
        let age = self.newest.saturating_sub(counter);
        let is_known = counter <= self.newest && (age >= WINDOW || self.seen >> age & 1 == 1);
        if counter == 0 || is_known {
            return None;
        }
        let mut body = sealed.to_vec();
        let plain = self.into.open_in_place(nonce(counter), Aad::from(header), &mut body).ok()?;
        let message = Message::read(plain)?;
        if counter > self.newest {
            let ahead = counter - self.newest;
            self.seen = if ahead < WINDOW { self.seen << ahead } else { 0 } | 1;
            self.newest = counter;
        } else {
            self.seen |= 1 << age;
        }
        Some(message)
    }
}

fn nonce(counter: u64) -> Nonce {
    let mut bytes = [0; aead::NONCE_LEN];
    bytes[4..].copy_from_slice(&counter.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

const PING: u8 = 1;
const PONG: u8 = 2;
const CANDIDATES: u8 = 3;
const KNOWN: u8 = 4;
const ACTIVE: u8 = 1;
const DOUBT: u8 = 2;

impl Message {
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        match self {
            Self::Ping { id, epoch, active, doubt } => {
                out.push(PING);
                out.extend_from_slice(&id.to_be_bytes());
                out.extend_from_slice(&epoch.to_be_bytes());
                out.push((u8::from(*active) * ACTIVE) | (u8::from(*doubt) * DOUBT));
            }
            Self::Pong { id, epoch, seen } => {
                out.push(PONG);
                out.extend_from_slice(&id.to_be_bytes());
                out.extend_from_slice(&epoch.to_be_bytes());
                write_address(*seen, &mut out);
            }
            Self::Candidates { number, addresses } => {
                out.push(CANDIDATES);
                out.extend_from_slice(&number.to_be_bytes());
                let count = addresses.len().min(MAX_CANDIDATES);
                out.push(count as u8);
                for (address, kind) in &addresses[..count] {
                    out.push(match kind {
                        PathKind::Direct => 0,
                        PathKind::RelayUdp => 1,
                        PathKind::RelayTls => 2,
                    });
                    write_address(*address, &mut out);
                }
            }
            Self::Known { number } => {
                out.push(KNOWN);
                out.extend_from_slice(&number.to_be_bytes());
            }
        }
        out
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let mut r = Reader(plain);
        let message = match r.byte()? {
            PING => {
                let (id, epoch, flags) = (r.u32()?, r.u32()?, r.byte()?);
                if flags > (ACTIVE | DOUBT) {
                    return None;
                }
                Self::Ping { id, epoch, active: flags & ACTIVE != 0, doubt: flags & DOUBT != 0 }
            }
            PONG => Self::Pong { id: r.u32()?, epoch: r.u32()?, seen: r.address()? },
            CANDIDATES => {
                let (number, count) = (r.u32()?, usize::from(r.byte()?));
                if count > MAX_CANDIDATES {
                    return None;
                }
                let address = |r: &mut Reader<'_>| {
                    let kind = match r.byte()? {
                        0 => PathKind::Direct,
                        1 => PathKind::RelayUdp,
                        2 => PathKind::RelayTls,
                        _ => return None,
                    };
                    Some((r.address()?, kind))
                };
                let addresses = (0..count).map(|_| address(&mut r)).collect::<Option<_>>()?;
                Self::Candidates { number, addresses }
            }
            KNOWN => Self::Known { number: r.u32()? },
            _ => return None,
        };
        r.0.is_empty().then_some(message)
    }
}

fn write_address(address: SocketAddr, out: &mut Vec<u8>) {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            out.push(4);
            out.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            out.push(6);
            out.extend_from_slice(&ip.octets());
        }
    }
    out.extend_from_slice(&address.port().to_be_bytes());
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn address(&mut self) -> Option<SocketAddr> {
        let ip: IpAddr = match self.byte()? {
            4 => Ipv4Addr::from(self.array::<4>()?).into(),
            6 => Ipv6Addr::from(self.array::<16>()?).into(),
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::from_be_bytes(self.array()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (Sealer, Sealer) {
        let mut exported = [0; EXPORTED_BYTES];
        exported.iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
        (Sealer::new(&exported, true), Sealer::new(&exported, false))
    }

    fn messages() -> Vec<Message> {
        let v4: SocketAddr = "192.0.2.1:3478".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::1]:50000".parse().unwrap();
        vec![
            Message::Ping { id: 7, epoch: 3, active: true, doubt: false },
            Message::Ping { id: u32::MAX, epoch: 0, active: false, doubt: true },
            Message::Pong { id: 7, epoch: 4, seen: v4 },
            Message::Pong { id: 7, epoch: 4, seen: v6 },
            Message::Candidates { number: 1, addresses: Vec::new() },
            Message::Candidates {
                number: 2,
                addresses: vec![(v6, PathKind::RelayTls); MAX_CANDIDATES],
            },
            Message::Known { number: 2 },
        ]
    }

    #[test]
    fn messages_come_back_and_only_once() {
        let (mut helper, mut sharer) = ends();
        for message in messages() {
            let datagram = helper.seal(&message);
            assert_eq!(SessionName::of(&datagram), Some(sharer.session()));
            assert_eq!(helper.open(&datagram), None, "one's own does not come from the other");
            assert_eq!(sharer.open(&datagram), Some(message));
            assert_eq!(sharer.open(&datagram), None, "a repeat");
        }
    }

    #[test]
    fn late_ones_are_taken_within_the_window() {
        let (mut helper, mut sharer) = ends();
        let message = &messages()[0];
        let datagrams: Vec<_> = (0..200).map(|_| helper.seal(message)).collect();
        assert!(sharer.open(&datagrams[100]).is_some());
        assert!(sharer.open(&datagrams[99]).is_some());
        assert!(sharer.open(&datagrams[99]).is_none());
        assert!(sharer.open(&datagrams[37]).is_some(), "63 late");
        assert!(sharer.open(&datagrams[36]).is_none(), "64 late");
        assert!(sharer.open(&datagrams[199]).is_some());
        assert!(sharer.open(&datagrams[100]).is_none());
    }

    #[test]
    fn no_changed_byte_and_no_cut_passes() {
        let (mut helper, mut sharer) = ends();
        let mut tried = 0;
        for message in messages() {
            let datagram = helper.seal(&message);
            for at in 0..datagram.len() {
                for bit in 0..8 {
                    let mut changed = datagram.clone();
                    changed[at] ^= 1 << bit;
                    assert_eq!(sharer.open(&changed), None, "bit {bit} of byte {at}");
                    tried += 1;
                }
                assert_eq!(sharer.open(&datagram[..at]), None, "cut at {at}");
            }
            assert_eq!(sharer.open(&datagram), Some(message), "what failed changed nothing");
        }
        assert!(tried > 2_500, "{tried}");
    }

    #[test]
    fn what_is_no_message_is_refused_even_when_it_is_authentic() {
        for plain in [
            &[][..],
            &[0],
            &[9],
            &[1, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0, 4],
            &[2, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0],
            &[3, 0, 0, 0, 0, 9],
            &[3, 0, 0, 0, 0, 1, 3],
            &[4, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(Message::read(plain), None, "{plain:?}");
        }
    }
}
