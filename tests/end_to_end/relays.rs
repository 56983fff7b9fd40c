//! Sharer and helper in networks that do not reach each other, with coturn between them: the
//! program as people start it.

use farpane::frame::Size;
use farpane::net::RelayPin;
use farpane_netbed::{Bed, Config, Credentials, Relay, RelayConfig, Side};
use farpane_tests::{Desk, Program, Share, View, alone, beside_others, wait_for};
use rustix::process::Signal;
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);

/// Of the one user of every relay here; found in nothing that anybody sees.
const PASSWORD: &str = "correct-horse-battery";

/// Two networks behind NATs, and a relay.
struct World {
    bed: Bed,
    relay: Relay,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let bed = Bed::build(&Config::default()).expect("networks; this needs root");
        let relay = relay(&bed);
        Self { bed, relay, folder: tempfile::tempdir().expect("a folder") }
    }

    /// What `--relay` is given: a file of addresses.
    fn file(&self, urls: &[String]) -> String {
        let path = self.folder.path().join("relays");
        std::fs::write(&path, urls.join("\n")).expect("a file");
        format!("@{}", path.display())
    }

    fn share(&self, desk: &Desk, urls: &[String], consent: &str) -> Share {
        let file = self.file(urls);
        let more = ["--relay", &file, "--consent", consent];
        Share::start_in(Some(self.bed.sharer()), desk, "0.0.0.0:0", &more)
    }

    fn view(&self, share: &Share, shown: &Desk) -> View {
        View::start_in(Some(self.bed.helper()), share, Some(shown), &["--fullscreen"])
    }
}

fn relay(bed: &Bed) -> Relay {
    let credentials =
        Credentials::LongTerm { user: "user".to_owned(), password: PASSWORD.to_owned() };
    bed.relay(&RelayConfig { credentials, ..RelayConfig::default() }).expect("a relay")
}

fn udp(relay: &Relay) -> String {
    format!("turn:user:{PASSWORD}@{}", relay.udp())
}

fn tls(relay: &Relay) -> String {
    format!("turns:user:{PASSWORD}@{}?pin={}", relay.tls(), RelayPin(relay.spki_sha256()))
}

fn desks() -> (Desk, Desk) {
    let desks = (Desk::start(SIZE), Desk::start(SIZE));
    desks.0.draw(1);
    desks
}

/// A session by `urls`: the first picture, some that follow, the end by the sharer.
fn a_session_by(world: &World, urls: &[String], how: &str) {
    let (desk, shown) = desks();
    let share = world.share(&desk, urls, "auto");
    let view = world.view(&share, &shown);
    view.program.wait_said(how, LIMIT);
    for step in 2..8 {
        desk.draw(step);
        shown.wait_shows(&desk, LIMIT);
    }
    share.program.signal(Signal::INT);
    let (helper, sharer) = (view.program.wait_exit(LIMIT), share.program.wait_exit(LIMIT));
    assert!(helper.said.contains("the sharer ended the session"), "{helper:?}");
    assert!(helper.status.success() && sharer.status.success(), "{helper:?} {sharer:?}");
}

#[test]
fn a_helper_comes_by_a_relay_over_tls_alone() {
    let _turn = beside_others();
    let world = World::new();
    a_session_by(&world, &[tls(&world.relay)], "connected by a relay over TLS");
}

#[test]
fn two_behind_nats_find_each_other_by_a_relay_over_udp() {
    let _turn = beside_others();
    let world = World::new();
    a_session_by(&world, &[udp(&world.relay)], "reached directly");
}

#[test]
fn consent_and_all_that_follows_work_after_udp_was_blocked() {
    let _turn = alone();
    let world = World::new();
    let (desk, shown) = desks();
    let mut share = world.share(&desk, &[udp(&world.relay), tls(&world.relay)], "ask");
    let view = world.view(&share, &shown);
    share.program.wait_said("Allow? [y/N]", LIMIT);
    let _fault = world.bed.block_udp(Side::Helper).expect("a fault");
    view.program.wait_said("reached by a relay over TLS from now on", LIMIT);
    assert_eq!((desk.clients(), shown.clients()), (1, 1), "no consent, no capture, no picture");
    share.program.answer("y");
    share.program.wait_said("SEES THIS SCREEN", LIMIT);
    for step in 2..8 {
        desk.draw(step);
        shown.wait_shows(&desk, LIMIT);
    }
    view.program.signal(Signal::INT);
    share.program.wait_said("is gone: the helper ended the session", LIMIT);
}

