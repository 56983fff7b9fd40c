//! The sharer of a laboratory.

use crate::sharer::{
    Compared, Encoders, Feed, MadeStill, Screen, Search, StillJob, UpdateStats, still_queue,
};
use crate::video_choice::decodable;
use crate::{CodecChoice, Error};
use bytes::Bytes;
use crossbeam::channel::Receiver;
use farpane_capture::{Damage, Frame, PixelMemory, Pixels};
use farpane_damage::Processor;
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Region};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a sharer encodes.
#[derive(Clone, Copy, Debug)]
pub struct LabSharerOptions {
    /// How films are sent.
    pub codec: CodecChoice,
    /// The most bytes of a datagram.
    pub max_datagram_bytes: usize,
    /// How long a still takes in virtual time; `None`: as long as it takes here.
    pub still_us: Option<u64>,
}

/// What a sharer did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabSharerStats {
    /// Encoded bytes.
    pub payload_bytes: u64,
    /// Updates that carried something.
    pub updates: u64,
    /// Access units of video.
    pub units: u64,
    /// How long encoding took, on as many cores as it uses.
    pub encoding: Duration,
    /// What stills took of the processor.
    pub stills: Duration,
}

/// A sharer whose display is what it is told, with one helper. Sans-IO: whenever something
/// happened, call [`flush`](Self::flush), [`poll_datagram`](Self::poll_datagram) until it gives
/// nothing, [`flush_rest`](Self::flush_rest), and the same again.
pub struct LabSharer {
    still_us: Option<u64>,
    screen: Screen,
    encoders: Encoders,
    feed: Feed,
    /// The newest state of the display and what changed, until it is captured.
    shown: Option<(FrameBuf, Region)>,
    /// Whether the feed asked for a frame.
    wanted: bool,
    frames: u64,
    /// What is to become stills, and those that are made, with the times of their being there.
    jobs: Receiver<StillJob>,
    made: VecDeque<(u64, MadeStill)>,
    stats: LabSharerStats,
}

impl LabSharer {
    /// A sharer whose display shows `first`, and a helper that has just joined.
    ///
    /// # Errors
    /// The picture has no valid size, or there are no threads.
    pub fn new(
        now_us: u64,
        first: &FrameRef<'_>,
        options: LabSharerOptions,
    ) -> Result<Self, Error> {
        let failed = |reason: String| Error::Thread { name: "farpane-enc", reason };
        let encoders = Encoders::new().map_err(|e| failed(e.to_string()))?;
        let search = Search { moves: true, processor: Processor::Cpu };
        let screen = Screen::new(&frame(0, 0, copy(first)?, Region::default()), search)?;
        let video = options.codec.encoder_for(decodable());
        let (queue, jobs) = still_queue();
        let stills = options.codec.has_stills(decodable()).then_some(queue);
        let max_datagram = options.max_datagram_bytes;
        Ok(Self {
            feed: Feed::new(now_us, 1, first.size(), max_datagram, video, stills),
            still_us: options.still_us,
            screen,
            encoders,
            shown: None,
            wanted: false,
            frames: 0,
            jobs,
            made: VecDeque::new(),
            stats: LabSharerStats::default(),
        })
    }

    /// What it did so far.
    pub fn stats(&self) -> LabSharerStats {
        self.stats
    }

