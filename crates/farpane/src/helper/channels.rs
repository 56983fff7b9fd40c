//! What a helper does beside looking.

use super::session::Helper;
use super::standing::standing;
use crate::channel::{FileId, FileProblem, Secret, wire_rights};
use farpane_input::{InputBatch, InputEvent, MAX_BATCH_EVENTS};
use farpane_net::SendError;
use farpane_policy::audit::Learned;
use farpane_policy::{Capability, EndReason, Reach, Rights};
use farpane_proto::control::{CLIPBOARD_BLOB, Control, MAX_CLIPBOARD_BYTES, is_chat};
use std::io::{Read, Write};
use std::sync::PoisonError;

/// Why something was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsent {
    /// The sharer has not allowed it, or not at this moment.
    #[error("the session does not allow this now")]
    NotAllowed,
    /// So much waits that nothing is taken; send again later.
    #[error("too much waits to be sent; try again later")]
    Full,
    /// It is empty, too long, or holds control characters.
    #[error("it is empty, too long, or not plain text")]
    Invalid,
    /// The session is over.
    #[error("the session is over")]
    Ended,
}

impl From<SendError> for Unsent {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Full => Self::Full,
            SendError::TooLarge { .. } => Self::Invalid,
            _ => Self::Ended,
        }
    }
}

impl Helper {
    /// Asks for these rights in place of those that there are. Fewer are there at once, more once
    /// the sharer consents: [`Granted`](crate::HelperEvent::Granted) or
    /// [`Refused`](crate::HelperEvent::Refused) follows.
    ///
    /// # Errors
    /// It could not be sent.
    pub fn ask(&self, rights: Rights) -> Result<(), Unsent> {
        standing(&self.shared.standing).wanted = Some(rights);
        self.learn(&Learned::Asked { rights })?;
        self.say(&Control::Ask(wire_rights(rights)))
    }

    /// Holds the session, or lets it go on.
    ///
    /// # Errors
    /// It could not be sent.
    pub fn hold(&self, held: bool) -> Result<(), Unsent> {
        self.learn(if held { &Learned::Held } else { &Learned::Released })?;
        self.say(&Control::Hold(held))
    }

    /// Says that the helper has seen that the sharer's device does not keep its tenant's rules.
    ///
    /// # Errors
    /// It could not be sent.
    pub fn acknowledge_compliance(&self) -> Result<(), Unsent> {
        if let Some(posture) = standing(&self.shared.standing).warned.take() {
            self.learn(&Learned::ComplianceSeen { posture })?;
        }
        self.say(&Control::ComplianceSeen)
    }

    /// What the helper may do now.
    pub fn rights(&self) -> Option<Rights> {
        standing(&self.shared.standing).rights
    }

    /// Sends input in pixels of the picture, in its order, and returns how many events were taken:
    /// all, unless the link is full. Repeat the rest later, above all what lets go of keys.
    ///
    /// # Errors
    /// Input does not count now, or the session is over.
    pub fn send_input(&self, events: &[InputEvent]) -> Result<usize, Unsent> {
        // Held while sending, so that no event follows the end of its epoch.
        let standing = standing(&self.shared.standing);
        let (epoch, reach) = standing.input.ok_or(Unsent::NotAllowed)?;
        self.shared.diary().use_of(match reach {
            Reach::Pointer => Capability::Point,
            Reach::Full => Capability::Control,
        });
        let mut taken = 0;
        for part in events.chunks(MAX_BATCH_EVENTS) {
            let mut batch = InputBatch::new(epoch);
            let count = part.iter().take_while(|event| batch.push(**event)).count();
            match self.say(&Control::Input(batch.to_bytes())) {
                Ok(()) => taken += count,
                Err(Unsent::Full) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Sends a message of at most [`MAX_CHAT_BYTES`](crate::MAX_CHAT_BYTES).
    ///
    /// # Errors
    /// It may not be, or could not be sent.
    pub fn send_chat(&self, text: &str) -> Result<(), Unsent> {
        if text.is_empty() || !is_chat(text) {
            return Err(Unsent::Invalid);
        }
        self.allowed(Capability::Chat)?;
        self.say(&Control::Chat(text.to_owned()))
    }

    /// Sends the helper's clipboard, of at most
    /// [`MAX_CLIPBOARD_BYTES`](crate::MAX_CLIPBOARD_BYTES).
    ///
    /// # Errors
    /// It may not be, or could not be sent.
    pub fn send_clipboard(&self, text: &str) -> Result<(), Unsent> {
        if text.len() > MAX_CLIPBOARD_BYTES {
            return Err(Unsent::Invalid);
        }
        self.allowed(Capability::ClipboardIn)?;
        Ok(self.link.send_blob(CLIPBOARD_BLOB, text.as_bytes().to_vec().into())?)
    }

    /// Offers a file of so many bytes. It is read on a thread of its own once it is wanted;
    /// [`File`](crate::HelperEvent::File) says what became of it.
    ///
    /// # Errors
    /// It is not offered.
    pub fn offer_file(
        &self,
        name: &str,
        bytes: u64,
        content: impl Read + Send + 'static,
    ) -> Result<FileId, FileProblem> {
        self.allowed(Capability::FileIn).map_err(|_| FileProblem::NotAllowed)?;
        self.shared.files().offer(name, bytes, Box::new(content))
    }

    /// Where a file goes that the sharer offered, `None` if it is not wanted. It is written on a
    /// thread of its own, and never more than was offered.
    pub fn answer_file(&self, file: FileId, to: Option<Box<dyn Write + Send>>) {
        if !file.outgoing {
            self.shared.files().answer(file.number, to);
        }
    }

    /// Gives a file up.
    pub fn stop_file(&self, file: FileId) {
        self.shared.files().stop_one(file);
    }

    /// Answers the prompt of the sharer's machine. The secret goes by this connection alone,
    /// sealed, and is overwritten here when its last copy goes.
    ///
    /// # Errors
    /// No prompt asks for it, elevation is not allowed, or it could not be sent.
    pub fn send_credentials(&self, secret: &Secret) -> Result<(), Unsent> {
        self.allowed(Capability::Elevate)?;
        if !standing(&self.shared.standing).prompt {
            return Err(Unsent::NotAllowed);
        }
        let mut sealer = self.shared.sealer.lock().unwrap_or_else(PoisonError::into_inner);
        let sealed = sealer.seal(secret).ok_or(Unsent::Invalid)?;
        self.say(&Control::Sealed(sealed))
    }

    /// Notes the use of what is allowed now.
    fn allowed(&self, capability: Capability) -> Result<(), Unsent> {
        if !standing(&self.shared.standing).allows(capability) {
            return Err(Unsent::NotAllowed);
        }
        self.shared.diary().use_of(capability);
        Ok(())
    }

    /// Writes down what is about to be done; what cannot be written ends the session.
    fn learn(&self, learned: &Learned) -> Result<(), Unsent> {
        self.shared.diary().learn(learned).map_err(|error| {
            self.link.close(EndReason::AuditFailed.code(), &error.to_string());
            Unsent::Ended
        })
    }

    fn say(&self, message: &Control) -> Result<(), Unsent> {
        Ok(self.link.send_control(message.to_bytes().into())?)
    }
}
