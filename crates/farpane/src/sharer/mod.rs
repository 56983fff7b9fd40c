//! The sharer's side: capture, compare, encode, feed each helper.

mod admission;
mod encoders;
mod events;
mod feed;
mod grabber;
mod guests;
mod hardware;
mod intake;
mod journal;
mod links;
mod peer;
mod pipeline;
mod screen;
mod session;
mod slots;
mod stills;
mod video;

pub(crate) use video::OpenEncoder;

#[cfg(test)]
pub(crate) use stills::StillQueue;

pub use session::{NotReady, Sharer, SharerEvent, SharerOptions, SharerStats};

#[cfg(any(test, feature = "lab"))]
pub(crate) use {
    encoders::Encoders,
    feed::{Feed, UpdateStats},
    screen::{Compared, Screen, Search},
    stills::{MadeStill, StillJob, still_queue},
};
