//! How the display wants its pixels.

use anyhow::{Result, bail};
use x11rb::protocol::xproto::{ImageOrder, Screen, Setup, Visualtype};

/// The memory layout of the display's pixels, from its visual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PixelLayout {
    /// 2 or 4.
    bytes: usize,
    /// Rows begin at multiples of this.
    row_align_bytes: usize,
    big_endian: bool,
    red: Channel,
    green: Channel,
    blue: Channel,
}

/// Where in a pixel's value a colour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    shift: u32,
    bits: u32,
}

impl Channel {
    fn from_mask(mask: u32) -> Option<Self> {
        let (shift, bits) = (mask.trailing_zeros(), mask.count_ones());
        let whole = bits > 0 && bits <= 16 && (mask >> shift).trailing_ones() == bits;
        whole.then_some(Self { shift, bits })
    }

    /// An 8 bit value in its place. Wider channels repeat the high bits, as displays do.
    fn place(self, value: u8) -> u32 {
        let wide = u32::from(value) * 0x0101;
        (wide >> (16 - self.bits)) << self.shift
    }
}

impl PixelLayout {
    /// The layout of the screen's own visual.
    ///
    /// # Errors
    /// Displays without direct colours of 16 or 32 bits a pixel.
    pub(super) fn of_screen(setup: &Setup, screen: &Screen) -> Result<Self> {
        let depth = screen.root_depth;
        let visual = screen
            .allowed_depths
            .iter()
            .flat_map(|d| &d.visuals)
            .find(|v| v.visual_id == screen.root_visual);
        let format = setup.pixmap_formats.iter().find(|f| f.depth == depth);
        let (Some(visual), Some(format)) = (visual, format) else {
            bail!("the display does not describe its pixels of depth {depth}");
        };
        let big_endian = setup.image_byte_order == ImageOrder::MSB_FIRST;
        let Some(layout) =
            Self::new(visual, format.bits_per_pixel, format.scanline_pad, big_endian)
        else {
            bail!(
                "the display has pixels of depth {depth} in {} bits; start one of depth 16, 24 \
                 or 30 with direct colours",
                format.bits_per_pixel
            );
        };
        Ok(layout)
    }

    fn new(visual: &Visualtype, bits: u8, pad_bits: u8, big_endian: bool) -> Option<Self> {
        let bytes = matches!(bits, 16 | 32).then_some(usize::from(bits / 8))?;
        Some(Self {
            bytes,
            row_align_bytes: usize::from(pad_bits / 8).max(bytes),
            big_endian,
            red: Channel::from_mask(visual.red_mask)?,
            green: Channel::from_mask(visual.green_mask)?,
            blue: Channel::from_mask(visual.blue_mask)?,
        })
    }

    /// Whether the display takes blue, green, red, anything: our own layout.
    pub(super) fn is_bgrx(&self) -> bool {
        let at = |shift| Channel { shift, bits: 8 };
        (self.bytes, self.row_align_bytes, self.big_endian) == (4, 4, false)
            && (self.red, self.green, self.blue) == (at(16), at(8), at(0))
    }

    /// Bytes of one pixel.
    pub(super) fn pixel_bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes in a row of `width` pixels, padding included.
    pub(super) fn row_bytes(&self, width: u32) -> usize {
        (width as usize * self.bytes).next_multiple_of(self.row_align_bytes)
    }

    /// Appends a row of blue, green, red, undefined pixels in the display's layout, padded.
    pub(super) fn push_row(&self, bgrx: &[u8], out: &mut Vec<u8>) {
        let end = out.len() + self.row_bytes((bgrx.len() / 4) as u32);
        if self.is_bgrx() {
            out.extend_from_slice(bgrx);
        } else {
            for p in bgrx.chunks_exact(4) {
                self.push_pixel([p[2], p[1], p[0]], out);
            }
        }
        out.resize(end, 0);
    }

    fn push_pixel(&self, [r, g, b]: [u8; 3], out: &mut Vec<u8>) {
        let value = self.red.place(r) | self.green.place(g) | self.blue.place(b);
        match (self.bytes, self.big_endian) {
            (2, false) => out.extend_from_slice(&(value as u16).to_le_bytes()),
            (2, true) => out.extend_from_slice(&(value as u16).to_be_bytes()),
            (_, false) => out.extend_from_slice(&value.to_le_bytes()),
            (_, true) => out.extend_from_slice(&value.to_be_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(masks: [u32; 3], bits: u8, big_endian: bool) -> PixelLayout {
        let [red_mask, green_mask, blue_mask] = masks;
        let visual = Visualtype { red_mask, green_mask, blue_mask, ..Default::default() };
        PixelLayout::new(&visual, bits, 32, big_endian).unwrap()
    }

    fn packed(layout: &PixelLayout, bgrx: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        layout.push_row(bgrx, &mut out);
        out
    }

    #[test]
    fn the_common_layout_is_copied() {
        let common = layout([0xff0000, 0xff00, 0xff], 32, false);
        assert!(common.is_bgrx());
        assert_eq!(packed(&common, &[1, 2, 3, 9]), [1, 2, 3, 9]);
    }

    #[test]
    fn other_layouts_are_converted() {
        let rgb565 = layout([0xf800, 0x7e0, 0x1f], 16, false);
        assert_eq!(rgb565.row_bytes(3), 8, "rows are padded to 32 bits");
        let row = packed(&rgb565, &[255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0]);
        assert_eq!(row, [0x1f, 0, 0xe0, 7, 0, 0xf8, 0, 0]);
        let big = layout([0xff0000, 0xff00, 0xff], 32, true);
        assert_eq!(packed(&big, &[1, 2, 3, 9]), [0, 3, 2, 1]);
        let deep = layout([0x3ff << 20, 0x3ff << 10, 0x3ff], 32, false);
        assert_eq!(packed(&deep, &[255, 0, 255, 0]), 0x3ff0_03ffu32.to_le_bytes());
    }

    #[test]
    fn displays_without_direct_colours_are_refused() {
        assert_eq!(PixelLayout::new(&Visualtype::default(), 32, 32, false), None);
        let visual =
            Visualtype { red_mask: 0xe0, green_mask: 0x1c, blue_mask: 3, ..Default::default() };
        assert_eq!(PixelLayout::new(&visual, 8, 32, false), None);
    }
}
