use super::super::scripted::{Event, Script, Scripted, Step};
use super::*;
use crate::video::{Chroma, VideoCodec};
use std::sync::mpsc::channel;
use std::time::Instant;

/// 1,536 bytes raw.
const SIZE: Size = Size::new(32, 32);
/// A stall is 300 ms.
const RATE: VideoRate = VideoRate { bits_per_s: 10_000, pictures_per_s: 10.0 };

/// Both encoders of a test, and what they do.
struct Pair {
    encoder: FailoverEncoder,
    hardware: Script,
    software: Script,
}

fn pair(steps: &[Step]) -> Pair {
    pair_with(Scripted::new(SIZE, steps), Scripted::new(SIZE, &[]))
}

fn pair_with(hardware: (Scripted, Script), software: (Scripted, Script)) -> Pair {
    let (hardware, hardware_script) = hardware;
    let (mut software, software_script) = software;
    software.hardware = false;
    let encoder = FailoverEncoder::start(
        SIZE,
        RATE,
        move |_, _| Ok(Box::new(hardware) as _),
        move |_, _| Ok(Box::new(software) as _),
    );
    Pair { encoder: encoder.unwrap(), hardware: hardware_script, software: software_script }
}

impl Pair {
    /// Encodes a picture of one brightness: its unit's last byte, and whether it is a keyframe.
    fn encode(&mut self, luma: u8) -> Option<(u8, bool)> {
        let mut out = b"before".to_vec();
        let unit = encode(&mut self.encoder, luma, &mut out).unwrap();
        assert_eq!(unit.is_some(), out.len() > 6);
        assert!(out.starts_with(b"before"));
        unit.map(|unit| (*out.last().unwrap(), unit.keyframe))
    }

    /// What the software encoder has been told since the last call.
    fn told_software(&self) -> Vec<Event> {
        self.software.events.try_iter().collect()
    }
}

fn encode(
    encoder: &mut dyn VideoEncoder,
    luma: u8,
    out: &mut Vec<u8>,
) -> Result<Option<Unit>, VideoError> {
    let (y, c) = ([luma; 1024], [128; 256]);
    let data = [&y[..], &c, &c];
    let strides = [32, 16, 16];
    encoder.encode(&Planes { size: SIZE, chroma: Chroma::Quarter, data, strides }, out)
}

#[test]
fn a_sound_hardware_encoder_stays_in_use() {
    let mut pair = pair(&[Step::Work, Step::Skip, Step::Work, Step::Keyframe]);
    assert_eq!(pair.encode(10), Some((10, true)));
    assert_eq!(pair.encode(11), None);
    assert_eq!(pair.encode(12), Some((12, false)));
    assert_eq!(pair.encode(13), Some((13, true)));
    for luma in 14..200 {
        assert_eq!(pair.encode(luma), Some((luma, false)));
    }
    assert_eq!(pair.encoder.failed(), None);
    assert!(pair.encoder.capabilities().hardware);
    assert!(pair.told_software().is_empty());
}

#[test]
fn keyframes_and_rates_reach_the_hardware_encoder_once() {
    let mut pair = pair(&[Step::Work, Step::Skip]);
    let rate = VideoRate { bits_per_s: 7, pictures_per_s: 30.0 };
    pair.encode(10);
    pair.encoder.set_rate(RATE).unwrap();
    pair.encoder.set_rate(rate).unwrap();
    pair.encoder.request_keyframe();
    pair.encoder.request_keyframe();
    assert_eq!(pair.encode(11), None);
    assert_eq!(pair.encode(12), Some((12, true)));
    assert_eq!(pair.encode(13), Some((13, false)));
    let told: Vec<_> = pair.hardware.events.try_iter().collect();
    let pictures = [Event::Picture(12, true), Event::Picture(13, false)];
    let before = [Event::Picture(10, true), Event::Rate(rate), Event::Picture(11, true)];
    assert_eq!(told, [&before[..], &pictures].concat());
}

