//! Real networks for tests and benches: a sharer's and a helper's machine, the routers between
//! them, and coturn, each in a Linux network namespace of its own, with faults that come and go.
//!
//! ```text
//!   sharer --- router --+            +-- router --- helper      Layout::TwoNats
//!                       +-- public --+
//!                           relays
//!
//!   sharer --+
//!            +-- router --- public                              Layout::OneLan
//!   helper --+              relays
//! ```
//!
//! Needs Linux, root, and the Debian packages that `tools/setup test` installs. The namespaces are
//! connected to nothing else, so every [`Bed`] has the same addresses and any number of them may
//! be there at once.
//!
//! ```no_run
//! use farpane_netbed::{Bed, Config, RelayConfig, Side};
//!
//! let bed = Bed::build(&Config::default())?;
//! let relay = bed.relay(&RelayConfig::default())?;
//! let mut sharer = bed.sharer().command("my-program").arg(relay.address().to_string()).spawn()?;
//! let fault = bed.block_udp(Side::Sharer)?; // from here on only TCP passes
//! fault.undo()?;
//! sharer.kill()?;
//! # anyhow::Ok(())
//! ```
#![forbid(unsafe_code)]

mod bed;
mod capture;
mod certificate;
mod config;
mod fault;
mod intercept;
mod leftovers;
mod plan;
mod program;
mod relay;
mod relay_config;
mod router;
mod run;
mod space;

pub use bed::Bed;
pub use capture::Capture;
pub use config::{Config, Family, Layout, Nat, Side};
pub use fault::Fault;
pub use intercept::Interception;
pub use relay::Relay;
pub use relay_config::{Credentials, Login, RelayConfig};
pub use space::Space;
