//! The helper's side of video: streams of access units, and the newest picture of each.

use crate::DecodeError;
use crate::video::{VideoCodec, VideoDecoder, VideoError};
use crate::wire::Reader;
use farpane_frame::{FrameBuf, MAX_DIMENSION_PX, PixelFormat, Rect, Size};

/// Streams at once: two regions, a bridge over large changes, and one to come.
pub const MAX_STREAMS: u8 = 4;
/// Bytes of an access unit at most: half a raw picture of 1280x720.
pub const MAX_UNIT_BYTES: u32 = 1 << 20;
/// Pixels that the pictures of all streams may have together, in canvases.
const MAX_CANVASES: u64 = 2;

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

/// An access unit, or a piece of one that is too long for a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) header: UnitHeader,
    /// Bytes of the whole unit, and before this piece.
    pub(crate) total: u32,
    pub(crate) offset: u32,
    pub(crate) bytes: &'a [u8],
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
    /// The pieces of a unit so far, and which.
    pieces: Vec<u8>,
    piece_of: u32,
    /// The newest picture, and where it lies.
    picture: Option<FrameBuf>,
    area: Rect,
}

impl Streams {
    pub(crate) fn new(open: OpenDecoder) -> Self {
        Self { open, streams: Default::default(), failed: [const { None }; MAX_STREAMS as usize] }
    }

    /// Forgets all streams, for a new canvas.
    pub(crate) fn clear(&mut self) {
        self.streams = Default::default();
    }

    /// A stream whose decoder failed, and why; the sharer should hear of it.
    pub(crate) fn poll_failed(&mut self) -> Option<(u8, VideoError)> {
        let failed = (0u8..).zip(&mut self.failed);
        failed.into_iter().find_map(|(stream, why)| Some((stream, why.take()?)))
    }

    /// Takes a piece in. Whether it completed a unit and that was decoded.
    pub(crate) fn handle(&mut self, piece: &Piece<'_>, canvas: Size) -> Result<bool, DecodeError> {
        let header = piece.header;
        let index = usize::from(header.stream);
        let others = self.streams.iter().enumerate().filter(|(i, _)| *i != index);
        let others: u64 = others.map(|(_, stream)| stream.area.area_px()).sum();
        let limit = MAX_CANVASES * canvas.area_px();
        if others + header.area.area_px() > limit {
            return Err(DecodeError::Work { limit });
        }
        let stream = &mut self.streams[index];
        let Some(unit) = stream.assemble(piece) else { return Ok(false) };
        let decoded = stream.decode(&header, &unit, &self.open);
        stream.pieces = unit;
        stream.pieces.clear();
        match decoded {
            Ok(shown) => Ok(shown),
            Err(why) => {
                (stream.decoder, stream.decoded) = (None, None);
                self.failed[index] = Some(why);
                Ok(false)
            }
        }
    }

    /// The newest picture of a stream and where it lies.
    pub(crate) fn picture(&self, stream: u8) -> Option<(&FrameBuf, Rect)> {
        let stream = self.streams.get(usize::from(stream))?;
        Some((stream.picture.as_ref()?, stream.area))
    }
}

impl Stream {
    /// The whole unit, when this was its last piece and all before it came.
    fn assemble(&mut self, piece: &Piece<'_>) -> Option<Vec<u8>> {
        if piece.offset == 0 {
            self.pieces.clear();
            self.piece_of = piece.header.index;
        } else if self.piece_of != piece.header.index || self.pieces.len() != piece.offset as usize
        {
            self.pieces.clear();
            return None;
        }
        self.pieces.extend_from_slice(piece.bytes);
        (self.pieces.len() == piece.total as usize).then(|| std::mem::take(&mut self.pieces))
    }

    /// Decodes a unit and keeps its picture; false when it refers to one that is not there.
    fn decode(
        &mut self,
        header: &UnitHeader,
        unit: &[u8],
        open: &OpenDecoder,
    ) -> Result<bool, VideoError> {
        let size = Size::new(header.area.width, header.area.height);
        let known = self.codec == Some(header.codec) && self.picture_size() == Some(size);
        if header.needs == 0 {
            if self.decoder.is_none() || !known {
                self.decoder = Some(open(header.codec, size)?);
                self.codec = Some(header.codec);
                self.picture = FrameBuf::new(size, PixelFormat::Bgrx).ok();
            }
        } else {
            let wanted = header.index.checked_sub(header.needs);
            if !known || self.decoded.is_none_or(|decoded| wanted.is_none_or(|w| decoded < w)) {
                return Ok(false);
            }
        }
        let (Some(decoder), Some(picture)) = (&mut self.decoder, &mut self.picture) else {
            return Ok(false);
        };
        self.decoded = None;
        let no_picture = || VideoError::Failed { what: "decoder", reason: "no picture".into() };
        let planes = decoder.decode(unit)?.ok_or_else(no_picture)?;
        planes.to_pixels(size.rect(), picture, (0, 0))?;
        (self.decoded, self.area) = (Some(header.index), header.area);
        Ok(true)
    }

    fn picture_size(&self) -> Option<Size> {
        self.picture.as_ref().map(FrameBuf::size)
    }
}

/// Reads a unit's operation, whose bytes are taken from `units`.
pub(crate) fn read_piece<'a>(
    ops: &mut Reader<'_>,
    units: &mut Reader<'a>,
    canvas: Size,
) -> Result<Piece<'a>, DecodeError> {
    let stream = ops.byte()?;
    let codec = ops.byte()?;
    let known = VideoCodec::from_byte(codec).filter(|_| stream < MAX_STREAMS);
    let codec = known.ok_or(DecodeError::Stream { stream, codec })?;
    let (index, needs) = (ops.varint()?, ops.varint()?);
    let area =
        Rect { x: ops.varint()?, y: ops.varint()?, width: ops.varint()?, height: ops.varint()? };
    let sides = [area.x, area.y, area.width, area.height];
    let odd = !area.width.is_multiple_of(2) || !area.height.is_multiple_of(2);
    if sides.iter().any(|side| *side > MAX_DIMENSION_PX)
        || area.is_empty()
        || odd
        || !canvas.rect().contains(area)
    {
        return Err(DecodeError::Area(area));
    }
    let (total, offset, len) = (ops.varint()?, ops.varint()?, ops.varint()?);
    let fits = offset.checked_add(len).is_some_and(|end| end <= total && end > offset);
    if total > MAX_UNIT_BYTES || !fits {
        return Err(DecodeError::Unit { bytes: total });
    }
    let header = UnitHeader { stream, codec, index, needs, area };
    Ok(Piece { header, total, offset, bytes: units.take(len as usize)? })
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let areas = self.streams.each_ref().map(|stream| stream.area);
        f.debug_struct("Streams").field("areas", &areas).finish_non_exhaustive()
    }
}