#[test]
fn input_and_messages_go_on_after_udp_was_blocked_and_nobody_on_the_way_reads_them() {
    const LINES: [&str; 3] = ["the first line 5f3a", "the second line 8c1d", "an answer 27e0"];
    let _turn = alone();
    let world = World::new();
    let (desk, shown) = desks();
    let file = world.file(&[udp(&world.relay), tls(&world.relay)]);
    let more = ["--relay", &file, "--consent", "ask", "--allow", "control"];
    let bed = &world.bed;
    let files = ["sharer", "helper", "public"].map(|name| world.folder.path().join(name));
    let spaces = [bed.sharer(), bed.helper(), bed.public()];
    let captures: Vec<_> = spaces
        .iter()
        .zip(&files)
        .map(|(space, file)| bed.capture(space, file).expect("a recording"))
        .collect();
    let mut share = Share::start_in(Some(bed.sharer()), &desk, "0.0.0.0:0", &more);
    let more = ["--fullscreen", "--ask", "control", "--chat"];
    let mut view = View::start_in(Some(bed.helper()), &share, Some(&shown), &more);
    share.program.wait_said("Allow? [y/N]", LIMIT);
    share.program.answer("y");
    view.program.wait_said("mouse and keyboard are the sharer's", LIMIT);
    let follows = |place: (i16, i16)| {
        shown.point(place.0, place.1);
        wait_for("the sharer's pointer to follow", LIMIT, || desk.pointer() == place);
    };
    follows((100, 101));
    view.program.answer(LINES[0]);
    share.program.wait_said(LINES[0], LIMIT);
    let _fault = bed.block_udp(Side::Helper).expect("a fault");
    follows((200, 201));
    view.program.answer(LINES[1]);
    share.program.wait_said(LINES[1], LIMIT);
    share.program.answer(LINES[2]);
    view.program.wait_said(LINES[2], LIMIT);
    view.program.wait_said("reached by a relay over TLS from now on", LIMIT);
    captures.into_iter().for_each(|capture| capture.stop().expect("a whole file"));
    for file in &files {
        let bytes = std::fs::read(file).expect("a recording");
        assert!(bytes.len() > 10_000, "{} has not all", file.display());
        for line in LINES {
            let seen = bytes.windows(line.len()).any(|window| window == line.as_bytes());
            assert!(!seen, "{} has {line:?}", file.display());
        }
    }
}

#[test]
fn a_session_goes_on_whichever_of_two_relays_dies() {
    let _turn = alone();
    let mut world = World::new();
    let mut second = relay(&world.bed);
    let (desk, shown) = desks();
    let share = world.share(&desk, &[tls(&world.relay), tls(&second)], "auto");
    let view = world.view(&share, &shown);
    let shows = |steps: std::ops::Range<u32>| {
        for step in steps {
            desk.draw(step);
            shown.wait_shows(&desk, LIMIT);
        }
    };
    shows(2..4);
    second.kill();
    shows(4..8);
    second.restart().expect("it starts again");
    // Its keeper tries it again after half a second at first, then twice as late each time.
    std::thread::sleep(Duration::from_secs(5));
    world.relay.kill();
    shows(8..12);
    let said = view.program.said();
    assert!(said.contains("reached by a relay over TLS from now on"), "{said}");
    share.program.signal(Signal::INT);
    view.program.wait_said("the sharer ended the session", LIMIT);
}

#[test]
fn a_relay_that_refuses_the_password_is_named_and_the_password_is_not() {
    let _turn = beside_others();
    let world = World::new();
    let desk = Desk::start(SIZE);
    let wrong = udp(&world.relay).replace(PASSWORD, "not-the-password");
    let said = world.share(&desk, &[wrong], "auto").program.said();
    assert!(said.contains("does not accept this user name and password"), "{said}");
    assert!(said.contains(&world.relay.udp().to_string()), "{said}");
    assert!(!said.contains("not-the-password"), "{said}");
}

#[test]
fn doctor_says_of_the_same_file_what_is_blocked_and_that_a_session_is_possible() {
    let _turn = beside_others();
    let world = World::new();
    let file = world.file(&[udp(&world.relay), tls(&world.relay)]);
    let doctor = || {
        let args = ["doctor", "--relay", &file];
        let exit = Program::start_in(Some(world.bed.helper()), &args, None).wait_exit(LIMIT * 2);
        assert!(exit.status.success() && !exit.said.contains(PASSWORD), "{}", exit.said);
        exit.said
    };
    let advice = "let outbound UDP to";
    let open = doctor();
    assert!(!open.contains(advice), "{open}");
    let _fault = world.bed.block_udp(Side::Helper).expect("a fault");
    let blocked = doctor();
    assert!(blocked.contains(advice), "{blocked}");
}
