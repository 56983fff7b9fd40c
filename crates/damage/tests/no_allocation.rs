//! Once frames stop growing, nothing is allocated.

mod scene;

use farpane_damage::{Changes, Differ, Kernel, MergeParams, MoveFinder, merge};
use farpane_frame::{Rect, Size};
use scene::{Random, SCREEN, paste, photo, window};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn the_steady_state_allocates_nothing() {
    let wallpaper = photo(SCREEN, 2);
    let picture = window(Size::new(600, 500), 3);
    let mut random = Random::new(8);
    let at: Vec<_> = (0..6).map(|_| (random.in_range(0, 1200), random.in_range(0, 500))).collect();
    let frames: Vec<_> = at
        .iter()
        .map(|(x, y)| {
            let mut frame = wallpaper.clone();
            paste(&mut frame, &picture.view(), *x, *y);
            frame
        })
        .collect();
    let kernel = Kernel::detect();
    let (mut differ, mut finder) = (Differ::new(kernel), MoveFinder::new(kernel));
    let (mut changes, mut moves, mut rects) = (Changes::new(), Vec::new(), Vec::new());
    let mut canon = wallpaper.clone();
    let mut found = 0;
    let mut round = |hints: &[Rect]| {
        for frame in &frames {
            let next = frame.view();
            differ.compare(&canon.view(), &next, hints, &mut changes).unwrap();
            finder.find(&canon.view(), &next, &changes, &mut moves);
            found += moves.len();
            merge(&changes, &MergeParams::default(), &mut rects);
            differ.apply(&mut canon, &next, &changes).unwrap();
            differ.update(&mut canon, &next, hints, &mut changes).unwrap();
        }
    };
    let hints = [SCREEN.rect(), Rect::new(5, 5, 700, 900), Rect::new(900, 3, 1000, 70)];
    round(&hints);
    let before = ALLOCATIONS.with(Cell::get);
    assert!(before > 0, "the allocator counts");
    (0..3).for_each(|_| round(&hints));
    assert_eq!(ALLOCATIONS.with(Cell::get), before);
    assert!(found >= 20, "{found} moves");
}
