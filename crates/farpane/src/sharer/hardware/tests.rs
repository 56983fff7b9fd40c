//! A sharer and a helper on loopback, with a film, probes that are scripts, and OpenH264 in the
//! place of hardware, as long as it does not break.

use super::*;
use crate::{Helper, HelperOptions, Sharer, SharerEvent, SharerOptions};
use farpane_capture::SourceSpec;
use farpane_codec::video::{self, Chroma, Picture};
use farpane_net::Identity;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
const AMPLE: Duration = Duration::from_secs(60);
const WORKS: &str = "echo farpane-probe works as scripted";
/// Leaves its number, and its end to somebody else.
const HANGS: &str = "echo $$ >> pids; exec sleep 600";

/// What a driver does with the nth picture that any of its encoders gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Never,
    At(u32),
    /// It does not even open.
    Shut,
    /// As the last, as pictures are too large for it.
    TooLarge,
}

/// A driver and what it did.
#[derive(Clone)]
struct Driver(Arc<Mutex<Done>>, Breaks);

#[derive(Default)]
struct Done {
    opened: u32,
    pictures: u32,
    keyframes: u32,
}

struct Scripted(Driver, Box<dyn VideoEncoder>);

impl Driver {
    fn new(breaks: Breaks) -> Self {
        Self(Arc::default(), breaks)
    }

    fn opened(&self) -> u32 {
        self.0.lock().unwrap().opened
    }

    fn pictures(&self) -> u32 {
        self.0.lock().unwrap().pictures
    }

    fn open(&self, size: Size, rate: VideoRate) -> Result<Box<dyn VideoEncoder>, VideoError> {
        self.0.lock().unwrap().opened += 1;
        match self.1 {
            Breaks::Shut => Err(VideoError::Unavailable { what: "it", reason: "in use".into() }),
            Breaks::TooLarge => Err(VideoError::Size { found: size, largest: Size::new(2, 2) }),
            _ => {
                Ok(Box::new(Scripted(self.clone(), video::encoder(VideoCodec::H264, size, rate)?)))
            }
        }
    }

    /// Of a machine that has this driver alone.
    fn options(&self, folder: &Path, limit: Duration, script: &'static str) -> HardwareOptions {
        let (driver, at) = (self.clone(), folder.to_owned());
        let mut options = HardwareOptions::new(folder.join("hardware"), move |backend| {
            assert_eq!(backend, Backend::Nvenc);
            let mut command = Command::new("sh");
            command.args(["-c", script]).current_dir(&at);
            command
        });
        options.limit = limit;
        options.machine = Machine {
            drivers: Arc::new(|| vec![(Backend::Nvenc, "1".to_owned())]),
            open: Arc::new(move |_, size, rate| driver.open(size, rate)),
        };
        options
    }
}

impl VideoEncoder for Scripted {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.1.capabilities();
        capabilities.hardware = true;
        capabilities
    }

    fn encode(
        &mut self,
        picture: &Planes<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Unit>, VideoError> {
        let Self(Driver(done, breaks), encoder) = self;
        let mut done = done.lock().unwrap();
        done.pictures += 1;
        if *breaks == Breaks::At(done.pictures) {
            return Err(VideoError::Failed { what: "it", reason: "as scripted".into() });
        }
        let unit = encoder.encode(picture, out)?;
        done.keyframes += u32::from(unit.is_some_and(|unit| unit.keyframe));
        Ok(unit)
    }

    fn request_keyframe(&mut self) {
        self.1.request_keyframe();
    }

    fn set_rate(&mut self, rate: VideoRate) -> Result<(), VideoError> {
        self.1.set_rate(rate)
    }
}

/// A sharer with a helper that sees a film.
struct Session {
    sharer: Sharer,
    _helper: Helper,
    units: u32,
}

