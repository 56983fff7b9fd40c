//! Messages on the reliable control stream, and what travels beside it.

mod cursor;
mod file;

pub use cursor::{CURSOR_SHAPE_BLOB, CursorShape, MAX_CURSOR_PX};
pub use file::{
    CLIPBOARD_BLOB, FILE_PIECE_BLOB, FilePiece, MAX_CLIPBOARD_BYTES, MAX_FILE_NAME_BYTES,
    MAX_PIECE_BYTES, is_file_name, read_clipboard,
};

use crate::{Reader, VERSION, WireError, Writer};

/// The longest name a peer may show.
pub const MAX_NAME_BYTES: u64 = 256;
/// The longest chat message, in bytes.
pub const MAX_CHAT_BYTES: usize = 4 << 10;
/// The longest proof of who somebody is, in bytes.
pub const MAX_CREDENTIALS_BYTES: usize = (16 << 10) - 64;
/// The longest batch of input, in bytes.
pub const MAX_INPUT_BYTES: usize = 2 << 10;
/// The longest sealed name and password, in bytes.
pub const MAX_SEALED_BYTES: usize = 1 << 10;
/// The longest head of an audit log, in bytes.
pub const MAX_HEAD_BYTES: usize = 512;

/// What a helper may do, or asks to: a mode and capabilities, by the numbers that stand for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireRights {
    /// The mode, 0 to 3.
    pub mode: u8,
    /// One bit a capability.
    pub capabilities: u16,
}

/// How much of the helper's input is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireReach {
    /// Its pointer is shown.
    Pointer,
    /// All of it.
    Full,
}

/// A control message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// The first message of either side.
    Hello {
        /// The protocol's version: [`VERSION`].
        version: u32,
        /// The peer's unverified name, for people.
        name: String,
        /// The formats of video that the peer decodes: the sum of 1 shifted left by the number
        /// of each.
        video: u32,
    },
    /// The sharer has been asked for consent.
    ConsentPending,
    /// These are the helper's rights from now on; the first time, the sharer has consented.
    Granted(WireRights),
    /// The helper could not decode a stream of video: it must begin anew with a keyframe.
    VideoFailed {
        /// Which stream.
        stream: u8,
    },
    /// Who the sender is, with a proof for this connection.
    Credentials(Vec<u8>),
    /// The helper asks for these rights: at first for a session, later in place of what it has.
    Ask(WireRights),
    /// The helper does not get what it asked for; what it has stays.
    Refused,
    /// Nothing moves until further notice.
    Suspended,
    /// The session goes on.
    Resumed,
    /// The helper holds the session, or lets it go on.
    Hold(bool),
    /// Whether the sharer's device keeps its tenant's rules: 0 it does, 1 it does not, 2 unknown.
    Compliance(u8),
    /// The helper's person has seen that.
    ComplianceSeen,
    /// The helper's input counts from now on, if it names this epoch.
    InputOpen {
        /// The epoch.
        epoch: u64,
        /// How much of it counts.
        reach: WireReach,
    },
    /// The helper's input does not count any more.
    InputClosed,
    /// A batch of input.
    Input(Vec<u8>),
    /// A message for people. May have lines.
    Chat(String),
    /// The sender has a file.
    FileOffer {
        /// Its number, which the sender counts up.
        id: u32,
        /// Its name.
        name: String,
        /// Its length.
        bytes: u64,
    },
    /// The other side wants the file, or not.
    FileAnswer {
        /// Its number.
        id: u32,
        /// Whether it is wanted.
        wanted: bool,
    },
    /// So much of the file is safe at the other side.
    FileTaken {
        /// Its number.
        id: u32,
        /// The bytes from its beginning.
        bytes: u64,
    },
    /// One side gives the file up.
    FileStopped {
        /// Its number.
        id: u32,
        /// Whether the one who stops is the one that offered it.
        by_sender: bool,
    },
    /// The sharer's machine asks for an administrator's name and password, or no longer does.
    Prompt(bool),
    /// A name and a password, sealed for the other end of this connection.
    Sealed(Vec<u8>),
    /// The newest head of the sender's audit log, to be signed by the other side.
    AuditHead(Vec<u8>),
    /// The other side's head, signed.
    AuditSigned(Vec<u8>),
}

