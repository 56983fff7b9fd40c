//! A sharer and a helper in virtual time, over a link of a given rate: for benches and proofs.
//! Everything is real but the clock and the network.

use crate::helper::{Composer, Picture};
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

/// Datagrams carry this much, as over most paths.
const DATAGRAM_BYTES: usize = 1_200;
/// What IP, UDP and QUIC add to each.
const OVERHEAD_BYTES: u64 = 28 + 26;
/// The most that may wait in front of the narrow link; what comes beyond is lost.
const QUEUE_US: u64 = 200_000;

/// The link and what is sent over it.
#[derive(Clone, Copy, Debug)]
pub struct LabOptions {
    /// How films are sent.
    pub codec: CodecChoice,
    /// The link's rate; 0 is without limit.
    pub bits_per_s: u64,
    /// From one side to the other.
    pub one_way_us: u64,
    /// Whether the time that coding takes here passes in virtual time as well.
    pub clocked: bool,
    /// Datagrams of a hundred, either way, that are lost.
    pub loss_percent: u32,
    /// How long a still takes in virtual time; `None`: as long as it takes here.
    pub still_us: Option<u64>,
}

impl Default for LabOptions {
    fn default() -> Self {
        Self {
            codec: CodecChoice::Auto,
            bits_per_s: 0,
            one_way_us: 5_000,
            clocked: false,
            loss_percent: 0,
            still_us: None,
        }
    }
}

/// What went over the link so far, and what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabStats {
    /// Bytes on the link towards the helper, headers included.
    pub bytes: u64,
    /// Encoded bytes.
    pub payload_bytes: u64,
    /// Updates that carried something.
    pub updates: u64,
    /// Access units of video.
    pub units: u64,
    /// What comparing and encoding took of the processor, on all threads.
    pub sharer: Duration,
    /// How long encoding alone took, on as many cores as it uses.
    pub encoding: Duration,
    /// What decoding and composing took of it.
    pub helper: Duration,
}

/// The two sides and the link.
pub struct Lab {
    options: LabOptions,
    now_us: u64,
    screen: Screen,
    encoders: Encoders,
    feed: Feed,
    composer: Composer,
    picture: Option<Picture>,
    /// The newest state of the sharer's display and what changed, until it is captured.
    shown: Option<(FrameBuf, Region)>,
    /// Whether the feed asked for a frame.
    wanted: bool,
    frames: u64,
    free_at_us: u64,
    down: VecDeque<(u64, Bytes)>,
    up: VecDeque<(u64, Bytes)>,
    /// What is to become stills, and those that are made, with the times of their being there.
    jobs: Receiver<StillJob>,
    made: VecDeque<(u64, MadeStill)>,
    /// Says what is lost; the same in every run.
    random: u32,
    stats: LabStats,
}

struct Owned(FrameBuf);

impl PixelMemory for Owned {
    fn view(&self) -> FrameRef<'_> {
        self.0.view()
    }
}

impl Lab {
    /// A helper that has just joined a sharer whose display shows `first`.
    ///
    /// # Errors
    /// The picture has no valid size, or there are no threads.
    pub fn new(first: &FrameRef<'_>, options: LabOptions) -> Result<Self, Error> {
        let failed = |reason: String| Error::Thread { name: "farpane-enc", reason };
        let encoders = Encoders::new().map_err(|e| failed(e.to_string()))?;
        let search = Search { moves: true, processor: Processor::Cpu };
        let screen = Screen::new(&frame(0, 0, copy(first)?, Region::default()), search)?;
        let video = options.codec.encoder_for(decodable());
        let (queue, jobs) = still_queue();
        let stills = options.codec.has_stills(decodable()).then_some(queue);
        let now_us = 1_000_000;
        Ok(Self {
            feed: Feed::new(now_us, 1, first.size(), DATAGRAM_BYTES, video, stills),
            options,
            now_us,
            screen,
            encoders,
            composer: Composer::new(),
            picture: None,
            shown: None,
            wanted: false,
            frames: 0,
            free_at_us: 0,
            down: VecDeque::new(),
            up: VecDeque::new(),
            jobs,
            made: VecDeque::new(),
            random: 1,
            stats: LabStats::default(),
        })
    }

