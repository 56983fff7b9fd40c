//! Files of one session, in both directions.
//!
//! A file is offered, wanted or not, and sent in pieces of 32 KiB, of which two may be on their
//! way: the receiver says how far it is safe. One thread a file reads or writes it. Every piece
//! passes a gate, so that nothing of a file moves once that is not allowed any more.

use super::inbox::Inbox;
use super::outbox::Outbox;
use farpane_net::LinkHandle;
use farpane_proto::control::{Control, FilePiece, is_file_name};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

/// Files under way or offered at once, in each direction.
pub const MAX_FILES: usize = 8;

/// Names a file of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Whether this end offered it.
    pub outgoing: bool,
    /// Its number among those.
    pub number: u32,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileEvent {
    /// The other side has a file; answer whether it is wanted.
    Offered {
        /// Which.
        file: FileId,
        /// Its name: one component of a path, that leads nowhere else.
        name: String,
        /// Its length in bytes.
        bytes: u64,
    },
    /// All of it is at its receiver.
    Done {
        /// Which.
        file: FileId,
        /// Its length in bytes.
        bytes: u64,
    },
    /// It will not come to its receiver whole; what is there of it is of no use.
    Stopped {
        /// Which.
        file: FileId,
        /// Why, for people.
        reason: String,
    },
}

/// Why a file is not offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// The receiver may not take it under this name.
    #[error("{0:?} is no name for a file at the other side")]
    Name(String),
    /// There are as many as may be.
    #[error("{MAX_FILES} files are offered or under way already; wait for one to end")]
    TooMany,
    /// The session does not allow it.
    #[error("this session does not allow files in this direction")]
    NotAllowed,
    /// The session is over, or so much waits that it takes nothing.
    #[error("the session takes nothing now")]
    Unsent,
}

/// Runs what it is given if a piece may move now; whether it did.
pub(crate) type Gate = Arc<dyn Fn(&mut dyn FnMut()) -> bool + Send + Sync>;

/// Takes what became of files, from any thread.
pub(crate) type Tell = Arc<dyn Fn(FileEvent) + Send + Sync>;

/// The files of one session.
pub(crate) struct Files {
    link: LinkHandle,
    tell: Tell,
    next: u32,
    outgoing: BTreeMap<u32, Outbox>,
    incoming: BTreeMap<u32, Inbox>,
}

impl Files {
    pub(crate) fn new(link: LinkHandle, tell: Tell) -> Self {
        Self { link, tell, next: 1, outgoing: BTreeMap::new(), incoming: BTreeMap::new() }
    }

