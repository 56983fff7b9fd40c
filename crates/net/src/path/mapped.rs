//! How others see this end's sockets: STUN (RFC 8489), asked of relays.

use std::net::{IpAddr, SocketAddr};

use stun_proto::types::attribute::XorMappedAddress;
use stun_proto::types::message::{BINDING, Message, MessageWriteVec, TransactionId};
use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};

/// Questions that wait for answers; of more the oldest are forgotten.
const MAX_ASKED: usize = 8;
/// STUN's magic cookie (RFC 8489, section 5).
const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();

/// The addresses that translators give to one end's packets.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    asked: Vec<(TransactionId, SocketAddr)>,
    /// What each server saw last.
    seen: Vec<(SocketAddr, SocketAddr)>,
}

impl Mapped {
    /// A question for `server`, to be sent by the socket that it is about.
    pub(super) fn ask(&mut self, server: SocketAddr) -> Vec<u8> {
        let request = Message::builder_request(BINDING, MessageWriteVec::new());
        if self.asked.len() == MAX_ASKED {
            self.asked.remove(0);
        }
        self.asked.push((request.transaction_id(), server));
        request.finish()
    }

    /// Whether a packet is STUN's, which QUIC's and path messages never are.
    pub(super) fn is_stun(packet: &[u8]) -> bool {
        packet.first().is_some_and(|first| *first < 4) && packet.get(4..8) == Some(&COOKIE)
    }

    /// Takes an answer in; whether something new was learnt.
    pub(super) fn handle(&mut self, from: SocketAddr, packet: &[u8]) -> bool {
        let Ok(message) = Message::from_bytes(packet) else { return false };
        let id = message.transaction_id();
        let at = self.asked.iter().position(|asked| *asked == (id, from));
        let Some(at) = at.filter(|_| message.is_response()) else { return false };
        self.asked.remove(at);
        let Ok(address) = message.attribute::<XorMappedAddress>() else { return false };
        let address = address.addr(id);
        let is_new = !self.addresses().any(|known| known == address);
        self.seen.retain(|(server, _)| *server != from);
        self.seen.push((from, address));
        is_new
    }

    /// The addresses.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.seen.iter().map(|(_, address)| *address)
    }
}

/// Whether another end's address may be tried at all.
pub(super) fn may_be_tried(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    let is_nobody = ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() || is_broadcast;
    !is_nobody && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &[u8], address: SocketAddr) -> Vec<u8> {
        let request = Message::from_bytes(request).unwrap();
        let mut answer = Message::builder_success(&request, MessageWriteVec::new());
        let mapped = XorMappedAddress::new(address, request.transaction_id());
        answer.add_attribute(&mapped).unwrap();
        answer.finish()
    }

    #[test]
    fn only_answers_to_questions_teach_and_only_from_whom_was_asked() {
        let (server, other): (SocketAddr, SocketAddr) =
            ("192.0.2.1:3478".parse().unwrap(), "192.0.2.2:3478".parse().unwrap());
        let outside: SocketAddr = "198.51.100.7:4000".parse().unwrap();
        let mut mapped = Mapped::default();
        let request = mapped.ask(server);
        assert!(Mapped::is_stun(&request));
        let good = answer(&request, outside);
        assert!(!mapped.handle(other, &good), "from another");
        assert!(!mapped.handle(server, &good[..good.len() - 1]), "cut");
        assert!(!mapped.handle(server, &request), "no answer");
        assert!(mapped.handle(server, &good));
        assert!(!mapped.handle(server, &good), "a repeat");
        assert_eq!(mapped.addresses().collect::<Vec<_>>(), [outside]);
        (0..100).for_each(|_| drop(mapped.ask(server)));
        assert!(mapped.asked.len() <= MAX_ASKED);
    }

    #[test]
    fn addresses_of_nobody_are_not_tried() {
        for bad in [
            "0.0.0.0:1",
            "127.0.0.1:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "10.0.0.1:0",
            "[::]:1",
            "[::1]:1",
            "[ff02::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(!may_be_tried(bad.parse().unwrap()), "{bad}");
        }
        for good in ["10.0.0.1:1", "192.0.2.1:1", "[2001:db8::1]:1", "[fe80::1]:1"] {
            assert!(may_be_tried(good.parse().unwrap()), "{good}");
        }
    }
}
