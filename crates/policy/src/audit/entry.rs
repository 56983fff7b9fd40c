//! What a record tells: who did what to whom, on which device, and what came of it.
//!
//! [`Entry::of_session`] and [`Entry::of_helper`] make them of what a session tells. The codes
//! stand in logs and in exports; a code never changes and is never used again.

use super::action::Action;
use super::codec::{Field, Reader, Writer, coded};
use super::record::RecordError;
use super::text::Text;
use crate::authorise::Person;
use crate::device::Device;

/// Tells a session from every other; both sides' logs use the same.
pub type SessionId = [u8; 16];

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The wall clock, in microseconds since 1970 (UTC). What orders records is their number.
    pub time_us: u64,
    /// The session; `None` for what the log tells of itself.
    pub session: Option<SessionId>,
    /// Who did it.
    pub actor: Party,
    /// Whom it concerns.
    pub target: Option<Party>,
    /// The sharer's device.
    pub device: Option<Party>,
    /// What was done.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
}

/// Somebody or something with a part in a session, as verified claims name it. Any text may be
/// empty when it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Which part.
    pub role: Role,
    /// The tenant's id.
    pub tenant: Text,
    /// The person's or the device's id within the tenant.
    pub subject: Text,
    /// What people read.
    pub name: Text,
}

coded! {
    /// A part in a session.
    Role {
        /// Who helps.
        Helper = "helper",
        /// Who is helped.
        Sharer = "sharer",
        /// The machine that is shared.
        Device = "device",
        /// The program itself, or whoever set it up.
        System = "system",
    }
}

coded! {
    /// What came of an action.
    Outcome {
        /// It was done.
        Success = "success",
        /// A person or a rule said no.
        Denied = "denied",
        /// It was tried and failed.
        Failure = "failure",
    }
}

impl Entry {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.number(self.time_us);
        self.session.write(writer);
        self.actor.write(writer);
        writer.optional(self.target.as_ref(), |w, party| party.write(w));
        writer.optional(self.device.as_ref(), |w, party| party.write(w));
        self.action.write(writer);
        self.outcome.write(writer);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            time_us: reader.number()?,
            session: Field::read(reader)?,
            actor: Party::read(reader)?,
            target: reader.optional(Party::read)?,
            device: reader.optional(Party::read)?,
            action: Action::read(reader.str()?, reader)?,
            outcome: Outcome::read(reader)?,
        })
    }
}

impl Party {
    /// The program itself, in what a log tells of itself.
    pub fn system() -> Self {
        let (tenant, subject) = (Text::default(), Text::default());
        Self { role: Role::System, tenant, subject, name: Text::escaped("farpane") }
    }

    /// Somebody of whom only the part is known.
    pub fn unknown(role: Role) -> Self {
        Self::claimed(role, "")
    }

    /// Somebody who says to be called this, which nobody has verified.
    pub fn claimed(role: Role, name: &str) -> Self {
        let (tenant, subject) = (Text::default(), Text::default());
        Self { role, tenant, subject, name: Text::plain(name) }
    }

    /// A person whose claims were verified, and the name that people read.
    pub fn person(role: Role, person: &Person, name: &str) -> Self {
        let tenant = Text::plain(person.tenant.as_str());
        let subject = Text::plain(person.subject.as_str());
        Self { role, tenant, subject, name: Text::plain(name) }
    }

    /// The sharer's device, of which directories give no name for people.
    pub fn device(device: &Device) -> Self {
        let tenant = Text::plain(device.tenant.as_str());
        let subject = Text::plain(device.id.as_str());
        Self { role: Role::Device, tenant, subject, name: Text::default() }
    }

    fn write(&self, writer: &mut Writer) {
        self.role.write(writer);
        for text in [&self.tenant, &self.subject, &self.name] {
            writer.text(text.as_str());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            role: Role::read(reader)?,
            tenant: reader.text()?,
            subject: reader.text()?,
            name: reader.text()?,
        })
    }
}
