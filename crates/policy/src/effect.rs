//! What a session tells its caller to do.

use crate::capability::Capabilities;
use crate::consent::{ConsentRequest, Peer, RequestId};
use crate::device::Posture;
use crate::event::LeaseId;
use crate::rights::{Mode, Rights};
use crate::state::EndReason;
use crate::token::{CaptureToken, ChannelTokens, InputToken};

/// What the caller has to do, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Apply no input any more. The token is invalid already.
    StopInput,
    /// Stop capturing. The token is invalid already.
    StopCapture,
    /// Close these channels. Their tokens are invalid already.
    StopChannels(Capabilities),
    /// Show both ends whether the device keeps the tenant's rules, as a warning unless it does;
    /// report [`Event::ComplianceSeen`](crate::Event::ComplianceSeen) for each end that has seen
    /// it. Of a compliant device only the sharer's is awaited.
    ShowCompliance(Posture),
    /// Show the sharer who asks for what, and bring back the answer. For every other session of
    /// this machine it is a prompt ([`Event::PromptOpened`](crate::Event::PromptOpened)), so that
    /// no helper clicks on another's question.
    AskSharer(ConsentRequest),
    /// Take the question with this number away; an answer would come too late.
    WithdrawQuestion(RequestId),
    /// Show the indicator, then report [`Event::IndicatorAck`](crate::Event::IndicatorAck) now
    /// and every second.
    ShowIndicator(Peer, Mode),
    /// Ask whoever leases sessions for this renewal, and bring back the answer. It counts from
    /// now, however late it comes.
    RenewLease(LeaseId),
    /// Tell the helper.
    TellHelper(Notice),
    /// Sign the administrator out who was signed in for this session.
    SignOut,
    /// Take every prompt and the indicator away.
    HidePrompts,
    /// Tell the helper, close the connection at once, and report
    /// [`Event::Closed`](crate::Event::Closed) when that is done.
    Close(EndReason),
    /// Overwrite the session's keys and secrets.
    WipeKeys,
    /// The session is over: forget it.
    End(EndReason),
    /// Start capturing, for as long as the token is valid.
    StartCapture(CaptureToken),
    /// Apply the helper's input, for as long as the token is valid.
    StartInput(InputToken),
    /// Open these channels, each for as long as its token is valid.
    StartChannels(ChannelTokens),
}

/// What the helper is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// These are its rights from now on.
    Granted(Rights),
    /// It does not get what it asked for; what it has stays.
    Refused,
    /// Nothing moves until further notice.
    Suspended,
    /// The session goes on.
    Resumed,
}
