//! One helper's video regions: their encoders, how fast they may go, and what became of their
//! units. Sans-IO.

use super::encoders::Encoders;
use super::screen::Screen;
use farpane_codec::video::{
    Chroma, MAX_REGIONS, Picture, Regions, Unit as Encoded, VideoEncoder, VideoError, VideoRate,
};
use farpane_codec::{MAX_UNIT_BYTES, UnitHeader};
use farpane_frame::{Rect, Size};
use farpane_proto::screen::{BatchId, BatchInfo, Repeat};
use farpane_rate::Controller;
use std::collections::VecDeque;
use std::sync::Arc;

/// Opens an encoder for a region.
pub(crate) type OpenEncoder =
    Arc<dyn Fn(Size, VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> + Send + Sync>;

/// Bits for each pixel of a picture at most: from there on films do not look better. A noisy film
/// of 1280x720 at 30 pictures a second then takes 9 Mbit/s.
const MOST_BITS_PER_PX: f64 = 0.33;
/// And fewer than this no film is worth.
const LEAST_BITS_PER_S: f64 = 100_000.0;
/// Of the time between two pictures so much may pass until a unit has left: above the first share
/// units shrink to this share of what was carried in that time, below the second they grow by the
/// last factor.
const BUSY_SHARE: f64 = 0.97;
const FITTED_SHARE: f64 = 0.93;
const EASY_SHARE: f64 = 0.85;
const GROWTH: f64 = 1.08;
/// An encoder is told of another rate when it differs by this share.
const RATE_STEP: f64 = 0.1;
/// Pictures a second assumed of a film, and believed of one.
const PICTURES_PER_S: f32 = 30.0;
const BELIEVED_PER_S: (f32, f32) = (5.0, 60.0);
/// After a picture that an encoder skipped the next one is tried at once, and the same one again
/// after this long.
const RETRY_US: u64 = 100_000;
/// Two pictures of a film lie this far apart at least: 36 a second are enough.
const LEAST_INTERVAL_US: u64 = 28_000;
/// The first change of a picture waits this long for the rest: programs draw large pictures in
/// slices.
const GATHER_US: u64 = 6_000;
/// What has not changed for this long is at rest: it becomes exact.
const QUIET_US: u64 = 150_000;
/// Where a film was, already after so many pictures without a change, but not before this long.
const QUIET_PICTURES: f32 = 3.0;
const LEAST_QUIET_US: u64 = 90_000;
/// A unit that has not arrived this long after it left, or four round trips, is given up.
const REPAIR_WITHIN_US: u64 = 250_000;
/// After so many failures of encoders or of the helper's decoder there is no more video.
const MAX_FAILURES: u32 = 3;

/// The video regions of one helper.
pub(crate) struct Video {
    open: Option<OpenEncoder>,
    regions: Regions,
    streams: [Option<Stream>; MAX_REGIONS],
    /// The number of the next unit of each stream.
    indices: [u32; MAX_REGIONS],
    failures: u32,
    /// Counts up with the pictures of the screen.
    pictures: u64,
}

struct Stream {
    area: Rect,
    encoder: Box<dyn VideoEncoder>,
    picture: Picture,
    rate: VideoRate,
    pictures_per_s: f32,
    /// Bits a second that the path is believed to carry of this stream; 0 before the first unit.
    target: f64,
    /// Whether the next unit must be a keyframe, and whether the encoder was asked for it.
    begins: bool,
    asked: bool,
    units: VecDeque<Unit>,
    /// When the first change came that no unit shows yet.
    changed_us: Option<u64>,
    /// When a picture was encoded last, or skipped, and which.
    tried_us: u64,
    tried: u64,
    /// The last unit's length in bits and how long it took to leave, when that is known and has
    /// not been learned from yet.
    left: Option<(f64, u64)>,
    retry_us: u64,
    bytes: Vec<u8>,
}

/// A unit whose fate is not known.
struct Unit {
    batch: BatchId,
    bytes: u64,
    queued_us: u64,
    left_us: Option<u64>,
}

impl Video {
    /// No regions, on a screen of `size`; none ever without `open`.
    pub(crate) fn new(size: Size, open: Option<OpenEncoder>) -> Self {
        Self {
            open,
            regions: Regions::new(size),
            streams: Default::default(),
            indices: [0; MAX_REGIONS],
            failures: 0,
            pictures: 0,
        }
    }

    /// The screen is another one.
    pub(crate) fn reset(&mut self, size: Size) {
        self.regions = Regions::new(size);
        self.streams = Default::default();
    }

    /// Takes in what changed, once `screen` shows it.
    pub(crate) fn observe(&mut self, now_us: u64, screen: &Screen) {
        if self.open.is_none() || self.failures >= MAX_FAILURES {
            return;
        }
        self.pictures += 1;
        self.regions.observe(now_us, &screen.view(), screen.changed(), screen.moving());
        let areas = self.regions.rects().to_vec();
        for stream in &mut self.streams {
            stream.take_if(|stream| !areas.contains(&stream.area));
        }
        for stream in self.streams.iter_mut().flatten() {
            let changed = screen.changed().iter().any(|(_, rect)| rect.intersects(stream.area));
            stream.changed_us = stream.changed_us.or(changed.then_some(now_us));
        }
        for area in areas {
            let known = self.streams.iter().flatten().any(|stream| stream.area == area);
            let free = self.streams.iter().position(Option::is_none);
            if let (false, Some(free)) = (known, free) {
                self.streams[free] = self.begin(area);
            }
        }
    }

    fn begin(&mut self, area: Rect) -> Option<Stream> {
        let (size, rate) = (
            Size::new(area.width, area.height),
            VideoRate { bits_per_s: 1_000_000, pictures_per_s: PICTURES_PER_S },
        );
        let open = self.open.as_ref()?;
        let picture = || Picture::new(size, Chroma::Quarter);
        match open(size, rate).and_then(|encoder| Ok((picture()?, encoder))) {
            Ok((picture, encoder)) => Some(Stream {
                area,
                encoder,
                picture,
                rate,
                pictures_per_s: PICTURES_PER_S,
                target: 0.0,
                begins: true,
                asked: true,
                units: VecDeque::new(),
                changed_us: None,
                tried_us: 0,
                tried: 0,
                left: None,
                retry_us: 0,
                bytes: Vec::new(),
            }),
            // It goes exactly, and smaller ones as video.
            Err(VideoError::Size { .. }) => None,
            Err(error) => {
                self.fail(&error.to_string());
                None
            }
        }
    }

    fn fail(&mut self, reason: &str) {
        self.failures += 1;
        log::warn!("video ({} of {MAX_FAILURES} failures): {reason}", self.failures);
        if self.failures >= MAX_FAILURES {
            self.streams = Default::default();
        }
    }

    /// The stream that carries a part of `area`, which lies in `tile`, and that part.
    pub(crate) fn claim(&self, tile: u32, area: Rect) -> Option<(usize, Rect)> {
        if !self.regions.is_film(tile) {
            return None;
        }
        let streams = self.streams.iter().enumerate();
        let claims = streams.filter_map(|(i, s)| Some((i, s.as_ref()?.area.intersect(area))));
        claims.into_iter().find(|(_, part)| !part.is_empty())
    }

    /// How long after its last change `area` is at rest.
    pub(crate) fn quiet_us(&self, area: Rect) -> u64 {
        let stream = self.streams.iter().flatten().find(|stream| stream.area.intersects(area));
        let quiet_us = |stream: &Stream| (QUIET_PICTURES * 1e6 / stream.pictures_per_s) as u64;
        stream.map_or(QUIET_US, |stream| quiet_us(stream).clamp(LEAST_QUIET_US, QUIET_US))
    }

    /// When the stream may encode the next picture.
    pub(crate) fn due_us(&self, stream: usize) -> u64 {
        let due_us = |stream: &Stream| match stream.tried == self.pictures {
            true => stream.retry_us,
            false => {
                let gathered_us = stream.changed_us.map_or(0, |at_us| at_us + GATHER_US);
                gathered_us.max(stream.tried_us + LEAST_INTERVAL_US)
            }
        };
        self.streams[stream].as_ref().map_or(u64::MAX, due_us)
    }

    /// Encodes what `screen` shows in the region of a stream and makes a batch of it, which shows
    /// `writes`. `None`: there is nothing to send this time.
    pub(crate) fn encode(
        &mut self,
        now_us: u64,
        at: usize,
        writes: Vec<(u32, Rect)>,
        screen: &Screen,
        encoders: &Encoders,
        controller: &dyn Controller,
    ) -> Option<BatchInfo> {
        let stream = self.streams[at].as_mut()?;
        stream.pace(now_us, controller);
        (stream.tried, stream.changed_us) = (self.pictures, None);
        stream.retry_us = now_us + RETRY_US;
        let unit = match stream.encode(screen) {
            Ok(unit) => unit?,
            Err(error) => {
                self.streams[at] = None;
                self.fail(&error.to_string());
                return None;
            }
        };
        if stream.bytes.len() > MAX_UNIT_BYTES as usize {
            // It is not sent, so the next must not refer to it.
            stream.restart();
            return None;
        }
        let (index, needs) = (self.indices[at], u32::from(!unit.keyframe));
        self.indices[at] += 1;
        stream.begins = false;
        let codec = stream.encoder.capabilities().codec;
        let header = UnitHeader { stream: at as u8, codec, index, needs, area: stream.area };
        let data = encoders.one(screen.grid(), |encoder| {
            encoder.unit(&header, &stream.bytes);
            writes.iter().for_each(|(tile, area)| encoder.video(*tile, *area));
        });
        Some(BatchInfo {
            data: data.into(),
            writes,
            repeat: Repeat::WhileVideo,
            lossy: true,
            ..BatchInfo::default()
        })
    }

    /// Notes that a batch of a stream was queued.
    pub(crate) fn handle_queued(&mut self, at: usize, batch: BatchId, bytes: u64, now_us: u64) {
        if let Some(stream) = &mut self.streams[at] {
            stream.units.push_back(Unit { batch, bytes, queued_us: now_us, left_us: None });
        }
    }

    /// Notes that all that was queued has left.
    pub(crate) fn handle_left(&mut self, now_us: u64) {
        for stream in self.streams.iter_mut().flatten() {
            for unit in stream.units.iter_mut().filter(|unit| unit.left_us.is_none()) {
                unit.left_us = Some(now_us);
                let took_us = now_us.saturating_sub(unit.queued_us);
                stream.left = Some((unit.bytes as f64 * 8.0, took_us));
            }
        }
    }

    /// Notes what became of a batch. Gives the batches that are useless with it.
    pub(crate) fn handle_fate(&mut self, batch: BatchId, delivered: bool) -> Vec<BatchId> {
        let find = |stream: &Stream| stream.units.iter().position(|unit| unit.batch == batch);
        for stream in self.streams.iter_mut().flatten() {
            let Some(at) = find(stream) else { continue };
            if !delivered {
                let useless = stream.units.drain(at..).skip(1).map(|unit| unit.batch).collect();
                stream.restart();
                return useless;
            }
            stream.units.remove(at);
        }
        Vec::new()
    }

    /// The helper could not decode a stream: it begins anew.
    pub(crate) fn handle_undecodable(&mut self, stream: u8) {
        if let Some(Some(stream)) = self.streams.get_mut(usize::from(stream)) {
            stream.restart();
            self.fail("the helper cannot decode it");
        }
    }

    /// The units that were not repaired in time.
    pub(crate) fn overdue(&self, now_us: u64, rtt_us: u64) -> Option<BatchId> {
        let limit_us = REPAIR_WITHIN_US.max(4 * rtt_us);
        let units = self.streams.iter().flatten().filter_map(|stream| stream.units.front());
        let late = |unit: &&Unit| unit.left_us.is_some_and(|at_us| now_us > at_us + limit_us);
        units.into_iter().find(late).map(|unit| unit.batch)
    }
}

impl Stream {
    /// The next unit must be a keyframe.
    fn restart(&mut self) {
        self.begins = true;
        self.asked = false;
    }

    /// Follows the film's pace and the path's rate.
    fn pace(&mut self, now_us: u64, controller: &dyn Controller) {
        let since_us = now_us.saturating_sub(std::mem::replace(&mut self.tried_us, now_us));
        if since_us < 1_000_000 {
            let (slowest, fastest) = BELIEVED_PER_S;
            let pace = (1e6 / since_us.max(1) as f32).clamp(slowest, fastest);
            self.pictures_per_s += 0.2 * (pace - self.pictures_per_s);
        }
        let pictures_per_s = f64::from(self.pictures_per_s);
        let most = MOST_BITS_PER_PX * self.area.area_px() as f64 * pictures_per_s;
        if self.target == 0.0 {
            let rtt_us = controller.rtt_us().max(10_000) as f64;
            self.target = controller.window_bytes() as f64 * 4e6 / rtt_us;
        } else if let Some((bits, left_us)) = self.left.take() {
            let share = left_us as f64 * pictures_per_s / 1e6;
            let fair = bits * pictures_per_s * 2.0 > self.target;
            if share > BUSY_SHARE {
                let carried = bits * 1e6 / left_us.max(1) as f64;
                self.target = self.target.min(carried * FITTED_SHARE);
            } else if share < EASY_SHARE && fair {
                self.target *= GROWTH;
            }
        }
        self.target = self.target.min(most).max(LEAST_BITS_PER_S);
        let rate =
            VideoRate { bits_per_s: self.target as u32, pictures_per_s: self.pictures_per_s };
        let step = self.target / f64::from(self.rate.bits_per_s.max(1));
        if (step - 1.0).abs() > RATE_STEP && self.encoder.set_rate(rate).is_ok() {
            self.rate = rate;
        }
    }

    /// Encodes the region into `bytes`; `None` when the encoder skipped the picture, or made no
    /// keyframe when one is needed.
    fn encode(&mut self, screen: &Screen) -> Result<Option<Encoded>, VideoError> {
        self.picture.load(&screen.view(), (self.area.x, self.area.y))?;
        if self.begins && !self.asked {
            self.encoder.request_keyframe();
            self.asked = true;
        }
        self.bytes.clear();
        let unit = self.encoder.encode(&self.picture.planes(), &mut self.bytes)?;
        let useless = unit.is_some_and(|unit| self.begins && !unit.keyframe);
        if useless {
            // It refers to pictures that the helper does not have.
            self.asked = false;
        }
        Ok(unit.filter(|_| !useless))
    }
}