    /// What was captured last, which the helper is to see.
    pub fn captured(&self) -> FrameRef<'_> {
        self.screen.view()
    }

    /// Whether all that the display showed was captured.
    pub fn is_captured(&self) -> bool {
        self.shown.is_none()
    }

    /// Whether the helper is known to see exactly what the display shows.
    pub fn is_synchronised(&self) -> bool {
        self.shown.is_none() && self.feed.is_synchronised()
    }

    /// Whether a still was made and waits for its time.
    pub fn has_still(&self) -> bool {
        !self.made.is_empty()
    }

    /// Bytes that may be in flight.
    pub fn window_bytes(&self) -> u64 {
        self.feed.window_bytes()
    }

    /// How long datagrams are thought to wait on the way, in microseconds.
    pub fn queue_delay_us(&self) -> u64 {
        self.feed.queue_delay_us()
    }

    /// The smoothed round-trip time in microseconds.
    pub fn rtt_us(&self) -> u64 {
        self.feed.rtt_us()
    }

    /// The display changes, in these rectangles. It is captured when the feed can use it.
    ///
    /// # Errors
    /// The picture has no valid size.
    pub fn show(&mut self, picture: &FrameRef<'_>, damage: &[Rect]) -> Result<(), Error> {
        let mut region = self.shown.take().map(|(_, region)| region).unwrap_or_default();
        damage.iter().for_each(|rect| region.add(*rect));
        self.shown = Some((copy(picture)?, region));
        Ok(())
    }

    /// Takes a helper's report in.
    ///
    /// # Errors
    /// It is nonsense.
    pub fn handle_datagram(&mut self, now_us: u64, report: &[u8]) -> Result<(), Error> {
        Ok(self.feed.handle_datagram(now_us, report)?)
    }

    /// The helper could not decode a stream of video.
    pub fn handle_undecodable(&mut self, stream: u8) {
        self.feed.handle_undecodable(stream);
    }

    /// Captures what the display shows, if the feed can use it, and encodes what is urgent.
    ///
    /// # Errors
    /// The display's size is not valid.
    pub fn flush(&mut self, now_us: u64) -> Result<(), Error> {
        while let Some((_, made)) = self.made.pop_front_if(|(at, _)| *at <= now_us) {
            made.deliver();
        }
        self.wanted |= self.feed.wants_frame(now_us);
        if self.wanted
            && let Some((shown, damage)) = self.shown.take()
        {
            self.wanted = false;
            self.feed.handle_captured(now_us);
            self.capture(now_us, shown, damage)?;
        }
        self.encode(now_us, Feed::flush);
        Ok(())
    }

    /// Encodes what may wait: films, what is to become exact, and stills, which take virtual time
    /// from nobody else.
    pub fn flush_rest(&mut self, now_us: u64) {
        self.encode(now_us, Feed::flush_rest);
    }

    /// The next datagram, when it may leave.
    pub fn poll_datagram(&mut self, now_us: u64) -> Option<Bytes> {
        self.feed.poll_datagram(now_us)
    }

    /// When to flush again; 0 is at once.
    pub fn poll_timeout(&self) -> Option<u64> {
        let made = self.made.front().map(|(at_us, _)| *at_us);
        self.feed.poll_timeout().into_iter().chain(made).min()
    }

    /// Makes the stills that the feed asked for.
    pub fn make_stills(&mut self, now_us: u64) {
        while let Ok(job) = self.jobs.try_recv() {
            let (began, processor) = (Instant::now(), super::processor_time());
            let made = job.make();
            self.stats.stills += super::processor_time().saturating_sub(processor);
            let took_us = began.elapsed().as_micros() as u64;
            let at_us = now_us + self.still_us.unwrap_or(took_us);
            self.made.extend(made.map(|made| (at_us, made)));
        }
    }

    fn capture(&mut self, now_us: u64, shown: FrameBuf, damage: Region) -> Result<(), Error> {
        self.frames += 1;
        let frame = frame(self.frames, now_us, shown, damage);
        match self.screen.compare(&frame)? {
            Compared::Same => {}
            Compared::Reset => self.feed.reset(now_us, &self.screen),
            Compared::Changed => {
                self.feed.handle_change(now_us, &self.screen);
                self.screen.apply(&frame)?;
                self.feed.handle_applied(now_us, &self.screen);
            }
        }
        Ok(())
    }

    /// Lets the feed encode, in one of its ways.
    fn encode(&mut self, now_us: u64, how: Flush) {
        let start = Instant::now();
        let made = how(&mut self.feed, now_us, &self.screen, &self.encoders);
        self.stats.encoding += start.elapsed();
        if let Some(made) = made {
            self.stats.updates += 1;
            self.stats.payload_bytes += made.bytes;
            self.stats.units += u64::from(made.units);
        }
    }
}

/// How a feed encodes.
type Flush = fn(&mut Feed, u64, &Screen, &Encoders) -> Option<UpdateStats>;

struct Owned(FrameBuf);

impl PixelMemory for Owned {
    fn view(&self) -> FrameRef<'_> {
        self.0.view()
    }
}

fn copy(picture: &FrameRef<'_>) -> Result<FrameBuf, Error> {
    let mut copy = FrameBuf::new(picture.size(), PixelFormat::Bgrx)?;
    copy.copy_from(picture, picture.size().rect());
    Ok(copy)
}

fn frame(id: u64, now_us: u64, pixels: FrameBuf, damage: Region) -> Frame {
    Frame {
        id,
        generation: 1,
        capture_us: now_us,
        notice_us: now_us,
        pixels: Pixels::new(Owned(pixels)),
        damage: Damage::Hint(damage),
        moves: Vec::new(),
    }
}