#[test]
fn every_failure_leads_to_software_with_one_keyframe_of_the_same_picture() {
    let cases = [
        (Step::Stall, "a picture took longer than 300 ms"),
        (Step::Error, "the script failed: an error"),
        (Step::Panic, "the encoder panicked: as the script says"),
        (Step::Empty, "an empty unit"),
        (Step::SkipWithBytes, "bytes for a skipped picture"),
        (Step::Bytes(1537), "a unit of 1537 bytes for a picture of 1536"),
        (Step::Rubbish, "a unit that does not begin with a start code"),
    ];
    for (step, reason) in cases {
        for good in [1, 2, 5] {
            let mut pair = pair(&[vec![Step::Work; good], vec![step]].concat());
            for luma in 0..good as u8 {
                assert_eq!(pair.encode(50 + luma), Some((50 + luma, luma == 0)));
            }
            assert_eq!(pair.encode(60), Some((60, true)), "{step:?}");
            assert_eq!(pair.encode(61), Some((61, false)), "{step:?}");
            assert_eq!(pair.encode(62), Some((62, false)), "{step:?}");
            assert_eq!(pair.encoder.failed(), Some(reason));
            assert!(!pair.encoder.capabilities().hardware);
            let told =
                [Event::Picture(60, true), Event::Picture(61, false), Event::Picture(62, false)];
            assert_eq!(pair.told_software(), told, "{step:?}");
            let lumas = (0..good as u8).map(|luma| 50 + luma).chain([60]);
            let pictures = lumas.map(|luma| Event::Picture(luma, luma == 50)).collect::<Vec<_>>();
            let told = pair.hardware.events.try_iter().filter(|event| *event != Event::Dropped);
            assert_eq!(told.collect::<Vec<_>>(), pictures, "no retry");
        }
    }
}

#[test]
fn the_first_picture_may_fail_too() {
    for step in [Step::Error, Step::Panic, Step::Rubbish, Step::NoKeyframe] {
        let mut pair = pair(&[step]);
        assert_eq!(pair.encode(20), Some((20, true)), "{step:?}");
        assert!(pair.encoder.failed().is_some());
        assert_eq!(pair.told_software(), [Event::Picture(20, true)]);
    }
}

#[test]
fn the_first_picture_may_take_longer() {
    let mut pair = pair(&[Step::Stall]);
    let began = Instant::now();
    assert_eq!(pair.encode(20), Some((20, true)));
    assert!(began.elapsed() >= FIRST_LIMIT);
    assert_eq!(pair.encoder.failed(), Some("a picture took longer than 500 ms"));
}

#[test]
fn a_keyframe_that_is_refused_comes_from_software() {
    let mut pair = pair(&[Step::Work, Step::NoKeyframe]);
    pair.encode(10);
    pair.encoder.request_keyframe();
    assert_eq!(pair.encode(11), Some((11, true)));
    assert_eq!(pair.encoder.failed(), Some("no keyframe when asked for one"));
    assert_eq!(pair.encode(12), Some((12, false)));
    pair.encoder.request_keyframe();
    assert_eq!(pair.encode(13), Some((13, true)));
}

#[test]
fn a_skipped_picture_does_not_take_the_keyframe_that_was_asked_for() {
    let mut pair = pair(&[Step::Work, Step::Skip, Step::NoKeyframe]);
    pair.encode(10);
    pair.encoder.request_keyframe();
    assert_eq!(pair.encode(11), None);
    assert_eq!(pair.encode(12), Some((12, true)));
    assert_eq!(pair.encoder.failed(), Some("no keyframe when asked for one"));
}

#[test]
fn units_far_above_the_rate_are_a_failure_only_in_a_row() {
    // 1,000 bits a picture allow 1,000 bytes.
    let row = |heavy| [vec![Step::Bytes(1001); heavy], vec![Step::Work]].concat();
    let mut pair = pair(&[row(7), row(7), row(8)].concat());
    for luma in 0..23 {
        pair.encode(100 + luma);
        assert_eq!(pair.encoder.failed(), None);
    }
    assert_eq!(pair.encode(130), Some((130, true)));
    assert_eq!(pair.encoder.failed(), Some("8 units in a row of more than 1000 bytes"));
}