    /// Virtual time in microseconds.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// What went over the link so far.
    pub fn stats(&self) -> LabStats {
        self.stats
    }

    /// What the helper sees.
    pub fn picture(&self) -> Option<FrameRef<'_>> {
        self.picture.as_ref().map(|picture| picture.pixels.view())
    }

    /// What the sharer captured last, which the helper is to see.
    pub fn captured(&self) -> FrameRef<'_> {
        self.screen.view()
    }

    /// Whether the helper is known to see exactly that.
    pub fn is_synchronised(&self) -> bool {
        self.shown.is_none() && self.feed.is_synchronised()
    }

    /// The sharer's display changes. It is captured when the feed can use it.
    ///
    /// # Errors
    /// The picture has no valid size.
    pub fn show(&mut self, picture: &FrameRef<'_>) -> Result<(), Error> {
        self.show_damaged(picture, &[picture.size().rect()])
    }

    /// The same, with the rectangles outside of which nothing changed since the last picture.
    ///
    /// # Errors
    /// The picture has no valid size.
    pub fn show_damaged(&mut self, picture: &FrameRef<'_>, damage: &[Rect]) -> Result<(), Error> {
        let mut region = self.shown.take().map(|(_, region)| region).unwrap_or_default();
        damage.iter().for_each(|rect| region.add(*rect));
        self.shown = Some((copy(picture)?, region));
        self.settle()
    }

    /// Lets virtual time pass until `until_us`.
    ///
    /// # Errors
    /// One side sent nonsense.
    pub fn run_until(&mut self, until_us: u64) -> Result<(), Error> {
        while let Some(at_us) = self.next_us().filter(|at_us| *at_us <= until_us) {
            self.now_us = self.now_us.max(at_us);
            self.settle()?;
        }
        self.now_us = self.now_us.max(until_us);
        Ok(())
    }

    /// Lets virtual time pass until the helper sees exactly what the sharer's display shows, at
    /// most until `until_us`. Whether it does.
    ///
    /// # Errors
    /// As [`Lab::run_until`].
    pub fn run_until_exact(&mut self, until_us: u64) -> Result<bool, Error> {
        while !self.is_exact() {
            let Some(at_us) = self.next_us().filter(|at_us| *at_us <= until_us) else {
                return Ok(false);
            };
            self.now_us = self.now_us.max(at_us);
            self.settle()?;
        }
        Ok(true)
    }

    fn is_exact(&self) -> bool {
        let seen = self.picture();
        self.shown.is_none() && seen.is_some_and(|seen| seen.same_rgb(&self.screen.view()))
    }

    fn next_us(&self) -> Option<u64> {
        let links = [&self.down, &self.up].map(|link| link.front().map(|(at_us, _)| *at_us));
        let sides = [self.feed.poll_timeout(), self.composer.poll_timeout()];
        let made = self.made.front().map(|(at_us, _)| *at_us);
        links
            .into_iter()
            .chain(sides)
            .chain([made])
            .flatten()
            .min()
            .map(|at| at.max(self.now_us + 1))
    }

    /// Does what is due now.
    fn settle(&mut self) -> Result<(), Error> {
        self.receive()?;
        while let Some((_, made)) = self.made.pop_front_if(|(at, _)| *at <= self.now_us) {
            made.deliver();
        }
        let start = Started::now();
        self.wanted |= self.feed.wants_frame(self.now_us);
        if self.wanted
            && let Some((shown, damage)) = self.shown.take()
        {
            self.wanted = false;
            self.feed.handle_captured(self.now_us);
            self.capture(shown, damage)?;
        }
        let flushed = self.encode(Feed::flush);
        self.transmit();
        let rest = self.encode(Feed::flush_rest);
        self.spend(start, |stats| &mut stats.sharer);
        self.transmit();
        self.make_stills();
        for stats in [flushed, rest].into_iter().flatten() {
            self.stats.updates += 1;
            self.stats.payload_bytes += stats.bytes;
            self.stats.units += u64::from(stats.units);
        }
        Ok(())
    }

    fn capture(&mut self, shown: FrameBuf, damage: Region) -> Result<(), Error> {
        self.frames += 1;
        let frame = frame(self.frames, self.now_us, shown, damage);
        match self.screen.compare(&frame)? {
            Compared::Same => {}
            Compared::Reset => self.feed.reset(self.now_us, &self.screen),
            Compared::Changed => {
                self.feed.handle_change(self.now_us, &self.screen);
                self.screen.apply(&frame)?;
                self.feed.handle_applied(self.now_us, &self.screen);
            }
        }
        Ok(())
    }

    fn transmit(&mut self) {
        while let Some(datagram) = self.feed.poll_datagram(self.now_us) {
            let bytes = datagram.len() as u64 + OVERHEAD_BYTES;
            self.stats.bytes += bytes;
            let takes_us = (bytes * 8_000_000).checked_div(self.options.bits_per_s).unwrap_or(0);
            let free_at_us = self.free_at_us.max(self.now_us) + takes_us;
            if free_at_us > self.now_us + QUEUE_US {
                continue;
            }
            self.free_at_us = free_at_us;
            if !self.is_lost() {
                self.down.push_back((free_at_us + self.options.one_way_us, datagram));
            }
        }
    }

    fn receive(&mut self) -> Result<(), Error> {
        let start = Started::now();
        while let Some((at_us, datagram)) = self.down.pop_front_if(|(at, _)| *at <= self.now_us) {
            self.composer.handle_datagram(at_us, &datagram)?;
        }
        self.composer.handle_timeout(self.now_us)?;
        if let Some(picture) = self.composer.poll_picture(self.now_us, || None) {
            self.picture = Some(picture);
        }
        self.spend(start, |stats| &mut stats.helper);
        while let Some((stream, _)) = self.composer.poll_failed_stream() {
            self.feed.handle_undecodable(stream);
        }
        if let Some(report) = self.composer.poll_feedback(self.now_us)
            && !self.is_lost()
        {
            self.up.push_back((self.now_us + self.options.one_way_us, report));
        }
        while let Some((_, report)) = self.up.pop_front_if(|(at, _)| *at <= self.now_us) {
            self.feed.handle_datagram(self.now_us, &report)?;
        }
        Ok(())
    }

    /// Whether the link loses the next datagram.
    fn is_lost(&mut self) -> bool {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 16) % 100 < self.options.loss_percent
    }

    /// Makes the stills that the feed asked for. That takes virtual time from nobody else.
    fn make_stills(&mut self) {
        while let Ok(job) = self.jobs.try_recv() {
            let start = Started::now();
            let made = job.make();
            self.stats.sharer += processor_time().saturating_sub(start.processor);
            let took_us = start.wall.elapsed().as_micros() as u64;
            let at_us = self.now_us + self.options.still_us.unwrap_or(took_us);
            self.made.extend(made.map(|made| (at_us, made)));
        }
    }

    /// Lets the feed encode, in one of its ways.
    fn encode(&mut self, how: Flush) -> Option<UpdateStats> {
        let start = Instant::now();
        let made = how(&mut self.feed, self.now_us, &self.screen, &self.encoders);
        self.stats.encoding += start.elapsed();
        made
    }

    /// Books the time since `start`.
    fn spend(&mut self, start: Started, on: impl Fn(&mut LabStats) -> &mut Duration) {
        *on(&mut self.stats) += processor_time().saturating_sub(start.processor);
        if self.options.clocked {
            self.now_us += start.wall.elapsed().as_micros() as u64;
        }
    }
}

/// How a feed encodes.
type Flush = fn(&mut Feed, u64, &Screen, &Encoders) -> Option<UpdateStats>;

/// When some work began, by both clocks.
struct Started {
    wall: Instant,
    processor: Duration,
}

impl Started {
    fn now() -> Self {
        Self { wall: Instant::now(), processor: processor_time() }
    }
}

/// How long the processor has run for this process.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
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

#[cfg(all(test, feature = "av1"))]
mod stills;
#[cfg(test)]
mod tests;
