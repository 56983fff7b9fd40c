//! The smallest value of the last while.

use std::collections::VecDeque;

/// Minimum over a sliding time window, in buckets so that memory stays small.
#[derive(Debug)]
pub(crate) struct WindowMin {
    bucket_us: u64,
    buckets: usize,
    minima: VecDeque<(u64, i64)>,
}

impl WindowMin {
    /// Remembers `buckets` spans of `bucket_us` each.
    pub(crate) fn new(bucket_us: u64, buckets: usize) -> Self {
        Self { bucket_us, buckets, minima: VecDeque::with_capacity(buckets + 1) }
    }

    pub(crate) fn insert(&mut self, now_us: u64, value: i64) {
        let bucket = now_us / self.bucket_us;
        match self.minima.back_mut() {
            Some((last, min)) if *last == bucket => *min = (*min).min(value),
            _ => self.minima.push_back((bucket, value)),
        }
        // Old buckets go only when newer ones speak: silence does not forget the path.
        while self.minima.len() > self.buckets {
            self.minima.pop_front();
        }
    }

    pub(crate) fn min(&self) -> Option<i64> {
        self.minima.iter().map(|(_, min)| *min).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_minima_are_forgotten_but_not_by_silence() {
        let mut w = WindowMin::new(1_000, 3);
        assert_eq!(w.min(), None);
        w.insert(0, 5);
        w.insert(500, -2);
        w.insert(50_000, 9);
        assert_eq!(w.min(), Some(-2));
        w.insert(51_000, 7);
        w.insert(52_000, 8);
        assert_eq!(w.min(), Some(7));
    }
}
