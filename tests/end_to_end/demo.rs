//! The main job in one command.

use farpane_tests::{Life, Program, beside_others, descendants, read_png, wait_for};
use std::time::{Duration, Instant};

#[test]
fn the_demonstration_ends_with_equal_pictures_and_leaves_no_process() {
    let _turn = beside_others();
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("demo.png");
    let args = ["demo", "--scene", "1.5", "--snapshot", snapshot.to_str().unwrap()];
    let mut demo = Program::start(&args, None);
    let mut started: Vec<Life> = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    while demo.is_running() {
        assert!(Instant::now() < deadline, "the demonstration hangs: {}", demo.said());
        for life in descendants(demo.pid()) {
            if !started.contains(&life) {
                started.push(life);
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let exit = demo.wait_exit(Duration::from_secs(1));
    assert!(exit.status.success(), "{exit:?}");
    assert!(exit.said.contains("identical: yes"), "{exit:?}");
    for scene in ["a scrolling terminal", "typing", "a dragged window", "nothing"] {
        assert!(exit.said.contains(scene), "{scene}: {exit:?}");
    }
    // Both sides and the grey between them.
    assert_eq!(read_png(&snapshot).size().width_px, 2 * 1920 + 8);
    assert!(started.iter().any(|life| life.name == "Xvfb"), "{started:?}");
    wait_for("everything it started has ended", Duration::from_secs(5), || {
        !started.iter().any(Life::is_running)
    });
}
