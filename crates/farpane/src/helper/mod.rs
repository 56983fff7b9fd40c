//! The helper's side: receive, decode, hand pictures to the app.

mod composer;
mod session;

pub(crate) use composer::Composer;
pub use composer::Picture;
pub use session::{Helper, HelperEvent, HelperOptions, HelperStats, RemoteCursor};
