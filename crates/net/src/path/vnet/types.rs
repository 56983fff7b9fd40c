//! The types of translators, as RFC 4787 tells them apart and as they are commonly named.

use std::time::Duration;

use webrtc_util::vnet::nat::{EndpointDependencyType, NatType};

/// Mapping or filtering that does not depend on where packets go, or does on the host, or on the
/// host and its port (RFC 4787, sections 4.1 and 5).
pub(super) use EndpointDependencyType::{
    EndpointAddrDependent as Address, EndpointAddrPortDependent as Port,
    EndpointIndependent as Independent,
};

/// As long as sessions in tests never last.
const LONG: Duration = Duration::from_secs(3600);

/// What is between a machine and the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Translator {
    /// Nothing.
    None,
    /// What maps and filters like this.
    Nat { mapping: EndpointDependencyType, filtering: EndpointDependencyType },
}

const fn nat(mapping: EndpointDependencyType, filtering: EndpointDependencyType) -> Translator {
    Translator::Nat { mapping, filtering }
}

pub(super) const FULL_CONE: Translator = nat(Independent, Independent);
pub(super) const RESTRICTED_CONE: Translator = nat(Independent, Address);
pub(super) const PORT_RESTRICTED_CONE: Translator = nat(Independent, Port);
pub(super) const SYMMETRIC: Translator = nat(Port, Port);
/// Gives each destination an address of its own, and lets in everybody.
pub(super) const PORT_MAPPED_OPEN: Translator = nat(Port, Independent);

/// None, all types of RFC 4787 (the four with common names first), and those names.
pub(super) const ALL: [(&str, Translator); 10] = [
    ("none", Translator::None),
    ("full", FULL_CONE),
    ("restr", RESTRICTED_CONE),
    ("port-r", PORT_RESTRICTED_CONE),
    ("symm", SYMMETRIC),
    ("a/i", nat(Address, Independent)),
    ("a/a", nat(Address, Address)),
    ("a/p", nat(Address, Port)),
    ("p/i", PORT_MAPPED_OPEN),
    ("p/a", nat(Port, Address)),
];

impl Translator {
    /// What it does to packets, where none is one that changes nothing that matters.
    pub(super) fn behaviour(self) -> (EndpointDependencyType, EndpointDependencyType) {
        match self {
            Self::None => (Independent, Independent),
            Self::Nat { mapping, filtering } => (mapping, filtering),
        }
    }

    /// With mappings that live long.
    pub(super) fn nat_type(self) -> Option<NatType> {
        self.forgetting(LONG)
    }

    /// With mappings that live for `lifetime` after the last packet out.
    pub(super) fn forgetting(self, lifetime: Duration) -> Option<NatType> {
        let Self::Nat { mapping, filtering } = self else { return None };
        Some(NatType {
            mapping_behavior: mapping,
            filtering_behavior: filtering,
            mapping_life_time: lifetime,
            ..NatType::default()
        })
    }
}
