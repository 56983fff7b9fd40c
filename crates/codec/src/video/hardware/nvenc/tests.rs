//! NVENC with a driver of our own.

use super::fake::{Change, PITCH, driver, number, with};
use super::*;
use crate::video::hardware::scripted;

const SIZE: Size = Size::new(64, 32);
const RATE: VideoRate = VideoRate { bits_per_s: 3_000_000, pictures_per_s: 30.0 };

fn encode(encoder: &mut dyn VideoEncoder, out: &mut Vec<u8>) -> Result<Option<Unit>, VideoError> {
    let luma: Vec<u8> = (0..64 * 32).map(|i| (i % 251) as u8).collect();
    let data = [&luma[..], &[1; 32 * 16], &[2; 32 * 16]];
    let strides = [64, 32, 32];
    encoder.encode(&Planes { size: SIZE, chroma: Chroma::Quarter, data, strides }, out)
}

#[test]
fn pictures_go_in_with_the_drivers_pitch_and_units_come_out() {
    let Opened { mut encoder, driver } = open_with(&driver(), SIZE, RATE).unwrap();
    assert_eq!(driver, "Card 0, CUDA 12.4");
    assert_eq!(encoder.capabilities().largest, Size::new(4096, 4096));
    let mut out = b"before".to_vec();
    assert_eq!(encode(encoder.as_mut(), &mut out), Ok(Some(Unit { keyframe: true })));
    assert_eq!(out, [b"before", scripted::KEYFRAME].concat());
    with(|state| {
        let (row, last) = (&state.input[PITCH..][..PITCH], &state.input[47 * PITCH..]);
        let luma: Vec<u8> = (64..128).collect();
        assert_eq!((&row[..64], &row[64..]), (&luma[..], &[7; PITCH - 64][..]));
        assert_eq!((&last[..64], &last[64..]), (&[1, 2].repeat(32)[..], &[7; PITCH - 64][..]));
    });
    drop(encoder);
    with(|state| assert!(state.alive.is_empty(), "{:?}", state.alive));
}

#[test]
fn only_the_first_picture_and_those_asked_for_are_keyframes() {
    let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
    let mut keyframes = Vec::new();
    for number in 0..6 {
        if number == 3 {
            encoder.request_keyframe();
        }
        let unit = encode(encoder.as_mut(), &mut Vec::new()).unwrap().unwrap();
        keyframes.push(unit.keyframe);
    }
    assert_eq!(keyframes, [true, false, false, true, false, false]);
    let pictures = [(6, 0), (0, 1), (0, 2), (6, 3), (0, 4), (0, 5)];
    with(|state| assert_eq!(state.pictures, pictures));
}

#[test]
fn the_encoder_is_set_up_for_no_delay_no_periodic_keyframes_and_bt_709() {
    let _encoder = open_with(&driver(), SIZE, RATE).unwrap();
    with(|state| {
        let at = |offset| number(&state.initialize, offset);
        assert_eq!([36, 40, 44, 48, 96, 100].map(at), [64, 32, 64, 32, 64, 32]);
        assert_eq!([52, 56, 60, 64, 136].map(at), [30_000, 1000, 0, 1, 3]);
        assert_eq!((at(4), at(20)), (0x6bc8_2762, 0x90a7_b826));
        let at = |offset| number(&state.config, offset);
        assert_eq!((at(4), at(20), at(24), at(176)), (0xe7cb_c309, u32::MAX, 1, u32::MAX));
        assert_eq!([44, 60, 64, 68, 72].map(at), [2, 3_000_000, 3_000_000, 400_000, 400_000]);
        assert_eq!(at(76), 1 << 3 | 1 << 9, "what the preset had stays, but look-ahead");
        assert_eq!(at(168), 1 << 12 | 1 << 18);
        assert_eq!([248, 252, 256, 260, 264, 268, 272, 288].map(at), [1, 5, 0, 1, 1, 1, 1, 1]);
        assert_eq!((at(228), at(360)), (1, 1));
    });
}

#[test]
fn the_rate_changes_without_a_keyframe() {
    let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
    encode(encoder.as_mut(), &mut Vec::new()).unwrap();
    encoder.set_rate(VideoRate { bits_per_s: 800_000, pictures_per_s: 20.0 }).unwrap();
    with(|state| {
        assert_eq!(number(&state.initialize, 52), 20_000);
        let at = |offset| number(&state.config, offset);
        assert_eq!([60, 64, 68, 72].map(at), [800_000, 800_000, 160_000, 160_000]);
        assert_eq!(at(20), u32::MAX);
        state.broken = "reconfigure";
    });
    let unit = encode(encoder.as_mut(), &mut Vec::new());
    assert_eq!(unit, Ok(Some(Unit { keyframe: false })));
    let refused = encoder.set_rate(RATE).unwrap_err().to_string();
    assert_eq!(refused, "nvenc failed: changing the rate: invalid parameter (8)");
}

