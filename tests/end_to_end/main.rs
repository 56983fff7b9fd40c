//! The real program, real displays and real sockets, from a drawing to the helper's window.

mod audit;
mod bad_network;
mod channels;
mod consent;
mod control;
mod demo;
mod display_loss;
mod elevation;
mod endings;
mod full_disk;
mod hardware;
mod idle;
mod invitations;
mod leaks;
mod pairing;
mod pictures;
mod relays;
mod several_helpers;
mod statistics;
mod tenant;
mod wire;
