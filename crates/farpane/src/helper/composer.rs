//! From datagrams to pictures. Sans-IO.

use crate::Error;
use bytes::Bytes;
use farpane_codec::video::VideoError;
use farpane_codec::{BatchDecoder, DecodeLimits};
use farpane_frame::{Canvas, FrameBuf, Rect, Region};
use farpane_proto::datagram::Cursor;
use farpane_proto::screen::{ReceiverEvent, ScreenReceiver};
use std::sync::Arc;

/// An update whose end does not come is shown after this long all the same.
const PATIENCE_US: u64 = 5_000;

/// A snapshot of the sharer's screen.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The newest update in it.
    pub update: u64,
    /// Counts up when the sharer's screen became another one (its size changed).
    pub generation: u32,
    /// The pixels.
    pub pixels: Arc<FrameBuf>,
    /// Where it differs from the picture taken before.
    pub damage: Region,
    /// When its newest datagram arrived, in microseconds of the helper's monotonic clock.
    pub received_us: u64,
    /// When it was composed, same clock.
    pub composed_us: u64,
}

/// Receives, decodes and composes.
pub(crate) struct Composer {
    receiver: ScreenReceiver,
    decoder: BatchDecoder,
    canvas: Option<Canvas>,
    generation: u32,
    update: u64,
    /// The newest whose end came.
    ended: u64,
    received_us: u64,
    cursor: Option<Cursor>,
    /// Since when something is composed that was not shown.
    waiting_us: Option<u64>,
    complete: bool,
    damage: Vec<Rect>,
}

impl Composer {
    pub(crate) fn new() -> Self {
        Self {
            receiver: ScreenReceiver::new(),
            decoder: BatchDecoder::new(DecodeLimits::default()),
            canvas: None,
            generation: 0,
            update: 0,
            ended: 0,
            received_us: 0,
            cursor: None,
            waiting_us: None,
            complete: false,
            damage: Vec::new(),
        }
    }

    /// Paces reports by the path's round-trip time.
    pub(crate) fn set_rtt(&mut self, rtt_us: u64) {
        self.receiver.set_rtt(rtt_us);
    }

    /// Takes a datagram in that arrived at `received_us`.
    ///
    /// # Errors
    /// The sharer sent nonsense; the session should end.
    pub(crate) fn handle_datagram(&mut self, received_us: u64, bytes: &Bytes) -> Result<(), Error> {
        self.receiver.handle_datagram(received_us, bytes)?;
        self.drain(received_us)
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As [`Composer::handle_datagram`].
    pub(crate) fn handle_timeout(&mut self, now_us: u64) -> Result<(), Error> {
        self.receiver.handle_timeout(now_us)?;
        self.drain(now_us)
    }

    fn drain(&mut self, now_us: u64) -> Result<(), Error> {
        while let Some(event) = self.receiver.poll_event() {
            match event {
                ReceiverEvent::Canvas { generation, size } => {
                    self.canvas = Some(Canvas::new(size)?);
                    self.decoder.clear();
                    self.generation = generation;
                }
                ReceiverEvent::Batch { update, data, received_us } => {
                    let Some(canvas) = &mut self.canvas else { continue };
                    self.damage.clear();
                    self.decoder.decode(&data, canvas.picture_mut(), &mut self.damage)?;
                    canvas.add_damage(&self.damage);
                    self.update = self.update.max(update);
                    self.received_us = received_us;
                    self.waiting_us.get_or_insert(now_us);
                    // What comes late has waited for long enough.
                    self.complete |= update <= self.ended;
                }
                ReceiverEvent::UpdateEnd { update } => {
                    self.ended = self.ended.max(update);
                    self.complete = true;
                }
                ReceiverEvent::Cursor(cursor) => self.cursor = Some(cursor),
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells how many packets have arrived marked by the network.
    pub(crate) fn set_marked(&mut self, packets: u64) {
        self.receiver.set_marked(packets);
    }

    /// A report for the sharer, when one is due.
    pub(crate) fn poll_feedback(&mut self, now_us: u64) -> Option<Bytes> {
        let report = self.receiver.poll_feedback(now_us)?;
        let mut out = Vec::new();
        report.write(&mut out);
        Some(out.into())
    }

    /// A stream of video that could not be decoded, and why.
    pub(crate) fn poll_failed_stream(&mut self) -> Option<(u8, VideoError)> {
        self.decoder.poll_failed_stream()
    }

    /// Where the pointer is, when that changed.
    pub(crate) fn poll_cursor(&mut self) -> Option<Cursor> {
        self.cursor.take()
    }

    /// A picture to show, when an update is complete or has been awaited long enough.
    /// `unseen` is an earlier picture that nobody took: it is replaced.
    pub(crate) fn poll_picture(
        &mut self,
        now_us: u64,
        unseen: impl FnOnce() -> Option<Picture>,
    ) -> Option<Picture> {
        let since = self.waiting_us?;
        if !self.complete && now_us < since + PATIENCE_US {
            return None;
        }
        (self.waiting_us, self.complete) = (None, false);
        let canvas = self.canvas.as_mut()?;
        if let Some(unseen) = unseen().filter(|old| old.generation == self.generation) {
            canvas.restore_damage(&unseen.damage);
        }
        if !canvas.is_damaged() {
            return None;
        }
        let (pixels, damage) = canvas.publish();
        Some(Picture {
            update: self.update,
            generation: self.generation,
            pixels,
            damage,
            received_us: self.received_us,
            composed_us: now_us,
        })
    }

    /// When to call [`Composer::handle_timeout`] and the polls again.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        let show = self.waiting_us.map(|since| since + PATIENCE_US);
        match (show, self.receiver.poll_timeout()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