const HELLO: u8 = 1;
const CONSENT_PENDING: u8 = 2;
const GRANTED: u8 = 3;
const VIDEO_FAILED: u8 = 4;
const CREDENTIALS: u8 = 5;
const ASK: u8 = 6;
const REFUSED: u8 = 7;
const SUSPENDED: u8 = 8;
const RESUMED: u8 = 9;
const HOLD: u8 = 10;
const COMPLIANCE: u8 = 11;
const COMPLIANCE_SEEN: u8 = 12;
const INPUT_OPEN: u8 = 13;
const INPUT_CLOSED: u8 = 14;
const INPUT: u8 = 15;
const CHAT: u8 = 16;
const FILE_OFFER: u8 = 17;
const FILE_ANSWER: u8 = 18;
const FILE_TAKEN: u8 = 19;
const FILE_STOPPED: u8 = 20;
const PROMPT: u8 = 21;
const SEALED: u8 = 22;
const AUDIT_HEAD: u8 = 23;
const AUDIT_SIGNED: u8 = 24;

/// Modes that there are.
const MODES: u64 = 4;
/// What is known of a device's compliance.
const POSTURES: u64 = 3;

impl Control {
    /// This version's greeting, of a peer that decodes `video`.
    pub fn hello(name: &str, video: u32) -> Self {
        Self::Hello { version: VERSION, name: printable(name, MAX_NAME_BYTES), video }
    }

    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.u8(self.kind());
        match self {
            Self::Hello { version, name, video } => {
                w.varint(u64::from(*version));
                w.text(name);
                w.varint(u64::from(*video));
            }
            Self::Granted(rights) | Self::Ask(rights) => {
                w.u8(rights.mode);
                w.varint(u64::from(rights.capabilities));
            }
            Self::VideoFailed { stream: byte } | Self::Compliance(byte) => w.u8(*byte),
            Self::Hold(flag) | Self::Prompt(flag) => w.u8((*flag).into()),
            Self::InputOpen { epoch, reach } => {
                w.varint(*epoch);
                w.u8((*reach == WireReach::Full).into());
            }
            Self::Credentials(bytes)
            | Self::Input(bytes)
            | Self::Sealed(bytes)
            | Self::AuditHead(bytes)
            | Self::AuditSigned(bytes) => w.bytes(bytes),
            Self::Chat(text) => w.bytes(text.as_bytes()),
            Self::FileOffer { id, name, bytes } => {
                w.varint(u64::from(*id));
                w.varint(*bytes);
                w.text(name);
            }
            Self::FileAnswer { id, wanted: flag } | Self::FileStopped { id, by_sender: flag } => {
                w.varint(u64::from(*id));
                w.u8((*flag).into());
            }
            Self::FileTaken { id, bytes } => {
                w.varint(u64::from(*id));
                w.varint(*bytes);
            }
            Self::ConsentPending
            | Self::Refused
            | Self::Suspended
            | Self::Resumed
            | Self::ComplianceSeen
            | Self::InputClosed => {}
        }
        out
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => HELLO,
            Self::ConsentPending => CONSENT_PENDING,
            Self::Granted(_) => GRANTED,
            Self::VideoFailed { .. } => VIDEO_FAILED,
            Self::Credentials(_) => CREDENTIALS,
            Self::Ask(_) => ASK,
            Self::Refused => REFUSED,
            Self::Suspended => SUSPENDED,
            Self::Resumed => RESUMED,
            Self::Hold(_) => HOLD,
            Self::Compliance(_) => COMPLIANCE,
            Self::ComplianceSeen => COMPLIANCE_SEEN,
            Self::InputOpen { .. } => INPUT_OPEN,
            Self::InputClosed => INPUT_CLOSED,
            Self::Input(_) => INPUT,
            Self::Chat(_) => CHAT,
            Self::FileOffer { .. } => FILE_OFFER,
            Self::FileAnswer { .. } => FILE_ANSWER,
            Self::FileTaken { .. } => FILE_TAKEN,
            Self::FileStopped { .. } => FILE_STOPPED,
            Self::Prompt(_) => PROMPT,
            Self::Sealed(_) => SEALED,
            Self::AuditHead(_) => AUDIT_HEAD,
            Self::AuditSigned(_) => AUDIT_SIGNED,
        }
    }

    /// The batch of input that a message is, if it is one: what must not wait for anything else.
    pub fn input(bytes: &[u8]) -> Option<&[u8]> {
        let (kind, batch) = bytes.split_first()?;
        (*kind == INPUT && batch.len() <= MAX_INPUT_BYTES).then_some(batch)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Anything that is not exactly one valid message.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let message = match r.u8("kind")? {
            HELLO => Self::Hello {
                version: r.u32("version")?,
                name: r.text("name", MAX_NAME_BYTES)?.to_owned(),
                video: r.u32("video")?,
            },
            CONSENT_PENDING => Self::ConsentPending,
            GRANTED => Self::Granted(rights(&mut r)?),
            VIDEO_FAILED => Self::VideoFailed { stream: r.u8("stream")? },
            ASK => Self::Ask(rights(&mut r)?),
            REFUSED => Self::Refused,
            SUSPENDED => Self::Suspended,
            RESUMED => Self::Resumed,
            HOLD => Self::Hold(flag(&mut r)?),
            COMPLIANCE => Self::Compliance(below(&mut r, "posture", POSTURES)?),
            COMPLIANCE_SEEN => Self::ComplianceSeen,
            INPUT_OPEN => Self::InputOpen {
                epoch: r.varint("epoch")?,
                reach: if flag(&mut r)? { WireReach::Full } else { WireReach::Pointer },
            },
            INPUT_CLOSED => Self::InputClosed,
            PROMPT => Self::Prompt(flag(&mut r)?),
            kind @ FILE_OFFER..=FILE_STOPPED => file_message(kind, &mut r)?,
            kind => rest_message(kind, &mut r)?,
        };
        r.end()?;
        Ok(message)
    }
}

