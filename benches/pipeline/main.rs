//! Capture, packets and the whole way from a recorded desktop to the helper's picture.
//!
//! `cargo bench -p farpane-benches --bench pipeline` prints a table with the figures of the
//! design, then criterion's. `-- --test` runs everything once. Needs Xvfb for the rows of capture.

mod grab;
mod packets;
mod session;

use criterion::{Criterion, criterion_group, criterion_main};
use farpane_benches::{bandwidth_row, virtual_time};
use farpane_frame::Size;
use std::time::Duration;

const HD: Size = Size::new(1920, 1080);
const UHD: Size = Size::new(3840, 2160);
/// A recorded desktop of 1280x720; `benches/data/README.md` says what happens there.
const TRACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/desktop.trace");

fn table(_: &mut Criterion) {
    println!("{:<44} {:>12}   ratio (target)", "case, fastest run", "time");
    bandwidth_row(HD);
    bandwidth_row(UHD);
    grab::table();
    packets::table();
    virtual_time::table(TRACE.as_ref());
    session::table();
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipeline");
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    grab::bench(&mut group);
    packets::bench(&mut group);
    group.bench_function("recorded_desktop", |b| {
        b.iter_custom(|runs| {
            (0..runs).map(|_| virtual_time::pass(TRACE.as_ref(), true).took()).sum()
        });
    });
    group.finish();
}

criterion_group!(benches, table, stages);
criterion_main!(benches);
