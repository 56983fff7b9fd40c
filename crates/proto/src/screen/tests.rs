//! The synchronisation under a hostile link, with raw pixels instead of a codec.

mod losses;

use super::*;
use crate::datagram::{Body, Cursor, Datagram, Order, Part};
use crate::{Reader, Writer};
use bytes::Bytes;
use farpane_frame::{FrameBuf, Move, PixelFormat, Rect, Size};
use std::collections::BTreeMap;

/// A small generator with a seed (splitmix64), so that every run can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn rect(&mut self, size: Size) -> Rect {
        let (w, h) = (u64::from(size.width_px), u64::from(size.height_px));
        let (x, y) = (self.below(w), self.below(h));
        let (w, h) = (1 + self.below((w - x).min(90)), 1 + self.below((h - y).min(90)));
        Rect::new(x as u32, y as u32, w as u32, h as u32)
    }
}

fn canvas(size: Size) -> FrameBuf {
    FrameBuf::new(size, PixelFormat::Bgrx).unwrap()
}

/// The stand-in for the codec: copies, then raw rectangles.
fn encode(screen: &FrameBuf, copies: &[Move], writes: &[(u32, Rect)]) -> Bytes {
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    w.varint(copies.len() as u64);
    for m in copies {
        for v in [m.dst.x, m.dst.y, m.dst.width, m.dst.height, m.src_x, m.src_y] {
            w.varint(u64::from(v));
        }
    }
    for (_, r) in writes {
        for v in [r.x, r.y, r.width, r.height] {
            w.varint(u64::from(v));
        }
        for y in r.y..r.bottom() {
            w.bytes(screen.view().span(r.x, y, r.width));
        }
    }
    out.into()
}

fn apply(canvas: &mut FrameBuf, batch: &Bytes) {
    let mut r = Reader::new(batch);
    let snapshot = canvas.clone();
    for _ in 0..r.varint("copies").unwrap() {
        let v: Vec<u32> = (0..6).map(|_| r.u32("copy").unwrap()).collect();
        let dst = Rect::new(v[0], v[1], v[2], v[3]);
        for y in 0..dst.height {
            let from = snapshot.view().span(v[4], v[5] + y, dst.width).to_vec();
            canvas.span_mut(dst.x, dst.y + y, dst.width).copy_from_slice(&from);
        }
    }
    while r.remaining() > 0 {
        let v: Vec<u32> = (0..4).map(|_| r.u32("rect").unwrap()).collect();
        for y in v[1]..v[1] + v[3] {
            let row = r.bytes(v[2] as usize * 4, "pixels").unwrap();
            canvas.span_mut(v[0], y, v[2]).copy_from_slice(row);
        }
    }
}

/// One sharer, one helper and a link that loses, delays, reorders and repeats.
struct World {
    random: Random,
    now_us: u64,
    loss_percent: u64,
    screen: FrameBuf,
    sender: ScreenSender,
    receiver: ScreenReceiver,
    canvas: FrameBuf,
    cursor: Cursor,
    to_helper: BTreeMap<(u64, u64), Bytes>,
    to_sharer: BTreeMap<(u64, u64), Vec<u8>>,
    count: u64,
    bytes: u64,
    blackout: bool,
    /// Larger datagrams do not get through.
    mtu: usize,
}

impl World {
    fn new(seed: u64, loss_percent: u64) -> Self {
        let size = Size::new(300, 200);
        Self {
            random: Random(seed),
            now_us: 1_000_000,
            loss_percent,
            screen: canvas(size),
            sender: ScreenSender::new(1_000_000, 0, size, 1_200),
            receiver: ScreenReceiver::new(),
            canvas: canvas(size),
            cursor: Cursor::default(),
            to_helper: BTreeMap::new(),
            to_sharer: BTreeMap::new(),
            count: 0,
            bytes: 0,
            blackout: false,
            mtu: usize::MAX,
        }
    }

    /// Draws on the screen; some of it is a move.
    fn draw(&mut self) {
        let size = self.screen.size();
        let old = self.screen.clone();
        let mut moves = Vec::new();
        if self.random.chance(50) {
            let (src, at) = (self.random.rect(size), self.random.rect(size));
            let (width, height) = (src.width.min(at.width), src.height.min(at.height));
            let dst = Rect::new(at.x, at.y, width, height);
            let m = Move { dst, src_x: src.x, src_y: src.y };
            self.screen.move_within(m);
            moves.push(m);
        }
        for _ in 0..self.random.below(3) {
            let area = self.random.rect(size);
            let pixel = (self.random.next() as u32 & 0xff_ffff).to_le_bytes();
            if moves.iter().any(|m| m.dst.intersects(area)) {
                moves.clear();
            }
            self.screen.fill(area, pixel);
        }
        self.submit(&old, &moves);
    }

