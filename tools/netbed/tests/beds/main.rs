//! Real beds, with real sockets and coturn's own client in them.

mod cleanup;
mod faults;
mod reach;
mod relays;
mod sockets;
