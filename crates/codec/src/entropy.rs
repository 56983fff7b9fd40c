//! Sections of bytes, plain or as zstd blocks without their frame header.
//!
//! The header is left out because it says nothing new: the batch gives the unpacked length. The
//! decoder puts one in front whose window is that length, so a batch cannot ask for memory
//! beyond it.

#[cfg(feature = "encoder")]
pub use pack::Effort;
#[cfg(feature = "encoder")]
pub(crate) use pack::{Content, Packer};

/// The zstd frame header (RFC 8878, 3.1.1.1) for `raw_len` bytes: magic number, a descriptor
/// that says single segment, four bytes of content size, no checksum, no dictionary.
fn header(raw_len: u32) -> [u8; 9] {
    let [a, b, c, d] = raw_len.to_le_bytes();
    [0x28, 0xB5, 0x2F, 0xFD, 0xA0, a, b, c, d]
}

/// Unpacks zstd blocks with the C library.
#[cfg(feature = "native-decoder")]
pub(crate) type Unpacker = native::Unpacker;

/// Unpacks zstd blocks in pure Rust.
#[cfg(not(feature = "native-decoder"))]
pub(crate) type Unpacker = portable::Unpacker;

#[cfg(any(not(feature = "native-decoder"), all(test, feature = "encoder")))]
mod portable {
    use std::io::Read;

    use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
    use ruzstd::decoding::FrameDecoder;

    use super::header;
    use crate::DecodeError;

    pub(crate) struct Unpacker {
        zstd: FrameDecoder,
    }

    impl Unpacker {
        pub(crate) fn new() -> Self {
            Self { zstd: FrameDecoder::new() }
        }

        /// Fills `out` from `blocks`, exactly.
        pub(crate) fn unpack(&mut self, blocks: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
            let bad = DecodeError::Section { expected: out.len() };
            let head = header(u32::try_from(out.len()).map_err(|_| bad)?);
            self.zstd.set_max_window_size(out.len() as u64);
            self.zstd.init(&head[..]).map_err(|_| bad)?;
            let mut rest = blocks;
            // Block by block: one of a few bytes can unpack to 128 KiB, many to any length.
            while !self.zstd.is_finished() {
                self.zstd.decode_blocks(&mut rest, UptoBlocks(1)).map_err(|_| bad)?;
                if self.zstd.can_collect() > out.len() {
                    return Err(bad);
                }
            }
            let unpacked = self.zstd.read(out).map_err(|_| bad)?;
            if unpacked != out.len() || self.zstd.can_collect() != 0 || !rest.is_empty() {
                return Err(bad);
            }
            Ok(())
        }
    }
}

#[cfg(feature = "native-decoder")]
mod native {
    use zstd::zstd_safe::DCtx;

    use super::header;
    use crate::DecodeError;

    pub(crate) struct Unpacker {
        zstd: DCtx<'static>,
        frame: Vec<u8>,
    }

    impl Unpacker {
        pub(crate) fn new() -> Self {
            Self { zstd: DCtx::create(), frame: Vec::new() }
        }

        /// Fills `out` from `blocks`, exactly.
        pub(crate) fn unpack(&mut self, blocks: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
            let bad = DecodeError::Section { expected: out.len() };
            self.frame.clear();
            self.frame.extend_from_slice(&header(u32::try_from(out.len()).map_err(|_| bad)?));
            self.frame.extend_from_slice(blocks);
            match self.zstd.decompress(out, &self.frame) {
                Ok(unpacked) if unpacked == out.len() => Ok(()),
                _ => Err(bad),
            }
        }
    }
}

#[cfg(feature = "encoder")]
mod pack {
    use zstd::zstd_safe::{CCtx, CParameter, compress_bound};

    use crate::wire::put_varint;

    /// Sections shorter than this are stored as they are: zstd's own overhead is about as much.
    const MIN_BYTES: usize = 24;

    /// Sections up to this are searched more thoroughly: what is typed or blinks is worth a few
    /// microseconds more (a typed character takes 114 bytes instead of 129).
    const SMALL_BYTES: usize = 4 << 10;

