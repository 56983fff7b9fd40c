//! Networks that lose datagrams, and that fall silent and come back.

use farpane::frame::Size;
use farpane_tests::{Desk, Program, Relay, SharerApp, beside_others, wait_for};
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);

/// A display shared by the library to `farpane view` on another display, over a relay.
struct Session {
    view: Program,
    relay: Relay,
    _app: SharerApp,
    _folder: tempfile::TempDir,
    shared: Desk,
    shown: Desk,
}

impl Session {
    fn start() -> Self {
        let (shared, shown) = (Desk::start(SIZE), Desk::start(SIZE));
        let app = SharerApp::start(&format!("x11:{}", shared.display()));
        let relay = Relay::to(app.address());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.invite");
        app.invite_by(relay.address()).save(&path).unwrap();
        let args = ["view", "--fullscreen", "--invite", path.to_str().unwrap()];
        let view = Program::start(&args, Some(shown.display()));
        Self { view, relay, _app: app, _folder: folder, shared, shown }
    }

    fn wait_equal(&self) {
        self.shown.wait_shows(&self.shared, LIMIT);
    }
}

#[test]
fn a_network_that_loses_every_fifth_datagram_changes_no_pixel() {
    let _turn = beside_others();
    let session = Session::start();
    session.shared.draw(0);
    session.wait_equal();
    session.relay.lose(20);
    for round in 1..5 {
        (0..20).for_each(|step| session.shared.draw(100 * round + step));
        session.wait_equal();
    }
}

#[test]
fn a_network_that_falls_silent_and_comes_back_is_reconnected_by_the_same_helper() {
    let _turn = beside_others();
    let mut session = Session::start();
    session.shared.draw(0);
    session.wait_equal();
    session.relay.lose(100);
    session.view.wait_said("the connection is lost", Duration::from_secs(12));
    wait_for("the sharer notices too", LIMIT, || session.shared.clients() == 1);
    (10..20).for_each(|step| session.shared.draw(step));
    session.relay.lose(0);
    session.wait_equal();
    assert!(session.view.is_running());
    (20..30).for_each(|step| session.shared.draw(step));
    session.wait_equal();
}
