//! Comparing, merging and finding moves, beside the memory bandwidth of the same run and beside
//! what others do.
//!
//! `cargo bench -p farpane-benches --bench damage` prints tables with the targets of the design,
//! then criterion's figures. `-- --test` runs criterion's once, `-- --claims` prints the claims
//! as JSON instead.

mod cases;
mod comparison;
mod costs;
#[cfg(feature = "gpu")]
mod gpu;
mod recordings;
#[path = "../../crates/damage/tests/scene/mod.rs"]
mod scene;
mod stages;
mod subjects;
mod targets;

use criterion::Criterion;
use farpane_benches::{claims_wanted, print_claims};
use farpane_frame::Size;

/// The screens, with the names that people give them.
const SCREENS: [(&str, Size); 3] = [
    ("1080p", Size::new(1920, 1080)),
    ("1440p", Size::new(2560, 1440)),
    ("4K", Size::new(3840, 2160)),
];

fn main() {
    let mut claims = targets::tables();
    costs::table();
    claims.extend(comparison::tables());
    claims.extend(recordings::tables());
    #[cfg(feature = "gpu")]
    gpu::table();
    if claims_wanted() {
        return print_claims(&claims);
    }
    let mut criterion = Criterion::default().configure_from_args();
    stages::measure(&mut criterion);
    criterion.final_summary();
}
