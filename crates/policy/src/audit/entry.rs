//! What a record tells: who did what to whom, on which device, and what came of it.
//!
//! Plain data, apart from the states of a session: whoever runs a session maps its events to
//! these. The codes stand in logs and in exports; a code never changes and is never used again.

use super::codec::{Reader, Writer};
use super::record::RecordError;
use super::text::Text;

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

/// Defines an enum without fields, and the codes of its values.
macro_rules! coded {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $value,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The code that stands in logs and exports.
            pub fn code(self) -> &'static str {
                match self { $(Self::$value => $code,)+ }
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
                match reader.str()? {
                    $($code => Ok(Self::$value),)+
                    code => Err(RecordError::unknown(code)),
                }
            }
        }
    };
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
    /// How far a helper may go.
    Mode {
        /// Nothing.
        None = "none",
        /// Sees the screen.
        View = "view",
        /// Also shows a pointer of their own.
        Point = "point",
        /// Also moves the pointer and types.
        Control = "control",
        /// Also acts with an administrator's rights.
        Elevated = "elevated",
        /// Acts while nobody is there.
        Unattended = "unattended",
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

/// What of a session was used. Names and sizes only, never contents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// Messages were exchanged. `feature.chat`
    Chat,
    /// Sound was heard. `feature.audio`
    Audio,
    /// Text or a picture came into the sharer's clipboard. `feature.clipboard-in`
    ClipboardIn {
        /// How large.
        bytes: u64,
    },
    /// The sharer's clipboard went to the helper. `feature.clipboard-out`
    ClipboardOut {
        /// How large.
        bytes: u64,
    },
    /// A file came to the sharer's device. `feature.file-in`
    FileIn {
        /// Its name, without folders.
        name: Text,
        /// How large.
        bytes: u64,
    },
    /// A file of the sharer's device went to the helper. `feature.file-out`
    FileOut {
        /// Its name, without folders.
        name: Text,
        /// How large.
        bytes: u64,
    },
}

/// What was done. A reason is a short code such as `sharer-ended`, or a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The helper asked for a session. `session.requested`
    SessionRequested {
        /// How far the helper wants to go.
        mode: Mode,
    },
    /// An identity, a grant and a tenant were checked; the outcome says with what result.
    /// `session.authorised`
    SessionAuthorised {
        /// What was decisive.
        reason: Text,
    },
    /// The warning of a device that breaks a rule was shown. `compliance.shown`
    ComplianceShown {
        /// The rule.
        reason: Text,
    },
    /// Whoever acts has acknowledged it. `compliance.acknowledged`
    ComplianceAcknowledged,
    /// The sharer was asked. `consent.asked`
    ConsentAsked {
        /// For what.
        mode: Mode,
    },
    /// The sharer said yes, or had in advance. `consent.given`
    ConsentGiven {
        /// To what.
        mode: Mode,
        /// Whether before anyone asked.
        in_advance: bool,
    },
    /// The sharer said no. `consent.denied`
    ConsentDenied {
        /// To what.
        mode: Mode,
    },
    /// The sharer did not answer in time. `consent.timed-out`
    ConsentTimedOut {
        /// To what.
        mode: Mode,
    },
    /// The helper may go further, or less far, from here on. `mode.changed`
    ModeChanged {
        /// Until now.
        from: Mode,
        /// From now on.
        to: Mode,
    },
    /// An administrator's rights are in use. `elevation.begun`
    ElevationBegun,
    /// They no longer are. `elevation.ended`
    ElevationEnded {
        /// Why.
        reason: Text,
    },
    /// Something of the session was used for the first time, or once more. `feature.*`
    FeatureUsed(Feature),
    /// Input or media rest. `session.suspended`
    Suspended {
        /// Why.
        reason: Text,
    },
    /// They go on. `session.resumed`
    Resumed,
    /// What was granted was taken back. `session.revoked`
    Revoked {
        /// Why.
        reason: Text,
    },
    /// The session is over. `session.ended`
    Ended {
        /// Why.
        reason: Text,
    },
    /// A setting of the tenant or of the device forbade something. `settings.refused`
    SettingsRefused {
        /// Which.
        setting: Text,
    },
    /// The log was opened for writing. `log.opened`
    LogOpened,
    /// The unfinished last record of a crash was cut off. `log.cut`
    LogCut {
        /// How much.
        bytes: u64,
    },
    /// Old records are no longer kept. `log.dropped`
    LogDropped {
        /// The number of the first record that is kept.
        first_kept: u64,
    },
}

impl Entry {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.number(self.time_us);
        writer.optional(self.session.as_ref(), |w, id| w.bytes(id));
        self.actor.write(writer);
        writer.optional(self.target.as_ref(), |w, party| party.write(w));
        writer.optional(self.device.as_ref(), |w, party| party.write(w));
        self.action.write(writer);
        writer.text(self.outcome.code());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            time_us: reader.number()?,
            session: reader.optional(Reader::array)?,
            actor: Party::read(reader)?,
            target: reader.optional(Party::read)?,
            device: reader.optional(Party::read)?,
            action: Action::read(reader)?,
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

