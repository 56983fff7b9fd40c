//! Access units in, pictures out.

use super::{NAME, OpenH264, failed, sps};
use crate::video::{Chroma, Planes, VideoDecoder, VideoError};
use farpane_frame::Size;
use openh264::decoder::{Decoder, DecoderConfig, Flush};
use openh264_sys2::SBufferInfo;

/// Decodes the pictures of one region.
///
/// Every parameter set is read before the library sees it: one of another size than `size`, or
/// that asks for more than [`H264Decoder::MAX_REFERENCES`] pictures to be kept, is refused. So a
/// unit cannot make the library take more memory than the region needs: its planes, 1.5 bytes a
/// pixel, for each reference and three more.
pub struct H264Decoder {
    decoder: Decoder,
    size: Size,
}

impl H264Decoder {
    /// Pictures that may be referred to.
    pub const MAX_REFERENCES: u32 = 4;

    /// A decoder of pictures of `size`.
    ///
    /// # Errors
    /// The library cannot be had.
    pub fn new(library: &OpenH264, size: Size) -> Result<Self, VideoError> {
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = Decoder::with_api_config(library.api()?, config).map_err(failed)?;
        Ok(Self { decoder, size })
    }

    /// Decodes a unit whose parameter sets are as expected. The wrapper's own call lends planes
    /// only as long as a value of its own lives.
    #[allow(unsafe_code)]
    fn decode_checked(&mut self, unit: &[u8]) -> Result<Option<Planes<'_>>, VideoError> {
        let bytes = i32::try_from(unit.len()).map_err(failed)?;
        let mut planes = [std::ptr::null_mut::<u8>(); 3];
        let mut info = SBufferInfo::default();
        // SAFETY: the decoder lives; `unit` has `bytes` bytes; the library writes three pointers
        // and one `SBufferInfo`.
        let state = unsafe {
            let api = self.decoder.raw_api();
            api.decode_frame_no_delay(unit.as_ptr(), bytes, (&raw mut planes).cast(), &raw mut info)
        };
        if state != 0 {
            return Err(failed(format!("decoding state {state:#x}")));
        }
        if info.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
            return Ok(None);
        }
        // SAFETY: with a status of 1 the library has filled in this member of the union.
        let buffer = unsafe { info.UsrData.sSystemBuffer };
        let side = |side: i32| u32::try_from(side).map_err(failed);
        let size = Size::new(side(buffer.iWidth)?, side(buffer.iHeight)?);
        if size != self.size {
            return Err(failed(format!("a picture of {size:?} in a stream of {:?}", self.size)));
        }
        let (width, height) = (size.width_px as usize, size.height_px as usize);
        let strides = buffer.iStride.map(|stride| stride.max(0) as usize);
        if strides[0] < width || strides[1] < width / 2 {
            return Err(failed(format!("rows of {strides:?} bytes for {width} pixels")));
        }
        let sides = [(strides[0], width, height), (strides[1], width / 2, height / 2)];
        let len = |(stride, width, height): (usize, usize, usize)| stride * (height - 1) + width;
        // SAFETY: the planes have `height` rows of the library's stride, and stay as they are
        // until the next call, for which `self` must be borrowed anew.
        let plane = |i: usize| unsafe {
            std::slice::from_raw_parts(planes[i], len(sides[usize::from(i > 0)]))
        };
        Ok(Some(Planes {
            size,
            chroma: Chroma::Quarter,
            data: [plane(0), plane(1), plane(2)],
            strides: [strides[0], strides[1], strides[1]],
        }))
    }
}

impl VideoDecoder for H264Decoder {
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Planes<'_>>, VideoError> {
        for announced in sps::parameter_sets(unit) {
            let announced = announced.ok_or_else(|| failed("a parameter set that is none"))?;
            if announced.coded != sps::coded_size(self.size)
                || announced.references > Self::MAX_REFERENCES
            {
                return Err(failed(format!("a stream of other pictures: {announced:?}")));
            }
        }
        self.decode_checked(unit)
    }
}

impl std::fmt::Debug for H264Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(NAME).field("size", &self.size).finish_non_exhaustive()
    }
}
