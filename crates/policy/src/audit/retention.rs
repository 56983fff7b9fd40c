//! How long records are kept, and in what portions.

/// Microseconds of a day.
pub const DAY_US: u64 = 24 * 3600 * 1_000_000;

/// When a segment is closed, and when it is dropped. Segments go whole and oldest first; the one
/// that is being written never goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long a record is kept at least, in microseconds. Default 30 days.
    pub keep_us: u64,
    /// A segment that has become so large is closed, in bytes. Default 1 MiB: some 3,000 records.
    pub segment_bytes: u64,
    /// A segment that has become so old is closed, in microseconds. Default a day, by which
    /// records are kept longer than they must.
    pub segment_us: u64,
    /// With so many segments the log takes no more. Default 4,096: 4 GiB. A peer that makes
    /// records without end must not fill the disk.
    pub max_segments: usize,
}

/// What is known of a segment without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first record.
    pub first_sequence: u64,
    /// When it was begun, by the wall clock, in microseconds since 1970 (UTC).
    pub begun_us: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_us: 30 * DAY_US,
            segment_bytes: 1 << 20,
            segment_us: DAY_US,
            max_segments: 4096,
        }
    }
}

impl Retention {
    /// Whether the next record goes to a new segment.
    pub fn is_full(&self, bytes: u64, begun_us: u64, now_us: u64) -> bool {
        bytes >= self.segment_bytes || now_us.saturating_sub(begun_us) >= self.segment_us
    }

    /// How many of the oldest segments need not be kept. A segment's records are older than the
    /// next one's beginning; where clocks were set back, the latest beginning so far counts.
    pub fn expired(&self, segments: &[Segment], now_us: u64) -> usize {
        let mut latest_us = 0;
        let ends = segments.iter().skip(1).map(|next| next.begun_us);
        ends.take_while(|end_us| {
            latest_us = latest_us.max(*end_us);
            now_us.saturating_sub(latest_us) > self.keep_us
        })
        .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(begun_days: &[u64]) -> Vec<Segment> {
        let begun = (1..).zip(begun_days);
        begun.map(|(n, day)| Segment { first_sequence: n, begun_us: day * DAY_US }).collect()
    }

    #[test]
    fn segments_go_when_all_in_them_is_older_than_what_is_kept() {
        let retention = Retention::default();
        let segments = segments(&[0, 1, 2, 40]);
        let expired = |day: u64| retention.expired(&segments, day * DAY_US);
        assert_eq!([0, 31, 32, 33, 70, 71, 1_000].map(expired), [0, 0, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_records_longer_never_shorter() {
        let retention = Retention::default();
        assert_eq!(retention.expired(&segments(&[0, 50, 3, 4]), 60 * DAY_US), 0);
        assert_eq!(retention.expired(&segments(&[0, 1, 2]), 0), 0);
    }

    #[test]
    fn the_segment_that_is_written_never_goes() {
        let retention = Retention { keep_us: 0, ..Retention::default() };
        assert_eq!(retention.expired(&segments(&[0]), u64::MAX), 0);
        assert_eq!(retention.expired(&[], u64::MAX), 0);
    }

    #[test]
    fn the_default_retention_is_the_one_that_the_docs_promise() {
        assert_eq!(DAY_US, 86_400_000_000);
        let retention = Retention::default();
        assert_eq!((retention.keep_us, retention.segment_us), (30 * DAY_US, DAY_US));
        assert_eq!((retention.segment_bytes, retention.max_segments), (1_048_576, 4096));
    }

    #[test]
    fn segments_are_full_by_size_and_by_age() {
        let retention = Retention::default();
        assert!(!retention.is_full(1000, 5, 4));
        assert!(retention.is_full(1 << 20, 5, 5));
        assert!(retention.is_full(0, 5, DAY_US + 5) && !retention.is_full(0, 5, DAY_US + 4));
    }
}
