//! What travels.

use crate::Ns;

/// Explicit congestion notification (RFC 3168, RFC 9331).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// The sender does not take part.
    #[default]
    NotEct,
    /// The sender reacts as to a loss.
    Ect0,
    /// The sender is scalable (L4S).
    Ect1,
    /// The network is congested.
    Ce,
}

/// A packet on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<T> {
    /// Its size on the link, headers included.
    pub bytes: u32,
    /// Whether it may be marked, or is.
    pub ecn: Ecn,
    /// What it carries.
    pub payload: T,
}

/// A packet that came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered<T> {
    /// The packet, marked perhaps.
    pub packet: Packet<T>,
    /// When it arrived.
    pub at: Ns,
    /// How long it waited in the link's queue, its own transmission excluded.
    pub queued: Ns,
}
