//! Two frames as desktops show one after the other, and what a source says of them.

use crate::scene::{cut, glyph, paste, photo, text, window};
use farpane_frame::{FrameBuf, Rect, Size};

/// A change, there and back.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) frames: [FrameBuf; 2],
    /// What the source names: all that changed, and not much more.
    pub(crate) hint: Vec<Rect>,
}

/// The corpus for screens of `size`.
pub(crate) fn corpus(size: Size) -> Vec<Case> {
    vec![idle(size), caret(size), typing(size), scroll(size), drag(size), video(size), all(size)]
}

fn case(name: &'static str, a: FrameBuf, b: FrameBuf, hint: Vec<Rect>) -> Case {
    Case { name, frames: [a, b], hint }
}

/// A window that an application drew again as it was.
fn idle(size: Size) -> Case {
    let frame = text(size, 1);
    case("idle", frame.clone(), frame, vec![Rect::new(160, 90, 800, 600)])
}

fn caret(size: Size) -> Case {
    let (frame, area) = (text(size, 2), Rect::new(700, 500, 1, 13));
    let mut other = frame.clone();
    other.fill(area, [0, 0, 0, 0]);
    case("caret", frame, other, vec![area])
}

/// A character, reported with the line that it is in.
fn typing(size: Size) -> Case {
    let (frame, line) = (text(size, 3), Rect::new(320, 390, 700, 13));
    let mut other = frame.clone();
    other.fill(Rect::new(600, 390, 6, 13), [250, 252, 253, 0]);
    glyph(&mut other, 600, 392, 7);
    case("typing", frame, other, vec![line])
}

/// A page in a browser over most of the screen, scrolled by 40 pixels.
pub(crate) fn scroll(size: Size) -> Case {
    let (width, height) = (size.width_px * 3 / 4, size.height_px * 5 / 6);
    let page = text(Size::new(width, height + 100), 3);
    let (mut a, mut b) = (text(size, 4), text(size, 4));
    paste(&mut a, &cut(&page.view(), Rect::new(0, 20, width, height)).view(), 160, 90);
    paste(&mut b, &cut(&page.view(), Rect::new(0, 60, width, height)).view(), 160, 90);
    case("scroll", a, b, vec![Rect::new(160, 90, width, height)])
}

/// A window of 730x620 dragged over a photograph by (13, -9).
pub(crate) fn drag(size: Size) -> Case {
    let (mut a, picture) = (photo(size, 2), window(Size::new(730, 620), 5));
    let mut b = a.clone();
    paste(&mut a, &picture.view(), 500, 300);
    paste(&mut b, &picture.view(), 513, 291);
    case("drag", a, b, vec![Rect::new(500, 300, 730, 620), Rect::new(513, 291, 730, 620)])
}

/// A film of 854x480 in a page.
fn video(size: Size) -> Case {
    let (mut a, film) = (text(size, 5), Size::new(854, 480));
    let mut b = a.clone();
    paste(&mut a, &photo(film, 6).view(), 400, 200);
    paste(&mut b, &photo(film, 7).view(), 400, 200);
    case("video in a page", a, b, vec![Rect::new(400, 200, film.width_px, film.height_px)])
}

fn all(size: Size) -> Case {
    let a = photo(size, 8);
    let mut b = a.clone();
    b.data_mut().iter_mut().for_each(|byte| *byte ^= 0x55);
    case("all changed", a, b, vec![size.rect()])
}
