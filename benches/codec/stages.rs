//! Criterion's measurements, for comparisons between commits.

use crate::operations::{Case, decode, encode, helper_batches};
use criterion::{Criterion, Throughput};
use farpane_benches::scene::{SCREEN, desktop};
use farpane_codec::{BatchDecoder, BatchEncoder};
use farpane_frame::{FrameBuf, PixelFormat};
use std::time::Duration;

/// Measures each case, and what is work of the helper alone.
pub(crate) fn measure(criterion: &mut Criterion, cases: &[Case]) {
    for case in cases {
        let pixels = case.areas.iter().map(|a| a.area_px()).sum::<u64>();
        let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::default());
        let batches = encode(&mut encoder, &case.frame.view(), &case.areas);
        let mut canvas = FrameBuf::new(SCREEN, PixelFormat::Bgrx).unwrap();
        let mut group = criterion.benchmark_group(format!("codec/{}", case.name));
        group.sample_size(20).warm_up_time(Duration::from_millis(300));
        group.measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(pixels));
        group.bench_function("encode", |b| {
            b.iter(|| encode(&mut encoder, &case.frame.view(), &case.areas));
        });
        group.bench_function("decode", |b| b.iter(|| decode(&mut decoder, &batches, &mut canvas)));
        group.finish();
    }
    let mut group = criterion.benchmark_group("codec/helper");
    group.sample_size(20).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for (name, before, batch) in helper_batches() {
        let (mut decoder, mut canvas) = (BatchDecoder::default(), desktop());
        decoder.decode(&before, &mut canvas, &mut Vec::new()).unwrap();
        let batches = [batch];
        group.bench_function(name, |b| b.iter(|| decode(&mut decoder, &batches, &mut canvas)));
    }
    group.finish();
}
