//! Several helpers of one sharer, through the library.

use farpane::SharerEvent;
use farpane::frame::Size;
use farpane_tests::{Desk, HelperApp, SharerApp, beside_others};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn helpers_see_the_same_and_come_and_go_without_disturbing_each_other() {
    let _turn = beside_others();
    let desk = Desk::start(Size::new(700, 500));
    let app = SharerApp::start(&format!("x11:{}", desk.display()));
    let picture = || desk.picture();
    (0..10).for_each(|step| desk.draw(step));
    let mut first = HelperApp::join(&app.invite());
    let mut second = HelperApp::join(&app.invite());
    first.wait_picture(LIMIT, picture);
    second.wait_picture(LIMIT, picture);

    (10..30).for_each(|step| desk.draw(step));
    drop(first);
    (30..40).for_each(|step| desk.draw(step));
    second.wait_picture(LIMIT, picture);

    let mut late = HelperApp::join(&app.invite());
    late.wait_picture(LIMIT, picture);
    (40..50).for_each(|step| desk.draw(step));
    late.wait_picture(LIMIT, picture);
    second.wait_picture(LIMIT, picture);
    assert!(late.is_in() && second.is_in());

    drop((late, second));
    let events = app.stop();
    let count = |wanted: fn(&SharerEvent) -> bool| events.iter().filter(|e| wanted(e)).count();
    assert_eq!(count(|e| matches!(e, SharerEvent::ShowIndicator { .. })), 3, "{events:?}");
    assert_eq!(count(|e| matches!(e, SharerEvent::Failed { .. })), 0, "{events:?}");
}

#[test]
fn a_desktop_in_motion_reaches_two_helpers_at_once() {
    let _turn = beside_others();
    let app = SharerApp::start("pattern:typing,640x480");
    let mut helpers = [HelperApp::join(&app.invite()), HelperApp::join(&app.invite())];
    for round in 0..5 {
        for helper in &mut helpers {
            let before = helper.last_update();
            helper.wait_update(LIMIT, before + 1);
            assert!(helper.is_in(), "round {round}");
        }
    }
}
