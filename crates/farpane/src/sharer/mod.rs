//! The sharer's side: capture, compare, encode, feed each helper.

mod admission;
mod encoders;
mod events;
mod feed;
mod grabber;
mod guests;
mod hardware;
mod input;
mod intake;
mod links;
mod options;
mod peer;
mod pipeline;
mod screen;
mod session;
mod slots;
mod stills;
mod told;
mod video;

pub(crate) use video::OpenEncoder;

#[cfg(test)]
pub(crate) use stills::StillQueue;

pub use input::InputTarget;
pub use options::SharerOptions;
pub use session::{NotReady, Sharer, SharerStats};
pub use told::SharerEvent;

#[cfg(any(test, feature = "lab"))]
pub(crate) use {
    encoders::Encoders,
    feed::{Feed, UpdateStats},
    screen::{Compared, Screen, Search},
    stills::{MadeStill, StillJob, still_queue},
};
