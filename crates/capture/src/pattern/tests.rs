use super::*;
use crate::{Damage, Frame};
use farpane_frame::{FrameBuf, PixelFormat, Rect};

const NAMES: [&str; 7] = ["caret", "typing", "scroll", "drag", "noise", "flip", "still"];

fn source(text: &str) -> PatternSource {
    PatternSource::new(Pattern::parse(text).unwrap()).unwrap()
}

fn frames(source: &mut PatternSource, count: usize) -> Vec<FrameBuf> {
    (0..count).map(|_| copy(&frame(source))).collect()
}

fn frame(source: &mut PatternSource) -> Frame {
    match source.next(Duration::from_secs(20)).unwrap() {
        CaptureEvent::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}

fn copy(frame: &Frame) -> FrameBuf {
    let view = frame.pixels.view();
    let mut copy = FrameBuf::new(view.size(), PixelFormat::Bgrx).unwrap();
    copy.copy_from(&view, view.size().rect());
    copy
}

#[test]
fn moves_and_damage_make_each_screen_of_the_one_before() {
    for name in NAMES.iter().filter(|n| **n != "still") {
        for size in ["500x333", "64x48", "7x5"] {
            let mut source = source(&format!("{name},{size},0/s"));
            let mut before = copy(&frame(&mut source));
            for step in 0..60 {
                let next = frame(&mut source);
                let view = next.pixels.view();
                let Damage::Exact(region) = &next.damage else { panic!("{name}: {next:?}") };
                let mut rebuilt = before.clone();
                for rect in region.rects() {
                    rebuilt.copy_from(&view, *rect);
                }
                assert!(rebuilt.view().same_rgb(&view), "{name} {size}, step {step}: damage");
                for moved in &next.moves {
                    assert!(moved.fits(view.size()), "{name} {size}: {moved:?}");
                    let mut by_move = before.clone();
                    by_move.move_within(*moved);
                    let rows = moved.dst.y..moved.dst.bottom();
                    let (x, width) = (moved.dst.x, moved.dst.width);
                    for y in rows {
                        let same = by_move.view().span(x, y, width) == view.span(x, y, width);
                        assert!(same, "{name} {size}, step {step}: {moved:?} row {y}");
                    }
                }
                before = copy(&next);
            }
        }
    }
}

#[test]
fn a_seed_decides_every_pixel() {
    for name in NAMES.iter().filter(|n| !["caret", "still"].contains(n)) {
        let run = |seed| frames(&mut source(&format!("{name},320x200,0/s,#{seed}")), 20);
        let (one, again, other) = (run(1), run(1), run(2));
        let same = |a: &[FrameBuf], b: &[FrameBuf]| {
            a.iter().zip(b).all(|(a, b)| a.view().same_rgb(&b.view()))
        };
        assert!(same(&one, &again), "{name}");
        assert!(!same(&one, &other), "{name}");
    }
}

#[test]
fn a_still_screen_is_handed_out_once_and_on_demand() {
    let mut source = source("still,64x64");
    assert_eq!(frame(&mut source).damage, Damage::Unknown);
    assert!(matches!(source.next(Duration::ZERO), Ok(CaptureEvent::Idle)));
    source.refresh();
    assert_eq!(frame(&mut source).damage, Damage::Unknown);
    source.waker().ring();
    assert!(matches!(source.next(Duration::from_secs(60)), Ok(CaptureEvent::Idle)));
}

#[test]
fn updates_come_at_the_given_rate() {
    let mut source = source("caret,64x64,100/s");
    let start = Instant::now();
    frames(&mut source, 11);
    assert!(start.elapsed() >= Duration::from_millis(90), "{:?}", start.elapsed());
}

#[test]
fn names_are_read_and_mistakes_explained() {
    let pattern = Pattern::parse("scroll,1280x720,30/s,#9").unwrap();
    let size = Size::new(1280, 720);
    assert_eq!(pattern, Pattern { kind: PatternKind::Scroll, size, updates_per_s: 30, seed: 9 });
    assert_eq!(Pattern::parse("drag").unwrap(), Pattern::new(PatternKind::Drag));
    for wrong in ["", "dance", "drag,", "drag,0x5", "drag,5x", "drag,2000/s", "drag,#x", "drag,7"] {
        let error = Pattern::parse(wrong).unwrap_err().to_string();
        assert!(error.contains("pattern:"), "{error}");
    }
    assert!(Pattern::parse("dance").unwrap_err().to_string().contains("typing"));
}

#[test]
fn a_long_pause_is_made_up_for_by_one_frame() {
    let pattern = Pattern::parse("typing,640x480,1000/s").unwrap();
    let mut source = PatternSource::new(pattern).unwrap();
    frame(&mut source);
    let now = Instant::now();
    source.catch_up(now);
    source.catch_up(now + Duration::from_secs(3600));
    let Some(CaptureEvent::Frame(frame)) = source.outlet.take() else { panic!("no frame") };
    assert!(source.outlet.take().is_none());
    let Damage::Exact(region) = &frame.damage else { panic!("{frame:?}") };
    assert!(!region.is_empty() && region.bounds().contains(Rect::new(0, 0, 8, 16)));
}
