//! One helper, as the sharer's pipeline sees it.

use super::feed::Feed;
use super::input::InputDoor;
use super::links::{LinkEvent, PeerId, Sink};
use super::screen::Screen;
use super::stills::StillQueue;
use super::video::OpenEncoder;
use crate::channel::BlobRoom;
use bytes::Bytes;
use crossbeam::channel::Sender;
use farpane_capture::CursorShape as Captured;
use farpane_net::{Connection, Link, LinkHandle, WindowHandle};
use farpane_policy::EndReason;
use farpane_proto::control::{CURSOR_SHAPE_BLOB, Control, CursorShape};
use farpane_proto::{WireError, datagram::Cursor, datagram::MIN_DATAGRAM_BYTES};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes that may wait between the pacer and QUIC. What is there can no longer be replaced by
/// newer pixels.
const MAX_HANDED_BYTES: usize = 32 << 10;
/// Cursor shapes the helper is relied on to remember: half of what it keeps.
const KNOWN_SHAPES: usize = 32;

/// A connected helper.
pub(crate) struct Peer {
    link: LinkHandle,
    /// Where the helper's input goes.
    pub(crate) input: InputDoor,
    /// Room for the helper's blobs in the queue to the pipeline.
    pub(crate) room: BlobRoom,
    window: WindowHandle,
    tell_drained: Arc<AtomicBool>,
    max_datagram_bytes: usize,
    /// Present once the helper may see the screen and there is one.
    pub(crate) feed: Option<Feed>,
    /// The feed while it rests: what it numbers goes on from there.
    resting: Option<Feed>,
    known_shapes: VecDeque<u64>,
    /// How it sees films and photographs, once it has said what it decodes.
    video: Option<OpenEncoder>,
    stills: Option<StillQueue>,
}

impl Peer {
    /// Takes a connection over.
    pub(crate) fn new(
        id: PeerId,
        connection: Connection,
        events: Sender<(PeerId, LinkEvent)>,
    ) -> Self {
        let tell_drained = Arc::new(AtomicBool::new(false));
        let input = InputDoor::default();
        let room = BlobRoom::default();
        let sink = Sink {
            peer: id,
            events,
            tell_drained: Arc::clone(&tell_drained),
            input: input.clone(),
            room: room.clone(),
        };
        let link = Link::spawn(connection, sink);
        Self {
            input,
            room,
            window: link.window(),
            max_datagram_bytes: link.max_datagram_bytes().max(MIN_DATAGRAM_BYTES),
            link,
            tell_drained,
            feed: None,
            resting: None,
            known_shapes: VecDeque::new(),
            video: None,
            stills: None,
        }
    }

    /// Films go to this helper as `video` encodes them, and photographs as `stills` makes them.
    pub(crate) fn set_video(&mut self, video: Option<OpenEncoder>, stills: Option<StillQueue>) {
        (self.video, self.stills) = (video, stills);
    }

    /// The connection, for what threads of their own send.
    pub(crate) fn link(&self) -> LinkHandle {
        self.link.clone()
    }

    /// Sends a control message; a peer whose queue is full is closed.
    pub(crate) fn tell(&self, message: &Control) {
        if self.link.send_control(message.to_bytes().into()).is_err() {
            self.refuse("the control queue is full");
        }
    }

    /// Ends the connection at once.
    pub(crate) fn close(&self, reason: EndReason) {
        self.close_saying(reason, &reason.to_string());
    }

    /// The same, with other words.
    pub(crate) fn close_saying(&self, reason: EndReason, words: &str) {
        self.link.close(reason.code(), words);
    }

    /// Ends the connection with a helper that broke the rules.
    pub(crate) fn refuse(&self, reason: &str) {
        self.link.close(EndReason::Error.code(), reason);
    }

    /// Begins to feed this helper, or goes on with it.
    pub(crate) fn start_feed(&mut self, now_us: u64, screen: &Screen) {
        let (generation, size) = (screen.generation(), screen.grid().size());
        let (max, video) = (self.max_datagram_bytes, self.video.clone());
        self.feed = Some(match self.resting.take() {
            Some(mut feed) => {
                feed.reset(now_us, screen);
                feed
            }
            None => Feed::new(now_us, generation, size, max, video, self.stills.clone()),
        });
    }

    /// Feeds this helper no more until it is started again.
    pub(crate) fn rest(&mut self) {
        self.resting = self.feed.take().or(self.resting.take());
    }

    /// Takes in a report.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn handle_datagram(&mut self, now_us: u64, bytes: &[u8]) -> Result<(), WireError> {
        match self.feed.as_mut().or(self.resting.as_mut()) {
            Some(feed) => feed.handle_datagram(now_us, bytes),
            None => Ok(()),
        }
    }

    /// How large a datagram may be from now on.
    pub(crate) fn set_max_datagram_bytes(&mut self, bytes: usize) {
        self.max_datagram_bytes = bytes;
        for feed in self.feed.iter_mut().chain(&mut self.resting) {
            feed.set_max_datagram_bytes(bytes);
        }
    }

    /// Shows the pointer; sends its shape ahead when the helper may not know it.
    pub(crate) fn show_cursor(&mut self, cursor: Cursor, shape: Option<&Captured>) {
        let Some(feed) = &mut self.feed else { return };
        if let Some(shape) = shape
            && !self.known_shapes.contains(&cursor.shape)
        {
            let message = CursorShape {
                id: cursor.shape,
                width: shape.width,
                height: shape.height,
                hot_x: shape.hot_x,
                hot_y: shape.hot_y,
                bgra: shape.bgra.clone(),
            };
            // A full queue of shapes: the helper draws the old one until the next change.
            if self.link.send_blob(CURSOR_SHAPE_BLOB, message.to_bytes().into()).is_ok() {
                self.known_shapes.push_back(cursor.shape);
                let excess = self.known_shapes.len().saturating_sub(KNOWN_SHAPES);
                self.known_shapes.drain(..excess);
            }
        }
        feed.set_cursor(cursor);
    }

    /// Hands over every datagram that may leave now.
    pub(crate) fn transmit(&mut self, now_us: u64) {
        let Some(feed) = &mut self.feed else { return };
        self.window.set(feed.window_bytes().saturating_mul(2));
        let mut handed = self.link.queued_bytes();
        let mut out: Vec<Bytes> = Vec::new();
        while handed < MAX_HANDED_BYTES {
            let Some(datagram) = feed.poll_datagram(now_us) else { break };
            handed += datagram.len();
            out.push(datagram);
        }
        let blocked = handed >= MAX_HANDED_BYTES;
        self.tell_drained.store(blocked, Ordering::Release);
        if !out.is_empty() {
            self.link.send_datagrams(out);
        } else if blocked && self.link.queued_bytes() == 0 {
            // It drained between the two looks, before it was asked to tell.
            self.tell_drained.store(false, Ordering::Release);
        }
    }

    /// When to transmit again although nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        let blocked = self.tell_drained.load(Ordering::Acquire);
        self.feed.as_ref().filter(|_| !blocked).and_then(Feed::poll_timeout)
    }
}
