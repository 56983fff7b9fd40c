//! A link between two programs, in real time: UDP and TCP pass through the same model of a link
//! that simulations use, so what one shows can be tried in the other.
#![forbid(unsafe_code)]

mod proxy;
mod schedule;
mod tcp;
mod udp;

pub use proxy::Proxy;
pub use schedule::{Lateness, MAX_LATENESS};
pub use tcp::TcpProxy;
pub use udp::UdpProxy;

use farpane_linksim::LinkConfig;

/// The two directions of a path.
#[derive(Clone, Debug)]
pub struct Path {
    /// From those who connect to the other side.
    pub up: LinkConfig,
    /// Back to them.
    pub down: LinkConfig,
}
