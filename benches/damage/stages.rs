//! Criterion's measurements, for comparisons between commits.

use crate::SCREENS;
use crate::cases;
use crate::scene::photo;
use crate::targets::{changes_of, eight_tiles, scattered};
use criterion::Criterion;
use farpane_damage::{Changes, Differ, Kernel, MergeParams, MoveFinder, merge};
use std::time::Duration;

/// Measures each stage.
pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("damage");
    group.sample_size(20).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for (name, size) in SCREENS {
        let (frame, mut changes) = (photo(size, 1), Changes::new());
        let mut differ = Differ::new(Kernel::detect());
        let (canon, same) = (frame.view(), frame.clone());
        group.bench_function(format!("static/{name}"), |b| {
            b.iter(|| differ.compare(&canon, &same.view(), &[size.rect()], &mut changes));
        });
        let (next, hint) = eight_tiles(&frame);
        group.bench_function(format!("hinted_8_tiles/{name}"), |b| {
            b.iter(|| differ.compare(&canon, &next.view(), &hint, &mut changes));
        });
        let (changes, mut rects) = (scattered(size, 20), Vec::new());
        group.bench_function(format!("merge_20_percent/{name}"), |b| {
            b.iter(|| merge(&changes, &MergeParams::default(), &mut rects));
        });
    }
    let (mut finder, mut moves) = (MoveFinder::new(Kernel::detect()), Vec::new());
    let (_, size) = SCREENS[0];
    for case in [cases::scroll(size), cases::drag(size)] {
        let (changes, [old, new]) = (changes_of(&case), &case.frames);
        group.bench_function(format!("moves/{}", case.name), |b| {
            b.iter(|| finder.find(&old.view(), &new.view(), &changes, &mut moves));
        });
    }
    group.finish();
}
