//! What the sharer says.

use super::session::Decoder;
use super::standing::{Standing, standing};
use super::told::HelperEvent;
use crate::channel::{Gate, posture_of, reach_of, rights_of};
use crate::{Error, NotAdmitted};
use farpane_policy::Capability;
use farpane_policy::audit::Learned;
use farpane_proto::VERSION;
use farpane_proto::control::{
    CLIPBOARD_BLOB, CURSOR_SHAPE_BLOB, Control, CursorShape, FILE_PIECE_BLOB, FilePiece,
    WireRights, read_clipboard,
};
use std::sync::Arc;

impl Decoder {
    pub(super) fn handle_control(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match Control::read(bytes)? {
            Control::Hello { version, .. } if version != VERSION => {
                return Err(Error::Version { theirs: version, ours: VERSION });
            }
            Control::Credentials(presented) => self.meet(&presented)?,
            Control::ConsentPending => self.tell(HelperEvent::ConsentPending),
            Control::Granted(rights) => self.granted(rights)?,
            Control::Refused => {
                let wanted = standing(&self.shared.standing).wanted;
                if let Some(rights) = wanted {
                    self.shared.diary().learn(&Learned::Refused { rights })?;
                }
                self.tell(HelperEvent::Refused);
            }
            Control::Suspended => {
                self.shared.diary().learn(&Learned::Suspended)?;
                self.change(|standing| standing.suspended = true);
                self.tell(HelperEvent::Suspended);
            }
            Control::Resumed => {
                self.shared.diary().learn(&Learned::Resumed)?;
                self.change(|standing| standing.suspended = false);
                self.tell(HelperEvent::Resumed);
            }
            Control::Compliance(posture) => {
                let posture = posture_of(posture);
                self.change(|standing| standing.warned = Some(posture));
                self.tell(HelperEvent::ComplianceWarning(posture));
            }
            Control::AuditHead(head) => {
                if let Some(signed) = self.shared.diary().countersign(&head) {
                    self.say(&Control::AuditSigned(signed))?;
                }
            }
            Control::AuditSigned(signed) => self.shared.diary().accept(&signed),
            Control::InputOpen { epoch, reach } => {
                let reach = reach_of(reach);
                self.change(|standing| standing.input = Some((epoch, reach)));
                self.tell(HelperEvent::Input(Some(reach)));
            }
            Control::InputClosed => {
                self.change(|standing| standing.input = None);
                self.tell(HelperEvent::Input(None));
            }
            Control::Prompt(open) => {
                self.change(|standing| standing.prompt = open);
                self.tell(HelperEvent::Prompt { open });
            }
            Control::Chat(text) if self.allows(Capability::Chat) => {
                self.tell(HelperEvent::Chat { text });
            }
            message @ (Control::FileOffer { .. }
            | Control::FileAnswer { .. }
            | Control::FileTaken { .. }
            | Control::FileStopped { .. }) => {
                let incoming = self.allows(Capability::FileOut);
                let gate = Some(self.file_gate());
                self.shared.files().handle(message, incoming, gate);
            }
            _ => {}
        }
        Ok(())
    }

    /// The sharer shows who it is. A member of a tenant asks only another for anything.
    pub(super) fn meet(&mut self, presented: &[u8]) -> Result<(), Error> {
        let Some(membership) = self.membership.clone().filter(|_| !self.met) else {
            return Ok(());
        };
        let sharer = match membership.check_sharer(presented, &self.binding) {
            Err(error) if error.needs_keys() => {
                self.unmet = Some(presented.to_vec());
                self.tell(HelperEvent::KeysNeeded);
                return Ok(());
            }
            checked => checked?,
        };
        self.met = true;
        self.shared.diary().meet(&sharer);
        self.tell(HelperEvent::SharerVerified(Box::new(sharer)));
        self.say(&Control::Credentials(membership.present(&self.binding)))?;
        self.ask_first()
    }

    fn granted(&mut self, rights: WireRights) -> Result<(), Error> {
        if self.membership.is_some() && !self.met {
            return Err(NotAdmitted::Nothing.into());
        }
        let bound = farpane_proto::WireError::Kind { field: "rights", value: rights.mode.into() };
        let rights = rights_of(rights).ok_or(bound)?;
        self.change(|standing| {
            // At first it begins only when the sharer's indicator shows.
            standing.suspended |= standing.rights.is_none();
            standing.rights = Some(rights);
        });
        let mut files = self.shared.files();
        for (capability, outgoing) in [(Capability::FileIn, true), (Capability::FileOut, false)] {
            if !rights.capabilities().contains(capability) {
                files.stop(outgoing, "files may not move any more");
            }
        }
        drop(files);
        let head = self.shared.diary().granted(rights)?;
        self.tell(HelperEvent::Granted(rights));
        head.map_or(Ok(()), |head| self.say(&Control::AuditHead(head)))
    }

    fn allows(&self, capability: Capability) -> bool {
        standing(&self.shared.standing).allows(capability)
    }

    fn change(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut standing(&self.shared.standing));
    }

    /// Passes pieces of files while they may go to the sharer.
    fn file_gate(&self) -> Gate {
        let known = Arc::clone(&self.shared.standing);
        Arc::new(move |act| {
            let standing = standing(&known);
            let allowed = standing.allows(Capability::FileIn);
            if allowed {
                act();
            }
            allowed
        })
    }

    pub(super) fn handle_blob(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Error> {
        match kind {
            CURSOR_SHAPE_BLOB => self.take_shape(CursorShape::read(bytes)?),
            CLIPBOARD_BLOB => {
                let text = read_clipboard(bytes)?.to_owned();
                if self.allows(Capability::ClipboardOut) {
                    self.tell(HelperEvent::Clipboard { text });
                }
            }
            FILE_PIECE_BLOB => {
                let piece = FilePiece::read(bytes)?;
                if self.allows(Capability::FileOut) {
                    self.shared.files().handle_piece(&piece);
                }
            }
            _ => {} // kinds of later versions
        }
        Ok(())
    }
}
