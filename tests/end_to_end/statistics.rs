//! What `--stats` says, while the session goes on.

use farpane::frame::Size;
use farpane_tests::{Desk, Share, View, beside_others, wait_for};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);
/// Statistics reach the file every second at the latest; two more for a busy machine.
const WRITTEN: Duration = Duration::from_secs(3);

#[test]
fn every_update_is_in_the_files_of_both_sides_soon_although_nothing_else_happens() {
    let _turn = beside_others();
    let (shared, shown) = (Desk::start(Size::new(640, 480)), Desk::start(Size::new(640, 480)));
    let share = Share::start(&shared);
    let view = View::on(&shown, &share);
    for step in 0..6 {
        shared.draw(step);
        shown.wait_shows(&shared, LIMIT);
    }
    share.updates().wait_quiet(LIMIT);
    let sent = share.updates().lines();
    let last = sent.last().and_then(|line| line["update"].as_u64()).unwrap();
    wait_for("the helper's file holds the last update", WRITTEN, || {
        view.updates().lines().iter().any(|line| line["update"] == last)
    });
    for line in &sent {
        let at = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
        let stages = ["notice_us", "capture_us", "compared_us", "encoded_us", "sent_us"].map(at);
        assert!(stages.is_sorted() && at("bytes") > 0, "{line}");
    }
    for line in view.updates().lines() {
        let at = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
        assert!(["received_us", "composed_us", "presented_us"].map(at).is_sorted(), "{line}");
    }
}
