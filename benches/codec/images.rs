//! Codecs of single pictures: what changed is a picture of its own.

use crate::subjects::Subject;
use farpane_benches::recordings::Shot;
use farpane_frame::{FrameBuf, FrameRef, Rect};
use ironrdp_graphics::clearcodec::{ClearCodecDecoder, ClearCodecEncoder};
use std::io::Cursor;

/// How hard zstd tries, for everybody who ends with it.
pub(crate) const ZSTD_LEVEL: i32 = 1;

/// How the names of those end that are told where the changes are.
pub(crate) const TOLD: &str = ", box";

/// Codes an area of a frame, exactly.
pub(crate) trait ImageCodec {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Appends the area's picture to `out`.
    fn encode(&mut self, frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>);

    /// Draws what [`ImageCodec::encode`] gave.
    fn decode(&mut self, data: &[u8], area: Rect, helper: &mut FrameBuf);
}

/// A codec of pictures for a screen: of all of it whenever something changed, or of the smallest
/// rectangle around all changes, which it is told.
pub(crate) struct Images<C> {
    codec: C,
    whole: bool,
    area: Rect,
    data: Vec<u8>,
}

impl<C: ImageCodec> Images<C> {
    pub(crate) fn new(codec: C, whole: bool) -> Self {
        Self { codec, whole, area: Rect::default(), data: Vec::new() }
    }
}

impl<C: ImageCodec> Subject for Images<C> {
    fn name(&self) -> String {
        format!("{}{}", self.codec.name(), if self.whole { ", whole" } else { TOLD })
    }

    fn frame(&mut self, shot: &Shot) -> usize {
        let view = shot.view();
        self.area = if self.whole { view.size().rect() } else { shot.bounds() };
        self.data.clear();
        self.codec.encode(&view, self.area, &mut self.data);
        self.data.len()
    }

    fn show(&mut self, helper: &mut FrameBuf) {
        self.codec.decode(&self.data, self.area, helper);
    }
}

/// The area's pixels without gaps, four bytes each.
fn pack(frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>) {
    out.clear();
    out.reserve(area.area_px() as usize * 4);
    (area.y..area.bottom()).for_each(|y| out.extend_from_slice(frame.span(area.x, y, area.width)));
}

/// The area's pixels without gaps, blue, green and red of each.
pub(crate) fn pack_colours(frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>) {
    out.resize(area.area_px() as usize * 3, 0);
    for (y, row) in (area.y..).zip(out.chunks_exact_mut(area.width as usize * 3)) {
        let pixels = frame.span(area.x, y, area.width).as_chunks::<4>().0;
        for (to, [b, g, r, _]) in row.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
            *to = [*b, *g, *r];
        }
    }
}

/// Writes packed pixels of `N` bytes, of which the first three are colours.
pub(crate) fn unpack<const N: usize>(pixels: &[u8], area: Rect, helper: &mut FrameBuf) {
    for (y, row) in (area.y..).zip(pixels.chunks_exact(area.width as usize * N)) {
        let to = helper.span_mut(area.x, y, area.width).as_chunks_mut::<4>().0;
        for (to, pixel) in to.iter_mut().zip(row.as_chunks::<N>().0) {
            to[..3].copy_from_slice(&pixel[..3]);
        }
    }
}

/// QOI, then zstd. QOI takes the pixels as they are, the unused byte as opacity.
pub(crate) struct Qoi {
    packed: Vec<u8>,
    coded: Vec<u8>,
    zstd: zstd::bulk::Compressor<'static>,
}

impl Qoi {
    pub(crate) fn new() -> Self {
        let zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL).expect("a level of zstd");
        Self { packed: Vec::new(), coded: Vec::new(), zstd }
    }
}

impl ImageCodec for Qoi {
    fn name(&self) -> &'static str {
        "QOI + zstd"
    }

    fn encode(&mut self, frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>) {
        pack(frame, area, &mut self.packed);
        let encoder = qoi::Encoder::new(&self.packed, area.width, area.height).expect("a picture");
        // Only grows, so that its bytes are not cleared each time.
        let needed = encoder.required_buf_len().max(self.coded.len());
        self.coded.resize(needed, 0);
        let bytes = encoder.encode_to_buf(&mut self.coded).expect("room");
        compress(&mut self.zstd, &self.coded[..bytes], out);
    }

    fn decode(&mut self, data: &[u8], area: Rect, helper: &mut FrameBuf) {
        let coded = zstd::bulk::decompress(data, self.coded.len()).expect("its own bytes");
        let (_, pixels) = qoi::decode_to_vec(coded).expect("its own picture");
        unpack::<4>(&pixels, area, helper);
    }
}

/// Appends what zstd makes of `data`.
pub(crate) fn compress(zstd: &mut zstd::bulk::Compressor<'static>, data: &[u8], out: &mut Vec<u8>) {
    let mut coded = Vec::with_capacity(zstd::zstd_safe::compress_bound(data.len()));
    zstd.compress_to_buffer(data, &mut coded).expect("room");
    out.extend_from_slice(&coded);
}

/// PNG by `fdeflate`.
pub(crate) struct Png {
    packed: Vec<u8>,
}

impl Png {
    pub(crate) fn new() -> Self {
        Self { packed: Vec::new() }
    }
}

impl ImageCodec for Png {
    fn name(&self) -> &'static str {
        "PNG, fdeflate"
    }

    fn encode(&mut self, frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>) {
        pack_colours(frame, area, &mut self.packed);
        let mut encoder = png::Encoder::new(out, area.width, area.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().expect("memory");
        writer.write_image_data(&self.packed).expect("memory");
        writer.finish().expect("memory");
    }

    fn decode(&mut self, data: &[u8], area: Rect, helper: &mut FrameBuf) {
        let mut reader = png::Decoder::new(Cursor::new(data)).read_info().expect("its own PNG");
        self.packed.resize(reader.output_buffer_size().expect("its own PNG"), 0);
        reader.next_frame(&mut self.packed).expect("its own PNG");
        unpack::<3>(&self.packed, area, helper);
    }
}

/// ClearCodec of MS-RDPEGFX, as `ironrdp-graphics` encodes it: runs of one colour, and neither
/// its bands nor its subcodecs.
pub(crate) struct Clear {
    packed: Vec<u8>,
    encoder: ClearCodecEncoder,
    decoder: ClearCodecDecoder,
}

impl Clear {
    pub(crate) fn new() -> Self {
        let (encoder, decoder) = (ClearCodecEncoder::new(), ClearCodecDecoder::new());
        Self { packed: Vec::new(), encoder, decoder }
    }
}

impl ImageCodec for Clear {
    fn name(&self) -> &'static str {
        "ClearCodec"
    }

    fn encode(&mut self, frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>) {
        pack(frame, area, &mut self.packed);
        let coded = self.encoder.encode(&self.packed, area.width as u16, area.height as u16);
        out.extend_from_slice(&coded);
    }

    fn decode(&mut self, data: &[u8], area: Rect, helper: &mut FrameBuf) {
        let (width, height) = (area.width as u16, area.height as u16);
        let pixels = self.decoder.decode(data, width, height).expect("its own picture");
        unpack::<4>(&pixels, area, helper);
    }
}
