//! Prediction of a cell's planes from neighbouring pixels, and back.
//!
//! A cell has three planes of bytes. The first is green; the others are red minus green plus 128
//! and blue minus green plus 128 (modulo 256), or plain red and blue. A residual is the byte minus
//! its prediction. In every cell the first pixel is predicted as 128, the rest of the first row as
//! the pixel to the left, and the first pixel of each other row as the pixel above. The
//! [`Predictor`] applies to all others.

use crate::DecodeError;

/// What `red - green` and `blue - green` are stored with added, so that small differences of
/// either sign are neighbours.
pub(crate) const BIAS: u8 = 128;

/// How a pixel is predicted from left (L), above (U), above left (C) and above right (D), which at
/// the right edge is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Predictor {
    /// L.
    Left = 0,
    /// U.
    Up = 1,
    /// (2L + U + D) / 4, rounded down.
    Average = 2,
    /// L + U - C, held between L and U (the LOCO-I predictor of ITU-T T.87).
    Gradient = 3,
}

impl Predictor {
    pub(crate) const ALL: [Self; 4] = [Self::Left, Self::Up, Self::Average, Self::Gradient];

    pub(crate) fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        Self::ALL.get(usize::from(byte)).copied().ok_or(DecodeError::Predictor { found: byte })
    }
}

/// The neighbours of a pixel that is neither in the first row nor in the first column.
#[derive(Clone, Copy)]
struct Neighbours {
    left: u8,
    up: u8,
    /// Above left.
    corner: u8,
    /// Above right.
    diagonal: u8,
}

#[inline(always)]
fn gradient(Neighbours { left, up, corner, .. }: Neighbours) -> u8 {
    let (low, high) = (left.min(up), left.max(up));
    (i16::from(left) + i16::from(up) - i16::from(corner)).clamp(low.into(), high.into()) as u8
}

#[inline(always)]
fn average(Neighbours { left, up, diagonal, .. }: Neighbours) -> u8 {
    ((2 * u16::from(left) + u16::from(up) + u16::from(diagonal)) >> 2) as u8
}

#[cfg(feature = "encoder")]
pub(crate) mod forward {
    use super::*;

    /// Appends the residuals of a plane whose rows are `width` bytes.
    pub(crate) fn residuals(plane: &[u8], width: usize, by: Predictor, out: &mut Vec<u8>) {
        let at = out.len();
        out.resize(at + plane.len(), 0);
        let out = &mut out[at..];
        out[0] = plane[0].wrapping_sub(BIAS);
        left_row(&plane[..width], &mut out[..width]);
        let rows = plane.chunks_exact(width).zip(plane.chunks_exact(width).skip(1));
        for ((up, row), out) in rows.zip(out.chunks_exact_mut(width).skip(1)) {
            out[0] = row[0].wrapping_sub(up[0]);
            match by {
                Predictor::Left => left_row(row, out),
                Predictor::Up => up_row(row, up, out),
                Predictor::Average => row_by(row, up, out, average),
                Predictor::Gradient => row_by(row, up, out, gradient),
            }
        }
    }

    fn left_row(row: &[u8], out: &mut [u8]) {
        for ((out, x), left) in out[1..].iter_mut().zip(&row[1..]).zip(row) {
            *out = x.wrapping_sub(*left);
        }
    }

    fn up_row(row: &[u8], up: &[u8], out: &mut [u8]) {
        for ((out, x), up) in out.iter_mut().zip(row).zip(up) {
            *out = x.wrapping_sub(*up);
        }
    }

    #[inline(always)]
    fn row_by(row: &[u8], up: &[u8], out: &mut [u8], by: impl Fn(Neighbours) -> u8) {
        for ((out, x), near) in out[1..].iter_mut().zip(&row[1..]).zip(inner(row, up)) {
            *out = x.wrapping_sub(by(near));
        }
        if let ([.., x], [.., out], Some(near)) = (row, out, last(row, up)) {
            *out = x.wrapping_sub(by(near));
        }
    }

    /// What is next to each pixel of `row` but the first and the last.
    #[inline(always)]
    fn inner(row: &[u8], up: &[u8]) -> impl Iterator<Item = Neighbours> {
        row.iter().zip(up.windows(3)).map(|(left, up)| Neighbours {
            left: *left,
            up: up[1],
            corner: up[0],
            diagonal: up[2],
        })
    }

