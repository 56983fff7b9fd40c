//! Congestion control in simulated networks: the product's, and quinn's own for comparison.
//!
//! Everything is real but time and the network: QUIC is `quinn_proto` with the product's
//! configuration, media are the product's datagrams, reports, controller and pacer.
#![forbid(unsafe_code)]

mod backlog;
mod bulk;
pub mod case;
mod cellular;
mod desk;
mod flow;
pub mod gate;
mod input;
pub mod measure;
mod media;
pub mod picture;
mod quic;
pub mod report;
mod source;
pub mod wall;
mod world;
