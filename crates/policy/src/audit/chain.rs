//! The writer's end of a log.

use super::anchor::Anchor;
use super::entry::Entry;
use super::frame::{FrameKind, frame};
use super::head::SignedHead;
use super::key::{AuditKey, Hash, Signer};
use super::record::{Record, hash};

/// Where a log ends, and the key that lets it go on.
///
/// Make a record with [`Chain::prepare`], put its bytes where they are durable, then
/// [`Chain::advance`]. A record that could not be stored is dropped and leaves the chain as it
/// was; whoever cannot store one ends the session.
#[derive(Debug)]
pub struct Chain {
    signer: Signer,
    sequence: u64,
    hash: Hash,
    time_us: u64,
}

/// A record that is not yet part of the log.
#[derive(Debug)]
#[must_use = "a record counts once its bytes are durable and the chain has advanced"]
pub struct Pending {
    bytes: Vec<u8>,
    head: SignedHead,
}

impl Pending {
    /// The frame to store: at most [`MAX_FRAME_BYTES`](super::MAX_FRAME_BYTES).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Chain {
    /// A log without records.
    pub fn begin(signer: Signer) -> Self {
        let hash = signer.key().genesis();
        Self { signer, sequence: 0, hash, time_us: 0 }
    }

    /// A log whose last record is known. The caller has checked that it is the signer's.
    pub fn resume(signer: Signer, sequence: u64, hash: Hash, time_us: u64) -> Self {
        Self { signer, sequence, hash, time_us }
    }

    /// The log's key.
    pub fn key(&self) -> AuditKey {
        self.signer.key()
    }

    /// The secret half, for signing the peer's heads.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The number of the last record; 0 without one.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The last record's head.
    pub fn head(&self) -> SignedHead {
        SignedHead::sign(&self.signer, self.sequence, self.hash, self.time_us)
    }

    /// The frame that a segment begins with whose first record is the next one.
    pub fn anchor(&self, time_us: u64) -> Vec<u8> {
        let anchor = Anchor::sign(&self.signer, self.sequence + 1, self.hash, time_us);
        frame(FrameKind::Anchor, &anchor.to_bytes())
    }

    /// The next record. The chain stays where it is.
    pub fn prepare(&self, entry: &Entry) -> Pending {
        let (log, sequence) = (self.key().log_id(), self.sequence + 1);
        let hash = hash(&self.hash, log, sequence, entry);
        let head = SignedHead::sign(&self.signer, sequence, hash, entry.time_us);
        let (previous, signature) = (self.hash, head.signature);
        let record = Record { previous, log, sequence, entry: entry.clone(), hash, signature };
        Pending { bytes: frame(FrameKind::Record, &record.to_bytes()), head }
    }

    /// Takes in a record whose bytes are durable, and gives its head.
    pub fn advance(&mut self, pending: Pending) -> SignedHead {
        let head = pending.head;
        (self.sequence, self.hash, self.time_us) = (head.sequence, head.hash, head.time_us);
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Action, HEADER_BYTES, Outcome, Party};

    fn entry(time_us: u64) -> Entry {
        let (action, outcome) = (Action::LogOpened, Outcome::Success);
        let (session, target, device) = (None, None, None);
        Entry { time_us, session, actor: Party::system(), target, device, action, outcome }
    }

    fn record(pending: &Pending) -> Record {
        Record::from_bytes(&pending.bytes()[HEADER_BYTES..]).unwrap()
    }

    #[test]
    fn a_chain_moves_when_its_record_is_durable_and_not_before() {
        let mut chain = Chain::begin(Signer::from_seed(&[1; 32]).unwrap());
        assert_eq!((chain.sequence(), chain.signer().key()), (0, chain.key()));
        let lost = chain.prepare(&entry(5));
        drop(lost);
        assert_eq!(chain.sequence(), 0);
        let first = chain.prepare(&entry(6));
        let written = record(&first);
        assert_eq!((written.sequence, written.previous), (1, chain.key().genesis()));
        let head = chain.advance(first);
        assert_eq!(head, written.head(chain.key()));
        assert_eq!((chain.sequence(), chain.head()), (1, head));
        let second = record(&chain.prepare(&entry(7)));
        assert_eq!((second.sequence, second.previous), (2, head.hash));
    }

    #[test]
    fn a_chain_goes_on_where_it_was_left() {
        let signer = || Signer::from_seed(&[1; 32]).unwrap();
        let mut chain = Chain::begin(signer());
        let (first, second) = (chain.prepare(&entry(5)), chain.prepare(&entry(6)));
        drop(first);
        let head = chain.advance(second);
        let resumed = Chain::resume(signer(), head.sequence, head.hash, head.time_us);
        assert_eq!((resumed.head(), resumed.sequence()), (head, 1));
        let (ours, theirs) = (chain.prepare(&entry(7)), resumed.prepare(&entry(7)));
        assert_eq!(ours.bytes(), theirs.bytes());
    }
}
