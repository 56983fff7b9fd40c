//! What a helper is told beside pictures.

use crate::channel::FileEvent;
use farpane_net::PathSwitch;
use farpane_policy::admission::VerifiedSharer;
use farpane_policy::{EndReason, Posture, Reach, Rights};

/// What a helper is told beside pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HelperEvent {
    /// The sharer has proved of which tenant, and whose machine, it is.
    SharerVerified(Box<VerifiedSharer>),
    /// The sharer shows a token by a key of the tenant's OpenID provider that is not known. Fetch
    /// the provider's keys and hand them to [`Helper::handle_keys`](crate::Helper::handle_keys)
    /// within some seconds: sharers do not wait longer.
    KeysNeeded,
    /// The sharer has been asked for consent.
    ConsentPending,
    /// The helper's rights are these from now on. The first time, the sharer has consented;
    /// pictures follow.
    Granted(Rights),
    /// The helper does not get what it asked for; what it has stays.
    Refused,
    /// Nothing moves until further notice.
    Suspended,
    /// The session goes on.
    Resumed,
    /// The sharer's device does not keep its tenant's rules, or nobody knows. Show it, then call
    /// [`Helper::acknowledge_compliance`](crate::Helper::acknowledge_compliance).
    ComplianceWarning(Posture),
    /// Input counts from now on, as far as this; or, with `None`, not any more.
    Input(Option<Reach>),
    /// The sharer's machine asks for an administrator's name and password, or no longer does.
    Prompt {
        /// Whether it does.
        open: bool,
    },
    /// The sharer wrote a message.
    Chat {
        /// The message: ends of lines and tabs are the only control characters in it.
        text: String,
    },
    /// The sharer's clipboard, for the helper's.
    Clipboard {
        /// Its text.
        text: String,
    },
    /// A file is offered, has arrived, or will not.
    File(FileEvent),
    /// What comes and goes takes another path from now on.
    PathChanged(PathSwitch),
    /// The session is over.
    Ended {
        /// Why.
        cause: EndReason,
        /// Why, for people.
        reason: String,
        /// Whether connecting again with the same identity may succeed: the connection was lost,
        /// nobody ended the session.
        lost: bool,
    },
}
