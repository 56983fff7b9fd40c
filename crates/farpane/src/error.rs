//! What can go wrong in a session.

use farpane_policy::EndReason;

/// Why a session could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The screen cannot be captured.
    #[error(transparent)]
    Capture(#[from] farpane_capture::CaptureError),
    /// A picture of an impossible size.
    #[error(transparent)]
    Frame(#[from] farpane_frame::FrameError),
    /// Two pictures cannot be compared.
    #[error(transparent)]
    Diff(#[from] farpane_damage::DiffError),
    /// The GPU cannot compare a texture, or was lost.
    #[cfg(feature = "gpu")]
    #[error(transparent)]
    Gpu(#[from] farpane_damage::gpu::GpuError),
    /// The peer sent a message that is no message.
    #[error("the peer sent an invalid message: {0}; it is of another version or not to be trusted")]
    Wire(#[from] farpane_proto::WireError),
    /// The sharer sent operations that cannot be decoded.
    #[error("the sharer sent operations that cannot be decoded: {0}")]
    Decode(#[from] farpane_codec::DecodeError),
    /// The peer speaks another version of the protocol.
    #[error(
        "the peer speaks protocol version {theirs}, this is version {ours}: update the older side"
    )]
    Version {
        /// The peer's.
        theirs: u32,
        /// This one's.
        ours: u32,
    },
    /// The sharer cannot be reached or refuses.
    #[error(transparent)]
    Connect(#[from] farpane_net::ConnectError),
    /// The sharer cannot listen.
    #[error(transparent)]
    Listen(#[from] farpane_net::ListenError),
    /// No invitation could be made.
    #[error(transparent)]
    Issue(#[from] farpane_net::IssueError),
    /// No key pair could be made.
    #[error(transparent)]
    Identity(#[from] farpane_net::IdentityError),
    /// The network thread is gone.
    #[error(transparent)]
    Net(#[from] farpane_net::NetThreadError),
    /// The other side is not let in.
    #[error(transparent)]
    NotAdmitted(#[from] crate::NotAdmitted),
    /// What happens cannot be written down, so it does not happen.
    #[error(transparent)]
    Audit(#[from] crate::audit::AuditError),
    /// A message could not be queued.
    #[error("cannot send: {0}")]
    Send(String),
    /// A thread could not be started or did not end as it should.
    #[error("the thread `{name}` failed: {reason}")]
    Thread {
        /// Which.
        name: &'static str,
        /// What the system said.
        reason: String,
    },
}

impl Error {
    /// The reason with which a session ends that it befalls.
    pub(crate) fn end_reason(&self) -> EndReason {
        match self {
            Self::NotAdmitted(error) => error.end_reason(),
            Self::Audit(_) => EndReason::AuditFailed,
            _ => EndReason::Error,
        }
    }
}
