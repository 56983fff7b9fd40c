//! Moves are found in scenes as desktops show them, and are what they say.

mod scene;

use farpane_damage::{Changes, Differ, Kernel, MoveFinder};
use farpane_frame::{FrameBuf, Move, Rect, Size};
use scene::{
    LINE_PX, Random, SCREEN, blank, cut, differing_px, glyph, moved, paste, photo, text, text_line,
    window,
};

/// The moves from `old` to `new`, checked: verified, disjoint, inside the hint.
fn find(old: &FrameBuf, new: &FrameBuf, hint: &[Rect]) -> Vec<Move> {
    let kernel = Kernel::detect();
    let (mut changes, mut moves) = (Changes::new(), Vec::new());
    Differ::new(kernel).compare(&old.view(), &new.view(), hint, &mut changes).unwrap();
    let mut finder = MoveFinder::new(kernel);
    finder.find(&old.view(), &new.view(), &changes, &mut moves);
    assert!(moves.len() <= MoveFinder::MAX_MOVES);
    for (i, m) in moves.iter().enumerate() {
        assert!(m.fits(new.size()) && (m.dx(), m.dy()) != (0, 0));
        assert!(!moves[..i].iter().any(|other| other.dst.intersects(m.dst)));
        let (from, to) = (cut(&old.view(), m.src()), cut(&new.view(), m.dst));
        assert!(from.view().same_rgb(&to.view()), "{m:?} does not match");
        let outside = hint.iter().fold(vec![m.dst], |left, h| {
            left.into_iter().flat_map(|r| r.subtract(*h)).filter(|r| !r.is_empty()).collect()
        });
        assert!(outside.is_empty(), "{m:?} leaves the hint");
    }
    moves
}

/// Percent of the pixels of `area` that changed and that the moves make right.
fn explained(old: &FrameBuf, new: &FrameBuf, moves: &[Move], area: Rect) -> u64 {
    let changed = differing_px(&old.view(), &new.view(), area);
    let left = differing_px(&moved(old, moves).view(), &new.view(), area);
    (changed - left) * 100 / changed.max(1)
}

fn assert_explained(old: &FrameBuf, new: &FrameBuf, hint: &[Rect], area: Rect, what: &str) {
    let moves = find(old, new, hint);
    let percent = explained(old, new, &moves, area);
    assert!(percent >= 90, "{what}: {percent} % explained by {moves:?}");
}

#[test]
fn a_window_dragged_over_a_photograph_is_one_move() {
    let wallpaper = photo(SCREEN, 3);
    let picture = window(Size::new(730, 620), 9);
    let mut random = Random::new(4);
    for _ in 0..12 {
        let (x, y) = (random.in_range(50, 1100), random.in_range(40, 380));
        let (dx, dy) = (random.in_range(-20, 20), random.in_range(-20, 20));
        if (dx, dy) == (0, 0) {
            continue;
        }
        let (mut old, mut new) = (wallpaper.clone(), wallpaper.clone());
        paste(&mut old, &picture.view(), x, y);
        paste(&mut new, &picture.view(), x + dx, y + dy);
        let at = |x: i32, y: i32| Rect::new(x as u32, y as u32, 730, 620);
        let (from, to) = (at(x, y), at(x + dx, y + dy));
        let moves = find(&old, &new, &[from, to]);
        assert_eq!(moves.len(), 1, "{moves:?}");
        assert_eq!((moves[0].dx(), moves[0].dy()), (dx, dy));
        assert!(explained(&old, &new, &moves, to) >= 99, "{dx},{dy}");
    }
}

#[test]
fn a_window_that_jumps_far_and_partly_off_the_screen_is_found() {
    let wallpaper = photo(SCREEN, 5);
    let picture = window(Size::new(500, 400), 2);
    for (x, y) in [(900, 500), (1600, 10), (-200, 700), (3, -30)] {
        let (mut old, mut new) = (wallpaper.clone(), wallpaper.clone());
        paste(&mut old, &picture.view(), 40, 100);
        paste(&mut new, &picture.view(), x, y);
        let to = Rect::from_edges(
            x.max(0) as u32,
            y.max(0) as u32,
            (x + 500).min(1920) as u32,
            (y + 400).min(1080) as u32,
        );
        let hint = [Rect::new(40, 100, 500, 400), to];
        assert_explained(&old, &new, &hint, to, &format!("to {x},{y}"));
    }
}