#[test]
fn the_rate_last_set_holds_in_software() {
    let (hardware, script) = Scripted::new(SIZE, &[Step::Work, Step::Error]);
    let (told, rates) = channel();
    let software = move |size, rate| {
        told.send(rate).unwrap();
        Ok(Box::new(Scripted::new(size, &[]).0) as _)
    };
    let hardware = move |_, _| Ok(Box::new(hardware) as _);
    let mut encoder = FailoverEncoder::start(SIZE, RATE, hardware, software).unwrap();
    encode(&mut encoder, 1, &mut Vec::new()).unwrap();
    let rate = VideoRate { bits_per_s: 9_999, pictures_per_s: 60.0 };
    encoder.set_rate(VideoRate { bits_per_s: 5, ..rate }).unwrap();
    encoder.set_rate(rate).unwrap();
    encode(&mut encoder, 2, &mut Vec::new()).unwrap();
    assert!(encoder.failed().is_some());
    assert_eq!(rates.try_iter().collect::<Vec<_>>(), [rate]);
    assert!(script.events.try_iter().any(|event| event == Event::Rate(rate)));
}

#[test]
fn a_rate_that_is_refused_leads_to_software() {
    let (mut hardware, script) = Scripted::new(SIZE, &[]);
    hardware.refuses_rates = true;
    let mut pair = pair_with((hardware, script), Scripted::new(SIZE, &[]));
    pair.encode(1);
    pair.encoder.set_rate(VideoRate { bits_per_s: 5, ..RATE }).unwrap();
    assert_eq!(pair.encode(2), Some((4, true)));
    let reason = "5 bit/s refused: the script failed: no rate";
    assert_eq!(pair.encoder.failed(), Some(reason));

    let rate = VideoRate { bits_per_s: 6, ..RATE };
    pair.encoder.set_rate(rate).unwrap();
    assert_eq!(pair.told_software().last(), Some(&Event::Rate(rate)));
}

#[test]
fn rates_that_are_none_and_other_pictures_are_refused_and_change_nothing() {
    let mut pair = pair(&[]);
    let none = [
        VideoRate { bits_per_s: 0, ..RATE },
        VideoRate { pictures_per_s: 0.0, ..RATE },
        VideoRate { pictures_per_s: -1.0, ..RATE },
        VideoRate { pictures_per_s: f32::NAN, ..RATE },
        VideoRate { pictures_per_s: f32::INFINITY, ..RATE },
    ];
    let started = |rate| {
        let make = |_, _| Ok(Box::new(Scripted::new(SIZE, &[]).0) as _);
        FailoverEncoder::start(SIZE, rate, make, make).is_ok()
    };
    for rate in none {
        assert!(pair.encoder.set_rate(rate).is_err());
        assert!(!started(rate));
    }
    let planes = Planes {
        size: Size::new(16, 16),
        chroma: Chroma::Quarter,
        data: [&[0; 256]; 3],
        strides: [16; 3],
    };
    let mut out = Vec::new();
    assert_eq!(pair.encoder.encode(&planes, &mut out), Err(VideoError::Kind));
    assert_eq!(pair.encode(9), Some((9, true)));
    assert_eq!(pair.encoder.failed(), None);
}

#[test]
fn what_the_abandoned_thread_still_makes_is_dropped() {
    let mut pair = pair(&[Step::Work, Step::Stall, Step::Work]);
    pair.encode(10);
    assert_eq!(pair.encode(11), Some((11, true)));
    let Pair { mut encoder, hardware, software } = pair;
    let events = hardware.events;
    drop(hardware.alive);
    let rest: Vec<_> = events.iter().collect();
    let all = [Event::Picture(10, true), Event::Picture(11, false), Event::Dropped];
    assert_eq!(rest, all, "its thread ends, without another picture");
    let mut out = Vec::new();
    let unit = encode(&mut encoder, 12, &mut out).unwrap();
    assert_eq!((unit, out.last()), (Some(Unit { keyframe: false }), Some(&12)));
    assert_eq!(software.events.try_iter().count(), 2);
}

#[test]
fn nobody_waits_for_a_driver_that_hangs_when_it_is_closed() {
    for steps in [&[][..], &[Step::Work, Step::Error], &[Step::Work, Step::Stall]] {
        let (mut hardware, script) = Scripted::new(SIZE, steps);
        hardware.hangs_when_dropped = true;
        let mut pair = pair_with((hardware, script), Scripted::new(SIZE, &[]));
        pair.encode(10);
        pair.encode(11);
        let began = Instant::now();
        drop(pair.encoder);
        assert!(began.elapsed() < Duration::from_millis(500));
        assert!(pair.hardware.events.try_iter().all(|event| event != Event::Dropped));
    }
}

