//! A sharer and a helper in virtual time, over a link of a given rate: for benches and proofs.
//! Everything is real but the clock and the network.

mod helper;
mod sharer;

use crate::{CodecChoice, Error};
use bytes::Bytes;
use farpane_frame::{FrameRef, Rect};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use helper::LabHelper;
pub use sharer::{LabSharer, LabSharerOptions, LabSharerStats};

/// Datagrams carry this much, as over most paths.
const DATAGRAM_BYTES: usize = 1_200;
/// The sides, for what they took.
const SHARER: usize = 0;
const HELPER: usize = 1;
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
    sharer: LabSharer,
    helper: LabHelper,
    free_at_us: u64,
    down: VecDeque<(u64, Bytes)>,
    up: VecDeque<(u64, Bytes)>,
    /// Says what is lost; the same in every run.
    random: u32,
    /// Bytes on the link towards the helper.
    bytes: u64,
    /// What each side took of the processor.
    spent: [Duration; 2],
}

impl Lab {
    /// A helper that has just joined a sharer whose display shows `first`.
    ///
    /// # Errors
    /// The picture has no valid size, or there are no threads.
    pub fn new(first: &FrameRef<'_>, options: LabOptions) -> Result<Self, Error> {
        let now_us = 1_000_000;
        let LabOptions { codec, still_us, .. } = options;
        let of_sharer = LabSharerOptions { codec, still_us, max_datagram_bytes: DATAGRAM_BYTES };
        Ok(Self {
            options,
            now_us,
            sharer: LabSharer::new(now_us, first, of_sharer)?,
            helper: LabHelper::new(),
            free_at_us: 0,
            down: VecDeque::new(),
            up: VecDeque::new(),
            random: 1,
            bytes: 0,
            spent: [Duration::ZERO; 2],
        })
    }

    /// Virtual time in microseconds.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// What went over the link so far.
    pub fn stats(&self) -> LabStats {
        let LabSharerStats { payload_bytes, updates, units, encoding, stills } =
            self.sharer.stats();
        let [sharer, helper] = self.spent;
        let (bytes, sharer) = (self.bytes, sharer + stills);
        LabStats { bytes, payload_bytes, updates, units, sharer, encoding, helper }
    }

    /// What the helper sees.
    pub fn picture(&self) -> Option<FrameRef<'_>> {
        self.helper.picture()
    }

    /// What the sharer captured last, which the helper is to see.
    pub fn captured(&self) -> FrameRef<'_> {
        self.sharer.captured()
    }

    /// Whether the helper is known to see exactly that.
    pub fn is_synchronised(&self) -> bool {
        self.sharer.is_synchronised()
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
        self.sharer.show(picture, damage)?;
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
        self.sharer.is_captured() && seen.is_some_and(|seen| seen.same_rgb(&self.captured()))
    }

    fn next_us(&self) -> Option<u64> {
        let links = [&self.down, &self.up].map(|link| link.front().map(|(at_us, _)| *at_us));
        let sides = [self.sharer.poll_timeout(), self.helper.poll_timeout()];
        links.into_iter().chain(sides).flatten().min().map(|at| at.max(self.now_us + 1))
    }

    /// Does what is due now.
    fn settle(&mut self) -> Result<(), Error> {
        self.receive()?;
        let start = Started::now();
        self.sharer.flush(self.now_us)?;
        self.transmit();
        self.sharer.flush_rest(self.now_us);
        self.spend(start, SHARER);
        self.transmit();
        self.sharer.make_stills(self.now_us);
        Ok(())
    }

    fn transmit(&mut self) {
        while let Some(datagram) = self.sharer.poll_datagram(self.now_us) {
            let bytes = datagram.len() as u64 + OVERHEAD_BYTES;
            self.bytes += bytes;
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
            self.helper.handle_datagram(at_us, &datagram)?;
        }
        self.helper.handle_timeout(self.now_us)?;
        self.spend(start, HELPER);
        while let Some(stream) = self.helper.poll_failed_stream() {
            self.sharer.handle_undecodable(stream);
        }
        if let Some(report) = self.helper.poll_report(self.now_us)
            && !self.is_lost()
        {
            self.up.push_back((self.now_us + self.options.one_way_us, report));
        }
        while let Some((_, report)) = self.up.pop_front_if(|(at, _)| *at <= self.now_us) {
            self.sharer.handle_datagram(self.now_us, &report)?;
        }
        Ok(())
    }

    /// Whether the link loses the next datagram.
    fn is_lost(&mut self) -> bool {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.random >> 16) % 100 < self.options.loss_percent
    }

    /// Books the time since `start`.
    fn spend(&mut self, start: Started, side: usize) {
        self.spent[side] += processor_time().saturating_sub(start.processor);
        if self.options.clocked {
            self.now_us += start.wall.elapsed().as_micros() as u64;
        }
    }
}

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

#[cfg(all(test, feature = "av1"))]
mod stills;
#[cfg(test)]
mod tests;