impl Session {
    fn start(hardware: HardwareOptions) -> Self {
        let source = SourceSpec::parse("pattern:noise,640x480", None).unwrap();
        let options = SharerOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            hardware: Some(hardware),
            ..SharerOptions::new(move || source.open())
        };
        let sharer = Sharer::start(options).unwrap();
        let invitation = sharer.invite(vec![sharer.local_address().to_string()], AMPLE).unwrap();
        sharer.consent_in_advance(&invitation, AMPLE);
        let identity = Identity::generate().unwrap();
        let helper = Helper::connect(&invitation, &identity, HelperOptions::default()).unwrap();
        Self { sharer, _helper: helper, units: 0 }
    }

    /// Goes on until `over`.
    fn until(&mut self, what: &str, mut over: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !over(self) {
            assert!(began.elapsed() < AMPLE, "{what}, in vain; {} units", self.units);
            let event = self.sharer.next_event(Duration::from_millis(20));
            assert!(!matches!(event, Some(SharerEvent::Left { .. })), "{event:?}");
            self.sharer.acknowledge_indicator();
            self.units +=
                std::iter::from_fn(|| self.sharer.try_record()).map(|r| r.units).sum::<u32>();
        }
    }

    /// Goes on for so many further units of the film.
    fn play(&mut self, units: u32) {
        let end = self.units + units;
        self.until("units", |session| session.units >= end);
    }
}

/// What is remembered of the driver.
fn remembered(folder: &Path) -> Option<Verdict> {
    Remembered::at(folder.join("hardware")).verdict(Backend::Nvenc, "1")
}

/// The processes of probes that hang, as far as they began.
fn probes(folder: &Path) -> Vec<String> {
    let pids = fs::read_to_string(folder.join("pids")).unwrap_or_default();
    pids.lines().map(str::to_owned).collect()
}

fn is_alive(pid: &str) -> bool {
    let test = Command::new("sh").args(["-c", &format!("kill -0 {pid} 2>&1")]).output();
    test.unwrap().status.success()
}

#[test]
fn films_are_encoded_in_hardware_once_a_probe_found_that_it_works() {
    let (folder, driver) = (tempfile::tempdir().unwrap(), Driver::new(Breaks::Never));
    let mut session = Session::start(driver.options(folder.path(), AMPLE, WORKS));
    session.until("pictures in hardware", |_| driver.pictures() > 30);
    session.play(10);
    assert_eq!(remembered(folder.path()), Some(Verdict::Works { driver: "as scripted".into() }));
    drop(session);
    let mut again = Session::start(driver.options(folder.path(), AMPLE, "exit 1"));
    let before = driver.pictures();
    again.until("pictures in hardware", |_| driver.pictures() > before + 5);
}

#[test]
fn while_a_probe_hangs_films_go_on_and_the_sharers_end_is_its_end() {
    let (folder, driver) = (tempfile::tempdir().unwrap(), Driver::new(Breaks::Never));
    let mut session = Session::start(driver.options(folder.path(), AMPLE * 10, HANGS));
    session.play(30);
    let pids = probes(folder.path());
    assert!(pids.len() == 1 && is_alive(&pids[0]), "{pids:?}");
    session.sharer.stop();
    let stopped = || match session.sharer.next_event(AMPLE) {
        Some(SharerEvent::Stopped { failed }) => Some(failed),
        Some(_) => None,
        None => panic!("it did not stop"),
    };
    let failed = std::iter::repeat_with(stopped).flatten().next();
    assert_eq!(failed, Some(false));
    assert!(!is_alive(&pids[0]), "an orphan");
    assert_eq!((driver.opened(), remembered(folder.path())), (0, None), "it may be tried again");
}

#[test]
fn a_driver_that_hangs_costs_the_limit_once_and_no_film_waits_for_it() {
    let (folder, driver) = (tempfile::tempdir().unwrap(), Driver::new(Breaks::Never));
    let limit = Duration::from_millis(300);
    for _ in 0..2 {
        let mut session = Session::start(driver.options(folder.path(), limit, HANGS));
        session.until("the verdict", |_| remembered(folder.path()) == Some(Verdict::Hung));
        session.play(30);
    }
    let pids = probes(folder.path());
    assert!(pids.len() == 1 && !is_alive(&pids[0]), "{pids:?}");
    assert_eq!(driver.opened(), 0);
}

