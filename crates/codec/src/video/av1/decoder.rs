//! Temporal units in, pictures out.

use super::{NAME, failed, obu};
use crate::video::{Chroma, Planes, VideoDecoder, VideoError};
use farpane_frame::Size;
use re_rav1d::dav1d::{Decoder, Error, PixelLayout, PlanarImageComponent, Plane, Settings};

/// Decodes the pictures of one region, or stills.
///
/// The structure of every unit and each sequence header are read before the library sees them: a
/// unit with more than one frame, a stream of another size than `size`, of more than 8 bits, with
/// layers, scaling or film grain is refused, and the library refuses frames of more pixels than
/// `size` has. So a unit cannot make it take more memory than the region needs, the planes of ten
/// pictures, nor more time than one picture needs.
pub struct Av1Decoder {
    /// `None` after a failure.
    decoder: Option<Decoder>,
    size: Size,
    chroma: Chroma,
    /// The planes of the newest picture, and their strides.
    shown: Option<([Plane; 3], [usize; 3])>,
}

impl Av1Decoder {
    /// A decoder of pictures of `size`.
    ///
    /// # Errors
    /// The library cannot be had.
    pub fn new(size: Size) -> Result<Self, VideoError> {
        let decoder = Some(open(size)?);
        Ok(Self { decoder, size, chroma: Chroma::Quarter, shown: None })
    }

    /// Decodes a unit whose structure is as expected. `Ok(false)`: it has no picture.
    fn decode_checked(&mut self, unit: &[u8]) -> Result<bool, VideoError> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => self.decoder.insert(open(self.size)?),
        };
        decoder.send_data(unit.to_vec(), None, None, None).map_err(failed)?;
        let picture = match decoder.get_picture() {
            Ok(picture) => picture,
            Err(Error::Again) => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        let layout = match self.chroma {
            Chroma::Quarter => PixelLayout::I420,
            Chroma::Full => PixelLayout::I444,
        };
        let size = Size::new(picture.width(), picture.height());
        if size != self.size || picture.pixel_layout() != layout || picture.bit_depth() != 8 {
            return Err(failed(format!("a picture of {size:?} in a stream of {:?}", self.size)));
        }
        let components =
            [PlanarImageComponent::Y, PlanarImageComponent::U, PlanarImageComponent::V];
        let planes = components.map(|component| picture.plane(component));
        let strides = components.map(|component| picture.stride(component) as usize);
        self.shown = Some((planes, strides));
        Ok(true)
    }
}

fn open(size: Size) -> Result<Decoder, VideoError> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_apply_grain(false);
    settings.set_all_layers(false);
    settings.set_strict_std_compliance(true);
    settings.set_frame_size_limit(u32::try_from(size.area_px()).map_err(failed)?);
    Decoder::with_settings(&settings).map_err(failed)
}

impl VideoDecoder for Av1Decoder {
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Planes<'_>>, VideoError> {
        if let Some(announced) = obu::read(unit).map_err(failed)? {
            if announced.size != self.size {
                return Err(failed(format!("a stream of other pictures: {announced:?}")));
            }
            self.chroma = announced.chroma;
        }
        self.shown = None;
        let decoded = self.decode_checked(unit);
        if decoded.is_err() {
            // What it keeps is of no more use.
            self.decoder = None;
        }
        let shown = if decoded? { self.shown.as_ref() } else { None };
        Ok(shown.map(|(planes, strides)| Planes {
            size: self.size,
            chroma: self.chroma,
            data: planes.each_ref().map(|plane| &plane[..]),
            strides: *strides,
        }))
    }
}

impl std::fmt::Debug for Av1Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(NAME).field("size", &self.size).finish_non_exhaustive()
    }
}
