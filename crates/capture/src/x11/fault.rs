//! What can go wrong between this process and the display.

use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};

/// A failed exchange with the display.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is of no use any more.
    Gone(String),
    /// The display refused one request; the connection still works.
    Refused(String),
}

impl From<ConnectionError> for Fault {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::UnsupportedExtension
            | ConnectionError::MaximumRequestLengthExceeded
            | ConnectionError::FdPassingFailed => Self::Refused(error.to_string()),
            other => Self::Gone(other.to_string()),
        }
    }
}

impl From<ReplyError> for Fault {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::ConnectionError(error) => error.into(),
            ReplyError::X11Error(error) => {
                let request = error.request_name.unwrap_or("an unknown request");
                Self::Refused(format!("{request} failed with {:?}", error.error_kind))
            }
        }
    }
}

impl From<ReplyOrIdError> for Fault {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::IdsExhausted => Self::Gone("no more X11 identifiers".into()),
            ReplyOrIdError::ConnectionError(error) => error.into(),
            ReplyOrIdError::X11Error(error) => ReplyError::X11Error(error).into(),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

impl Fault {
    /// What happened, for people.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Gone(reason) | Self::Refused(reason) => reason,
        }
    }
}
