//! Recorded desktops through the product's real stages: damage, codec, synchronisation.

use crate::backlog::DATAGRAM_BYTES;
use crate::flow::Look;
use crate::source::Source;
use anyhow::Context;
use bytes::Bytes;
use farpane::CodecChoice;
use farpane::lab::{LabHelper, LabSharer, LabSharerOptions};
use farpane_benches::recordings::{ALT_TAB, Recording, SCROLL, Shot, Shots, TYPING};
use farpane_frame::{FrameRef, Rect, TileGrid};
use std::collections::VecDeque;
use xxhash_rust::xxh3::Xxh3Default;

/// What happens on the desktop, again and again.
const PLAYED: [Recording; 3] = [TYPING, SCROLL, ALT_TAB];
/// The pause between two recordings.
const PAUSE_US: u64 = 500_000;
/// What is shown before is on its way with the first picture and counts for nothing.
const SETTLED_US: u64 = 4_000_000;

/// A state of a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    /// When the sharer's display showed it.
    pub(crate) shown_us: u64,
    /// When the helper saw it, or a later one; `None`: never.
    pub(crate) seen_us: Option<u64>,
}

/// What became of the screen's changes, tile by tile.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) versions: Vec<Version>,
}

/// A desktop and what a helper sees of it.
pub(crate) struct Desk {
    sharer: LabSharer,
    helper: LabHelper,
    film: Film,
    watch: Watch,
}

impl Desk {
    /// A helper that joins a desktop.
    pub(crate) fn new(now_us: u64) -> anyhow::Result<Self> {
        let mut film = Film::new();
        let first = film.next.take().context("the recordings are empty")?;
        film.advance(now_us);
        let options = LabSharerOptions {
            codec: CodecChoice::Tiles,
            max_datagram_bytes: DATAGRAM_BYTES,
            still_us: None,
        };
        Ok(Self {
            sharer: LabSharer::new(now_us, &first.view(), options)?,
            helper: LabHelper::new(),
            watch: Watch::new(TileGrid::new(first.view().size())),
            film,
        })
    }
}

impl Source for Desk {
    fn handle_datagram(&mut self, now_us: u64, datagram: &Bytes) {
        self.helper.handle_datagram(now_us, datagram).expect("a sharer's datagrams are valid");
    }

    fn handle_timeout(&mut self, now_us: u64) {
        let is_new = self.helper.handle_timeout(now_us).expect("a sharer's datagrams are valid");
        if let Some(picture) = self.helper.picture().filter(|_| is_new) {
            self.watch.handle_seen(now_us, &picture);
        }
        while let Some(stream) = self.helper.poll_failed_stream() {
            self.sharer.handle_undecodable(stream);
        }
    }

    fn set_rtt(&mut self, rtt_us: u64) {
        self.helper.set_rtt(rtt_us);
    }

    fn set_marked(&mut self, packets: u64) {
        self.helper.set_marked(packets);
    }

    fn poll_report(&mut self, now_us: u64) -> Option<Bytes> {
        self.helper.poll_report(now_us)
    }

    fn poll_helper_timeout(&self) -> Option<u64> {
        self.helper.poll_timeout()
    }

    fn handle_report(&mut self, now_us: u64, report: &[u8]) {
        self.sharer.handle_datagram(now_us, report).expect("a helper's reports are valid");
    }

    fn fill(&mut self, now_us: u64) {
        while let Some(shot) = self.film.take(now_us) {
            self.watch.handle_shown(now_us, &shot);
            self.sharer.show(&shot.view(), shot.rects()).expect("a valid size");
        }
        self.sharer.flush(now_us).expect("a valid size");
    }

    fn fill_rest(&mut self, now_us: u64) {
        self.sharer.flush_rest(now_us);
    }

    fn poll_datagram(&mut self, now_us: u64) -> Option<Bytes> {
        self.sharer.poll_datagram(now_us)
    }

    fn poll_sharer_timeout(&self, _now_us: u64) -> Option<u64> {
        [self.sharer.poll_timeout(), self.film.due_us()].into_iter().flatten().min()
    }