/// A message about a file.
fn file_message(kind: u8, r: &mut Reader<'_>) -> Result<Control, WireError> {
    let id = r.u32("file")?;
    Ok(match kind {
        FILE_OFFER => {
            let bytes = r.varint("file size")?;
            let name = r.text("file name", MAX_FILE_NAME_BYTES)?.to_owned();
            Control::FileOffer { id, name, bytes }
        }
        FILE_ANSWER => Control::FileAnswer { id, wanted: flag(r)? },
        FILE_TAKEN => Control::FileTaken { id, bytes: r.varint("file bytes")? },
        _ => Control::FileStopped { id, by_sender: flag(r)? },
    })
}

/// A message whose content is all that follows.
fn rest_message(kind: u8, r: &mut Reader<'_>) -> Result<Control, WireError> {
    let mut within = |field, bound: usize| match r.rest() {
        bytes if bytes.len() <= bound => Ok(bytes.to_vec()),
        bytes => {
            let (value, bound) = (bytes.len() as u64, bound as u64);
            Err(WireError::Bound { field, value, bound })
        }
    };
    Ok(match kind {
        CREDENTIALS => Control::Credentials(within("credentials", MAX_CREDENTIALS_BYTES)?),
        INPUT => Control::Input(within("input", MAX_INPUT_BYTES)?),
        SEALED => Control::Sealed(within("sealed", MAX_SEALED_BYTES)?),
        AUDIT_HEAD => Control::AuditHead(within("head", MAX_HEAD_BYTES)?),
        AUDIT_SIGNED => Control::AuditSigned(within("signed head", MAX_HEAD_BYTES)?),
        CHAT => {
            let text = String::from_utf8(within("chat", MAX_CHAT_BYTES)?);
            let text = text.map_err(|_| WireError::Text("chat"))?;
            if text.is_empty() || !is_chat(&text) {
                return Err(WireError::Text("chat"));
            }
            Control::Chat(text)
        }
        kind => return Err(WireError::Kind { field: "control", value: u64::from(kind) }),
    })
}

fn rights(r: &mut Reader<'_>) -> Result<WireRights, WireError> {
    let mode = below(r, "mode", MODES)?;
    let capabilities = r.bounded("capabilities", u64::from(u16::MAX))? as u16;
    Ok(WireRights { mode, capabilities })
}

fn flag(r: &mut Reader<'_>) -> Result<bool, WireError> {
    Ok(below(r, "flag", 2)? == 1)
}

fn below(r: &mut Reader<'_>, field: &'static str, bound: u64) -> Result<u8, WireError> {
    match r.u8(field)? {
        value if u64::from(value) < bound => Ok(value),
        value => Err(WireError::Bound { field, value: value.into(), bound: bound - 1 }),
    }
}

/// Whether people may be shown this text: no control characters but ends of lines and tabs.
pub fn is_chat(text: &str) -> bool {
    text.len() <= MAX_CHAT_BYTES && !text.chars().any(|c| c.is_control() && !"\n\t".contains(c))
}

/// `text` without control characters, cut to `max_bytes` at a character's end.
fn printable(text: &str, max_bytes: u64) -> String {
    let mut out: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut end = out.len().min(max_bytes as usize);
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

#[cfg(test)]
mod tests;