#[test]
fn a_page_scrolled_under_a_sticky_header_beside_a_sidebar_is_found() {
    let page = text(Size::new(1100, 4000), 21);
    let picture = photo(Size::new(400, 300), 6);
    let mut page_with_picture = page.clone();
    paste(&mut page_with_picture, &picture.view(), 350, 900);
    let frame_at = |offset: u32| {
        let mut frame = text(SCREEN, 8);
        let pane = cut(&page_with_picture.view(), Rect::new(0, offset, 1100, 760));
        paste(&mut frame, &pane.view(), 400, 200);
        frame
    };
    let pane = Rect::new(400, 200, 1100, 760);
    for step in [1u32, 2, 7, 33, 64, 120] {
        let (a, b) = (frame_at(600), frame_at(600 + step));
        let down = Rect::new(400, 200, 1100, 760 - step);
        let up = Rect::new(400, 200 + step, 1100, 760 - step);
        assert_explained(&a, &b, &[pane], down, &format!("down by {step}"));
        assert_explained(&b, &a, &[SCREEN.rect()], up, &format!("up by {step}"));
    }
}

#[test]
fn a_terminal_scrolled_by_lines_is_found() {
    let terminal = text(Size::new(730, 2000), 31);
    for lines in [1, 3, 10, 40] {
        let by = lines * LINE_PX;
        let (mut old, mut new) = (photo(SCREEN, 1), photo(SCREEN, 1));
        paste(&mut old, &cut(&terminal.view(), Rect::new(0, 130, 730, 610)).view(), 300, 200);
        paste(&mut new, &cut(&terminal.view(), Rect::new(0, 130 + by, 730, 610)).view(), 300, 200);
        let area = Rect::new(300, 200, 730, 610 - by);
        let hint = [Rect::new(300, 200, 730, 610)];
        assert_explained(&old, &new, &hint, area, &format!("{lines} lines"));
    }
}

#[test]
fn the_rest_of_a_line_shifted_by_typing_is_found() {
    let mut random = Random::new(12);
    for _ in 0..20 {
        let mut old = text(Size::new(1200, 800), 40);
        let y = LINE_PX * (2 + random.below(50));
        old.fill(Rect::new(0, y, 1200, LINE_PX), [250, 252, 253, 0]);
        for cell in 0..190 {
            if random.below(6) > 0 {
                glyph(&mut old, 4 + cell * 6, y + 2, random.below(40));
            }
        }
        let mut new = old.clone();
        let caret = 4 + random.below(100) * 6;
        let rest = Rect::new(caret, y, 190 * 6 - caret - 2, LINE_PX);
        let tail = cut(&old.view(), rest);
        paste(&mut new, &tail.view(), caret as i32 + 6, y as i32);
        new.fill(Rect::new(caret, y, 6, LINE_PX), [250, 252, 253, 0]);
        glyph(&mut new, caret, y + 2, random.below(40));
        let to = Rect::new(caret + 6, y, rest.width, LINE_PX);
        assert_explained(&old, &new, &[Rect::new(0, y, 1200, LINE_PX)], to, "typing");
    }
}

#[test]
fn panes_that_scroll_different_ways_at_once_are_all_found() {
    let pages: Vec<_> = (0..3).map(|i| text(Size::new(500, 1500), 60 + i)).collect();
    let frame_at = |offsets: [u32; 3]| {
        let mut frame = text(SCREEN, 99);
        for (i, (page, offset)) in pages.iter().zip(offsets).enumerate() {
            let pane = cut(&page.view(), Rect::new(0, offset, 500, 700));
            paste(&mut frame, &pane.view(), 50 + 600 * i as i32, 150);
        }
        frame
    };
    let (old, new) = (frame_at([200, 300, 400]), frame_at([260, 283, 520]));
    let hint: Vec<_> = (0..3).map(|i| Rect::new(50 + 600 * i, 150, 500, 700)).collect();
    let moves = find(&old, &new, &hint);
    for (i, (from, height)) in [(0u32, 640), (17, 683), (0, 580)].into_iter().enumerate() {
        let area = Rect::new(50 + 600 * i as u32, 150 + from, 500, height);
        let percent = explained(&old, &new, &moves, area);
        assert!(percent >= 90, "pane {i}: {percent} % by {moves:?}");
    }
}

