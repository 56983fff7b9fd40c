//! What a bed shall look like.

/// What to build. By default two port-preserving NATs over IPv4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Who is behind which router.
    pub layout: Layout,
    /// The only kind of addresses there are.
    pub family: Family,
    /// How the sharer's router translates; in [`Layout::OneLan`] the router of both. Without
    /// meaning over IPv6, where nothing is translated.
    pub sharer_nat: Nat,
    /// How the helper's router translates; without meaning in [`Layout::OneLan`].
    pub helper_nat: Nat,
}

/// Who is behind which router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Each machine has a private network and a router of its own. Neither reaches the other
    /// unless both send at once through NATs that let them.
    #[default]
    TwoNats,
    /// Both machines are in one private network behind one router, and reach each other.
    OneLan,
}

/// The kind of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Private networks 10.1.0.0/24 and 10.2.0.0/24 behind NATs, public 203.0.113.0/24.
    #[default]
    V4,
    /// Everything is routed and nothing translated: 2001:db8:1::/64, 2001:db8:2::/64, and public
    /// 2001:db8::/64. The routers let in only answers to what went out.
    V6,
}

/// How a router chooses the outside port of a flow. What comes in from elsewhere than where a
/// flow went is dropped by both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nat {
    /// The inside port if it is free: the same wherever the flow goes.
    #[default]
    Preserving,
    /// Another, at random, for everyone the machine sends to.
    Symmetric,
}

/// One of the two machines, and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who shows.
    Sharer,
    /// Who looks.
    Helper,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Sharer, Self::Helper];

    /// Names its namespace, and the port of its router that leads to it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sharer => "sharer",
            Self::Helper => "helper",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