    fn window_bytes(&self) -> Option<u64> {
        Some(self.sharer.window_bytes())
    }

    fn look(&self) -> Look {
        let rtt_us = self.sharer.rtt_us().max(1_000);
        Look {
            target_bits_per_s: self.sharer.window_bytes() * 8_000_000 / rtt_us,
            queue_us: self.sharer.queue_delay_us(),
        }
    }

    fn seen(&self) -> Option<&Seen> {
        Some(&self.watch.seen)
    }
}

/// The recordings, one after the other, without end.
struct Film {
    played: usize,
    shots: Option<Shots>,
    /// When the recording that plays began.
    start_us: u64,
    next: Option<Shot>,
    next_us: u64,
}

impl Film {
    fn new() -> Self {
        let mut film = Self { played: 0, shots: None, start_us: 0, next: None, next_us: 0 };
        film.advance(0);
        film
    }

    /// Reads the next state. Where a recording ends, another begins after a pause.
    fn advance(&mut self, now_us: u64) {
        for _ in 0..=PLAYED.len() {
            if let Some(shot) = self.shots.as_mut().and_then(Iterator::next) {
                self.next_us = self.start_us + shot.time_us;
                self.next = Some(shot);
                return;
            }
            self.shots = Shots::open(PLAYED[self.played % PLAYED.len()]);
            self.start_us = now_us + if self.played == 0 { 0 } else { PAUSE_US };
            self.played += 1;
        }
    }

    fn due_us(&self) -> Option<u64> {
        self.next.as_ref().map(|_| self.next_us)
    }

    /// What the display shows from now on.
    fn take(&mut self, now_us: u64) -> Option<Shot> {
        if self.next_us > now_us {
            return None;
        }
        let shot = self.next.take();
        self.advance(now_us);
        shot
    }
}

/// Compares what is seen with what was shown.
struct Watch {
    grid: TileGrid,
    /// What each tile showed last.
    last: Vec<u64>,
    /// What the helper did not see yet, by tile: the index of the version and its content.
    pending: Vec<VecDeque<(usize, u64)>>,
    seen: Seen,
}

impl Watch {
    fn new(grid: TileGrid) -> Self {
        let tiles = grid.tiles() as usize;
        Self {
            grid,
            last: vec![0; tiles],
            pending: vec![VecDeque::new(); tiles],
            seen: Seen::default(),
        }
    }

    fn handle_shown(&mut self, now_us: u64, shot: &Shot) {
        let view = shot.view();
        let bounds = shot.bounds();
        for tile in 0..self.grid.tiles() {
            let area = self.grid.rect(tile);
            if area.intersect(bounds).is_empty() {
                continue;
            }
            let content = hash(&view, area);
            let is_other = std::mem::replace(&mut self.last[tile as usize], content) != content;
            if is_other && now_us >= SETTLED_US {
                let version = self.seen.versions.len();
                self.seen.versions.push(Version { shown_us: now_us, seen_us: None });
                self.pending[tile as usize].push_back((version, content));
            }
        }
    }

    fn handle_seen(&mut self, now_us: u64, picture: &FrameRef<'_>) {
        for (tile, pending) in (0..).zip(&mut self.pending) {
            if pending.is_empty() {
                continue;
            }
            let content = hash(picture, self.grid.rect(tile));
            let Some(at) = pending.iter().rposition(|(_, shown)| *shown == content) else {
                continue;
            };
            for (version, _) in pending.drain(..=at) {
                self.seen.versions[version].seen_us = Some(now_us);
            }
        }
    }
}

/// Of the colours in an area.
fn hash(view: &FrameRef<'_>, area: Rect) -> u64 {
    let mut hasher = Xxh3Default::new();
    for y in area.y..area.y + area.height {
        for [blue, green, red, _] in view.span(area.x, y, area.width).as_chunks::<4>().0 {
            hasher.update(&[*blue, *green, *red]);
        }
    }
    hasher.digest()
}
