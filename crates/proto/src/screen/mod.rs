//! Screen synchronisation: the sharer knows, tile by tile, what the helper's canvas holds.
//!
//! The truth is the sharer's screen now. [`ScreenSender`] keeps for one helper which part of each
//! tile is *stale* there; its user encodes stale parts as batches, and the sender cuts those into
//! datagrams. [`ScreenReceiver`] puts datagrams in order, gives up missing ones after a short
//! wait, hands whole batches to the decoder and reports the fate of every datagram. A reported
//! loss makes tiles stale again, so the current content goes out; old pixels are never sent again
//! once they have changed.
//!
//! Because the helper applies datagrams strictly by number, and each number is either applied or
//! reported lost for good, the sharer can follow the helper's canvas exactly. Batches that mean
//! something else later (copies, cache slots) form a chain: each names the one before, what
//! touches the same tiles names the newest, and the helper holds them back until a lost one has
//! been repeated. All else goes on.

mod assembly;
mod chain;
mod erasure;
mod inflight;
mod order;
mod parity;
mod receiver;
mod reorder;
mod sender;
mod tiles;

pub use inflight::{BatchId, BatchInfo, MAX_BATCH_BYTES, Repeat};
pub use receiver::{ReceiverEvent, ScreenReceiver};
pub use sender::{FeedbackReport, Sample, ScreenSender, SenderEvent};

#[cfg(test)]
mod tests;
