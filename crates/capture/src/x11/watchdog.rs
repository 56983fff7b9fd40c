//! Finds changes that the display did not report.
//!
//! The picture is looked at in bands of [`BAND_PX`] rows. Of each band a hash of the pixels that
//! were handed out last is kept, and forgotten as soon as damage touches the band. On every tick
//! one band is fetched, in turn: with a hash, the band must still have it; without one, the band
//! is handed out as damage and its hash kept. So a change that was never reported is handed out
//! at the latest when all bands had their turn, and a quiet screen costs one fetched and hashed
//! band a tick (0.14 ms at 1920 columns), and no frame.
//!
//! After the first miss the display's reports count as hints that something changed somewhere:
//! every frame is then the whole screen, and on every tick, which comes [`DISTRUST_FACTOR`]
//! times as often, the whole screen is compared (17 bands at 1080p: some 0.5 % of a core at the
//! default pace). Measured by `cargo test --release -p farpane-capture --test soak --
//! --nocapture`.

use farpane_frame::{FrameRef, Rect};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::Xxh3;

/// Rows of a band.
pub(super) const BAND_PX: u32 = 64;

/// How many times as often a source that missed a change is looked at.
pub(super) const DISTRUST_FACTOR: u32 = 8;

/// What was handed out, and when to look again.
#[derive(Debug)]
pub(super) struct Watchdog {
    interval: Option<Duration>,
    due: Option<Instant>,
    hashes: Vec<Option<u64>>,
    turn: usize,
    distrusts: bool,
}

impl Watchdog {
    /// Looks every `interval`; never without one.
    pub(super) fn new(interval: Option<Duration>, now: Instant) -> Self {
        let mut watchdog =
            Self { interval, due: None, hashes: Vec::new(), turn: 0, distrusts: false };
        watchdog.rearm(now);
        watchdog
    }

    /// When to look next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a change was missed.
    pub(super) fn distrusts(&self) -> bool {
        self.distrusts
    }

    /// The picture is another one, `height_px` rows high.
    pub(super) fn reset(&mut self, height_px: u32) {
        self.hashes.clear();
        self.hashes.resize(height_px.div_ceil(BAND_PX) as usize, None);
        self.turn = 0;
    }

    /// The display reported a change of `rect`.
    pub(super) fn forget(&mut self, rect: Rect) {
        let last = (rect.bottom().div_ceil(BAND_PX) as usize).min(self.hashes.len());
        let first = ((rect.y / BAND_PX) as usize).min(last);
        self.hashes[first..last].fill(None);
    }

    /// The bands whose turn it is, in a picture of `width_px` columns; all once it distrusts.
    pub(super) fn bands(&self, width_px: u32, height_px: u32) -> Rect {
        if self.distrusts {
            return Rect::new(0, 0, width_px, height_px);
        }
        let y = self.turn as u32 * BAND_PX;
        Rect::from_edges(0, y, width_px, (y + BAND_PX).min(height_px))
    }

    /// What became of the look that was due.
    pub(super) fn look(&mut self, picture: &FrameRef<'_>, now: Instant) -> Look {
        self.rearm(now);
        let turns = if self.distrusts { 0..self.hashes.len() } else { self.turn..self.turn + 1 };
        let mut look = Look::Unchanged;
        for turn in turns {
            let Some(known) = self.hashes.get_mut(turn) else { break };
            let found = band_hash(picture, turn as u32 * BAND_PX);
            look = match known.replace(found) {
                Some(before) if before == found => look,
                Some(_) => Look::Missed,
                None => look.max(Look::New),
            };
        }
        self.turn = (self.turn + 1) % self.hashes.len().max(1);
        self.distrusts |= look == Look::Missed;
        look
    }

    /// The look that was due cannot be judged, as something was drawn meanwhile.
    pub(super) fn inconclusive(&mut self, now: Instant) {
        self.rearm(now);
        let bands = self.bands(1, u32::MAX);
        self.forget(bands);
    }

