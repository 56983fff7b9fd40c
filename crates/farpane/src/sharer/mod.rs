//! The sharer's side: capture, compare, encode, feed each helper.

mod encoders;
mod events;
mod feed;
mod grabber;
mod guests;
mod hardware;
mod intake;
mod links;
mod peer;
mod pipeline;
mod screen;
mod session;
mod slots;
mod video;

pub(crate) use video::OpenEncoder;

pub use session::{NotReady, Sharer, SharerEvent, SharerOptions, SharerStats};

#[cfg(any(test, feature = "lab"))]
pub(crate) use {
    encoders::Encoders,
    feed::{Feed, UpdateStats},
    screen::{Compared, Screen, Search},
};