    fn write(&self, writer: &mut Writer) {
        writer.text(self.role.code());
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

impl Feature {
    fn code(&self) -> &'static str {
        match self {
            Self::Chat => "feature.chat",
            Self::Audio => "feature.audio",
            Self::ClipboardIn { .. } => "feature.clipboard-in",
            Self::ClipboardOut { .. } => "feature.clipboard-out",
            Self::FileIn { .. } => "feature.file-in",
            Self::FileOut { .. } => "feature.file-out",
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Chat | Self::Audio => {}
            Self::ClipboardIn { bytes } | Self::ClipboardOut { bytes } => writer.number(*bytes),
            Self::FileIn { name, bytes } | Self::FileOut { name, bytes } => {
                writer.text(name.as_str());
                writer.number(*bytes);
            }
        }
    }

    fn read(code: &str, reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(match code {
            "feature.chat" => Self::Chat,
            "feature.audio" => Self::Audio,
            "feature.clipboard-in" => Self::ClipboardIn { bytes: reader.number()? },
            "feature.clipboard-out" => Self::ClipboardOut { bytes: reader.number()? },
            "feature.file-in" => Self::FileIn { name: reader.text()?, bytes: reader.number()? },
            "feature.file-out" => Self::FileOut { name: reader.text()?, bytes: reader.number()? },
            code => return Err(RecordError::unknown(code)),
        })
    }
}

impl Action {
    /// The code that stands in logs and exports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SessionRequested { .. } => "session.requested",
            Self::SessionAuthorised { .. } => "session.authorised",
            Self::ComplianceShown { .. } => "compliance.shown",
            Self::ComplianceAcknowledged => "compliance.acknowledged",
            Self::ConsentAsked { .. } => "consent.asked",
            Self::ConsentGiven { .. } => "consent.given",
            Self::ConsentDenied { .. } => "consent.denied",
            Self::ConsentTimedOut { .. } => "consent.timed-out",
            Self::ModeChanged { .. } => "mode.changed",
            Self::ElevationBegun => "elevation.begun",
            Self::ElevationEnded { .. } => "elevation.ended",
            Self::FeatureUsed(feature) => feature.code(),
            Self::Suspended { .. } => "session.suspended",
            Self::Resumed => "session.resumed",
            Self::Revoked { .. } => "session.revoked",
            Self::Ended { .. } => "session.ended",
            Self::SettingsRefused { .. } => "settings.refused",
            Self::LogOpened => "log.opened",
            Self::LogCut { .. } => "log.cut",
            Self::LogDropped { .. } => "log.dropped",
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.text(self.code());
        match self {
            Self::SessionRequested { mode }
            | Self::ConsentAsked { mode }
            | Self::ConsentDenied { mode }
            | Self::ConsentTimedOut { mode } => writer.text(mode.code()),
            Self::ConsentGiven { mode, in_advance } => {
                writer.text(mode.code());
                writer.byte((*in_advance).into());
            }
            Self::ModeChanged { from, to } => {
                writer.text(from.code());
                writer.text(to.code());
            }
            Self::SessionAuthorised { reason }
            | Self::ComplianceShown { reason }
            | Self::ElevationEnded { reason }
            | Self::Suspended { reason }
            | Self::Revoked { reason }
            | Self::Ended { reason } => writer.text(reason.as_str()),
            Self::SettingsRefused { setting } => writer.text(setting.as_str()),
            Self::FeatureUsed(feature) => feature.write(writer),
            Self::LogCut { bytes } => writer.number(*bytes),
            Self::LogDropped { first_kept } => writer.number(*first_kept),
            Self::ComplianceAcknowledged
            | Self::ElevationBegun
            | Self::Resumed
            | Self::LogOpened => {}
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        Ok(match reader.str()? {
            "session.requested" => Self::SessionRequested { mode: Mode::read(reader)? },
            "session.authorised" => Self::SessionAuthorised { reason: reader.text()? },
            "compliance.shown" => Self::ComplianceShown { reason: reader.text()? },
            "compliance.acknowledged" => Self::ComplianceAcknowledged,
            "consent.asked" => Self::ConsentAsked { mode: Mode::read(reader)? },
            "consent.given" => {
                let mode = Mode::read(reader)?;
                let in_advance = reader.optional(|_| Ok(()))?.is_some();
                Self::ConsentGiven { mode, in_advance }
            }
            "consent.denied" => Self::ConsentDenied { mode: Mode::read(reader)? },
            "consent.timed-out" => Self::ConsentTimedOut { mode: Mode::read(reader)? },
            "mode.changed" => {
                Self::ModeChanged { from: Mode::read(reader)?, to: Mode::read(reader)? }
            }
            "elevation.begun" => Self::ElevationBegun,
            "elevation.ended" => Self::ElevationEnded { reason: reader.text()? },
            "session.suspended" => Self::Suspended { reason: reader.text()? },
            "session.resumed" => Self::Resumed,
            "session.revoked" => Self::Revoked { reason: reader.text()? },
            "session.ended" => Self::Ended { reason: reader.text()? },
            "settings.refused" => Self::SettingsRefused { setting: reader.text()? },
            "log.opened" => Self::LogOpened,
            "log.cut" => Self::LogCut { bytes: reader.number()? },
            "log.dropped" => Self::LogDropped { first_kept: reader.number()? },
            code => Self::FeatureUsed(Feature::read(code, reader)?),
        })
    }
}
