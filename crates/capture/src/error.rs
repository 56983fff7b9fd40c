//! Why a source cannot capture.

/// Why a source could not be opened or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// There is no such display, or it refused the connection.
    #[error(
        "cannot open display {display}: {reason}; check that it runs and that XAUTHORITY lets \
         this user in"
    )]
    Open {
        /// Which.
        display: String,
        /// What the system said.
        reason: String,
    },
    /// The display lacks something that this source cannot do without.
    #[error("display {display} has no {what}; another source (xcap) may work")]
    Unsupported {
        /// Which.
        display: String,
        /// What is missing.
        what: String,
    },
    /// No monitor has that name.
    #[error("no monitor is named {name:?}; there are: {}", .known.join(", "))]
    Monitor {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A source's description that names no source.
    #[error(
        "{spec:?} is no source: {reason}; use x11[:DISPLAY], xcap, replay:FILE or pattern:NAME"
    )]
    Spec {
        /// What was given.
        spec: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A recorded desktop that cannot be read.
    #[error("cannot read the trace: {0}")]
    Trace(#[from] crate::TraceError),
    /// The operating system refused memory, a descriptor or a thread.
    #[error("cannot capture: {0}")]
    System(#[from] std::io::Error),
    /// A capture library's own failure.
    #[error("the portable source cannot capture: {0}")]
    Portable(String),
}
