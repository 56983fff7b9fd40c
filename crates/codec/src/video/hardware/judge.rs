//! Whether what a hardware encoder gives can be an access unit at all.

use crate::video::{Chroma, Unit, VideoCodec, VideoRate};
use farpane_frame::Size;

/// Units this many times as large as the rate allows ...
const HEAVY_FACTOR: f64 = 8.0;
/// ... and this part of the raw picture are heavy. At low rates a picture of noise cannot be made
/// as small as asked for, and software could not do it either ...
const HEAVY_PART_OF_RAW: usize = 64;
/// ... so this many in a row are too many. A keyframe is heavy, and after a change of the picture
/// rate control needs some pictures to settle.
const HEAVY_IN_A_ROW: u32 = 8;
/// Skipped pictures in a row that are too many: at 30 a second the picture stood still for 2 s.
const SKIPPED_IN_A_ROW: u32 = 60;

/// Looks at the units of one encoder, in order.
#[derive(Debug)]
pub(super) struct Judge {
    codec: VideoCodec,
    raw_bytes: usize,
    heavy_bytes: usize,
    heavy: u32,
    skipped: u32,
}

impl Judge {
    pub(super) fn new(codec: VideoCodec, chroma: Chroma, size: Size, rate: VideoRate) -> Self {
        let luma = size.area_px() as usize;
        let raw_bytes = if chroma == Chroma::Quarter { luma / 2 * 3 } else { luma * 3 };
        let mut judge = Self { codec, raw_bytes, heavy_bytes: 0, heavy: 0, skipped: 0 };
        judge.set_rate(rate);
        judge
    }

    /// Another rate holds from the next unit on.
    pub(super) fn set_rate(&mut self, rate: VideoRate) {
        let budget = f64::from(rate.bits_per_s) / 8.0 / f64::from(rate.pictures_per_s);
        let heavy_bytes = (budget * HEAVY_FACTOR) as usize;
        self.heavy_bytes = heavy_bytes.max(self.raw_bytes / HEAVY_PART_OF_RAW);
        self.heavy = 0;
    }

    /// Whether a unit may be what it should be; if not, why.
    pub(super) fn look(
        &mut self,
        unit: Option<Unit>,
        bytes: &[u8],
        keyframe_wanted: bool,
    ) -> Result<(), String> {
        let Some(unit) = unit else {
            self.skipped += 1;
            return match self.skipped {
                _ if !bytes.is_empty() => Err("bytes for a skipped picture".into()),
                SKIPPED_IN_A_ROW.. => Err(format!("{SKIPPED_IN_A_ROW} skipped pictures in a row")),
                _ => Ok(()),
            };
        };
        self.skipped = 0;
        if bytes.is_empty() {
            return Err("an empty unit".into());
        }
        if bytes.len() > self.raw_bytes {
            let (len, raw) = (bytes.len(), self.raw_bytes);
            return Err(format!("a unit of {len} bytes for a picture of {raw}"));
        }
        self.heavy = if bytes.len() > self.heavy_bytes { self.heavy + 1 } else { 0 };
        if self.heavy >= HEAVY_IN_A_ROW {
            let allowed = self.heavy_bytes;
            return Err(format!("{HEAVY_IN_A_ROW} units in a row of more than {allowed} bytes"));
        }
        if self.codec == VideoCodec::H264 {
            look_at_annex_b(unit, bytes)?;
        }
        if keyframe_wanted && !unit.keyframe {
            return Err("no keyframe when asked for one".into());
        }
        Ok(())
    }
}

/// Looks for what Annex B of H.264 demands of any access unit: start codes, and slices; and of a
/// keyframe all that a decoder needs to begin.
fn look_at_annex_b(unit: Unit, bytes: &[u8]) -> Result<(), String> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros < 2 || bytes.get(zeros) != Some(&1) {
        return Err("a unit that does not begin with a start code".into());
    }
    let mut kinds = 0u32;
    let mut at = 0;
    while let Some(begin) = after_start_code(bytes, at) {
        match bytes.get(begin) {
            Some(header) if header & 0x80 == 0 => kinds |= 1 << (header & 0x1f),
            _ => return Err("a unit with an invalid NAL unit".into()),
        }
        at = begin;
    }
    // Table 7-1: 1 is a slice of another picture, 5 one of an IDR picture, 7 and 8 are parameters.
    let has = |kind: u32| kinds & 1 << kind != 0;
    match (unit.keyframe, has(5), has(1)) {
        (true, true, false) if has(7) && has(8) => Ok(()),
        (true, true, false) => Err("a keyframe without parameter sets".into()),
        (false, false, true) => Ok(()),
        (_, false, false) => Err("a unit without slices".into()),
        (keyframe, ..) => Err(format!("slices of another kind than keyframe: {keyframe}")),
    }
}

