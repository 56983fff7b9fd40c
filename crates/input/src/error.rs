//! Why input cannot be taken or applied.

/// What can go wrong between this process and a display. What a helper sends is never an error
/// here: what may not be applied is counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The display cannot be reached, or not any more.
    #[error("the display {display} cannot be used: {reason}; open it again once it runs")]
    Display {
        /// Its name, as `:0`.
        display: String,
        /// What happened.
        reason: String,
    },
    /// The display has no way to do it.
    #[error("the display {display} lacks the {what}; input needs an X server with it")]
    Unsupported {
        /// Its name.
        display: String,
        /// What is missing.
        what: &'static str,
    },
    /// The system refused what an injector needs of it.
    #[error("cannot start the thread that lets go of keys: {0}")]
    Thread(String),
}
