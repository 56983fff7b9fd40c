//! A sharer and a helper over links of given rates, in virtual time: films, coloured text, a screen
//! that changes as a whole, and a photograph. Everything is real but the clock and the network; the
//! time that coding takes here passes in virtual time as well, so what others on the machine do
//! makes it slower: what depends on it is played several times, and the quickest counts.
//!
//! `cargo bench -p farpane-benches --bench links` prints tables, `-- --claims` the claims as JSON
//! too.

mod far;
mod film;
mod photo;
mod rival;
mod switch;
mod text;

use farpane::lab::LabOptions;
use farpane_benches::{claims_wanted, print_claims};
use std::time::Duration;

fn main() {
    let mut claims = film::tables();
    claims.extend(far::tables());
    claims.extend(text::tables());
    claims.extend(switch::tables());
    claims.extend(photo::tables());
    if claims_wanted() {
        print_claims(&claims);
    }
}

/// How often it is played.
const PLAYS: usize = 3;

/// The play of [`PLAYS`] that took the least time.
fn quickest<T>(play: impl FnMut() -> T, took: impl FnMut(&T) -> Duration) -> T {
    std::iter::repeat_with(play).take(PLAYS).min_by_key(took).expect("some plays")
}

/// A link of so many Mbit/s, 0 without limit, and 10 ms there and back.
fn link(mbit_per_s: u64) -> LabOptions {
    let mut options = LabOptions::default();
    (options.bits_per_s, options.clocked) = (mbit_per_s * 1_000_000, true);
    options
}

/// The rate as people write it.
fn rate(mbit_per_s: u64) -> String {
    if mbit_per_s == 0 { "no limit".to_owned() } else { format!("{mbit_per_s} Mbit/s") }
}
