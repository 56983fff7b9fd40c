//! First in, first out, with a bound.

use super::Waiting;
use crate::Ns;
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct DropTail<T> {
    waiting: VecDeque<Waiting<T>>,
    bytes: u64,
    bound_bytes: u64,
}

impl<T> DropTail<T> {
    pub(crate) fn new(bound_bytes: u64) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, bound_bytes }
    }

    pub(crate) fn push(&mut self, waiting: Waiting<T>) -> bool {
        let bytes = u64::from(waiting.packet.bytes);
        if self.bytes + bytes > self.bound_bytes {
            return false;
        }
        self.bytes += bytes;
        self.waiting.push_back(waiting);
        true
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting<T>> {
        let waiting = self.waiting.pop_front()?;
        self.bytes -= u64::from(waiting.packet.bytes);
        Some(waiting)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn oldest(&self) -> Option<Ns> {
        self.waiting.front().map(|waiting| waiting.since)
    }
}
