//! What an examination found.

use std::fmt;
use std::time::Duration;

use crate::relay::RelayTransport;

/// All that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// One for each relay, in the order they were given in.
    pub relays: Vec<RelayReport>,
    /// What concerns the machine's network and no one relay.
    pub network: Vec<Check>,
    /// What no check here says anything about, in sentences.
    pub unchecked: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Whether a session is possible by at least one relay.
    pub fn is_session_possible(&self) -> bool {
        self.relays.iter().any(RelayReport::is_usable)
    }
}

/// What was found about one relay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RelayReport {
    /// Its address, without the password.
    pub relay: String,
    /// How it is reached.
    pub transport: RelayTransport,
    /// In the order of what depends on what.
    pub checks: Vec<Check>,
}

impl RelayReport {
    /// Whether a session is possible by this relay: it gives an address, and forwards whole
    /// packets between its addresses.
    pub fn is_usable(&self) -> bool {
        let is_ok = |subject| {
            let mut found = self.checks.iter().filter(|check| check.subject == subject);
            found.any(|check| check.verdict == Verdict::Ok)
        };
        is_ok(Subject::Allocation(self.transport)) && is_ok(Subject::Forwarding)
    }
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// What was asked.
    pub subject: Subject,
    /// What it means for a session.
    pub verdict: Verdict,
    /// What was measured or seen.
    pub measured: String,
    /// The time that the answer took: a round trip, a handshake, or an allocation.
    pub time: Option<Duration>,
    /// What to allow or to change, and where. There for every warning and failure.
    pub advice: Option<String>,
}

impl Check {
    pub(super) fn ok(subject: Subject, measured: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Ok, measured: measured.into(), time: None, advice: None }
    }

    pub(super) fn skipped(subject: Subject, why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::ok(subject, why) }
    }

    pub(super) fn warning(
        subject: Subject,
        measured: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { verdict: Verdict::Warning, advice, ..Self::ok(subject, measured) }
    }

    pub(super) fn failed(
        subject: Subject,
        measured: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Failed, ..Self::warning(subject, measured, advice) }
    }

    pub(super) fn within(self, time: Duration) -> Self {
        Self { time: Some(time), ..self }
    }
}

/// What an answer means for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// As a session needs it.
    Ok,
    /// A session works without it, but less well or less often.
    Warning,
    /// A session by this relay is not possible.
    Failed,
    /// Not asked, since something before has failed or there was nothing to ask.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        })
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// The addresses of the relay's name.
    Dns,
    /// A STUN binding over UDP to this port of the relay.
    UdpPort(u16),
    /// A TCP connection to this port of the relay.
    TcpPort(u16),
    /// The key in the relay's TLS certificate.
    Tls,
    /// An address on the relay, asked for over this transport.
    Allocation(RelayTransport),
    /// A datagram from an address on the relay to one on the same relay.
    Forwarding,
    /// The largest datagram that reaches the relay whole.
    PathMtu,
    /// How the network translates addresses (RFC 4787, section 4.1).
    NatMapping,
    /// Whether the translated address stays while it is in use.
    NatRebinding,
}

impl Subject {
    /// A name for programs, which does not change; a port is told apart from it by
    /// [`Subject::port`].
    pub fn id(&self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::UdpPort(_) => "udp-port",
            Self::TcpPort(_) => "tcp-port",
            Self::Tls => "tls",
            Self::Allocation(RelayTransport::Udp) => "turn-udp",
            Self::Allocation(RelayTransport::Tls) => "turn-tls",
            Self::Forwarding => "forwarding",
            Self::PathMtu => "path-mtu",
            Self::NatMapping => "nat-mapping",
            Self::NatRebinding => "nat-rebinding",
        }
    }

    /// The relay's port that this is about.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::UdpPort(port) | Self::TcpPort(port) => Some(*port),
            _ => None,
        }
    }
}

/// For people.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("DNS"),
            Self::UdpPort(port) => write!(f, "UDP port {port}"),
            Self::TcpPort(port) => write!(f, "TCP port {port}"),
            Self::Tls => f.write_str("TLS, not inspected"),
            Self::Allocation(transport) => write!(f, "TURN over {transport}"),
            Self::Forwarding => f.write_str("forwarding"),
            Self::PathMtu => f.write_str("path MTU"),
            Self::NatMapping => f.write_str("NAT mapping"),
            Self::NatRebinding => f.write_str("NAT rebinding"),
        }
    }
}
