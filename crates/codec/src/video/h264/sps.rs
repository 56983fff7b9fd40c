//! Sequence parameter sets: how large the pictures of a stream are, and how many are kept
//! (ITU-T H.264 (08/2021), 7.3.2.1.1), read before a decoder written in C is asked to obey them.

use crate::video::bits::Bits;
use farpane_frame::Size;

/// What a parameter set asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// The pictures' size in whole macroblocks.
    pub(super) coded: Size,
    /// Pictures that may be referred to.
    pub(super) references: u32,
}

/// NAL unit types (table 7-1).
const SPS: u8 = 7;
const SUBSET_SPS: u8 = 15;
/// The profiles of constrained baseline, main and high; the others carry fields that no stream of
/// ours has.
const PLAIN_PROFILES: [u8; 3] = [66, 77, 88];
const HIGH_PROFILE: u8 = 100;
/// Side of a macroblock.
const MACROBLOCK_PX: u32 = 16;

/// The size of a picture in whole macroblocks.
pub(super) fn coded_size(size: Size) -> Size {
    let up = |side: u32| side.next_multiple_of(MACROBLOCK_PX);
    Size::new(up(size.width_px), up(size.height_px))
}

/// Every parameter set in an Annex B byte stream; `None` for one that is invalid or of a kind
/// that is not expected.
pub(super) fn parameter_sets(unit: &[u8]) -> impl Iterator<Item = Option<Announced>> + '_ {
    nal_units(unit).filter_map(|nal| match nal.first()? & 0x1F {
        SPS => Some(read(&nal[1..])),
        SUBSET_SPS => Some(None),
        _ => None,
    })
}

/// The units between start codes (Annex B).
fn nal_units(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream = after_start_code(stream);
    std::iter::from_fn(move || {
        if stream.is_empty() {
            return None;
        }
        let end = stream.windows(3).position(|w| w == [0, 0, 1]).unwrap_or(stream.len());
        let unit = &stream[..end];
        stream = after_start_code(&stream[end..]);
        Some(unit)
    })
}

fn after_start_code(stream: &[u8]) -> &[u8] {
    let start = stream.windows(3).position(|w| w == [0, 0, 1]);
    start.map_or(&[], |at| &stream[at + 3..])
}

fn read(payload: &[u8]) -> Option<Announced> {
    let bytes = without_emulation_prevention(payload);
    let mut bits = Bits::new(&bytes);
    let profile = bits.take(8)? as u8;
    bits.take(16)?; // constraints, level
    bits.exp_golomb()?; // seq_parameter_set_id
    if profile == HIGH_PROFILE {
        let chroma_format = bits.exp_golomb()?;
        let depths = (bits.exp_golomb()?, bits.exp_golomb()?);
        let (bypass, scaling) = (bits.take(1)?, bits.take(1)?);
        if chroma_format != 1 || depths != (0, 0) || bypass != 0 || scaling != 0 {
            return None;
        }
    } else if !PLAIN_PROFILES.contains(&profile) {
        return None;
    }
    bits.exp_golomb()?; // log2_max_frame_num_minus4
    match bits.exp_golomb()? {
        0 => drop(bits.exp_golomb()?), // log2_max_pic_order_cnt_lsb_minus4
        2 => {}
        _ => return None,
    }
    let references = bits.exp_golomb()?;
    bits.take(1)?; // gaps_in_frame_num_value_allowed_flag
    let (width, height) = (bits.exp_golomb()?, bits.exp_golomb()?);
    let frames_only = bits.take(1)? == 1;
    let side = |macroblocks: u32| macroblocks.checked_add(1)?.checked_mul(MACROBLOCK_PX);
    let coded = Size::new(side(width)?, side(height)?);
    frames_only.then_some(Announced { coded, references })
}

/// The payload without the bytes that keep start codes out of it (7.4.1).
fn without_emulation_prevention(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for byte in payload {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}
