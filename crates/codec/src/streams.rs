//! The helper's side of video: streams of access units, and the newest picture of each.
//!
//! A unit that refers to one that has not come is held, with what it is to show, until the
//! missing one comes after all or a keyframe makes it useless.

use crate::DecodeError;
use crate::video::{VideoCodec, VideoDecoder, VideoError};
use crate::wire::Reader;
use farpane_frame::{FrameBuf, MAX_DIMENSION_PX, PixelFormat, Rect, Size};
use std::collections::VecDeque;

/// Streams at once: two regions, stills of what is at rest, and one to come.
pub const MAX_STREAMS: u8 = 4;
/// Bytes of an access unit at most, so that it fits a batch.
pub const MAX_UNIT_BYTES: u32 = 900_000;
/// Pixels that the pictures of all streams may have together, in canvases.
const MAX_CANVASES: u64 = 2;
/// Units of a stream that are held at most, and their bytes: a second of a film at 8 Mbit/s.
const MAX_HELD: usize = 32;
const MAX_HELD_BYTES: usize = 1 << 20;

/// Opens a decoder for pictures of a size. `Err` when there is none here.
pub type OpenDecoder =
    Box<dyn Fn(VideoCodec, Size) -> Result<Box<dyn VideoDecoder>, VideoError> + Send>;

/// What a batch says of the access unit in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitHeader {
    /// The stream, below [`MAX_STREAMS`].
    pub stream: u8,
    /// The format.
    pub codec: VideoCodec,
    /// Counts up with the units of the stream.
    pub index: u32,
    /// How many units before it the one is that it refers to; 0: it is a keyframe.
    pub needs: u32,
    /// Where on the canvas its picture lies. Its sides are even.
    pub area: Rect,
}

impl UnitHeader {
    fn size(&self) -> Size {
        Size::new(self.area.width, self.area.height)
    }

    /// Reads a unit's operation.
    pub(crate) fn read(ops: &mut Reader<'_>, canvas: Size) -> Result<Self, DecodeError> {
        let (stream, codec) = (ops.byte()?, ops.byte()?);
        let known = VideoCodec::from_byte(codec).filter(|_| stream < MAX_STREAMS);
        let codec = known.ok_or(DecodeError::Stream { stream, codec })?;
        let (index, needs) = (ops.varint()?, ops.varint()?);
        let sides = [ops.varint()?, ops.varint()?, ops.varint()?, ops.varint()?];
        let [x, y, width, height] = sides;
        let area = Rect { x, y, width, height };
        let odd = !width.is_multiple_of(2) || !height.is_multiple_of(2);
        if sides.iter().any(|side| *side > MAX_DIMENSION_PX)
            || area.is_empty()
            || odd
            || !canvas.rect().contains(area)
        {
            return Err(DecodeError::Area(area));
        }
        Ok(Self { stream, codec, index, needs, area })
    }
}

/// What became of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was decoded, and its picture is there.
    Decoded,
    /// It waits for one before it.
    Held,
    /// It is of no use.
    Dropped,
}

/// All streams.
pub(crate) struct Streams {
    open: OpenDecoder,
    streams: [Stream; MAX_STREAMS as usize],
    failed: [Option<VideoError>; MAX_STREAMS as usize],
}

#[derive(Default)]
struct Stream {
    decoder: Option<Box<dyn VideoDecoder>>,
    codec: Option<VideoCodec>,
    /// The newest unit that was decoded.
    decoded: Option<u32>,
    /// Whether nothing but a keyframe helps.
    broken: bool,
    held: VecDeque<Held>,
    /// The newest picture, and where it lies.
    picture: Option<FrameBuf>,
    area: Rect,
}

struct Held {
    header: UnitHeader,
    unit: Vec<u8>,
    /// What it is to show.
    areas: Vec<Rect>,
}

impl Streams {
    pub(crate) fn new(open: OpenDecoder) -> Self {
        Self { open, streams: Default::default(), failed: [const { None }; MAX_STREAMS as usize] }
    }

    /// Forgets all streams, for a new canvas.
    pub(crate) fn clear(&mut self) {
        self.streams = Default::default();
    }

    /// A stream that could not be decoded, and why; the sharer should hear of it.
    pub(crate) fn poll_failed(&mut self) -> Option<(u8, VideoError)> {
        let failed = (0u8..).zip(&mut self.failed);
        failed.into_iter().find_map(|(stream, why)| Some((stream, why.take()?)))
    }

    /// Takes a unit in.
    pub(crate) fn handle(
        &mut self,
        header: UnitHeader,
        unit: &[u8],
        canvas: Size,
    ) -> Result<Taken, DecodeError> {
        let index = usize::from(header.stream);
        let others = self.streams.iter().enumerate().filter(|(i, _)| *i != index);
        let others: u64 = others.map(|(_, stream)| stream.area.area_px()).sum();
        let limit = MAX_CANVASES * canvas.area_px();
        if others + header.area.area_px() > limit {
            return Err(DecodeError::Work { limit });
        }
        let stream = &mut self.streams[index];
        let taken = stream.take(&header, unit, &self.open).unwrap_or_else(|why| {
            stream.decoder = None;
            stream.broken = true;
            stream.held.clear();
            self.failed[index] = Some(why);
            Taken::Dropped
        });
        Ok(taken)
    }

