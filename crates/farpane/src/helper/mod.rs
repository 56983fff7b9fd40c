//! The helper's side: receive, decode, hand pictures to the app, say what the person does.

mod channels;
mod composer;
mod diary;
mod messages;
mod options;
mod session;
mod standing;
mod told;

pub use channels::Unsent;
pub(crate) use composer::Composer;
pub use composer::Picture;
pub use options::HelperOptions;
pub use session::{Helper, HelperStats, RemoteCursor};
pub use told::HelperEvent;
