//! Temporal units for one decoder of AV1: packets, each a unit. Whatever a unit says, a picture
//! that comes out has the size that was asked for.

use crate::{Seed, packets, video};
use farpane_codec::video::av1::{Av1Decoder, Av1Encoder, still};
use farpane_codec::video::{Chroma, Picture};

/// Whether all of the input's units give pictures, at least one.
///
/// # Panics
/// When a picture of another size comes out.
pub fn accepts(input: &[u8]) -> bool {
    video::shows(&mut Av1Decoder::new(video::SIZE).expect("a decoder"), input)
}

/// A film, its first picture, a still, and what cannot be decoded.
pub fn seeds() -> Vec<Seed> {
    let mut encoder = Av1Encoder::new(video::SIZE, video::RATE).expect("an encoder");
    let mut seeds = video::seeds_of(&video::film(&mut encoder));
    let picture = Picture::new(video::SIZE, Chroma::Full).expect("even sides");
    let mut input = Vec::new();
    packets::push(&mut input, &still(&picture.planes(), 100, 10).expect("it encodes"));
    seeds.push(("still", input));
    seeds
}