    /// What a section holds; decides how zstd looks for repetition in it.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Content {
        /// Operations, colours, indices: glyphs and rows repeat.
        Symbols,
        /// Differences: what repeats briefly in noise does so by chance.
        Residuals,
    }

    /// What bytes are worth of a batch.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Effort {
        /// Time counts as well.
        #[default]
        Quick,
        /// Half as much time again for a screen of text, which then takes 2 to 8 % fewer bytes:
        /// for paths that are slower than the encoder by far.
        Careful,
        /// Several times the time. Pictures of few colours take a quarter less.
        Thorough,
    }

    /// Packs sections with zstd.
    pub(crate) struct Packer {
        careful: CCtx<'static>,
        symbols: CCtx<'static>,
        residuals: CCtx<'static>,
        thorough: CCtx<'static>,
        effort: Effort,
        out: Vec<u8>,
    }

    impl Packer {
        pub(crate) fn new() -> Self {
            Self {
                careful: context(5, 4),
                symbols: context(3, 6),
                residuals: context(1, 7),
                thorough: context(9, 4),
                effort: Effort::Quick,
                out: Vec::new(),
            }
        }

        /// What bytes are worth from now on.
        pub(crate) fn set_effort(&mut self, effort: Effort) {
            self.effort = effort;
        }

        /// Appends the section of `raw`: header, then the bytes in the shorter form.
        pub(crate) fn section(&mut self, raw: &[u8], content: Content, out: &mut Vec<u8>) {
            if let Some(blocks) = self.pack(raw, content) {
                put_varint(out, (raw.len() as u32) << 1 | 1);
                put_varint(out, blocks.len() as u32);
                out.extend_from_slice(blocks);
                return;
            }
            put_varint(out, (raw.len() as u32) << 1);
            out.extend_from_slice(raw);
        }

        /// The zstd blocks of `raw`, when they are shorter.
        fn pack(&mut self, raw: &[u8], content: Content) -> Option<&[u8]> {
            if raw.len() < MIN_BYTES {
                return None;
            }
            let careful = self.effort == Effort::Careful || raw.len() <= SMALL_BYTES;
            let zstd = match content {
                _ if self.effort == Effort::Thorough => &mut self.thorough,
                Content::Symbols if careful => &mut self.careful,
                Content::Symbols => &mut self.symbols,
                Content::Residuals => &mut self.residuals,
            };
            self.out.clear();
            self.out.reserve(compress_bound(raw.len()));
            zstd.compress2(&mut self.out, raw).ok()?;
            let blocks = self.out.get(header_len(&self.out)?..)?;
            // two bytes: what the header of a packed section takes more
            (blocks.len() + 2 < raw.len()).then_some(blocks)
        }
    }

    /// Level 1 is the fastest that codes literals; 3 finds more in long sections. Matches are
    /// `min_match` bytes and more.
    fn context(level: i32, min_match: u32) -> CCtx<'static> {
        let mut zstd = CCtx::create();
        for parameter in [
            CParameter::CompressionLevel(level),
            CParameter::MinMatch(min_match),
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(false),
            CParameter::DictIdFlag(false),
        ] {
            zstd.set_parameter(parameter).expect("parameters of this zstd version");
        }
        zstd
    }

    /// Bytes of the frame header (RFC 8878, 3.1.1.1) without dictionary.
    fn header_len(frame: &[u8]) -> Option<usize> {
        let descriptor = *frame.get(4)?;
        let single_segment = descriptor & 0x20 != 0;
        let content_size = match descriptor >> 6 {
            0 => usize::from(single_segment),
            flag => 1 << flag,
        };
        Some(5 + usize::from(!single_segment) + content_size)
    }
}

#[cfg(all(test, feature = "encoder"))]
mod tests {
    use super::*;

