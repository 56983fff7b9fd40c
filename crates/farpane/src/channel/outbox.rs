//! A file on its way out.

use super::files::Gate;
use crossbeam::channel::{Receiver, Sender, unbounded};
use farpane_net::{LinkHandle, SendError};
use farpane_proto::control::{Control, FILE_PIECE_BLOB, FilePiece, MAX_PIECE_BYTES};
use std::io::Read;
use std::time::Duration;

/// Bytes on their way at most: enough for 5 Mbit/s at a round trip of 100 ms, and little in front
/// of newer pixels.
const WINDOW_BYTES: u64 = 2 * MAX_PIECE_BYTES as u64;
/// How long a full queue of the link is waited for.
const PAUSE: Duration = Duration::from_millis(5);

/// A file that this end offered.
pub(super) struct Outbox {
    bytes: u64,
    taken: u64,
    state: State,
}

enum State {
    Offered(Option<Box<dyn Read + Send>>),
    /// How far the other side has it, for the reading thread. Dropping it ends the thread.
    Started(Sender<u64>),
}

impl Outbox {
    pub(super) fn offered(bytes: u64, content: Box<dyn Read + Send>) -> Self {
        Self { bytes, taken: 0, state: State::Offered(Some(content)) }
    }

    /// The other side wants it.
    pub(super) fn start(&mut self, id: u32, link: LinkHandle, gate: Gate) {
        let State::Offered(content) = &mut self.state else { return };
        let Some(content) = content.take() else { return };
        let (sender, taken) = unbounded();
        let sending = Sending { id, bytes: self.bytes, link, gate, taken };
        let spawned = std::thread::Builder::new()
            .name("farpane-file".to_owned())
            .spawn(move || sending.run(content));
        // Without a thread its end of the channel is gone, and so is the file with the next word.
        drop(spawned);
        self.state = State::Started(sender);
    }

    /// The other side has so much of it. Whether that is all; an error when it cannot be.
    pub(super) fn taken(&mut self, bytes: u64) -> Result<bool, ()> {
        let State::Started(sender) = &self.state else { return Err(()) };
        if bytes > self.bytes || bytes < self.taken {
            return Err(());
        }
        self.taken = bytes;
        let gone = sender.send(bytes).is_err();
        match bytes == self.bytes {
            true => Ok(true),
            false if gone => Err(()),
            false => Ok(false),
        }
    }
}

/// The thread that reads it.
struct Sending {
    id: u32,
    bytes: u64,
    link: LinkHandle,
    gate: Gate,
    taken: Receiver<u64>,
}

impl Sending {
    fn run(self, content: Box<dyn Read + Send>) {
        if self.send(content).is_none() {
            let stopped = Control::FileStopped { id: self.id, by_sender: true };
            let _ = self.link.send_control(stopped.to_bytes().into());
        }
        // The other side's last words come after its last piece was sent.
        while self.taken.recv().is_ok() {}
    }

    /// Sends all of it; `None` when it cannot be read, or may not move any more.
    fn send(&self, mut content: Box<dyn Read + Send>) -> Option<()> {
        let (mut sent, mut taken) = (0, 0);
        let mut buffer = vec![0; MAX_PIECE_BYTES];
        while sent < self.bytes {
            while sent - taken >= WINDOW_BYTES {
                taken = self.taken.recv().ok()?;
            }
            let want = (self.bytes - sent).min(MAX_PIECE_BYTES as u64) as usize;
            content.read_exact(&mut buffer[..want]).ok()?;
            self.send_piece(sent, &buffer[..want])?;
            sent += want as u64;
        }
        Some(())
    }

    fn send_piece(&self, offset: u64, bytes: &[u8]) -> Option<()> {
        let piece = FilePiece { id: self.id, offset, bytes }.to_bytes();
        loop {
            let mut result = Err(SendError::Full);
            let passed = (self.gate)(&mut || {
                result = self.link.send_blob(FILE_PIECE_BLOB, piece.clone().into());
            });
            match result {
                Ok(()) => return Some(()),
                Err(SendError::Full) if passed => std::thread::sleep(PAUSE),
                Err(_) => return None,
            }
        }
    }
}
