//! The heads beside a log: its own, those that peers have confirmed, and peers' heads that this
//! log's owner has confirmed.

use super::folder::Folder;
use super::segment::Appender;
use super::{AuditError, names};
use farpane_policy::audit::{
    AuditKey, CrossSignedHead, Frame, FrameKind, FrameReader, Hash, HeadError, LogId, MAX_HEADS,
    Piece, SignedHead,
};
use std::collections::BTreeMap;

/// Largest file of heads that is read: more than [`MAX_HEADS`] need.
const MAX_HEADS_BYTES: u64 = 32 << 20;

#[derive(Debug)]
pub(super) struct Heads {
    file: Appender,
    count: usize,
    /// The latest head of each peer's log: the next one must not be before it.
    peers: BTreeMap<LogId, (u64, Hash)>,
    /// The latest head of the log's own.
    own: Option<SignedHead>,
    key: AuditKey,
}

impl Heads {
    /// Opens the file, cuts off an unfinished last head, and drops heads of records before
    /// `first_kept` and those of peers from before `oldest_us`.
    pub(super) fn open(
        folder: &Folder,
        key: AuditKey,
        first_kept: u64,
        oldest_us: u64,
    ) -> Result<Self, AuditError> {
        let bytes = folder.read(names::HEADS, MAX_HEADS_BYTES)?.unwrap_or_default();
        let mut reader = FrameReader::default();
        reader.handle_bytes(&bytes);
        let (mut kept, mut count) = (Vec::new(), 0);
        let (mut peers, mut own) = (BTreeMap::new(), None);
        while let Some(piece) = reader.poll_piece() {
            let Piece::Frame(frame) = piece else { continue };
            let Some((head, frame)) = head(&frame) else { continue };
            let is_own = head.key == key;
            let is_kept =
                if is_own { head.sequence >= first_kept } else { head.time_us >= oldest_us };
            if !is_kept {
                continue;
            }
            if is_own && head.is_genuine() {
                own = own.filter(|own: &SignedHead| own.sequence > head.sequence).or(Some(head));
            } else if !is_own {
                let latest = peers.entry(head.key.log_id()).or_insert((0, [0; 32]));
                *latest = (*latest).max((head.sequence, head.hash));
            }
            kept.extend(frame);
            count += 1;
        }
        // Written anew even when nothing was dropped: so an unfinished end is gone, and the file
        // is sure to be a file.
        let file = folder.write(names::HEADS, &kept)?;
        let file = Appender::new(file, folder.path_of(names::HEADS), kept.len() as u64);
        Ok(Self { file, count, peers, own, key })
    }

    /// The latest head of the log's own that was stored.
    pub(super) fn own(&self) -> Option<SignedHead> {
        self.own
    }

    /// Stores a head of the log's own.
    pub(super) fn seal(&mut self, head: SignedHead, folder: &Folder) -> Result<(), AuditError> {
        self.append(&head.to_frame(), folder)?;
        self.own = Some(head);
        Ok(())
    }

    /// Stores a head of the log's own that a peer has signed.
    pub(super) fn confirmed(
        &mut self,
        cross: &CrossSignedHead,
        folder: &Folder,
    ) -> Result<(), AuditError> {
        self.append(&cross.to_frame(), folder)?;
        if self.own.is_none_or(|own| own.sequence < cross.head.sequence) {
            self.own = Some(cross.head);
        }
        Ok(())
    }

    /// Whether a peer's head may be signed: it is genuine, of another log, and not of a history
    /// before or beside the one seen last.
    pub(super) fn check_peer(&self, head: &SignedHead) -> Result<(), HeadError> {
        let (log, sequence) = (head.key.log_id(), head.sequence);
        if !head.is_genuine() {
            return Err(HeadError::Forged { sequence });
        }
        if head.key == self.key {
            return Err(HeadError::OtherLog { log });
        }
        match self.peers.get(&log) {
            Some((latest, hash))
                if *latest > sequence || *latest == sequence && *hash != head.hash =>
            {
                Err(HeadError::Forked { sequence })
            }
            _ => Ok(()),
        }
    }

    /// Stores a peer's head that this log's owner has signed.
    pub(super) fn witnessed(
        &mut self,
        cross: &CrossSignedHead,
        folder: &Folder,
    ) -> Result<(), AuditError> {
        self.append(&cross.to_frame(), folder)?;
        let head = &cross.head;
        self.peers.insert(head.key.log_id(), (head.sequence, head.hash));
        Ok(())
    }

    fn append(&mut self, frame: &[u8], folder: &Folder) -> Result<(), AuditError> {
        if self.count >= MAX_HEADS {
            return Err(AuditError::Limit { path: folder.path().to_owned(), what: "heads" });
        }
        self.file.append_from_reserve(frame)?;
        self.count += 1;
        Ok(())
    }
}

/// The head in a frame, and the frame as it is written.
fn head(frame: &Frame) -> Option<(SignedHead, Vec<u8>)> {
    match frame.kind {
        FrameKind::Head => {
            let head = SignedHead::from_bytes(&frame.payload).ok()?;
            Some((head, head.to_frame()))
        }
        FrameKind::CrossSigned => {
            let cross = CrossSignedHead::from_bytes(&frame.payload).ok()?;
            Some((cross.head, cross.to_frame()))
        }
        _ => None,
    }
}