/// The place after the next start code that ends after `at`.
fn after_start_code(bytes: &[u8], at: usize) -> Option<usize> {
    let mut last = at + 2;
    loop {
        last += match bytes.get(last)? {
            0 => 1,
            1 if bytes[last - 2..last] == [0, 0] => return Some(last + 1),
            _ => 3,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{KEYFRAME, PREDICTED};
    use super::*;

    const KEY: Option<Unit> = Some(Unit { keyframe: true });
    const NOT_KEY: Option<Unit> = Some(Unit { keyframe: false });

    /// 64x64 pixels: 6,144 bytes raw; 8 times the rate are 1,000 bytes.
    fn judge(codec: VideoCodec) -> Judge {
        let rate = VideoRate { bits_per_s: 10_000, pictures_per_s: 10.0 };
        Judge::new(codec, Chroma::Quarter, Size::new(64, 64), rate)
    }

    fn padded(unit: &[u8], len: usize) -> Vec<u8> {
        [unit, &vec![0xff; len - unit.len()]].concat()
    }

    #[test]
    fn sound_units_pass() {
        let mut judge = judge(VideoCodec::H264);
        for bytes in [KEYFRAME.to_vec(), padded(KEYFRAME, 6144), [&[0][..], KEYFRAME].concat()] {
            assert_eq!(judge.look(KEY, &bytes, true), Ok(()));
            assert_eq!(judge.look(NOT_KEY, PREDICTED, false), Ok(()));
            assert_eq!(judge.look(KEY, &bytes, false), Ok(()));
            assert_eq!(judge.look(None, &[], true), Ok(()));
        }
    }

    #[test]
    fn what_cannot_be_a_unit_is_told() {
        let broken = [0, 0, 1, 0x80 | 1, 2, 3];
        let half = [PREDICTED, &[0, 0, 1][..]].concat();
        let mixed = [KEYFRAME, PREDICTED].concat();
        let cases: [(Option<Unit>, &[u8], bool, &str); 12] = [
            (NOT_KEY, &[], false, "an empty unit"),
            (None, &[1], false, "bytes for a skipped picture"),
            (
                NOT_KEY,
                &padded(PREDICTED, 6145),
                false,
                "a unit of 6145 bytes for a picture of 6144",
            ),
            (NOT_KEY, b"moov", false, "a unit that does not begin with a start code"),
            (NOT_KEY, &[0, 0, 0], false, "a unit that does not begin with a start code"),
            (NOT_KEY, &broken, false, "a unit with an invalid NAL unit"),
            (NOT_KEY, &half, false, "a unit with an invalid NAL unit"),
            (NOT_KEY, &KEYFRAME[..8], false, "a unit without slices"),
            (KEY, &KEYFRAME[KEYFRAME.len() - 6..], true, "a keyframe without parameter sets"),
            (KEY, &mixed, true, "slices of another kind than keyframe: true"),
            (NOT_KEY, KEYFRAME, false, "slices of another kind than keyframe: false"),
            (NOT_KEY, PREDICTED, true, "no keyframe when asked for one"),
        ];
        for (unit, bytes, wanted, reason) in cases {
            let found = judge(VideoCodec::H264).look(unit, bytes, wanted);
            assert_eq!(found, Err(reason.to_string()), "{bytes:?}");
        }
        assert_eq!(judge(VideoCodec::Av1).look(KEY, b"\x12\0", true), Ok(()));
    }

    #[test]
    fn only_heavy_units_in_a_row_are_too_heavy() {
        let heavy = padded(PREDICTED, 1001);
        let light = padded(PREDICTED, 1000);
        let mut judge = judge(VideoCodec::H264);
        for _ in 0..3 {
            for _ in 1..HEAVY_IN_A_ROW {
                judge.look(NOT_KEY, &heavy, false).unwrap();
            }
            judge.look(NOT_KEY, &light, false).unwrap();
        }
        for _ in 1..HEAVY_IN_A_ROW {
            judge.look(NOT_KEY, &heavy, false).unwrap();
        }
        // A change of rate leaves as many again to settle.
        judge.set_rate(VideoRate { bits_per_s: 10_000, pictures_per_s: 10.0 });
        for _ in 1..HEAVY_IN_A_ROW {
            judge.look(NOT_KEY, &heavy, false).unwrap();
        }
        let reason = judge.look(NOT_KEY, &heavy, false).unwrap_err();
        assert_eq!(reason, "8 units in a row of more than 1000 bytes");

        judge.set_rate(VideoRate { bits_per_s: 1, pictures_per_s: 60.0 });
        for _ in 0..100 {
            judge.look(NOT_KEY, &padded(PREDICTED, 6144 / 64), false).unwrap();
        }
        let last = (0..HEAVY_IN_A_ROW).map(|_| judge.look(NOT_KEY, &light, false)).last();
        assert!(last.unwrap().is_err());
    }

    #[test]
    fn pictures_cannot_be_skipped_for_ever() {
        let mut judge = judge(VideoCodec::H264);
        for _ in 0..2 {
            for _ in 1..SKIPPED_IN_A_ROW {
                judge.look(None, &[], false).unwrap();
            }
            judge.look(NOT_KEY, PREDICTED, false).unwrap();
        }
        let last = (0..SKIPPED_IN_A_ROW).map(|_| judge.look(None, &[], false)).last();
        assert_eq!(last, Some(Err("60 skipped pictures in a row".into())));
    }

    #[test]
    fn start_codes_are_found_wherever_they_lie() {
        for gap in 0..9 {
            let mut bytes = vec![0, 0, 1];
            bytes.extend((0..gap).map(|i| [2, 0, 3, 1][i % 4]));
            bytes.extend([0, 0, 1, 0x41]);
            let first = after_start_code(&bytes, 0).unwrap();
            assert_eq!((first, after_start_code(&bytes, first)), (3, Some(gap + 6)), "{bytes:?}");
            assert_eq!(after_start_code(&bytes, gap + 6), None);
        }
    }
}
