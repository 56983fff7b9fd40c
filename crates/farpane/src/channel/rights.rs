//! Policy's words on the wire.

use farpane_policy::{Capabilities, Mode, Posture, Reach, Rights};
use farpane_proto::control::{WireReach, WireRights};

pub(crate) fn wire_rights(rights: Rights) -> WireRights {
    let mode = Mode::ALL.iter().position(|mode| *mode == rights.mode()).unwrap_or_default() as u8;
    WireRights { mode, capabilities: rights.capabilities().bits() }
}

/// The rights that these numbers stand for; `None` when the mode lacks what it needs.
pub(crate) fn rights_of(wire: WireRights) -> Option<Rights> {
    let mode = *Mode::ALL.get(usize::from(wire.mode))?;
    let capabilities = Capabilities::from_bits(wire.capabilities);
    let rights = Rights::with(mode, capabilities).within(capabilities)?;
    (rights.mode() == mode).then_some(rights)
}

const POSTURES: [Posture; 3] = [Posture::Compliant, Posture::NotCompliant, Posture::Unknown];

pub(crate) fn posture_byte(posture: Posture) -> u8 {
    POSTURES.iter().position(|known| *known == posture).unwrap_or_default() as u8
}

/// What is not known is not kept.
pub(crate) fn posture_of(byte: u8) -> Posture {
    POSTURES.get(usize::from(byte)).copied().unwrap_or(Posture::Unknown)
}

pub(crate) fn wire_reach(reach: Reach) -> WireReach {
    match reach {
        Reach::Pointer => WireReach::Pointer,
        Reach::Full => WireReach::Full,
    }
}

pub(crate) fn reach_of(reach: WireReach) -> Reach {
    match reach {
        WireReach::Pointer => Reach::Pointer,
        WireReach::Full => Reach::Full,
    }
}