#[test]
fn a_driver_that_panics_when_it_is_closed_harms_nobody() {
    let (mut hardware, script) = Scripted::new(SIZE, &[Step::Work, Step::Error]);
    hardware.panics_when_dropped = true;
    let mut pair = pair_with((hardware, script), Scripted::new(SIZE, &[]));
    pair.encode(10);
    assert_eq!(pair.encode(11), Some((11, true)));
    assert_eq!(pair.hardware.events.iter().last(), Some(Event::Dropped));
    assert_eq!(pair.encode(12), Some((12, false)));
}

#[test]
fn a_driver_that_does_not_open_leaves_software() {
    type Open = fn() -> Result<Box<dyn VideoEncoder>, VideoError>;
    let unavailable = || VideoError::Unavailable { what: "x", reason: "none here".into() };
    let cases: [(Open, &str); 2] = [
        (
            || Err(VideoError::Unavailable { what: "x", reason: "none here".into() }),
            "x cannot be had: none here",
        ),
        (|| panic!("at once"), "the encoder panicked: at once"),
    ];
    for (open, reason) in cases {
        let software = |_, _| {
            let (mut software, _) = Scripted::new(SIZE, &[]);
            software.hardware = false;
            Ok(Box::new(software) as _)
        };
        let mut encoder = FailoverEncoder::start(SIZE, RATE, move |_, _| open(), software).unwrap();
        assert_eq!(encoder.failed(), Some(reason));
        assert!(!encoder.capabilities().hardware);
        let unit = encode(&mut encoder, 1, &mut Vec::new());
        assert_eq!(unit, Ok(Some(Unit { keyframe: true })));

        let neither = move |_, _| Err(unavailable());
        let failed = FailoverEncoder::start(SIZE, RATE, move |_, _| open(), neither);
        assert_eq!(failed.err(), Some(unavailable()));
    }
}

#[test]
fn a_driver_that_hangs_when_it_is_opened_costs_the_limit() {
    let (alive, until) = channel::<()>();
    let hardware = move |_, _| {
        let _ = until.recv();
        Err(VideoError::Kind)
    };
    let software = |_, _| Ok(Box::new(Scripted::new(SIZE, &[]).0) as _);
    let began = Instant::now();
    let encoder = FailoverEncoder::start(SIZE, RATE, hardware, software).unwrap();
    let took = began.elapsed();
    assert!(took >= OPEN_LIMIT && took < OPEN_LIMIT + Duration::from_secs(1), "{took:?}");
    assert_eq!(encoder.failed(), Some("opening took longer than 2000 ms"));
    drop(alive);
}

#[test]
fn without_any_encoder_left_every_picture_is_the_same_error() {
    let other = |_, _| {
        let (mut software, _) = Scripted::new(SIZE, &[]);
        software.codec = VideoCodec::Av1;
        Ok(Box::new(software) as _)
    };
    let unavailable = VideoError::Unavailable { what: "software", reason: "no".into() };
    let none = {
        let e = unavailable.clone();
        move |_, _| Err(e)
    };
    let hardware = || {
        let (hardware, _) = Scripted::new(SIZE, &[Step::Error]);
        move |_, _| Ok(Box::new(hardware) as _)
    };
    let encoders = [
        (FailoverEncoder::start(SIZE, RATE, hardware(), none).unwrap(), unavailable),
        (FailoverEncoder::start(SIZE, RATE, hardware(), other).unwrap(), VideoError::Kind),
    ];
    for (mut encoder, error) in encoders {
        let mut out = Vec::new();
        for luma in 0..3 {
            assert_eq!(encode(&mut encoder, luma, &mut out), Err(error.clone()));
        }
        encoder.request_keyframe();
        assert_eq!(encoder.set_rate(RATE), Err(error));
        assert_eq!(encoder.failed(), Some("the script failed: an error"));
        assert!(out.is_empty());
    }
}

#[test]
fn a_stall_is_three_intervals_within_bounds() {
    let limit = |pictures_per_s| stall_limit(VideoRate { bits_per_s: 1, pictures_per_s });
    assert_eq!(limit(30.0).as_millis(), 100);
    assert_eq!(limit(1000.0), STALL_AT_LEAST);
    assert_eq!(limit(0.5), STALL_AT_MOST);
    assert_eq!(limit(f32::MIN_POSITIVE), STALL_AT_MOST);
}
