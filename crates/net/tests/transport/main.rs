//! Real QUIC over loopback UDP: who gets in, what is carried, how it ends.

mod carry;
mod ecn;
mod ends;
mod join;
mod link;
mod pairing;
mod support;
