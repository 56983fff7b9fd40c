//! A file on its way out.

use super::files::{FileEvent, FileId, Gate, Tell};
use crossbeam::channel::{Receiver, Sender, bounded};
use farpane_net::{LinkHandle, SendError};
use farpane_proto::control::{Control, FILE_PIECE_BLOB, FilePiece, MAX_PIECE_BYTES};
use std::io::Read;
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes on their way at most: enough for 5 Mbit/s at a round trip of 100 ms, and little in front
/// of newer pixels.
const WINDOW_BYTES: u64 = 2 * MAX_PIECE_BYTES as u64;
/// Words of the other side that may wait. It has one for every piece.
const QUEUE_TAKEN: usize = 16;
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
    /// How far the other side has it, for the reading thread; dropping it ends the thread. And the
    /// thread, if there is one.
    Started(Sender<u64>, Option<JoinHandle<()>>),
}

impl Outbox {
    pub(super) fn offered(bytes: u64, content: Box<dyn Read + Send>) -> Self {
        Self { bytes, taken: 0, state: State::Offered(Some(content)) }
    }

    /// The other side wants it.
    pub(super) fn start(&mut self, id: u32, link: LinkHandle, gate: Gate, tell: Tell) {
        let State::Offered(content) = &mut self.state else { return };
        let Some(content) = content.take() else { return };
        let (sender, taken) = bounded(QUEUE_TAKEN);
        let sending = Sending { id, bytes: self.bytes, link, gate, tell, taken };
        let spawned = std::thread::Builder::new()
            .name("farpane-file".to_owned())
            .spawn(move || sending.run(content));
        self.state = State::Started(sender, spawned.ok());
    }

    /// Whether nothing of it comes any more.
    pub(super) fn is_over(&self) -> bool {
        match &self.state {
            State::Offered(_) => false,
            State::Started(_, thread) => thread.as_ref().is_none_or(JoinHandle::is_finished),
        }
    }

    /// The other side has so much of it. Whether that is all; an error when it cannot be.
    pub(super) fn taken(&mut self, bytes: u64) -> Result<bool, ()> {
        let State::Started(sender, _) = &self.state else { return Err(()) };
        if bytes > self.bytes || bytes < self.taken {
            return Err(());
        }
        self.taken = bytes;
        let told = sender.try_send(bytes).is_ok();
        match bytes == self.bytes {
            true => Ok(true),
            false if told => Ok(false),
            false => Err(()),
        }
    }
}

/// The thread that reads it.
struct Sending {
    id: u32,
    bytes: u64,
    link: LinkHandle,
    gate: Gate,
    tell: Tell,
    taken: Receiver<u64>,
}

/// Why not all of a file was sent.
enum Unsent {
    /// Whoever gave it up has told why.
    Stopped,
    /// Its content came to an end too early, or could not be read.
    Unreadable(std::io::Error),
}

impl Sending {
    fn run(self, content: Box<dyn Read + Send>) {
        match self.send(content) {
            // The other side's last words come after its last piece was sent.
            Ok(()) => while self.taken.recv().is_ok() {},
            Err(Unsent::Stopped) => self.stop(),
            Err(Unsent::Unreadable(error)) => {
                self.stop();
                let file = FileId { outgoing: true, number: self.id };
                let reason = format!("it cannot be read: {error}");
                (self.tell)(FileEvent::Stopped { file, reason });
            }
        }
    }

    fn stop(&self) {
        let stopped = Control::FileStopped { id: self.id, by_sender: true };
        let _ = self.link.send_control(stopped.to_bytes().into());
    }

    fn send(&self, mut content: Box<dyn Read + Send>) -> Result<(), Unsent> {
        let (mut sent, mut taken) = (0, 0);
        let mut buffer = vec![0; MAX_PIECE_BYTES];
        while sent < self.bytes {
            while sent - taken >= WINDOW_BYTES {
                taken = self.taken.recv().map_err(|_| Unsent::Stopped)?;
            }
            let want = (self.bytes - sent).min(MAX_PIECE_BYTES as u64) as usize;
            content.read_exact(&mut buffer[..want]).map_err(Unsent::Unreadable)?;
            self.send_piece(sent, &buffer[..want])?;
            sent += want as u64;
        }
        Ok(())
    }

    fn send_piece(&self, offset: u64, bytes: &[u8]) -> Result<(), Unsent> {
        let piece = FilePiece { id: self.id, offset, bytes }.to_bytes();
        loop {
            let mut result = Err(SendError::Full);
            let passed = (self.gate)(&mut || {
                result = self.link.send_blob(FILE_PIECE_BLOB, piece.clone().into());
            });
            match result {
                Ok(()) => return Ok(()),
                Err(SendError::Full) if passed => std::thread::sleep(PAUSE),
                Err(_) => return Err(Unsent::Stopped),
            }
        }
    }
}
