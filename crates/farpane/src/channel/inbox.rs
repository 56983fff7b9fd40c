//! A file on its way in.

use super::files::{FileEvent, FileId, Tell};
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use farpane_net::LinkHandle;
use farpane_proto::control::{Control, FilePiece};
use std::io::Write;

/// Pieces that may wait for the disk: more than the other side may have on their way.
const QUEUE_PIECES: usize = 4;

/// A file that the other side offered.
pub(super) struct Inbox {
    bytes: u64,
    received: u64,
    pieces: Option<Sender<Vec<u8>>>,
}

impl Inbox {
    pub(super) fn offered(bytes: u64) -> Self {
        Self { bytes, received: 0, pieces: None }
    }

    /// Whether there is nothing to come.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Whether it was answered that it is wanted.
    pub(super) fn is_open(&self) -> bool {
        self.pieces.is_some()
    }

    /// It is wanted, and goes to `to`.
    pub(super) fn open(
        &mut self,
        id: u32,
        to: Box<dyn Write + Send>,
        link: LinkHandle,
        tell: Tell,
    ) {
        let (sender, pieces) = bounded(QUEUE_PIECES);
        let writing = Writing { id, bytes: self.bytes, link, tell, pieces };
        let spawned = std::thread::Builder::new()
            .name("farpane-file".to_owned())
            .spawn(move || writing.run(to));
        // Without a thread the first piece finds nobody to take it.
        drop(spawned);
        self.pieces = Some(sender);
    }

    /// Takes a piece. Whether it was the last; an error when it must not be, without a reason when
    /// that was told already.
    pub(super) fn take(&mut self, piece: &FilePiece<'_>) -> Result<bool, Option<&'static str>> {
        let Some(pieces) = &self.pieces else { return Err(Some("it came before it was wanted")) };
        let end = piece.offset.saturating_add(piece.bytes.len() as u64);
        if piece.offset != self.received || end > self.bytes {
            return Err(Some("its pieces do not fit together"));
        }
        pieces.try_send(piece.bytes.to_vec()).map_err(|error| match error {
            TrySendError::Full(_) => Some("more of it came than was asked for"),
            TrySendError::Disconnected(_) => None,
        })?;
        self.received = end;
        Ok(end == self.bytes)
    }
}

/// The thread that writes it.
struct Writing {
    id: u32,
    bytes: u64,
    link: LinkHandle,
    tell: Tell,
    pieces: Receiver<Vec<u8>>,
}

impl Writing {
    fn run(self, mut to: Box<dyn Write + Send>) {
        let written = self.write(&mut *to);
        // Closed before it is told of.
        drop(to);
        let file = FileId { outgoing: false, number: self.id };
        match written {
            Ok(true) => {
                self.send(&Control::FileTaken { id: self.id, bytes: self.bytes });
                (self.tell)(FileEvent::Done { file, bytes: self.bytes });
            }
            // Whoever gave the file up has told why.
            Ok(false) => {}
            Err(error) => {
                self.send(&Control::FileStopped { id: self.id, by_sender: false });
                let reason = format!("it cannot be written: {error}");
                (self.tell)(FileEvent::Stopped { file, reason });
            }
        }
    }

    /// Writes what comes; whether that was all.
    fn write(&self, to: &mut dyn Write) -> std::io::Result<bool> {
        let mut written = 0;
        while written < self.bytes {
            let Ok(piece) = self.pieces.recv() else { return Ok(false) };
            to.write_all(&piece)?;
            written += piece.len() as u64;
            if written < self.bytes {
                self.send(&Control::FileTaken { id: self.id, bytes: written });
            }
        }
        to.flush().map(|()| true)
    }

    fn send(&self, message: &Control) {
        let _ = self.link.send_control(message.to_bytes().into());
    }
}