    /// What is next to the last pixel of `row`, unless it is the first.
    #[inline(always)]
    fn last(row: &[u8], up: &[u8]) -> Option<Neighbours> {
        let ([.., left, _], [.., corner, up]) = (row, up) else { return None };
        Some(Neighbours { left: *left, up: *up, corner: *corner, diagonal: *up })
    }

    /// One row in this many is looked at to choose a predictor.
    const SAMPLED_ROWS: usize = 4;

    /// The predictor whose residuals of `plane` have the smallest sum of absolute values.
    pub(crate) fn choose(plane: &[u8], width: usize) -> Predictor {
        let mut best = (u32::MAX, Predictor::Left);
        for by in Predictor::ALL {
            let sum = cost(plane, width, by);
            if sum < best.0 {
                best = (sum, by);
            }
        }
        best.1
    }

    /// The sum of absolute residuals over some rows of `plane`.
    pub(crate) fn cost(plane: &[u8], width: usize, by: Predictor) -> u32 {
        let rows = plane.chunks_exact(width).zip(plane.chunks_exact(width).skip(1));
        let sampled = rows.step_by(SAMPLED_ROWS);
        match by {
            Predictor::Left => sampled.map(|(up, row)| row_cost(row, up, |near| near.left)).sum(),
            Predictor::Up => sampled.map(|(up, row)| row_cost(row, up, |near| near.up)).sum(),
            Predictor::Average => sampled.map(|(up, row)| row_cost(row, up, average)).sum(),
            Predictor::Gradient => sampled.map(|(up, row)| row_cost(row, up, gradient)).sum(),
        }
    }

    #[inline(always)]
    fn row_cost(row: &[u8], up: &[u8], by: impl Fn(Neighbours) -> u8) -> u32 {
        let residual = |(x, near): (&u8, Neighbours)| {
            u32::from((x.wrapping_sub(by(near)) as i8).unsigned_abs())
        };
        row[1..].iter().zip(inner(row, up)).map(residual).sum()
    }
}

/// Turns the residuals of one row of three planes into their bytes. `above` is the row above in
/// the same planes, `None` for the first row.
pub(crate) fn restore_row(
    residuals: [&[u8]; 3],
    above: Option<&[[u8; 64]; 3]>,
    by: Predictor,
    out: &mut [[u8; 64]; 3],
) {
    let Some(above) = above else {
        return restore_by(residuals, &[[BIAS; 64]; 3], out, |near| near.left);
    };
    match by {
        Predictor::Left => restore_by(residuals, above, out, |near| near.left),
        Predictor::Up => {
            for ((residuals, above), out) in residuals.iter().zip(above).zip(out) {
                for ((out, r), up) in out.iter_mut().zip(*residuals).zip(above) {
                    *out = r.wrapping_add(*up);
                }
            }
        }
        Predictor::Average => restore_by(residuals, above, out, average),
        Predictor::Gradient => restore_by(residuals, above, out, gradient),
    }
}

/// The three planes go side by side, so that the chain from one pixel to the next is waited for
/// once and not three times.
#[inline(always)]
fn restore_by(
    residuals: [&[u8]; 3],
    above: &[[u8; 64]; 3],
    out: &mut [[u8; 64]; 3],
    by: impl Fn(Neighbours) -> u8,
) {
    let width = residuals[0].len().min(64);
    let [a, b, c] = residuals.map(|r| &r[..width]);
    // The first pixel is predicted as the one above, which takes the place of all its neighbours.
    let mut left = [above[0][0], above[1][0], above[2][0]];
    let mut corner = left;
    for x in 0..width {
        let right = if x == 0 { 0 } else { (x + 1).min(width - 1) };
        for (i, residual) in [a[x], b[x], c[x]].into_iter().enumerate() {
            let (up, diagonal) = (above[i][x], above[i][right]);
            let near = Neighbours { left: left[i], up, corner: corner[i], diagonal };
            let value = residual.wrapping_add(by(near));
            out[i][x] = value;
            (left[i], corner[i]) = (value, up);
        }
    }
}