#[test]
fn a_scrolled_photograph_is_found() {
    let picture = photo(Size::new(900, 1600), 71);
    let (mut old, mut new) = (blank(SCREEN), blank(SCREEN));
    paste(&mut old, &cut(&picture.view(), Rect::new(0, 300, 900, 800)).view(), 100, 100);
    paste(&mut new, &cut(&picture.view(), Rect::new(0, 353, 900, 800)).view(), 100, 100);
    let hint = [Rect::new(100, 100, 900, 800)];
    assert_explained(&old, &new, &hint, Rect::new(100, 100, 900, 747), "photograph");
}

#[test]
fn a_change_inside_a_moved_area_leaves_the_rest_found() {
    let page = text(Size::new(1100, 1500), 81);
    let (mut old, mut new) = (text(SCREEN, 1), text(SCREEN, 1));
    paste(&mut old, &cut(&page.view(), Rect::new(0, 100, 1100, 760)).view(), 400, 200);
    paste(&mut new, &cut(&page.view(), Rect::new(0, 140, 1100, 760)).view(), 400, 200);
    paste(&mut new, &photo(Size::new(200, 30), 2).view(), 800, 500);
    let hint = [Rect::new(400, 200, 1100, 760)];
    assert_explained(&old, &new, &hint, Rect::new(400, 200, 1100, 720), "hover");
}

#[test]
fn noise_and_blinking_have_no_moves_and_bounded_work() {
    let (old, new) = (photo(SCREEN, 1), photo(SCREEN, 2));
    let kernel = Kernel::detect();
    let (mut changes, mut moves) = (Changes::new(), Vec::new());
    let all = [SCREEN.rect()];
    Differ::new(kernel).compare(&old.view(), &new.view(), &all, &mut changes).unwrap();
    let mut finder = MoveFinder::new(kernel);
    finder.find(&old.view(), &new.view(), &changes, &mut moves);
    assert!(moves.is_empty(), "{moves:?}");
    assert!(finder.stats().compared_px <= 4 * SCREEN.area_px(), "{:?}", finder.stats());

    let mut blinked = text(SCREEN, 1);
    blinked.fill(Rect::new(700, 700, 1, 13), [0, 0, 0, 0]);
    assert!(find(&text(SCREEN, 1), &blinked, &all).is_empty());
}

#[test]
fn pixels_outside_the_hint_are_never_believed() {
    let page = text(Size::new(900, 900), 5);
    let (mut old, mut new) = (text(SCREEN, 1), photo(SCREEN, 1));
    let hints = [Rect::new(101, 100, 430, 700), Rect::new(531, 123, 470, 690)];
    paste(&mut old, &cut(&page.view(), Rect::new(0, 50, 900, 720)).view(), 101, 100);
    let scrolled = cut(&page.view(), Rect::new(0, 60, 900, 720));
    for hint in hints {
        let part = cut(&scrolled.view(), Rect::new(hint.x - 101, hint.y - 100, hint.width, 690));
        paste(&mut new, &part.view(), hint.x as i32, hint.y as i32);
    }
    assert!(!find(&old, &new, &hints).is_empty());
}

#[test]
fn a_line_of_text_that_appears_is_no_move() {
    let old = text(SCREEN, 1);
    let mut new = old.clone();
    text_line(&mut new, 300, 13 * 20, 4321);
    let moves = find(&old, &new, &[SCREEN.rect()]);
    assert!(moves.len() <= 2, "{moves:?}");
}
