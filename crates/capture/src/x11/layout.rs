//! How the display lays out pixels, and their conversion to BGRX.

use x11rb::protocol::xproto::{ImageOrder, Screen, Setup, VisualClass};

/// The layout of the root window's pixels in an image, from the connection's setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelLayout {
    bits_per_pixel: u32,
    scanline_pad_bits: u32,
    big_endian: bool,
    red: Channel,
    green: Channel,
    blue: Channel,
}

/// A colour's place in a pixel's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    shift: u32,
    bits: u32,
}

impl PixelLayout {
    /// The layout of `screen`'s root window, or what of it cannot be captured.
    pub(super) fn of(setup: &Setup, screen: &Screen) -> Result<Self, String> {
        let depth = screen.root_depth;
        let visual = screen
            .allowed_depths
            .iter()
            .flat_map(|d| &d.visuals)
            .find(|v| v.visual_id == screen.root_visual)
            .ok_or("description of its root visual")?;
        if visual.class != VisualClass::TRUE_COLOR && visual.class != VisualClass::DIRECT_COLOR {
            return Err(format!("true-colour root window (its depth is {depth})"));
        }
        let format = setup
            .pixmap_formats
            .iter()
            .find(|f| f.depth == depth)
            .ok_or_else(|| format!("image format for depth {depth}"))?;
        if ![16, 24, 32].contains(&format.bits_per_pixel) || format.scanline_pad % 8 != 0 {
            return Err(format!("usable image format ({} bits a pixel)", format.bits_per_pixel));
        }
        Ok(Self {
            bits_per_pixel: format.bits_per_pixel.into(),
            scanline_pad_bits: u32::from(format.scanline_pad).max(8),
            big_endian: setup.image_byte_order == ImageOrder::MSB_FIRST,
            red: Channel::of(visual.red_mask)?,
            green: Channel::of(visual.green_mask)?,
            blue: Channel::of(visual.blue_mask)?,
        })
    }

    /// Whether the display's pixels are BGRX as they are.
    pub(super) fn is_bgrx(&self) -> bool {
        let byte = |shift| Channel { shift, bits: 8 };
        self.bits_per_pixel == 32
            && self.scanline_pad_bits <= 32
            && !self.big_endian
            && (self.red, self.green, self.blue) == (byte(16), byte(8), byte(0))
    }

    /// Bytes of a row of `width` pixels with its padding.
    pub(super) fn row_bytes(&self, width: u32) -> usize {
        (width * self.bits_per_pixel).next_multiple_of(self.scanline_pad_bits) as usize / 8
    }

    /// Converts the pixels of one row; stops at the end of the shorter one.
    pub(super) fn convert_row(&self, native: &[u8], bgrx: &mut [u8]) {
        if self.is_bgrx() {
            let bytes = native.len().min(bgrx.len());
            bgrx[..bytes].copy_from_slice(&native[..bytes]);
            return;
        }
        let pixel_bytes = self.bits_per_pixel as usize / 8;
        for (from, to) in native.chunks_exact(pixel_bytes).zip(bgrx.chunks_exact_mut(4)) {
            let value = if self.big_endian {
                from.iter().fold(0, |v, b| v << 8 | u32::from(*b))
            } else {
                from.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b))
            };
            let [blue, green, red] = [self.blue, self.green, self.red].map(|c| c.byte(value));
            to.copy_from_slice(&[blue, green, red, 0]);
        }
    }
}

impl Channel {
    fn of(mask: u32) -> Result<Self, String> {
        let (shift, bits) = (mask.trailing_zeros(), mask.count_ones());
        if bits == 0 || bits > 16 || u64::from(mask) != ((1u64 << bits) - 1) << shift {
            return Err(format!("contiguous colour mask (it has {mask:#x})"));
        }
        Ok(Self { shift, bits })
    }

    /// The colour of `value` in 8 bits: the upper ones of more, all of fewer repeated, so that
    /// full intensity is 255.
    fn byte(self, value: u32) -> u8 {
        let level = value >> self.shift & ((1 << self.bits) - 1);
        if self.bits >= 8 {
            return (level >> (self.bits - 8)) as u8;
        }
        let (mut out, mut filled) = (level << (8 - self.bits), self.bits);
        while filled < 8 {
            out |= out >> filled;
            filled *= 2;
        }
        out as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(bits: u32, big_endian: bool, masks: [u32; 3]) -> PixelLayout {
        let [red, green, blue] = masks.map(|m| Channel::of(m).unwrap());
        let scanline_pad_bits = 32;
        PixelLayout { bits_per_pixel: bits, scanline_pad_bits, big_endian, red, green, blue }
    }

    fn one(layout: PixelLayout, native: &[u8]) -> [u8; 4] {
        let mut out = [0; 4];
        layout.convert_row(native, &mut out);
        out
    }

    const RGB888: [u32; 3] = [0xff_0000, 0xff00, 0xff];

    #[test]
    fn every_layout_of_the_same_colour_becomes_the_same_pixel() {
        let want = [0x30, 0x20, 0x10, 0];
        assert_eq!(one(layout(32, false, RGB888), &[0x30, 0x20, 0x10, 0]), want);
        assert_eq!(one(layout(32, true, RGB888), &[0, 0x10, 0x20, 0x30]), want);
        assert_eq!(one(layout(24, false, RGB888), &[0x30, 0x20, 0x10]), want);
        assert_eq!(one(layout(24, true, RGB888), &[0x10, 0x20, 0x30]), want);
        assert_eq!(one(layout(32, false, [0xff, 0xff00, 0xff_0000]), &[16, 32, 48, 9]), want);
        let deep = layout(32, false, [0x3ff0_0000, 0xf_fc00, 0x3ff]);
        let value: u32 = 0x10 << 22 | 0x20 << 12 | 0x30 << 2 | 3;
        assert_eq!(one(deep, &value.to_le_bytes()), want);
    }

    #[test]
    fn sixteen_bits_span_black_to_white() {
        let rgb565 = layout(16, false, [0xf800, 0x7e0, 0x1f]);
        assert_eq!(one(rgb565, &[0, 0]), [0, 0, 0, 0]);
        assert_eq!(one(rgb565, &[0xff, 0xff]), [255, 255, 255, 0]);
        assert_eq!(one(rgb565, &0x8410u16.to_le_bytes()), [0x84, 0x82, 0x84, 0]);
        assert_eq!(one(layout(16, true, [0xf800, 0x7e0, 0x1f]), &[0xf8, 0]), [0, 0, 255, 0]);
    }

    #[test]
    fn rows_are_padded_as_the_setup_says() {
        assert_eq!(layout(16, false, [0xf800, 0x7e0, 0x1f]).row_bytes(3), 8);
        assert_eq!(layout(24, false, RGB888).row_bytes(3), 12);
        assert_eq!(layout(32, false, RGB888).row_bytes(3), 12);
        assert!(layout(32, false, RGB888).is_bgrx());
        assert!(!layout(32, true, RGB888).is_bgrx());
    }

    #[test]
    fn masks_with_holes_are_refused() {
        for mask in [0, 0b101, 0xff_ff_ff] {
            assert!(Channel::of(mask).is_err(), "{mask:#x}");
        }
    }
}