    /// The unit that was held last is to show `area`.
    pub(crate) fn show_later(&mut self, stream: u8, area: Rect) {
        if let Some(held) = self.streams[usize::from(stream)].held.back_mut() {
            held.areas.push(area);
        }
    }

    /// Decodes the units that waited for the one that was decoded just now, and gives what they
    /// are to show: all of it from the newest picture.
    pub(crate) fn release(&mut self, stream: u8) -> Vec<Rect> {
        let index = usize::from(stream);
        let stream = &mut self.streams[index];
        let mut areas = Vec::new();
        while let Some(held) = stream.next_held() {
            match stream.take(&held.header, &held.unit, &self.open) {
                Ok(_) => areas.extend(held.areas),
                Err(why) => {
                    (stream.decoder, stream.broken) = (None, true);
                    stream.held.clear();
                    self.failed[index] = Some(why);
                }
            }
        }
        areas.retain(|area| stream.area.contains(*area));
        areas
    }

    /// `area` was written by something that must stay: no held unit may show anything there.
    pub(crate) fn keep(&mut self, area: Rect) {
        for held in self.streams.iter_mut().flat_map(|stream| &mut stream.held) {
            held.areas.retain(|shown| !shown.intersects(area));
        }
    }

    /// The newest picture of a stream and where it lies.
    pub(crate) fn picture(&self, stream: u8) -> Option<(&FrameBuf, Rect)> {
        let stream = self.streams.get(usize::from(stream))?;
        Some((stream.picture.as_ref()?, stream.area))
    }
}

impl Stream {
    fn take(
        &mut self,
        header: &UnitHeader,
        unit: &[u8],
        open: &OpenDecoder,
    ) -> Result<Taken, VideoError> {
        if self.decoded.is_some_and(|decoded| header.index <= decoded) {
            return Ok(Taken::Dropped);
        }
        if header.needs == 0 {
            self.begin(header, open)?;
        } else if self.broken {
            return Ok(Taken::Dropped);
        } else if !self.is_ready(header) {
            self.hold(header, unit)?;
            return Ok(Taken::Held);
        }
        let failed = |reason: &str| VideoError::Failed { what: "decoder", reason: reason.into() };
        let (Some(decoder), Some(picture)) = (&mut self.decoder, &mut self.picture) else {
            return Err(failed("no keyframe came first"));
        };
        let planes = decoder.decode(unit)?.ok_or_else(|| failed("a unit without a picture"))?;
        planes.to_pixels(header.size().rect(), picture, (0, 0))?;
        (self.decoded, self.area) = (Some(header.index), header.area);
        Ok(Taken::Decoded)
    }

    fn begin(&mut self, header: &UnitHeader, open: &OpenDecoder) -> Result<(), VideoError> {
        let size = header.size();
        if self.decoder.is_none() || !self.fits(header) {
            self.decoder = Some(open(header.codec, size)?);
            self.codec = Some(header.codec);
            self.picture = FrameBuf::new(size, PixelFormat::Bgrx).ok();
        }
        self.broken = false;
        self.held.retain(|held| held.header.index > header.index);
        Ok(())
    }

    fn fits(&self, header: &UnitHeader) -> bool {
        let size = self.picture.as_ref().map(FrameBuf::size);
        self.codec == Some(header.codec) && size == Some(header.size())
    }

    /// Whether the unit that this one refers to was decoded.
    fn is_ready(&self, header: &UnitHeader) -> bool {
        let wanted = header.index.checked_sub(header.needs);
        let decoded = self.decoded.zip(wanted).is_some_and(|(decoded, wanted)| decoded >= wanted);
        decoded && self.fits(header)
    }

    fn hold(&mut self, header: &UnitHeader, unit: &[u8]) -> Result<(), VideoError> {
        let bytes: usize = self.held.iter().map(|held| held.unit.len()).sum();
        if self.held.len() >= MAX_HELD || bytes + unit.len() > MAX_HELD_BYTES {
            let reason = "too many units wait for one that does not come".to_owned();
            return Err(VideoError::Failed { what: "decoder", reason });
        }
        self.held.push_back(Held { header: *header, unit: unit.to_vec(), areas: Vec::new() });
        Ok(())
    }

    /// The next held unit that can be decoded; those that are too late are dropped.
    fn next_held(&mut self) -> Option<Held> {
        let decoded = self.decoded;
        self.held.retain(|held| decoded.is_none_or(|decoded| held.header.index > decoded));
        let ready = (0..self.held.len()).filter(|i| self.is_ready(&self.held[*i].header));
        let next = ready.min_by_key(|i| self.held[*i].header.index)?;
        self.held.remove(next)
    }
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let areas = self.streams.each_ref().map(|stream| stream.area);
        f.debug_struct("Streams").field("areas", &areas).finish_non_exhaustive()
    }
}