    /// Offers a file.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn offer(
        &mut self,
        name: &str,
        bytes: u64,
        content: Box<dyn Read + Send>,
    ) -> Result<FileId, FileProblem> {
        if !is_file_name(name) {
            return Err(FileProblem::Name(name.to_owned()));
        }
        self.outgoing.retain(|_, outbox| !outbox.is_over());
        if self.outgoing.len() >= MAX_FILES {
            return Err(FileProblem::TooMany);
        }
        let id = self.next;
        let offer = Control::FileOffer { id, name: name.to_owned(), bytes };
        self.send(&offer).then_some(()).ok_or(FileProblem::Unsent)?;
        self.next = self.next.wrapping_add(1);
        self.outgoing.insert(id, Outbox::offered(bytes, content));
        Ok(FileId { outgoing: true, number: id })
    }

    /// This end wants a file that was offered, and where it goes; or it does not.
    pub(crate) fn answer(&mut self, number: u32, to: Option<Box<dyn Write + Send>>) {
        let Some(inbox) = self.incoming.get_mut(&number).filter(|inbox| !inbox.is_open()) else {
            return;
        };
        let answer = Control::FileAnswer { id: number, wanted: to.is_some() };
        let _ = self.link.send_control(answer.to_bytes().into());
        let ends = to.is_none() || inbox.is_empty();
        if let Some(to) = to {
            inbox.open(number, to, self.link.clone(), Arc::clone(&self.tell));
        }
        if ends {
            self.incoming.remove(&number);
        }
    }

    /// Takes in a message about files. `incoming_allowed` says whether files may come now, and
    /// `gate`, where files may go, passes their pieces.
    pub(crate) fn handle(&mut self, message: Control, incoming_allowed: bool, gate: Option<Gate>) {
        match message {
            Control::FileOffer { id, name, bytes } => {
                self.handle_offer(id, name, bytes, incoming_allowed);
            }
            Control::FileAnswer { id, wanted } => self.handle_answer(id, wanted, gate),
            Control::FileTaken { id, bytes } => self.handle_taken(id, bytes),
            Control::FileStopped { id, by_sender } => self.handle_stopped(id, by_sender),
            _ => {}
        }
    }

    fn handle_offer(&mut self, id: u32, name: String, bytes: u64, allowed: bool) {
        let known = self.incoming.contains_key(&id);
        let room = self.incoming.len() < MAX_FILES;
        if !allowed || known || !room || !is_file_name(&name) {
            self.send(&Control::FileAnswer { id, wanted: false });
            return;
        }
        self.incoming.insert(id, Inbox::offered(bytes));
        (self.tell)(FileEvent::Offered {
            file: FileId { outgoing: false, number: id },
            name,
            bytes,
        });
    }

    fn handle_answer(&mut self, id: u32, wanted: bool, gate: Option<Gate>) {
        match (self.outgoing.get_mut(&id), gate) {
            (Some(outbox), Some(gate)) if wanted => {
                outbox.start(id, self.link.clone(), gate, Arc::clone(&self.tell));
            }
            (Some(_), _) => {
                self.outgoing.remove(&id);
                let reason = if wanted {
                    "files may not move now"
                } else {
                    "the other side does not want it"
                };
                self.stopped(true, id, reason);
            }
            (None, _) => {}
        }
    }

    fn handle_taken(&mut self, id: u32, bytes: u64) {
        let Some(outbox) = self.outgoing.get_mut(&id) else { return };
        match outbox.taken(bytes) {
            Ok(false) => {}
            Ok(true) => {
                self.outgoing.remove(&id);
                (self.tell)(FileEvent::Done { file: FileId { outgoing: true, number: id }, bytes });
            }
            Err(()) => {
                self.outgoing.remove(&id);
                self.stopped(true, id, "the other side counts wrongly");
            }
        }
    }

    fn handle_stopped(&mut self, id: u32, by_sender: bool) {
        let (known, reason) = match by_sender {
            true => (self.incoming.remove(&id).is_some(), "the other side stopped sending it"),
            false => {
                let reason = "the other side does not take it any more";
                (self.outgoing.remove(&id).is_some(), reason)
            }
        };
        if known {
            self.stopped(!by_sender, id, reason);
        }
    }

    /// Takes in a piece that was allowed to come.
    pub(crate) fn handle_piece(&mut self, piece: &FilePiece<'_>) {
        let Some(inbox) = self.incoming.get_mut(&piece.id) else { return };
        match inbox.take(piece) {
            Ok(false) => {}
            // The rest is the writing thread's.
            Ok(true) => drop(self.incoming.remove(&piece.id)),
            Err(reason) => {
                self.incoming.remove(&piece.id);
                if let Some(reason) = reason {
                    self.send(&Control::FileStopped { id: piece.id, by_sender: false });
                    self.stopped(false, piece.id, reason);
                }
            }
        }
    }

    /// Gives up all files of one direction.
    pub(crate) fn stop(&mut self, outgoing: bool, reason: &str) {
        let ids: Vec<u32> = match outgoing {
            true => std::mem::take(&mut self.outgoing).into_keys().collect(),
            false => std::mem::take(&mut self.incoming).into_keys().collect(),
        };
        for id in ids {
            self.send(&Control::FileStopped { id, by_sender: outgoing });
            self.stopped(outgoing, id, reason);
        }
    }

    /// Gives up one file.
    pub(crate) fn stop_one(&mut self, file: FileId) {
        let known = match file.outgoing {
            true => self.outgoing.remove(&file.number).is_some(),
            false => self.incoming.remove(&file.number).is_some(),
        };
        if known {
            self.send(&Control::FileStopped { id: file.number, by_sender: file.outgoing });
            self.stopped(file.outgoing, file.number, "this side stopped it");
        }
    }

    fn stopped(&self, outgoing: bool, number: u32, reason: &str) {
        let file = FileId { outgoing, number };
        (self.tell)(FileEvent::Stopped { file, reason: reason.to_owned() });
    }

    fn send(&self, message: &Control) -> bool {
        self.link.send_control(message.to_bytes().into()).is_ok()
    }
}
