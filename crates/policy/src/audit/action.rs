//! What a record tells was done: a code, and what belongs to it.

use super::codec::told;
use super::text::Text;
use crate::capability::{Capabilities, Capability};
use crate::consent::{InvitationKey, RequestId};
use crate::device::Posture;
use crate::rights::Rights;
use crate::sources::Source;
use crate::state::{EndReason, State};

told! {
    /// What of a session was used. Names and sizes only, never contents.
    Feature {
        /// Something was used for the first time.
        Used = "feature.used" {
            /// What.
            capability: Capability,
        },
        /// Text or a picture came into the sharer's clipboard.
        ClipboardIn = "feature.clipboard-in" {
            /// How large.
            bytes: u64,
        },
        /// The sharer's clipboard went to the helper.
        ClipboardOut = "feature.clipboard-out" {
            /// How large.
            bytes: u64,
        },
        /// A file came to the sharer's device.
        FileIn = "feature.file-in" {
            /// Its name, without folders.
            name: Text,
            /// How large.
            bytes: u64,
        },
        /// A file of the sharer's device went to the helper.
        FileOut = "feature.file-out" {
            /// Its name, without folders.
            name: Text,
            /// How large.
            bytes: u64,
        },
    }
}

told! {
    /// What was done, each with the code that stands in logs and exports.
    Action else
        /// Something of the session was used.
        FeatureUsed(Feature)
    {
        /// The helper asked for a session.
        SessionRequested = "session.requested" {
            /// The public name of the invitation by which the helper came.
            invitation: InvitationKey,
            /// What the helper asked for.
            rights: Rights,
        },
        /// An identity, a grant and a tenant were checked; the outcome says with what result.
        SessionAuthorised = "session.authorised" {
            /// What was decisive.
            reason: Text,
        },
        /// The session went from one state to another.
        SessionMoved = "session.moved" {
            /// Where it was.
            from: State,
            /// Where it is.
            to: State,
        },
        /// Whoever acts has seen whether the device keeps the rules.
        ComplianceSeen = "compliance.seen" {
            /// What there was to see.
            posture: Posture,
        },
        /// The sharer was asked, for the helper.
        ConsentAsked = "consent.asked" {
            /// The question's number in its session.
            request: RequestId,
            /// For what.
            rights: Rights,
        },
        /// The sharer said yes.
        ConsentGiven = "consent.given" {
            /// The question's number in its session.
            request: RequestId,
            /// To what, before other sources took from it.
            rights: Rights,
            /// For how long, in microseconds; absent when no time was said.
            span_us: Option<u64>,
        },
        /// The sharer said no.
        ConsentDenied = "consent.denied" {
            /// The question's number in its session.
            request: RequestId,
        },
        /// The sharer did not answer in time, which is a no.
        ConsentTimedOut = "consent.timed-out" {
            /// The question's number in its session.
            request: RequestId,
        },
        /// The question was taken back before it was answered.
        ConsentWithdrawn = "consent.withdrawn" {
            /// The question's number in its session.
            request: RequestId,
        },
        /// The sharer had consented to being viewed before anyone asked.
        ConsentInAdvance = "consent.in-advance" {
            /// The public name of the invitation for which that is.
            invitation: InvitationKey,
        },
        /// A grant for machines at which nobody is took the place of consent.
        ConsentUnattended = "consent.unattended" {
            /// The grant's name.
            grant: [u8; 16],
        },
        /// The helper may go further, or less far, from here on.
        ModeChanged = "mode.changed" {
            /// Until now; absent where there was nothing.
            from: Option<Rights>,
            /// From now on; absent where there is nothing any more.
            to: Option<Rights>,
        },
        /// The helper asked for other rights within a session.
        RightsAsked = "rights.asked" {
            /// For which.
            rights: Rights,
        },
        /// The helper asked for what it may not have.
        RightsRefused = "rights.refused" {
            /// For what.
            rights: Rights,
        },
        /// Whoever acts wanted less than there was.
        RightsLowered = "rights.lowered",
        /// A source allows no more than this from here on.
        SourceLimited = "source.limited" {
            /// Which source.
            source: Source,
            /// What it allows.
            allowed: Capabilities,
        },
        /// An administrator's rights are in use.
        ElevationBegun = "elevation.begun",
        /// They no longer are.
        ElevationEnded = "elevation.ended",
        /// Whoever acts holds the session: input and media rest.
        SessionHeld = "session.held",
        /// Whoever acts no longer holds it.
        SessionReleased = "session.released",
        /// The helper is told that input and media rest.
        Suspended = "session.suspended",
        /// The helper is told that they go on.
        Resumed = "session.resumed",
        /// The first sign that the sharer is shown who sees the screen.
        IndicatorShown = "indicator.shown",
        /// The system or another program asks the sharer for something: input rests.
        PromptOpened = "prompt.opened",
        /// It no longer does.
        PromptClosed = "prompt.closed",
        /// What was granted was taken back.
        Revoked = "session.revoked" {
            /// Why.
            reason: Text,
        },
        /// The session is over.
        Ended = "session.ended" {
            /// Why.
            reason: EndReason,
            /// How long it lasted from the request on, in microseconds.
            lasted_us: u64,
            /// Everything that was used in it.
            used: Capabilities,
        },
        /// A setting of the tenant or of the device forbade something.
        SettingsRefused = "settings.refused" {
            /// Which.
            setting: Text,
        },
        /// The log was opened for writing.
        LogOpened = "log.opened",
        /// The unfinished last record of a crash was cut off.
        LogCut = "log.cut" {
            /// How much.
            bytes: u64,
        },
        /// Old records are no longer kept.
        LogDropped = "log.dropped" {
            /// The number of the first record that is kept.
            first_kept: u64,
        },
    }
}
