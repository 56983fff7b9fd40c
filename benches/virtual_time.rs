//! A recorded desktop through every stage on one core, in virtual time: the public parts of
//! damage, codec and protocol without a network, a rate controller or the helper's tile cache.

use crate::{percentile, row};
use farpane_capture::{
    CaptureEvent, CaptureSource, Damage, Frame, Pace, ReplayOptions, ReplaySource,
};
use farpane_codec::{BatchDecoder, BatchEncoder};
use farpane_damage::{Changes, Differ, Kernel, MoveFinder};
use farpane_frame::{FrameBuf, Move, PixelFormat, Rect, TileGrid};
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, ReceiverEvent, Repeat, ScreenReceiver, ScreenSender};
use std::path::Path;
use std::time::{Duration, Instant};

/// Tiles in a batch.
const BATCH_TILES: usize = 16;
const DATAGRAM_BYTES: usize = 1_200;
/// Between two frames.
const STEP_US: u64 = 20_000;
/// Changes of fewer pixels are not searched for moves, as in the product.
const MIN_MOVE_AREA_PX: u64 = 4_096;

/// The stages, in order, and what the design asks of them at 1920x1080 where it does.
const STAGES: [(&str, &str); 5] = [
    ("compare and find moves", "(scroll at 1080p: <= 800 us)"),
    ("encode", "(scroll of 1600x900: <= 3000 us)"),
    ("to datagrams", ""),
    ("from datagrams, decode and compose", "(whole screen of 1080p: <= 5000 us)"),
    ("report", ""),
];

/// What the sharer keeps.
struct Sharer {
    canon: FrameBuf,
    differ: Differ,
    finder: MoveFinder,
    changes: Changes,
    changed: Vec<(u32, Rect)>,
    moves: Vec<Move>,
    sender: ScreenSender,
    encoder: BatchEncoder,
    find_moves: bool,
    bytes: usize,
}

impl Sharer {
    fn new(first: &Frame, find_moves: bool) -> Self {
        let view = first.pixels.view();
        let mut canon = FrameBuf::new(view.size(), PixelFormat::Bgrx).expect("a valid size");
        canon.copy_from(&view, view.size().rect());
        Self {
            canon,
            differ: Differ::new(Kernel::detect()),
            finder: MoveFinder::new(Kernel::detect()),
            changes: Changes::default(),
            changed: Vec::new(),
            moves: Vec::new(),
            sender: ScreenSender::new(STEP_US, 0, view.size(), DATAGRAM_BYTES),
            encoder: BatchEncoder::new(),
            find_moves,
            bytes: 0,
        }
    }

    fn compare(&mut self, frame: &Frame) {
        let next = frame.pixels.view();
        let whole = [next.size().rect()];
        let within = match &frame.damage {
            Damage::Exact(region) | Damage::Hint(region) => region.rects(),
            Damage::Unknown => &whole,
        };
        let canon = self.canon.view();
        self.differ.compare(&canon, &next, within, &mut self.changes).expect("alike");
        self.changed.clear();
        self.changed.extend(self.changes.iter());
        self.moves.clear();
        if self.find_moves && self.changes.area_px() >= MIN_MOVE_AREA_PX {
            self.finder.find(&canon, &next, &self.changes, &mut self.moves);
        }
    }

    fn encode(&mut self, now_us: u64, frame: &Frame) {
        let mut copies = Vec::new();
        self.sender.handle_frame(now_us, &self.changed, &self.moves, &mut copies);
        self.differ.apply(&mut self.canon, &frame.pixels.view(), &self.changes).expect("alike");
        let (grid, sender) = (TileGrid::new(self.canon.size()), &self.sender);
        let stale: Vec<_> = sender.stale_tiles().map(|t| (t, sender.stale_part(t).0)).collect();
        self.sender.begin_update();
        if !copies.is_empty() {
            self.encoder.begin(grid);
            copies.iter().for_each(|m| self.encoder.copy(*m));
            self.push(Vec::new(), copies);
        }
        for writes in stale.chunks(BATCH_TILES) {
            self.encoder.begin(grid);
            writes.iter().for_each(|(_, area)| self.encoder.pixels(&self.canon.view(), *area));
            self.push(writes.to_vec(), Vec::new());
        }
        self.sender.end_update();
    }

    fn push(&mut self, writes: Vec<(u32, Rect)>, copies: Vec<Move>) {
        let mut data = Vec::new();
        self.encoder.finish(&mut data);
        self.bytes += data.len();
        let repeat = if copies.is_empty() { Repeat::WhileUnchanged } else { Repeat::InOrder };
        self.sender.push_batch(BatchInfo {
            data: data.into(),
            writes,
            copies,
            repeat,
            ..BatchInfo::default()
        });
    }
}

/// What the helper keeps.
struct Helper {
    receiver: ScreenReceiver,
    decoder: BatchDecoder,
    canvas: FrameBuf,
    damage: Vec<Rect>,
}