    fn splitmix(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Runs, repeats and noise in turn, so that every kind of zstd block comes up.
    fn content(seed: u64, len: usize) -> Vec<u8> {
        let (mut state, mut out) = (seed, Vec::new());
        while out.len() < len {
            let random = splitmix(&mut state);
            let run = 1 + (random >> 8) as usize % 300;
            match random % 4 {
                0 => out.extend(std::iter::repeat_n(random as u8, run)),
                1 => out.extend((0..run).map(|_| splitmix(&mut state) as u8 & 0x33)),
                2 => out.extend((0..run).map(|_| splitmix(&mut state) as u8)),
                _ => {
                    let from = (random >> 32) as usize % (out.len() + 1);
                    out.extend_from_within(from..out.len().min(from + run));
                }
            }
        }
        out.truncate(len);
        out
    }

    /// The zstd blocks of `raw`, when it packs.
    fn blocks(packer: &mut Packer, raw: &[u8], content: Content) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        packer.section(raw, content, &mut out);
        let mut reader = crate::wire::Reader::new(&out);
        let shape = reader.varint().unwrap();
        assert_eq!(shape as usize >> 1, raw.len());
        (shape & 1 == 1).then(|| {
            let len = reader.varint().unwrap() as usize;
            reader.take(len).unwrap().to_vec()
        })
    }

    #[test]
    fn what_was_packed_comes_back() {
        let (mut packer, mut portable) = (Packer::new(), portable::Unpacker::new());
        #[cfg(feature = "native-decoder")]
        let mut native = native::Unpacker::new();
        let mut packed = 0;
        for (seed, len) in
            [24, 63, 200, 255, 256, 1000, 5000, 16384, 16385, 70_000, 131_073, 300_000, 700_000]
                .into_iter()
                .enumerate()
        {
            let raw = content(seed as u64, len);
            for kind in [Content::Symbols, Content::Residuals] {
                let Some(blocks) = blocks(&mut packer, &raw, kind) else { continue };
                packed += 1;
                let mut out = vec![0; len];
                portable.unpack(&blocks, &mut out).unwrap();
                assert!(out == raw, "{len} bytes by the portable decoder");
                #[cfg(feature = "native-decoder")]
                {
                    out.fill(0);
                    native.unpack(&blocks, &mut out).unwrap();
                    assert!(out == raw, "{len} bytes by the native decoder");
                }
                let mut shorter = vec![0; len - 1];
                assert!(portable.unpack(&blocks, &mut shorter).is_err());
            }
        }
        assert!(packed >= 20);
    }

    #[test]
    fn a_hundred_thousand_bad_sections_are_refused_or_filled_without_panic() {
        let (mut packer, mut portable) = (Packer::new(), portable::Unpacker::new());
        #[cfg(feature = "native-decoder")]
        let mut native = native::Unpacker::new();
        let seeds: Vec<_> = (0..40u64)
            .filter_map(|i| {
                let len = 100 + 37 * i as usize;
                let kind = if i % 2 == 0 { Content::Symbols } else { Content::Residuals };
                Some((len, blocks(&mut packer, &content(i, len), kind)?))
            })
            .collect();
        let (mut state, mut out) = (1, Vec::new());
        let mut refused = 0;
        for i in 0..100_000 {
            let (len, mut bad) = seeds[i % seeds.len()].clone();
            for _ in 0..1 + splitmix(&mut state) % 3 {
                let random = splitmix(&mut state);
                let at = (random >> 8) as usize % bad.len();
                let at = if random & 0x80 == 0 { at.min(at % 16) } else { at };
                match random % 3 {
                    0 => bad[at] = (random >> 40) as u8,
                    1 => bad[at] ^= 1 << ((random >> 40) % 8),
                    _ => bad.truncate(at.max(1)),
                }
            }
            out.clear();
            out.resize(len, 0);
            refused += u32::from(portable.unpack(&bad, &mut out).is_err());
            // What it makes of a bad section that it does not refuse is its own affair.
            #[cfg(feature = "native-decoder")]
            let _ = native.unpack(&bad, &mut out);
        }
        assert!(refused > 50_000, "only {refused} of 100,000 refused");
    }
}
