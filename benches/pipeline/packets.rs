//! Cutting a whole screen into datagrams, putting it together again and reporting back.

use crate::HD;
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use farpane_benches::{fastest_of, row};
use farpane_frame::TileGrid;
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, ReceiverEvent, Repeat, ScreenReceiver, ScreenSender};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A whole new screen of text and pictures, about what the codec makes of one.
const SCREEN_BYTES: usize = 500_000;
/// What the sharer aims at for a batch.
const BATCH_BYTES: usize = 12_000;
/// What a path of 1,280 bytes leaves.
const DATAGRAM_BYTES: usize = 1_200;
/// Between the stages, so that reports are due.
const STEP_US: u64 = 50_000;

/// How long each stage took, and how many datagrams there were.
#[derive(Clone, Copy)]
struct Times {
    cut: Duration,
    join: Duration,
    report: Duration,
    datagrams: usize,
}

/// A stage's name, and its time.
type Stage = (&'static str, fn(Times) -> Duration);

/// Sends one whole screen over a perfect link.
fn run() -> Times {
    let grid = TileGrid::new(HD);
    let mut now_us = STEP_US;
    let mut sender = ScreenSender::new(now_us, 0, HD, DATAGRAM_BYTES);
    let mut receiver = ScreenReceiver::new();
    let batches = screen(grid);

    let start = Instant::now();
    sender.begin_update();
    batches.into_iter().for_each(|batch| {
        sender.push_batch(batch);
    });
    sender.end_update();
    let datagrams: Vec<_> = std::iter::from_fn(|| sender.poll_datagram(now_us)).collect();
    let cut = start.elapsed();

    let (start, mut bytes) = (Instant::now(), 0);
    for datagram in &datagrams {
        receiver.handle_datagram(now_us, datagram).expect("a valid datagram");
        while let Some(event) = receiver.poll_event() {
            if let ReceiverEvent::Batch { data, .. } = event {
                bytes += black_box(data).len();
            }
        }
    }
    let join = start.elapsed();
    assert!(bytes >= SCREEN_BYTES, "{bytes} bytes arrived");

    let (start, mut out) = (Instant::now(), Vec::new());
    while !sender.is_synchronised() {
        now_us += STEP_US;
        let report = receiver.poll_feedback(now_us).expect("a report is due");
        out.clear();
        report.write(&mut out);
        let report = Feedback::read(&out).expect("a valid report");
        sender.handle_feedback(now_us, &report).expect("about what was sent");
    }
    Times { cut, join, report: start.elapsed(), datagrams: datagrams.len() }
}

/// Batches that together write every tile.
fn screen(grid: TileGrid) -> Vec<BatchInfo> {
    let writes: Vec<_> = (0..grid.tiles()).map(|tile| (tile, grid.rect(tile))).collect();
    let chunks = writes.chunks(writes.len() * BATCH_BYTES / SCREEN_BYTES);
    let bytes = SCREEN_BYTES.div_ceil(chunks.len());
    let batch = |writes: &[(u32, farpane_frame::Rect)]| BatchInfo {
        data: vec![7; bytes].into(),
        writes: writes.to_vec(),
        repeat: Repeat::WhileUnchanged,
        ..BatchInfo::default()
    };
    chunks.map(batch).collect()
}

pub(crate) fn table() {
    let datagrams = run().datagrams;
    let note = format!("{datagrams} datagrams of at most {DATAGRAM_BYTES} bytes");
    row("500 KB screen to datagrams", fastest_of(|| run().cut), &note);
    row("500 KB screen from datagrams", fastest_of(|| run().join), "");
    let note = "written, read and taken in";
    row("reports until all is known to be there", fastest_of(|| run().report), note);
}

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) {
    let stages: [Stage; 3] = [("cut", |t| t.cut), ("join", |t| t.join), ("report", |t| t.report)];
    for (name, stage) in stages {
        group.bench_function(format!("packets/{name}"), |b| {
            b.iter_custom(|runs| (0..runs).map(|_| stage(run())).sum());
        });
    }
}