    fn rearm(&mut self, now: Instant) {
        let divisor = if self.distrusts { DISTRUST_FACTOR } else { 1 };
        self.due = self.interval.map(|interval| now + interval / divisor);
    }
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// What was handed out last.
    Unchanged,
    /// Pixels that nothing is known of: they must be handed out.
    New,
    /// Other pixels than were handed out last, though no change was reported.
    Missed,
}

/// A hash of the colours (not of the undefined bytes) of the band that starts at row `top`.
fn band_hash(picture: &FrameRef<'_>, top: u32) -> u64 {
    const CHUNK: usize = 4096;
    const COLOURS: u32 = u32::from_le_bytes([0xff, 0xff, 0xff, 0]);
    let mut hash = Xxh3::new();
    let mut colours = [0u8; CHUNK];
    for y in top..(top + BAND_PX).min(picture.size().height_px) {
        for chunk in picture.row(y).chunks(CHUNK) {
            for (to, from) in colours.chunks_exact_mut(4).zip(chunk.chunks_exact(4)) {
                let pixel = u32::from_le_bytes([from[0], from[1], from[2], from[3]]);
                to.copy_from_slice(&(pixel & COLOURS).to_le_bytes());
            }
            hash.update(&colours[..chunk.len()]);
        }
    }
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::{FrameBuf, PixelFormat, Size};

    const SIZE: Size = Size::new(100, 150);

    fn watchdog() -> (Watchdog, FrameBuf, Instant) {
        let now = Instant::now();
        let mut watchdog = Watchdog::new(Some(Duration::from_secs(8)), now);
        watchdog.reset(SIZE.height_px);
        (watchdog, FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap(), now)
    }

    #[test]
    fn each_band_is_handed_out_once_and_then_only_compared() {
        let (mut watchdog, mut frame, now) = watchdog();
        let mut rows = Vec::new();
        for _ in 0..3 {
            rows.push(watchdog.bands(100, 150));
            assert_eq!(watchdog.look(&frame.view(), now), Look::New);
        }
        let band = |y, height| Rect::new(0, y, 100, height);
        assert_eq!(rows, [band(0, 64), band(64, 64), band(128, 22)]);
        frame.fill(SIZE.rect(), [0, 0, 0, 77]);
        for _ in 0..6 {
            assert_eq!(watchdog.look(&frame.view(), now), Look::Unchanged);
        }
        assert_eq!(watchdog.due(), Some(now + Duration::from_secs(8)));
    }

    #[test]
    fn reported_damage_is_no_miss_and_unreported_damage_is() {
        let (mut watchdog, mut frame, now) = watchdog();
        for _ in 0..3 {
            watchdog.look(&frame.view(), now);
        }
        frame.fill(Rect::new(5, 5, 1, 1), [1, 2, 3, 0]);
        watchdog.forget(Rect::new(5, 5, 1, 1));
        assert_eq!(watchdog.look(&frame.view(), now), Look::New);
        frame.fill(Rect::new(99, 149, 1, 1), [1, 2, 3, 0]);
        assert_eq!(watchdog.look(&frame.view(), now), Look::Unchanged, "not this band's turn");
        assert!(!watchdog.distrusts());
        assert_eq!(watchdog.look(&frame.view(), now), Look::Missed);
        assert!(watchdog.distrusts());
        assert_eq!(watchdog.bands(100, 150), SIZE.rect());
        watchdog.look(&frame.view(), now);
        assert_eq!(watchdog.due(), Some(now + Duration::from_secs(1)));
    }

    #[test]
    fn what_was_drawn_during_a_look_is_no_miss() {
        let (mut watchdog, mut frame, now) = watchdog();
        for _ in 0..3 {
            watchdog.look(&frame.view(), now);
        }
        frame.fill(SIZE.rect(), [9, 9, 9, 0]);
        watchdog.inconclusive(now);
        watchdog.forget(SIZE.rect());
        assert_eq!(watchdog.look(&frame.view(), now), Look::New);
    }
}
