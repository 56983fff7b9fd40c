//! How far the display is behind what it was told to draw.

use std::collections::VecDeque;

/// The least that is drawn between two completions. Each one wakes this process, so a small
/// change does not ask.
const MIN_MARK_BYTES: u64 = 256 << 10;

/// Counts what the display was told to draw and has not reported as drawn.
///
/// Positions count bytes and go up for ever; what lies between `drawn` and `told` is the backlog.
#[derive(Debug)]
pub(super) struct Backlog {
    picture_bytes: u64,
    told: u64,
    marked: u64,
    drawn: u64,
    marks: VecDeque<u64>,
}

impl Backlog {
    /// No backlog, of pictures of `picture_bytes`.
    pub(super) fn new(picture_bytes: usize) -> Self {
        let picture_bytes = picture_bytes as u64;
        Self { picture_bytes, told: 0, marked: 0, drawn: 0, marks: VecDeque::new() }
    }

    /// Whether the display is more than a picture behind and should be waited for.
    pub(super) fn is_full(&self) -> bool {
        // What is unmarked may never be reported, so it counts as drawn.
        self.marked.saturating_sub(self.drawn) > self.picture_bytes
    }

    /// Notes that the display is told to draw `bytes`; whether it should report when it has.
    pub(super) fn tell(&mut self, bytes: usize) -> bool {
        self.told += bytes as u64;
        let mark = self.told - self.marked >= (self.picture_bytes / 2).max(MIN_MARK_BYTES);
        if mark {
            self.marked = self.told;
            self.marks.push_back(self.told);
        }
        mark
    }

    /// The display has reported: the oldest mark is reached.
    pub(super) fn complete(&mut self) {
        if let Some(position) = self.marks.pop_front() {
            self.drawn = position;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: usize = 8 << 20;

    #[test]
    fn two_pictures_are_told_at_once_and_never_a_third() {
        let mut backlog = Backlog::new(PICTURE);
        let band = 500_000;
        let mut told = 0;
        while !backlog.is_full() {
            backlog.tell(band);
            told += band;
        }
        assert!((PICTURE..=2 * PICTURE).contains(&told), "{told}");
        backlog.complete();
        assert!(!backlog.is_full());
    }

    #[test]
    fn a_full_backlog_always_has_a_report_to_wait_for() {
        for picture in [4, 100_000, PICTURE] {
            let mut backlog = Backlog::new(picture);
            let mut seed = 7u64;
            let mut waits = 0;
            for _ in 0..20_000 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                while backlog.is_full() {
                    assert!(!backlog.marks.is_empty());
                    backlog.complete();
                    waits += 1;
                }
                backlog.tell((seed >> 33) as usize % (picture / 3 + 1));
            }
            assert!(picture == 4 || waits > 100, "{waits} waits for pictures of {picture}");
        }
    }

    #[test]
    fn small_changes_ask_for_no_report() {
        let mut backlog = Backlog::new(PICTURE);
        assert!((0..255).all(|_| !backlog.tell(64 * 64 * 4)));
        assert!(backlog.tell(64 * 64 * 4));
    }
}
