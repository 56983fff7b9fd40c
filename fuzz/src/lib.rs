//! What each fuzz target does with an input, and valid inputs to start from.
//!
//! `cargo xtask fuzz` runs the targets. The seeds in `seeds/TARGET/` are committed; ordinary tests
//! replay them: those named `bad-*` must be refused, those named `found-*` (inputs that once broke
//! something) must only do no harm, all others must be accepted. After a change of a format, write
//! the generated ones again:
//!
//! ```text
//! cargo run --manifest-path fuzz/Cargo.toml --no-default-features --example seeds
//! ```

pub mod audit;
pub mod av1;
pub mod batch;
pub mod calls;
pub mod grant;
pub mod input;
pub mod invitation;
mod packets;
pub mod rate;
pub mod screen;
pub mod token;
pub mod trace;
pub mod video;
pub mod wire;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, as of its folder of seeds.
    pub name: &'static str,
    /// Does with an input what the program would, and tells whether it is a valid one. Panics
    /// when something that must hold does not.
    pub accepts: fn(&[u8]) -> bool,
    /// Inputs to start from. Equal at every call.
    pub seeds: fn() -> Vec<Seed>,
}

/// An input and the name of its file.
pub type Seed = (&'static str, Vec<u8>);

/// Every target.
pub const TARGETS: [Target; 13] = [
    Target { name: "audit", accepts: audit::accepts, seeds: audit::seeds },
    Target { name: "av1", accepts: av1::accepts, seeds: av1::seeds },
    Target { name: "batch", accepts: batch::accepts, seeds: batch::seeds },
    Target { name: "calls", accepts: calls::accepts, seeds: calls::seeds },
    Target { name: "grant", accepts: grant::accepts, seeds: grant::seeds },
    Target { name: "input", accepts: input::accepts, seeds: input::seeds },
    Target { name: "invitation", accepts: invitation::accepts, seeds: invitation::seeds },
    Target { name: "rate", accepts: rate::accepts, seeds: rate::seeds },
    Target { name: "screen", accepts: screen::accepts, seeds: screen::seeds },
    Target { name: "token", accepts: token::accepts, seeds: token::seeds },
    Target { name: "trace", accepts: trace::accepts, seeds: trace::seeds },
    Target { name: "video", accepts: video::accepts, seeds: video::seeds },
    Target { name: "wire", accepts: wire::accepts, seeds: wire::seeds },
];
