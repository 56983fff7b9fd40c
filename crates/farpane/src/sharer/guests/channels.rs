//! Chat, clipboards, files and credentials: only through the tokens of their channels.

use super::Guests;
use super::guest::through;
use crate::channel::{FileId, FileProblem, Secret};
use crate::sharer::links::PeerId;
use crate::sharer::session::Offer;
use crate::sharer::told::SharerEvent;
use farpane_capture::monotonic_us;
use farpane_proto::control::{CLIPBOARD_BLOB, Control, FILE_PIECE_BLOB, FilePiece, read_clipboard};
use std::io::Write;

impl Guests {
    /// Sends a message to a helper; whether that is allowed.
    pub(crate) fn send_chat(&mut self, id: PeerId, text: String) -> bool {
        let Some(guest) = self.guests.get(&id) else { return false };
        through(&guest.open.chat, || guest.peer.tell(&Control::Chat(text))).is_some()
    }

    /// Sends the sharer's clipboard to a helper; whether that is allowed and there is room.
    pub(crate) fn send_clipboard(&mut self, id: PeerId, text: String) -> bool {
        let Some(guest) = self.guests.get(&id) else { return false };
        let send = || guest.peer.link().send_blob(CLIPBOARD_BLOB, text.into_bytes().into()).is_ok();
        through(&guest.open.clipboard_out, send).unwrap_or(false)
    }

    /// Offers a file to a helper.
    pub(crate) fn offer_file(&mut self, id: PeerId, offer: Offer) -> Result<FileId, FileProblem> {
        let Some(guest) = self.guests.get_mut(&id) else { return Err(FileProblem::NotAllowed) };
        let Offer { name, bytes, content } = offer;
        let offered = through(&guest.open.file_out, || guest.files.offer(&name, bytes, content));
        offered.unwrap_or(Err(FileProblem::NotAllowed))
    }

    /// The sharer wants a file of a helper's, or not.
    pub(crate) fn answer_file(&mut self, id: PeerId, file: u32, to: Option<Box<dyn Write + Send>>) {
        if let Some(guest) = self.guests.get_mut(&id) {
            let allowed = through(&guest.open.file_in, || ()).is_some();
            guest.files.answer(file, to.filter(|_| allowed));
        }
    }

    /// Gives a file up.
    pub(crate) fn stop_file(&mut self, id: PeerId, file: FileId) {
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.files.stop_one(file);
        }
    }

    /// What a helper sends by a channel. By one that is closed, nothing arrives: it may have been
    /// on its way when the channel closed.
    pub(super) fn handle_channel(&mut self, id: PeerId, message: Control) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        match message {
            Control::Chat(text) => {
                if through(&guest.open.chat, || ()).is_some() {
                    self.tell(SharerEvent::Chat { helper: id, text });
                }
            }
            Control::Sealed(sealed) => self.handle_sealed(id, &sealed),
            message @ (Control::FileOffer { .. }
            | Control::FileAnswer { .. }
            | Control::FileTaken { .. }
            | Control::FileStopped { .. }) => {
                let incoming = guest.open.file_in.as_ref().is_some_and(|token| token.is_valid());
                let gate = guest.file_gate();
                guest.files.handle(message, incoming, gate);
            }
            // What only sharers say.
            _ => self.broke_rules(id, "the helper says what only sharers say"),
        }
    }

    /// Credentials: only while a prompt asks for them.
    fn handle_sealed(&mut self, id: PeerId, sealed: &[u8]) {
        let prompt = self.prompts > 0;
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let opened: Option<Result<Secret, _>> =
            through(&guest.open.credentials, || guest.secrets.open(sealed));
        match opened {
            Some(Ok(secret)) if prompt => {
                self.tell(SharerEvent::Credentials { helper: id, secret })
            }
            Some(Err(error)) => self.broke_rules(id, &error.to_string()),
            _ => {}
        }
    }

    pub(super) fn handle_blob(&mut self, id: PeerId, kind: u8, bytes: &[u8]) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        guest.peer.room.give(bytes.len());
        match kind {
            CLIPBOARD_BLOB if !guest.words.take(monotonic_us()) => self.said_too_much(id),
            CLIPBOARD_BLOB => match read_clipboard(bytes).map(str::to_owned) {
                Ok(text) if through(&guest.open.clipboard_in, || ()).is_some() => {
                    self.tell(SharerEvent::Clipboard { helper: id, text });
                }
                Ok(_) => {}
                Err(error) => self.broke_rules(id, &error.to_string()),
            },
            FILE_PIECE_BLOB => match FilePiece::read(bytes) {
                Ok(piece) => {
                    through(&guest.open.file_in, || guest.files.handle_piece(&piece));
                }
                Err(error) => self.broke_rules(id, &error.to_string()),
            },
            _ => {} // kinds of later versions
        }
    }
}
