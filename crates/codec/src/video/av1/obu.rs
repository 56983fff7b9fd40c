//! What a temporal unit consists of, and the pictures that its stream announces, read before the
//! decoder is asked to obey it (AV1 Bitstream & Decoding Process, 5.3 to 5.5).

use crate::video::Chroma;
use crate::video::bits::Bits;
use farpane_frame::Size;

/// OBU types (6.2.2).
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const TILE_GROUP: u8 = 4;
const FRAME: u8 = 6;
const PADDING: u8 = 15;
/// Bytes that an OBU's size may take; more than 3 are of no use in a unit.
const MOST_SIZE_BYTES: usize = 5;
/// A sequence header that asks for either level of tools or motion lets frames choose.
const CHOSEN_BY_FRAMES: u32 = 2;

/// What a sequence header announces. Everything else that it may say either changes nothing about
/// the work and memory that a picture takes, or is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) size: Size,
    pub(super) chroma: Chroma,
}

/// Why a unit is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("an OBU without a size, or longer than its unit")]
    Cut,
    #[error("an OBU of type {0}, or one of a layer")]
    Type(u8),
    #[error("{0} frames in one unit")]
    Frames(u32),
    #[error("a sequence header of an unexpected kind")]
    Sequence,
}

/// Reads a unit: one frame at most, and what its sequence headers announce, `None` if it has none.
///
/// # Errors
/// It holds something that streams of one picture a unit, of 8 bits, without layers and film
/// grain, have no use for.
pub(super) fn read(mut unit: &[u8]) -> Result<Option<Announced>, Refused> {
    let (mut announced, mut frames) = (None, 0);
    while !unit.is_empty() {
        let (kind, payload, rest) = split(unit)?;
        unit = rest;
        match kind {
            SEQUENCE_HEADER => {
                let read = sequence(payload).ok_or(Refused::Sequence)?;
                if announced.is_some_and(|before| before != read) {
                    return Err(Refused::Sequence);
                }
                announced = Some(read);
            }
            FRAME | FRAME_HEADER => frames += 1,
            TEMPORAL_DELIMITER | TILE_GROUP | PADDING => {}
            other => return Err(Refused::Type(other)),
        }
    }
    if frames == 1 { Ok(announced) } else { Err(Refused::Frames(frames)) }
}

/// The type and the payload of the first OBU, and what follows it.
fn split(unit: &[u8]) -> Result<(u8, &[u8], &[u8]), Refused> {
    let (header, mut rest) = unit.split_first().ok_or(Refused::Cut)?;
    let kind = header >> 3 & 0xF;
    let (forbidden, extension, sized) = (header & 0x80, header & 4, header & 2);
    if forbidden != 0 || extension != 0 {
        return Err(Refused::Type(kind));
    }
    if sized == 0 {
        return Err(Refused::Cut);
    }
    let (mut bytes, mut more) = (0u64, true);
    for i in 0..MOST_SIZE_BYTES {
        let (byte, after) = rest.split_first().ok_or(Refused::Cut)?;
        bytes |= u64::from(byte & 0x7F) << (7 * i);
        (rest, more) = (after, byte & 0x80 != 0);
        if !more {
            break;
        }
    }
    let bytes = usize::try_from(bytes).ok().filter(|_| !more).ok_or(Refused::Cut)?;
    let (payload, rest) = rest.split_at_checked(bytes).ok_or(Refused::Cut)?;
    Ok((kind, payload, rest))
}

/// Reads a sequence header (5.5.1). `None`: it is cut, or of a kind that is not expected.
fn sequence(payload: &[u8]) -> Option<Announced> {
    let mut bits = Bits::new(payload);
    let profile = bits.take(3)?;
    let (_still, reduced) = (bits.take(1)?, bits.take(1)? == 1);
    if reduced {
        bits.take(5)?; // seq_level_idx
    } else {
        operating_point(&mut bits)?;
    }
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    let (width, height) = (bits.take(width_bits)? + 1, bits.take(height_bits)? + 1);
    if !reduced && bits.take(1)? == 1 {
        return None; // frame_id_numbers_present_flag
    }
    bits.take(3)?; // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    if !reduced {
        inter_tools(&mut bits)?;
    }
    let superres = bits.take(1)? == 1;
    bits.take(2)?; // enable_cdef, enable_restoration
    let chroma = colours(&mut bits, profile)?;
    let grain = bits.take(1)? == 1;
    let announced = Announced { size: Size::new(width, height), chroma };
    (!superres && !grain).then_some(announced)
}

/// The only operating point, with neither times nor a model of the decoder.
fn operating_point(bits: &mut Bits<'_>) -> Option<()> {
    let (timing, delay) = (bits.take(1)?, bits.take(1)?);
    let (more_points, layers) = (bits.take(5)?, bits.take(12)?);
    if bits.take(5)? > 7 {
        bits.take(1)?; // seq_tier
    }
    (timing == 0 && delay == 0 && more_points == 0 && layers == 0).then_some(())
}

fn inter_tools(bits: &mut Bits<'_>) -> Option<()> {
    bits.take(4)?; // interintra and masked compound, warped motion, dual filter
    let order_hint = bits.take(1)? == 1;
    if order_hint {
        bits.take(2)?; // enable_jnt_comp, enable_ref_frame_mvs
    }
    let tools = if bits.take(1)? == 1 { CHOSEN_BY_FRAMES } else { bits.take(1)? };
    if tools > 0 && bits.take(1)? == 0 {
        bits.take(1)?; // seq_force_integer_mv
    }
    if order_hint {
        bits.take(3)?; // order_hint_bits_minus_1
    }
    Some(())
}

/// The colours (5.5.2): 8 bits in limited range, profile 0 or 1.
fn colours(bits: &mut Bits<'_>, profile: u32) -> Option<Chroma> {
    let high_bit_depth = bits.take(1)? == 1;
    let chroma = match profile {
        0 if bits.take(1)? == 0 => Chroma::Quarter,
        1 => Chroma::Full,
        _ => return None,
    };
    if bits.take(1)? == 1 {
        let [_primaries, _transfer, matrix] = [bits.take(8)?, bits.take(8)?, bits.take(8)?];
        if matrix == 0 {
            return None; // red, green and blue
        }
    }
    let full_range = bits.take(1)? == 1;
    if chroma == Chroma::Quarter {
        bits.take(2)?; // chroma_sample_position
    }
    bits.take(1)?; // separate_uv_delta_q
    (!high_bit_depth && !full_range).then_some(chroma)
}