impl Helper {
    fn drain(&mut self) {
        while let Some(event) = self.receiver.poll_event() {
            match event {
                ReceiverEvent::Canvas { size, .. } => {
                    self.canvas.reshape(size, PixelFormat::Bgrx).expect("a valid size");
                    self.canvas.clear();
                }
                ReceiverEvent::Batch { data, .. } => {
                    let canvas = &mut self.canvas;
                    self.damage.clear();
                    self.decoder.decode(&data, canvas, &mut self.damage).expect("valid");
                }
                _ => {}
            }
        }
    }
}

/// What one pass came to.
pub struct Pass {
    /// By stage, then by frame; the first frame, a whole screen, comes first.
    times: [Vec<Duration>; STAGES.len()],
    /// Encoded bytes of all frames.
    pub bytes: usize,
    /// Encoded bytes of the first frame.
    pub first_bytes: usize,
}

/// Plays a recording through all stages; after every frame both pictures are equal.
///
/// # Panics
/// When they are not, or `trace` is no recording.
pub fn pass(trace: &Path, find_moves: bool) -> Pass {
    let options = ReplayOptions { pace: Pace::AsFastAsPossible, repeat: false };
    let mut source = ReplaySource::open(trace, options).expect("the recording is there");
    let mut times = STAGES.map(|_| Vec::new());
    let (mut sharer, mut first_bytes) = (None, 0);
    let mut helper = Helper {
        receiver: ScreenReceiver::new(),
        decoder: BatchDecoder::default(),
        canvas: FrameBuf::new(farpane_frame::Size::new(1, 1), PixelFormat::Bgrx).expect("valid"),
        damage: Vec::new(),
    };
    let mut now_us = STEP_US;
    loop {
        match source.next(Duration::ZERO).expect("a whole recording") {
            CaptureEvent::Frame(frame) => {
                let is_first = sharer.is_none();
                let sharer = sharer.get_or_insert_with(|| Sharer::new(&frame, find_moves));
                step(now_us, sharer, &mut helper, &frame, &mut times);
                if is_first {
                    first_bytes = sharer.bytes;
                }
                now_us += STEP_US;
            }
            CaptureEvent::Ended => break,
            _ => {}
        }
    }
    Pass { times, bytes: sharer.expect("frames").bytes, first_bytes }
}

fn step(
    now_us: u64,
    sharer: &mut Sharer,
    helper: &mut Helper,
    frame: &Frame,
    times: &mut [Vec<Duration>; STAGES.len()],
) {
    let mut marks = vec![Instant::now()];
    sharer.compare(frame);
    marks.push(Instant::now());
    sharer.encode(now_us, frame);
    marks.push(Instant::now());
    let datagrams: Vec<_> = std::iter::from_fn(|| sharer.sender.poll_datagram(now_us)).collect();
    marks.push(Instant::now());
    for datagram in &datagrams {
        helper.receiver.handle_datagram(now_us, datagram).expect("a valid datagram");
        helper.drain();
    }
    marks.push(Instant::now());
    if let Some(report) = helper.receiver.poll_feedback(now_us + STEP_US / 2) {
        let mut out = Vec::new();
        report.write(&mut out);
        let report = Feedback::read(&out).expect("a valid report");
        sharer.sender.handle_feedback(now_us + STEP_US / 2, &report).expect("about what was sent");
    }
    marks.push(Instant::now());
    for (times, mark) in times.iter_mut().zip(marks.windows(2)) {
        times.push(mark[1] - mark[0]);
    }
    assert!(helper.canvas.view().same_rgb(&frame.pixels.view()), "the pictures differ");
}

/// Prints how long each stage took.
pub fn table(trace: &Path) {
    let pass = pass(trace, true);
    let frames = pass.times[0].len();
    println!("\nrecorded desktop, virtual time, one core: {frames} frames, {} bytes", pass.bytes);
    println!("(without tile cache and rate control; equal pictures after every frame)");
    println!("{:<44} {:>12} {:>12} {:>12}", "stage", "p50 us", "p95 us", "max us");
    let line = |name: &str, times: &[Duration], note: &str| {
        let [p50, p95, max] = [50, 95, 100].map(|p| percentile(times, p).as_secs_f64() * 1e6);
        println!("{name:<44} {p50:>12.1} {p95:>12.1} {max:>12.1}   {note}");
    };
    for ((name, target), times) in STAGES.iter().zip(&pass.times) {
        line(name, times, target);
    }
    let sums: Vec<_> = (0..frames).map(|at| pass.times.iter().map(|t| t[at]).sum()).collect();
    line("all stages", &sums, "");
    row("the whole recording", sums.iter().sum(), "");
}

impl Pass {
    /// How long all stages of all frames took.
    pub fn took(&self) -> Duration {
        self.times.iter().flatten().sum()
    }
}