#[test]
fn hardware_that_fails_in_a_film_is_left_for_the_session_and_remembered() {
    let (folder, driver) = (tempfile::tempdir().unwrap(), Driver::new(Breaks::At(20)));
    let mut session = Session::start(driver.options(folder.path(), AMPLE, WORKS));
    session.until("a failure", |_| driver.pictures() == 20);
    let opened = driver.opened();
    session.play(60);
    assert_eq!((driver.pictures(), driver.opened()), (20, opened), "it is not tried again");
    let failed = |verdict| matches!(verdict, Some(Verdict::Fails { .. }));
    session.until("its being remembered", |_| failed(remembered(folder.path())));
    drop(session);
    let mut again = Session::start(driver.options(folder.path(), AMPLE, WORKS));
    again.play(30);
    assert_eq!(driver.opened(), opened);
}

#[test]
fn a_device_that_refuses_is_left_for_the_session_and_not_for_ever() {
    let (folder, driver) = (tempfile::tempdir().unwrap(), Driver::new(Breaks::Shut));
    let mut session = Session::start(driver.options(folder.path(), AMPLE, WORKS));
    session.until("a refusal", |_| driver.opened() == 1);
    session.play(30);
    drop(session);
    assert!(matches!(remembered(folder.path()), Some(Verdict::Works { .. })));
}

/// Films one after the other, without a sharer.
struct Films {
    hardware: Hardware,
    driver: Driver,
    folder: tempfile::TempDir,
    picture: Picture,
}

const SIZE: Size = Size::new(320, 192);
const RATE: VideoRate = VideoRate { bits_per_s: 2_000_000, pictures_per_s: 10.0 };

impl Films {
    fn new(breaks: Breaks) -> Self {
        let (folder, driver) = (tempfile::tempdir().unwrap(), Driver::new(breaks));
        let hardware = Hardware::start(driver.options(folder.path(), AMPLE, WORKS)).unwrap();
        wait("the choice", || hardware.way.works());
        let picture = Picture::new(SIZE, Chroma::Quarter).unwrap();
        Self { hardware, driver, folder, picture }
    }

    fn begin(&self) -> Box<dyn VideoEncoder> {
        let software = |size, rate| video::encoder(VideoCodec::H264, size, rate);
        self.hardware.over(Arc::new(software))(SIZE, RATE).unwrap()
    }

    /// Encodes the next picture; whether it is a keyframe.
    fn encode(&self, film: &mut dyn VideoEncoder) -> bool {
        let mut out = Vec::new();
        film.encode(&self.picture.planes(), &mut out).unwrap().is_some_and(|unit| unit.keyframe)
    }
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < AMPLE, "{what}, in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_failure_in_a_film_costs_one_keyframe() {
    let films = Films::new(Breaks::At(8));
    let mut film = films.begin();
    assert!(films.encode(film.as_mut()), "the first, in software");
    wait("hardware", || {
        films.encode(film.as_mut());
        film.capabilities().hardware
    });
    let mut other = films.begin();
    wait("the other's being opened", || films.driver.opened() == 2);
    let mut keyframes = Vec::new();
    for _ in films.driver.pictures()..30 {
        keyframes.push(films.encode(film.as_mut()));
    }
    assert_eq!(films.driver.0.lock().unwrap().keyframes, 1, "the first, in hardware");
    assert_eq!(keyframes.iter().filter(|keyframe| **keyframe).count(), 1, "{keyframes:?}");
    assert!(!film.capabilities().hardware && !films.hardware.way.works());
    let opened = films.driver.opened();
    for _ in 0..20 {
        assert!(!films.encode(film.as_mut()));
        films.encode(other.as_mut());
        assert!(!other.capabilities().hardware, "what has opened since is not used");
        assert!(!films.begin().capabilities().hardware);
    }
    assert_eq!((films.driver.pictures(), films.driver.opened()), (8, opened));
    let at = films.folder.path();
    wait("its being remembered", || matches!(remembered(at), Some(Verdict::Fails { .. })));
}

#[test]
fn pictures_too_large_for_the_hardware_are_no_failure() {
    let films = Films::new(Breaks::TooLarge);
    for number in 1..4 {
        let mut film = films.begin();
        wait("a refusal", || films.driver.opened() == number);
        assert!(films.encode(film.as_mut()) && !film.capabilities().hardware);
    }
    assert!(films.hardware.way.works());
}
