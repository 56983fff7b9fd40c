//! Real QUIC over loopback UDP: who gets in, what is carried, how it ends.

mod carry;
mod ends;
mod join;
mod link;
mod support;
