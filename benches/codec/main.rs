//! Encoding and decoding by operation, and recorded desktops beside what others make of them.
//!
//! `cargo bench -p farpane-benches --bench codec` prints tables with the figures of the design,
//! then criterion's. `-- --test` runs criterion's once, `-- --claims` prints the claims as JSON
//! instead. The recordings that are too large to be committed are left out where they are missing.

mod claims;
mod comparison;

mod h264;
mod images;
mod operations;
mod rows;
mod screens;
mod sharer;
mod stages;
mod subjects;

use criterion::Criterion;
use farpane_benches::{claims_wanted, print_claims};

fn main() {
    let cases = operations::cases();
    operations::table(&cases);
    let mut claims = screens::table();
    claims.extend(comparison::tables());
    if claims_wanted() {
        return print_claims(&claims);
    }
    let mut criterion = Criterion::default().configure_from_args();
    stages::measure(&mut criterion, &cases);
    criterion.final_summary();
}
