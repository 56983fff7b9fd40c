//! What a sharer's app is told.

use crate::channel::{FileEvent, Secret};
use farpane_net::PathSwitch;
use farpane_policy::{ConsentRequest, EndReason, LeaseId, Mode, Peer, Posture};

/// What a sharer's app is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharerEvent {
    /// A helper waits for [`Sharer::answer`](crate::Sharer::answer).
    ConsentRequested {
        /// Names the helper from now on.
        helper: u64,
        /// Who it says it is, its verified key, and what it asks for.
        request: ConsentRequest,
    },
    /// There is consent. Show who sees the screen, and say that it shows with
    /// [`acknowledge_indicator`](crate::Sharer::acknowledge_indicator) now and every second:
    /// only then is the screen captured.
    ShowIndicator {
        /// Which helper.
        helper: u64,
        /// Who it says it is, and its verified key.
        peer: Peer,
        /// What it may do.
        mode: Mode,
    },
    /// The question was taken back before it was answered.
    QuestionWithdrawn {
        /// Which helper's.
        helper: u64,
    },
    /// A helper was not let in: it did not prove who it is.
    Refused {
        /// Which helper.
        helper: u64,
        /// Why, for people.
        reason: String,
    },
    /// A helper shows a token by a key of the tenant's OpenID provider that is not known. Fetch the
    /// provider's keys and hand them to [`handle_keys`](crate::Sharer::handle_keys) within 5 s:
    /// the helper is looked at again then, and else sent away.
    KeysNeeded {
        /// Which helper waits.
        helper: u64,
    },
    /// The device does not keep the tenant's rules, or nobody knows. Show it to the sharer, then
    /// call [`acknowledge_compliance`](crate::Sharer::acknowledge_compliance). The helper
    /// is warned too.
    ComplianceWarning {
        /// Which helper waits.
        helper: u64,
        /// What is known.
        posture: Posture,
    },
    /// The lease of a session is to be renewed: ask whoever leases sessions, and hand the answer
    /// to [`renew_lease`](crate::Sharer::renew_lease). Only with
    /// [`lease_by_app`](crate::SharerOptions::lease_by_app).
    LeaseDue {
        /// Whose.
        helper: u64,
        /// Which renewal.
        renewal: LeaseId,
    },
    /// A helper points at this pixel of the picture. The sharer's pointer stays where it is.
    Pointing {
        /// Which helper.
        helper: u64,
        /// Columns from the left edge.
        x: u32,
        /// Rows from the top edge.
        y: u32,
    },
    /// The display takes no input; the helper's control is taken back.
    InputFailed {
        /// Which helper's.
        helper: u64,
        /// Why, for people.
        reason: String,
    },
    /// A helper wrote a message.
    Chat {
        /// Which helper.
        helper: u64,
        /// The message: ends of lines and tabs are the only control characters in it.
        text: String,
    },
    /// A helper's clipboard, for the sharer's.
    Clipboard {
        /// Which helper's.
        helper: u64,
        /// Its text.
        text: String,
    },
    /// A file is offered, has arrived, or will not.
    File {
        /// From or to which helper.
        helper: u64,
        /// What became of it.
        event: FileEvent,
    },
    /// An administrator's name and password from a helper, for the prompt that is open.
    Credentials {
        /// Which helper.
        helper: u64,
        /// Both, overwritten as soon as nobody holds them.
        secret: Secret,
    },
    /// Elevation has ended: sign the administrator out who was signed in for this helper.
    SignOut {
        /// Which helper.
        helper: u64,
    },
    /// The helper sees the screen from now on.
    Sharing {
        /// Which helper.
        helper: u64,
    },
    /// What goes to a helper takes another path from now on.
    PathChanged {
        /// Which helper.
        helper: u64,
        /// From where to where, and why.
        switch: PathSwitch,
    },
    /// A helper's session is over.
    Left {
        /// Which helper.
        helper: u64,
        /// Why.
        reason: EndReason,
    },
    /// The display went away; it is tried again.
    ScreenLost {
        /// Why, for people.
        reason: String,
    },
    /// A replay has come to its end; the last picture stays.
    SourceEnded,
    /// The sharer is over, which is the last event.
    Stopped {
        /// Whether its thread failed; else [`Sharer::stop`](crate::Sharer::stop) stopped it.
        failed: bool,
    },
    /// The app did not take its events in time: so many that it can do without were dropped.
    Missed {
        /// How many.
        events: u64,
    },
    /// The screen cannot be shared; every session has ended.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

impl SharerEvent {
    /// Whether an app that does not learn of it would do harm or wait for ever.
    pub(crate) fn is_critical(&self) -> bool {
        !matches!(
            self,
            Self::ScreenLost { .. }
                | Self::SourceEnded
                | Self::Missed { .. }
                | Self::PathChanged { .. }
                | Self::Refused { .. }
                | Self::Pointing { .. }
                | Self::Chat { .. }
                | Self::Clipboard { .. }
                | Self::File { .. }
        )
    }
}