    fn submit(&mut self, old: &FrameBuf, moves: &[Move]) {
        let (new, old) = (self.screen.view(), old.view());
        let grid = self.sender.grid();
        let mut changed = Vec::new();
        for tile in 0..grid.tiles() {
            let area = grid.rect(tile);
            let rows = (area.y..area.bottom())
                .filter(|y| new.span(area.x, *y, area.width) != old.span(area.x, *y, area.width));
            let bounds = rows.map(|y| Rect::new(area.x, y, area.width, 1));
            let bounds = bounds.fold(Rect::default(), Rect::union);
            if !bounds.is_empty() {
                changed.push((tile, bounds));
            }
        }
        let mut copies = Vec::new();
        self.sender.handle_frame(self.now_us, &changed, moves, &mut copies);
        self.sender.begin_update();
        if !copies.is_empty() {
            let data = encode(&self.screen, &copies, &[]);
            let repeat = if self.random.chance(70) { Repeat::InOrder } else { Repeat::Never };
            self.sender.push_batch(BatchInfo { data, copies, repeat, ..BatchInfo::default() });
        }
        self.encode_stale();
    }

    fn encode_stale(&mut self) {
        let stale: Vec<u32> = self.sender.stale_tiles().collect();
        for tiles in stale.chunks(3) {
            let writes: Vec<_> = tiles.iter().map(|t| (*t, self.sender.stale_part(*t).0)).collect();
            let data = encode(&self.screen, &[], &writes);
            let info =
                BatchInfo { data, writes, repeat: Repeat::WhileUnchanged, ..BatchInfo::default() };
            self.sender.push_batch(info);
        }
        self.sender.end_update();
    }

    fn resize(&mut self) {
        let size =
            Size::new(65 + self.random.below(300) as u32, 65 + self.random.below(200) as u32);
        self.screen = canvas(size);
        let pixel = (self.random.next() as u32 & 0xff_ffff).to_le_bytes();
        self.screen.fill(size.rect(), pixel);
        let generation = self.sender.generation() + 1;
        self.sender.reset(self.now_us, generation, size);
        self.sender.begin_update();
        self.encode_stale();
    }

    /// When something put on the link arrives; several times for duplicates, never when lost.
    fn fates(&mut self) -> Vec<u64> {
        if self.blackout || self.random.chance(self.loss_percent) {
            return vec![];
        }
        let delay = |r: &mut Random| 5_000 + r.below(2_000) + if r.chance(5) { 15_000 } else { 0 };
        let copies = if self.random.chance(3) { 2 } else { 1 };
        (0..copies).map(|_| self.now_us + delay(&mut self.random)).collect()
    }

    /// Lets a millisecond pass on both sides.
    fn step(&mut self) {
        self.now_us += 1_000;
        self.sender.handle_timeout(self.now_us);
        if self.sender.is_stale() {
            self.sender.begin_update();
            self.encode_stale();
        }
        while let Some(datagram) = self.sender.poll_datagram(self.now_us) {
            self.bytes += datagram.len() as u64;
            let fits = datagram.len() <= self.mtu;
            for at in self.fates().into_iter().filter(|_| fits) {
                self.count += 1;
                self.to_helper.insert((at, self.count), datagram.clone());
            }
        }
        while let Some(entry) = self.to_helper.first_entry()
            && entry.key().0 <= self.now_us
        {
            self.receiver.handle_datagram(self.now_us, &entry.remove()).unwrap();
        }
        self.receiver.handle_timeout(self.now_us).unwrap();
        while let Some(event) = self.receiver.poll_event() {
            match event {
                ReceiverEvent::Canvas { size, .. } => self.canvas = canvas(size),
                ReceiverEvent::Batch { data, .. } => apply(&mut self.canvas, &data),
                ReceiverEvent::UpdateEnd { .. } => {}
                ReceiverEvent::Cursor(cursor) => self.cursor = cursor,
            }
        }
        if let Some(report) = self.receiver.poll_feedback(self.now_us) {
            let mut out = Vec::new();
            report.write(&mut out);
            for at in self.fates() {
                self.count += 1;
                self.to_sharer.insert((at, self.count), out.clone());
            }
        }
        while let Some(entry) = self.to_sharer.first_entry()
            && entry.key().0 <= self.now_us
        {
            let report = crate::feedback::Feedback::read(&entry.remove()).unwrap();
            self.sender.handle_feedback(self.now_us, &report).unwrap();
        }
    }

    /// Runs until both sides are silent; panics when they never are.
    fn settle(&mut self) {
        for _ in 0..60_000 {
            let quiet = self.to_helper.is_empty()
                && self.to_sharer.is_empty()
                && self.sender.poll_timeout().is_none()
                && self.receiver.poll_timeout().is_none()
                && !self.sender.has_datagram()
                && !self.sender.is_stale();
            if quiet {
                return;
            }
            self.step();
        }
        panic!("never silent");
    }

    fn assert_equal(&self, seed: u64) {
        assert!(self.sender.is_synchronised(), "seed {seed}");
        let difference = self.screen.view().first_difference(&self.canvas.view());
        assert_eq!(difference, None, "seed {seed}");
        assert_eq!(self.screen.size(), self.canvas.size(), "seed {seed}");
    }
}