#[test]
fn whatever_function_fails_is_named_and_all_that_was_made_is_destroyed() {
    let opening = [
        ("device_count", "counting devices: CUDA error 8"),
        ("context_create", "making a context: CUDA error 8"),
        ("open", "opening an encoder: invalid parameter (8)"),
        ("codec_count", "counting codecs: invalid parameter (8)"),
        ("codecs", "listing codecs: invalid parameter (8)"),
        ("caps", "asking for capabilities: invalid parameter (8)"),
        ("preset", "asking for settings: invalid parameter (8)"),
        ("initialize", "initializing: invalid parameter (8)"),
        ("create_input", "making an input buffer: invalid parameter (8)"),
        ("create_output", "making an output buffer: invalid parameter (8)"),
    ];
    for (broken, reason) in opening {
        let driver = driver();
        with(|state| state.broken = broken);
        let error = open_with(&driver, SIZE, RATE).err();
        assert_eq!(error, Some(Backend::Nvenc.unavailable(reason)));
        with(|state| assert!(state.alive.is_empty(), "{broken}: {:?}", state.alive));
    }
    let encoding = [
        ("lock_input", "locking the input"),
        ("encode", "encoding"),
        ("lock_output", "locking the output"),
    ];
    for (broken, what) in encoding {
        let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
        with(|state| state.broken = broken);
        let error = encode(encoder.as_mut(), &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(error, format!("nvenc failed: {what}: invalid parameter (8)"));
        drop(encoder);
        with(|state| assert!(state.alive.is_empty(), "{broken}: {:?}", state.alive));
    }
}

#[test]
fn the_first_device_with_an_encoder_is_used() {
    let driver = driver();
    with(|state| (state.devices, state.first_encoder) = (3, 2));
    assert_eq!(open_with(&driver, SIZE, RATE).unwrap().driver, "Card 2, CUDA 12.4");
    with(|state| {
        assert_eq!(state.calls.iter().filter(|call| **call == "open").count(), 3);
        assert!(state.alive.is_empty(), "{:?}", state.alive);
    });
}

#[test]
fn devices_that_cannot_do_it_say_so() {
    let cases: [(Change, &str); 4] = [
        (|state| state.devices = 0, "there is no device"),
        (|state| state.first_encoder = 1, "opening an encoder: unsupported device (2)"),
        (|state| state.other_codecs_only = true, "no H.264"),
        (|state| state.changes_rate = false, "the device cannot change the rate"),
    ];
    for (prepare, reason) in cases {
        let driver = driver();
        with(prepare);
        let error = open_with(&driver, SIZE, RATE).err();
        assert_eq!(error, Some(Backend::Nvenc.unavailable(reason)));
        with(|state| assert!(state.alive.is_empty(), "{reason}: {:?}", state.alive));
    }
}

#[test]
fn buffers_that_cannot_be_right_are_not_touched() {
    let cases: [(Change, &str); 4] = [
        (|state| state.pitch = 63, "an input buffer with a pitch of 63"),
        (|state| state.pitch = 0, "an input buffer with a pitch of 0"),
        (|state| state.null_data = true, "an input buffer with a pitch of 96"),
        (|state| state.unit_bytes = Some(64 * 32 * 3 + 1), "a unit of 6145 bytes"),
    ];
    for (prepare, reason) in cases {
        let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
        with(prepare);
        let mut out = Vec::new();
        let error = encode(encoder.as_mut(), &mut out);
        assert_eq!(error, Err(failed(reason.into())));
        assert!(out.is_empty());
        with(|state| assert!(!state.alive.iter().any(|alive| alive.contains("locked"))));
    }
}

#[test]
fn sizes_beyond_the_devices_bounds_are_refused() {
    for (width, height) in [(4098, 32), (64, 4098), (46, 32), (64, 14), (63, 32), (64, 31)] {
        let found = Size::new(width, height);
        let error = open_with(&driver(), found, RATE).err();
        assert_eq!(error, Some(VideoError::Size { found, largest: Size::new(4096, 4096) }));
    }
    let mut encoder = open_with(&driver(), SIZE, RATE).unwrap().encoder;
    let (size, chroma) = (Size::new(32, 16), Chroma::Quarter);
    let other = Planes { size, chroma, data: [&[0; 512]; 3], strides: [32; 3] };
    assert_eq!(encoder.encode(&other, &mut Vec::new()), Err(VideoError::Kind));
}
