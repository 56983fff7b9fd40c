//! Coloured text, which loses its colours under 4:2:0: it must be exact as soon as it is there.

use crate::{link, rate};
use farpane::lab::Lab;
use farpane_benches::Claim;
use farpane_benches::quality::part;
use farpane_benches::scene::{Random, desktop, text};
use farpane_frame::Rect;

const WINDOW: Rect = Rect::new(256, 192, 448, 256);
/// Blue, green, red.
const STYLES: [(&str, [u8; 3], [u8; 3]); 2] =
    [("red on black", [0, 0, 0], [0, 0, 255]), ("blue on grey", [192, 192, 192], [255, 0, 0])];
const LINK: u64 = 10;
const STEP_US: u64 = 250;

pub(crate) fn tables() -> Vec<Claim> {
    println!("\ncoloured text over {}", rate(LINK));
    STYLES.iter().map(|(name, ground, ink)| show(name, *ground, *ink)).collect()
}

/// Shows a window of text and looks at the first picture that has any of it.
fn show(name: &str, ground: [u8; 3], ink: [u8; 3]) -> Claim {
    let mut screen = desktop();
    let mut lab = Lab::new(&screen.view(), link(LINK)).expect("a laboratory");
    let settled = lab.now_us() + 60_000_000;
    assert!(lab.run_until_exact(settled).expect("it runs"), "the first picture comes");
    let before = screen.clone();
    text(&mut screen, WINDOW, ground, ink, &mut Random(5));
    let start_us = lab.now_us();
    lab.show(&screen.view()).expect("it runs");
    loop {
        lab.run_until(lab.now_us() + STEP_US).expect("it runs");
        let seen = part(&lab.picture().expect("a picture"), WINDOW);
        if !seen.same_rgb(&part(&before.view(), WINDOW)) {
            let exact = seen.same_rgb(&part(&screen.view(), WINDOW));
            let ms = (lab.now_us() - start_us) as f64 / 1e3;
            let what = if exact { "exact" } else { "not exact" };
            println!("{name:<14} first seen after {ms:.1} ms, {what}");
            let claim = format!("text, {name}, {}: exact in the first frame", rate(LINK));
            return Claim::new(claim, "yes", format!("{what} after {ms:.1} ms"), exact);
        }
        assert!(lab.now_us() < start_us + 5_000_000, "the text never comes");
    }
}
