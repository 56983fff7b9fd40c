//! What the examination of a network says, in real networks of many kinds with real relays.

mod document;
mod firewalls;
mod networks;
mod relays;
mod support;