fn run(seed: u64, loss_percent: u64) -> World {
    let mut world = World::new(seed, loss_percent);
    world.sender.begin_update();
    world.encode_stale();
    for _ in 0..40 {
        match world.random.below(40) {
            0 => world.resize(),
            1 => world.blackout = !world.blackout,
            2..10 => {
                let (x, y) = (world.random.below(300) as i32, world.random.below(200) as i32);
                world.sender.set_cursor(Cursor { x, y, visible: true, shape: 1 });
            }
            _ => world.draw(),
        }
        for _ in 0..world.random.below(12) {
            world.step();
        }
    }
    world.blackout = false;
    world.settle();
    world
}

#[test]
fn a_lossless_link_synchronises_300_random_desktops() {
    for seed in 0..300 {
        run(seed, 0).assert_equal(seed);
    }
}

#[test]
fn a_link_that_loses_up_to_30_percent_synchronises_600_random_desktops_and_falls_silent() {
    for seed in 0..600 {
        let world = run(seed, 1 + seed % 30);
        world.assert_equal(seed);
        if let Some(cursor) = world.sender.cursor() {
            assert_eq!(world.cursor, cursor, "seed {seed}");
        }
    }
}

#[test]
fn silence_lasts_until_something_changes() {
    let mut world = run(5, 10);
    let (bytes, count) = (world.bytes, world.count);
    for _ in 0..30_000 {
        world.step();
    }
    assert_eq!((world.bytes, world.count), (bytes, count));
    world.draw();
    world.settle();
    world.assert_equal(5);
}

#[test]
fn a_path_whose_mtu_shrinks_still_synchronises() {
    for seed in 0..50 {
        let mut world = World::new(seed, seed % 10);
        world.sender.set_max_datagram_bytes(1_400);
        world.sender.begin_update();
        world.encode_stale();
        for _ in 0..world.random.below(6) {
            world.draw();
            world.step();
        }
        world.mtu = 1_050;
        for _ in 0..20 {
            world.step();
        }
        world.sender.set_max_datagram_bytes(1_050);
        world.settle();
        world.assert_equal(seed);
    }
}

#[test]
fn what_is_held_does_not_hold_the_memory_of_packets() {
    let part = |batch, index, count, order| Part {
        generation: 1,
        size: Some(Size::new(64, 64)),
        update: 1,
        ends_update: false,
        batch,
        index,
        count,
        code: None,
        order,
        data: Bytes::from_static(&[7; 900]),
    };
    let after = Order { is_member: false, after: Some(2) };
    // In turn: of an incomplete batch, one that waits for another, and behind a gap.
    let parts = [part(1, 0, 2, None), part(3, 0, 1, Some(after)), part(4, 0, 1, None)];
    let mut receiver = ScreenReceiver::new();
    for (seq, part) in [0, 1, 3].into_iter().zip(parts) {
        let mut out = Vec::new();
        Datagram { seq, body: Body::Part(part) }.write(&mut out);
        let mut packets = out.clone();
        packets.resize(64 << 10, 0);
        let packets = Bytes::from(packets);
        receiver.handle_datagram(0, &packets.slice(..out.len())).unwrap();
        assert!(packets.is_unique(), "datagram {seq}");
    }
    let batches = std::iter::from_fn(|| receiver.poll_event());
    assert_eq!(batches.filter(|event| matches!(event, ReceiverEvent::Batch { .. })).count(), 0);
}

#[test]
fn a_report_of_what_was_never_sent_is_an_error() {
    let mut sender = ScreenSender::new(0, 0, Size::new(64, 64), 1_200);
    let report = crate::feedback::Feedback { decided: 1, ..Default::default() };
    assert!(sender.handle_feedback(1, &report).is_err());
}

/// A tile that the helper has nearly, and a batch that would show it better but was given up.
fn improved_and_given_up(optional: bool) -> ScreenSender {
    let size = Size::new(64, 64);
    let mut sender = ScreenSender::new(0, 0, size, 1_200);
    let lossy = |repeat, optional| BatchInfo {
        data: Bytes::from_static(&[1; 100]),
        writes: vec![(0, size.rect())],
        repeat,
        lossy: true,
        optional,
        ..BatchInfo::default()
    };
    sender.begin_update();
    sender.push_batch(lossy(Repeat::WhileUnchanged, false));
    sender.end_update();
    assert!(!sender.is_stale() && sender.is_lossy());
    sender.begin_update();
    let better = sender.push_batch(lossy(Repeat::WhileVideo, optional));
    sender.end_update();
    sender.abandon(better);
    assert_eq!(sender.poll_event(), Some(SenderEvent::Failed(better)));
    sender
}

#[test]
fn what_was_optional_leaves_nothing_stale_when_it_fails() {
    let sender = improved_and_given_up(true);
    assert!(!sender.is_stale() && sender.is_lossy());
    assert!(improved_and_given_up(false).is_stale());
}

#[test]
fn what_came_before_something_optional_is_stale_when_it_is_lost() {
    let mut sender = improved_and_given_up(true);
    let (first, size) = (0, Size::new(64, 64));
    sender.abandon(first);
    assert_eq!(sender.poll_event(), Some(SenderEvent::Failed(first)));
    assert_eq!(sender.stale_part(0).0, size.rect());
}
