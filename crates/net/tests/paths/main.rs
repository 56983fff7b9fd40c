//! Sharer and helper in networks of their own, with a real relay between them.

mod carry;
mod families;
mod faults;
mod film;
mod firewalls;
mod hostile;
mod inspection;
mod mappings;
mod privacy;
mod refusals;
mod restarts;
mod running;
mod session;
mod support;
mod tshark;
mod unreachable;
