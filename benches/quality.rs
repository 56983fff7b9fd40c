//! How far a picture is from what it should be.
//!
//! Both figures are of whole pictures; [`part`] makes one of an area.

use farpane_frame::{FrameRef, PixelFormat, Rect, Size};
use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};

/// The `area` of `frame` as a picture of its own.
///
/// # Panics
/// When the area is empty or leaves the frame.
pub fn part<'a>(frame: &FrameRef<'a>, area: Rect) -> FrameRef<'a> {
    assert!(!area.is_empty() && frame.size().rect().contains(area), "{area:?} is no area of it");
    let from = frame.stride() * area.y as usize + area.x as usize * 4;
    let (data, size) = (&frame.data()[from..], Size::new(area.width, area.height));
    FrameRef::new(data, size, frame.stride(), frame.format()).expect("it fits")
}

/// SSIMULACRA2 of `b` against `a`: 100 is equal, 90 is taken for equal by most, 70 is high, 50
/// medium and 30 low quality; it can be below 0.
///
/// A comparison of 1280x720 takes 0.15 to 0.2 s on one core; pictures of less than 8 pixels a
/// side tell nothing.
///
/// # Panics
/// When the pictures differ in size.
pub fn ssimulacra2(a: &FrameRef<'_>, b: &FrameRef<'_>) -> f64 {
    assert_eq!(a.size(), b.size(), "pictures of one size are compared");
    compute_ssimulacra2(&pixels(a), &pixels(b)).expect("pictures of one size and format")
}

/// Peak signal to noise ratio of `b` against `a` over red, green and blue together, in decibels;
/// infinite when no colour differs.
///
/// # Panics
/// When the pictures differ in size or format.
pub fn psnr_rgb(a: &FrameRef<'_>, b: &FrameRef<'_>) -> f64 {
    psnr_of(squared_error(a, b), a.size().area_px())
}

/// The ratio when the squared differences of `pixels` pixels add up to `error`.
pub fn psnr_of(error: u64, pixels: u64) -> f64 {
    10.0 * (255.0 * 255.0 * 3.0 * pixels as f64 / error as f64).log10()
}

/// The sum of the squared differences of all reds, greens and blues.
///
/// # Panics
/// When the pictures differ in size or format.
pub fn squared_error(a: &FrameRef<'_>, b: &FrameRef<'_>) -> u64 {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()), "pictures alike are compared");
    let row = |(a, b): (&[u8], &[u8])| -> u64 {
        if a == b {
            return 0;
        }
        let pixels = a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0);
        let squares = pixels.map(|(a, b)| {
            let square = |i: usize| u32::from(a[i].abs_diff(b[i])).pow(2);
            square(0) + square(1) + square(2)
        });
        squares.map(u64::from).sum()
    };
    (0..a.size().height_px).map(|y| row((a.row(y), b.row(y)))).sum()
}

/// A picture as the metric takes it.
fn pixels<'a>(frame: &FrameRef<'a>) -> PixelSlice<'a> {
    let (size, stride) = (frame.size(), frame.stride());
    let order = match frame.format() {
        PixelFormat::Bgrx | PixelFormat::Bgra => PixelDescriptor::BGRX8_SRGB,
        PixelFormat::Rgba => PixelDescriptor::RGBX8_SRGB,
        other => unreachable!("{other:?} has another order"),
    };
    let bytes = stride * (size.height_px as usize - 1) + size.width_px as usize * 4;
    let data = &frame.data()[..bytes];
    PixelSlice::new(data, size.width_px, size.height_px, stride, order)
        .expect("a picture's own size")
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::FrameBuf;

    /// Soft shapes, and noise of that strength in every colour.
    fn picture(noise: u32) -> FrameBuf {
        let size = Size::new(200, 120);
        let mut frame = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        let mut state = 1u32;
        for (x, y) in (0..size.height_px).flat_map(|y| (0..size.width_px).map(move |x| (x, y))) {
            let light = 120.0 + 60.0 * (x as f32 / 17.0).sin() * (y as f32 / 11.0).cos();
            let colour = [0, 20, 40].map(|more| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (light as u32 + more + (state >> 16) % (noise + 1)) as u8
            });
            frame.span_mut(x, y, 1)[..3].copy_from_slice(&colour);
        }
        frame
    }

    #[test]
    fn equal_pictures_are_perfect_whatever_the_unused_byte_says() {
        let (a, mut b) = (picture(3), picture(3));
        b.data_mut().iter_mut().skip(3).step_by(4).for_each(|unused| *unused = 77);
        assert_eq!(ssimulacra2(&a.view(), &b.view()), 100.0);
        assert_eq!(psnr_rgb(&a.view(), &b.view()), f64::INFINITY);
    }

    #[test]
    fn the_more_noise_the_worse() {
        let clean = picture(0);
        let of = |figure: &dyn Fn(&FrameRef<'_>, &FrameRef<'_>) -> f64| {
            [2, 5, 12, 30].map(|noise| figure(&clean.view(), &picture(noise).view()))
        };
        for figures in [of(&ssimulacra2), of(&psnr_rgb)] {
            assert!(figures.is_sorted_by(|a, b| a > b), "{figures:?}");
        }
    }

    #[test]
    fn one_step_in_one_colour_is_what_the_definition_says() {
        let a = picture(0);
        let mut b = a.clone();
        b.data_mut().iter_mut().step_by(4).for_each(|blue| *blue += 1);
        // A squared error of 1 in one of three colours.
        let expected = 10.0 * (255.0f64 * 255.0 * 3.0).log10();
        // Rows are padded to 64 bytes: only what is in the picture counts.
        assert!((psnr_rgb(&a.view(), &b.view()) - expected).abs() < 1e-9);
    }

    #[test]
    fn a_part_is_judged_alone() {
        let a = picture(0);
        let mut b = a.clone();
        b.fill(Rect::new(0, 0, 50, 50), [9, 9, 9, 0]);
        let (good, bad) = (Rect::new(60, 20, 100, 80), Rect::new(8, 8, 64, 64));
        let score = |area| ssimulacra2(&part(&a.view(), area), &part(&b.view(), area));
        assert_eq!(score(good), 100.0);
        assert!(score(bad) < 50.0);
        assert_eq!(psnr_rgb(&part(&a.view(), good), &part(&b.view(), good)), f64::INFINITY);
    }
}
