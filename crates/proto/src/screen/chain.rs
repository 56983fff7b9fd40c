//! The sharer's side of order among batches: those that mean something else when they are applied
//! later follow each other, and what touches the same tiles meanwhile follows them.

use super::inflight::BatchId;
use crate::datagram::Order;
use farpane_frame::TileSet;
use std::collections::VecDeque;

/// The members that the helper is not known to have applied.
#[derive(Debug)]
pub(super) struct Chain {
    members: VecDeque<BatchId>,
    /// What they, and what follows them, write and read.
    tiles: TileSet,
}

impl Chain {
    pub(super) fn new(tiles: u32) -> Self {
        Self { members: VecDeque::new(), tiles: TileSet::new(tiles) }
    }

    /// Gives a new batch its place: `None` when it may be applied at any time.
    pub(super) fn place(
        &mut self,
        id: BatchId,
        is_member: bool,
        mut touched: impl Iterator<Item = u32> + Clone,
    ) -> Option<Order> {
        let after = self.members.back().copied();
        let follows = after.is_some() && touched.clone().any(|tile| self.tiles.contains(tile));
        if !is_member && !follows {
            return None;
        }
        touched.by_ref().for_each(|tile| {
            self.tiles.insert(tile);
        });
        if is_member {
            self.members.push_back(id);
        }
        Some(Order { is_member, after })
    }

    /// The oldest member.
    pub(super) fn front(&self) -> Option<BatchId> {
        self.members.front().copied()
    }

    /// Whether what follows `order` may not have been applied although it arrived.
    pub(super) fn holds(&self, order: Option<Order>) -> bool {
        let after = order.and_then(|order| order.after);
        after.zip(self.front()).is_some_and(|(after, oldest)| oldest <= after)
    }

    /// The oldest member was applied.
    pub(super) fn handle_applied(&mut self, id: BatchId) {
        if self.front() == Some(id) {
            self.members.pop_front();
        }
        if self.members.is_empty() {
            self.tiles.clear();
        }
    }

    /// Nothing of it counts any longer.
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.tiles.clear();
    }
}
