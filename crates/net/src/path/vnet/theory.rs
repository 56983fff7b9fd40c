//! Which pairs of translators let packets pass without a relay, by RFC 4787's words alone.

use webrtc_util::vnet::nat::EndpointDependencyType;

use super::types::{Address, Independent, Port, Translator};

/// An address that a translator gives to its machine's one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outside {
    /// For packets to the relay, which tells it.
    Learnt,
    /// For packets to the other side's host.
    ToHost,
    /// For packets to that one address.
    To(Box<Outside>),
}

/// Addresses that depend on addresses that depend on addresses: what has not met by then will not.
const MAX_DEPTH: usize = 4;

/// One side: its translator, and the other side's addresses that it knows and sends to.
struct Side {
    mapping: EndpointDependencyType,
    filtering: EndpointDependencyType,
    knows: Vec<Outside>,
}

/// Whether both sides find a pair of addresses by which packets pass both ways, each coming from
/// where the other sends to. At first each side knows what the relay saw of the other. Then it
/// also knows where packets came from that its own translator let in.
pub(super) fn meet(one: Translator, other: Translator) -> bool {
    let mut sides = [one, other].map(|translator| {
        let (mapping, filtering) = translator.behaviour();
        Side { mapping, filtering, knows: vec![Outside::Learnt] }
    });
    while learn(&mut sides) {}
    let [one, other] = &sides;
    one.knows.iter().any(|to| {
        let from = one.source(to);
        other.knows.contains(&from) && other.source(&from) == *to
    })
}

/// Lets each side send to all that it knows; whether somebody learnt something.
fn learn(sides: &mut [Side; 2]) -> bool {
    for sender in 0..2 {
        for to in sides[sender].knows.clone() {
            let from = sides[sender].source(&to);
            let receiver = &mut sides[1 - sender];
            let is_new = depth(&from) <= MAX_DEPTH && !receiver.knows.contains(&from);
            if is_new && receiver.lets_in(&from, &to) {
                receiver.knows.push(from);
                return true;
            }
        }
    }
    false
}

impl Side {
    /// Where this side's packets to an address come from (section 4.1).
    fn source(&self, to: &Outside) -> Outside {
        match self.mapping {
            Independent => Outside::Learnt,
            Address => Outside::ToHost,
            Port => Outside::To(Box::new(to.clone())),
        }
    }

    /// Whether a packet comes in at one of this side's addresses (section 5).
    fn lets_in(&self, from: &Outside, at: &Outside) -> bool {
        let mut sent_to = self.knows.iter().filter(|to| self.source(to) == *at);
        match self.filtering {
            Independent => true,
            Address => sent_to.next().is_some(),
            Port => sent_to.any(|to| to == from),
        }
    }
}

fn depth(address: &Outside) -> usize {
    match address {
        Outside::Learnt | Outside::ToHost => 0,
        Outside::To(to) => 1 + depth(to),
    }
}

/// The table that is known for the types with common names (RFC 5128, section 3.3 and on).
#[test]
fn only_symmetric_translators_part_and_only_from_those_that_filter_by_port() {
    use super::types::{ALL, PORT_RESTRICTED_CONE, SYMMETRIC};
    for (_, one) in &ALL[..5] {
        for (_, other) in &ALL[..5] {
            let pair = [*one, *other];
            let parted = pair == [SYMMETRIC; 2]
                || (pair.contains(&SYMMETRIC) && pair.contains(&PORT_RESTRICTED_CONE));
            assert_eq!(meet(*one, *other), !parted, "{pair:?}");
        }
    }
}
