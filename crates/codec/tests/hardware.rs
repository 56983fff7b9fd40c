//! Each compiled backend with this machine's drivers: on a device if there is one, and else that it
//! says so soon.

use farpane_codec::video::hardware::probe::{PROBE_LIMIT, PROBE_SIZE, child_main};
use farpane_codec::video::hardware::{Backend, Probe, Verdict, driver_fingerprint};
use farpane_codec::video::{
    self, Chroma, Picture, VideoCodec, VideoEncoder, VideoError, VideoRate,
};
use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{env, thread};

const SIZE: Size = Size::new(640, 368);
const RATE: VideoRate = VideoRate { bits_per_s: 2_000_000, pictures_per_s: 30.0 };
/// For the driver to open, or to say that it cannot.
const SOON: Duration = Duration::from_secs(5);

/// Opens an encoder on a thread of its own: a driver may hang.
fn open(backend: Backend) -> Result<Box<dyn VideoEncoder>, VideoError> {
    let (opened, wait) = channel();
    thread::spawn(move || opened.send(backend.open(SIZE, RATE)));
    wait.recv_timeout(SOON).unwrap_or_else(|_| panic!("{backend} did not open in {SOON:?}"))
}

#[test]
fn every_compiled_backend_encodes_or_says_soon_that_there_is_no_device() {
    for backend in Backend::compiled() {
        let began = Instant::now();
        match open(backend) {
            Ok(encoder) => encodes(backend, encoder),
            Err(VideoError::Unavailable { what, reason }) => {
                assert_eq!(what, backend.name());
                assert!(reason.len() > 10 && !reason.contains('\n'), "{reason:?}");
                let took = began.elapsed().as_millis();
                println!("not run: no device for {backend} ({reason}, after {took} ms)");
            }
            Err(error) => panic!("{backend}: {error}"),
        }
        println!("{backend}: driver {:?}", driver_fingerprint(backend));
    }
}

#[test]
fn sizes_that_no_encoder_takes_are_refused() {
    for backend in Backend::compiled() {
        for (width, height) in [(0, 2), (63, 64), (64, 63), (65_000, 65_000)] {
            let refused = backend.open(Size::new(width, height), RATE).err();
            let known =
                matches!(refused, Some(VideoError::Size { .. } | VideoError::Unavailable { .. }));
            assert!(known, "{backend} {width}x{height}: {refused:?}");
        }
    }
}

/// Names the backend to the process of a probe.
const CHILD: &str = "FARPANE_TEST_PROBE";

#[test]
fn a_probe_in_a_process_of_its_own_finds_what_opening_finds() {
    if let Ok(name) = env::var(CHILD) {
        // The test program adds its own lines to the output, and its own exit status.
        child_main(name.parse().unwrap(), video::decoder(VideoCodec::H264, PROBE_SIZE));
        return;
    }
    for backend in Backend::ALL {
        let mut command = Command::new(env::current_exe().unwrap());
        let name = "a_probe_in_a_process_of_its_own_finds_what_opening_finds";
        command.args([name, "--exact", "--nocapture"]).env(CHILD, backend.name());
        let verdict = Probe::run(command, PROBE_LIMIT);
        println!("{backend}: {verdict}");
        let compiled = Backend::compiled().any(|compiled| compiled == backend);
        match (open(backend), &verdict) {
            (Ok(_), Verdict::Works { driver }) => assert!(!driver.is_empty()),
            (opened, Verdict::Fails { reason }) => {
                let no_decoder = video::decoder(VideoCodec::H264, PROBE_SIZE).err();
                let error = no_decoder.or(opened.err()).expect("it works, but not in the probe");
                assert_eq!(*reason, error.to_string());
                assert!(!compiled || !reason.ends_with("built without it"), "{reason}");
            }
            (opened, _) => panic!("{backend}: {verdict}, but opened: {:?}", opened.err()),
        }
    }
}

/// On a device: units come at once, keyframes come when asked for, and the rate is held.
fn encodes(backend: Backend, mut encoder: Box<dyn VideoEncoder>) {
    let capabilities = encoder.capabilities();
    assert!(capabilities.hardware && capabilities.chroma == Chroma::Quarter);
    let mut picture = Picture::new(SIZE, Chroma::Quarter).unwrap();
    let mut frame = FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap();
    let (mut bytes, mut slowest) = (0, Duration::ZERO);
    for number in 0..60u32 {
        if number == 30 {
            encoder.request_keyframe();
        }
        frame.fill(SIZE.rect(), [40, 80, 120, 0]);
        frame.fill(Rect::new(number * 8, number * 4, 96, 64), [200, 100, number as u8, 0]);
        picture.load(&frame.view(), (0, 0)).unwrap();
        let (mut unit, began) = (Vec::new(), Instant::now());
        let made = encoder.encode(&picture.planes(), &mut unit).unwrap();
        slowest = slowest.max(began.elapsed());
        let keyframe = made.is_some_and(|unit| unit.keyframe);
        assert_eq!(keyframe, number == 0 || number == 30, "{backend}: picture {number}");
        assert!(unit.starts_with(&[0, 0, 1]) || unit.starts_with(&[0, 0, 0, 1]));
        bytes += unit.len();
    }
    let allowed = RATE.bits_per_s as usize / 8 * 2;
    assert!(bytes < allowed * 2, "{backend}: {bytes} bytes in 2 s");
    encoder.set_rate(VideoRate { bits_per_s: 500_000, ..RATE }).unwrap();
    assert!(encoder.encode(&picture.planes(), &mut Vec::new()).unwrap().is_some());
    println!("{backend}: 60 pictures, {bytes} bytes, the slowest after {slowest:?}");
}
