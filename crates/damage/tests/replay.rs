//! Changes are exact, rectangles cover them, and replaying both gives the new frame.

mod scene;

use farpane_damage::{Changes, DiffError, Differ, Kernel, MergeParams, MoveFinder, merge};
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size};
use proptest::prelude::*;
use scene::{Random, blank, cut, differing_px, moved, paste, photo, text};

/// Frames in a row, some of them dropped, of screens that change their size now and then.
const STEPS: u64 = 10_000;

/// Paints, scrolls, drags or edits one pixel; returns where.
fn step(frame: &mut FrameBuf, random: &mut Random) -> Rect {
    let size = frame.size();
    let area = random.rect(size, size.width_px);
    match random.below(5) {
        0 => {
            let pixel = random.next().to_le_bytes();
            frame.fill(area, [pixel[0], pixel[1], pixel[2], pixel[3]]);
            area
        }
        1 | 2 => {
            let picture = cut(&frame.view(), area);
            let (x, y) = (random.in_range(-9, 300), random.in_range(-9, 200));
            paste(frame, &picture.view(), x, y);
            let (right, bottom) = (x + area.width as i32, y + area.height as i32);
            let edges = [x, y, right, bottom].map(|edge| edge.max(0) as u32);
            Rect::from_edges(edges[0], edges[1], edges[2], edges[3]).clip(size)
        }
        3 => {
            let (x, y) = (random.below(size.width_px), random.below(size.height_px));
            frame.span_mut(x, y, 1)[random.below(3) as usize] ^= 1 << random.below(8);
            Rect::new(x, y, 1, 1)
        }
        _ => {
            let area = random.rect(size, 130);
            let part = text(Size::new(area.width, area.height), random.next() % 9999);
            paste(frame, &part.view(), area.x as i32, area.y as i32);
            area
        }
    }
}

#[test]
fn old_frame_with_moves_and_rectangles_is_the_new_frame() {
    let mut random = Random::new(1);
    let kernels: Vec<_> = Kernel::available().collect();
    let (mut changes, mut again) = (Changes::new(), Changes::new());
    let (mut moves, mut rects) = (Vec::new(), Vec::new());
    let (mut finders, mut move_count) = (Vec::new(), 0);
    finders.extend(kernels.iter().map(|k| (Differ::new(*k), MoveFinder::new(*k))));
    let mut screen = text(Size::new(500, 333), 1);
    let mut canon = screen.clone();
    let mut hints = Vec::new();
    for round in 0..STEPS {
        if random.below(250) == 0 {
            let size = Size::new(1 + random.below(700), 1 + random.below(400));
            screen = if round % 2 == 0 { text(size, round) } else { photo(size, round) };
            canon = screen.clone();
            hints.clear();
        }
        hints.push(step(&mut screen, &mut random));
        if random.below(3) == 0 {
            continue;
        }
        let (differ, finder) = &mut finders[random.below(kernels.len() as u32) as usize];
        let mut captured = blank(screen.size());
        captured.fill(screen.size().rect(), [9, 200, 77, 0]);
        hints.iter().for_each(|hint| captured.copy_from(&screen.view(), *hint));
        let next = captured.view();
        differ.compare(&canon.view(), &next, &hints, &mut changes).unwrap();
        finder.find(&canon.view(), &next, &changes, &mut moves);
        move_count += moves.len();
        let mut replayed = moved(&canon, &moves);
        if round % 2 == 0 {
            differ.apply(&mut canon, &next, &changes).unwrap();
            differ.compare(&replayed.view(), &canon.view(), &[canon.size().rect()], &mut again)
        } else {
            differ.update(&mut canon, &next, &hints, &mut changes).unwrap();
            differ.compare(&replayed.view(), &canon.view(), &[canon.size().rect()], &mut again)
        }
        .unwrap();
        merge(&again, &MergeParams::default(), &mut rects);
        rects.iter().for_each(|rect| replayed.copy_from(&canon.view(), *rect));
        assert!(replayed.view().same_rgb(&canon.view()), "round {round}");
        assert!(canon.view().same_rgb(&screen.view()), "round {round}");
        hints.clear();
    }
    assert!(move_count > 300, "only {move_count} moves in all rounds");
    println!("{STEPS} steps replayed");
}

fn slow_box(a: &FrameRef<'_>, b: &FrameRef<'_>, tile: Rect, within: &[Rect]) -> Rect {
    let mut all = Rect::default();
    for (y, x) in (tile.y..tile.bottom()).flat_map(|y| (tile.x..tile.right()).map(move |x| (y, x)))
    {
        let pixel = Rect::new(x, y, 1, 1);
        if a.rgb(x, y) != b.rgb(x, y) && within.iter().any(|r| r.contains(pixel)) {
            all = all.union(pixel);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changes_are_exact_and_rectangles_cover_them(
        seed in any::<u64>(),
        width in 1u32..300,
        height in 1u32..200,
        padding in 0usize..40,
        edits in 0u32..30,
        hints in prop::collection::vec(any::<u64>(), 0..6),
    ) {
        let (size, mut random) = (Size::new(width, height), Random::new(seed));
        let canon = photo(size, seed);
        let stride = width as usize * 4 + padding;
        let mut memory: Vec<u8> = (0..stride * height as usize).map(|i| i as u8).collect();
        for y in 0..height {
            let at = y as usize * stride;
            memory[at..at + width as usize * 4].copy_from_slice(canon.view().row(y));
        }
        for _ in 0..edits {
            let (x, y) = (random.below(width) as usize, random.below(height) as usize);
            memory[y * stride + x * 4 + random.below(4) as usize] ^= 1 + random.below(255) as u8;
        }
        let next = FrameRef::new(&memory, size, stride, PixelFormat::Bgrx).unwrap();
        let mut within: Vec<_> = hints.iter().map(|h| Random::new(*h).rect(size, 300)).collect();
        if hints.is_empty() {
            within.push(Rect::new(0, 0, 9999, 9999));
        }
        for kernel in Kernel::available() {
            let (mut changes, mut fused) = (Changes::new(), Changes::new());
            let mut differ = Differ::new(kernel);
            differ.compare(&canon.view(), &next, &within, &mut changes).unwrap();
            let mut updated = canon.clone();
            differ.update(&mut updated, &next, &within, &mut fused).unwrap();
            prop_assert_eq!(changes.iter().collect::<Vec<_>>(), fused.iter().collect::<Vec<_>>());
            let mut blocks = 0;
            for tile in 0..changes.grid().tiles() {
                let rect = changes.grid().rect(tile);
                let expected = slow_box(&canon.view(), &next, rect, &within);
                prop_assert_eq!(changes.rect(tile), expected);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let block = Rect::new(rect.x + 32 * dx, rect.y + 32 * dy, 32, 32).clip(size);
                    let changed = !slow_box(&canon.view(), &next, block, &within).is_empty();
                    prop_assert_eq!(changes.block(rect.x / 32 + dx, rect.y / 32 + dy), changed);
                    blocks += u32::from(changed);
                }
            }
            for hint in &within {
                prop_assert_eq!(differing_px(&updated.view(), &next, hint.clip(size)), 0);
            }
            check_merge(&changes, blocks, &canon.view(), &next, &within)?;
        }
    }
}

fn check_merge(
    changes: &Changes,
    blocks: u32,
    canon: &FrameRef<'_>,
    next: &FrameRef<'_>,
    within: &[Rect],
) -> Result<(), TestCaseError> {
    let size = canon.size();
    for most in [1, 3, 40] {
        let params = MergeParams { max_rects: most, ..MergeParams::default() };
        let mut rects = vec![Rect::new(1, 2, 3, 4)];
        merge(changes, &params, &mut rects);
        prop_assert!(rects.len() <= most && rects.is_empty() == (blocks == 0));
        for (i, rect) in rects.iter().enumerate() {
            prop_assert!(!rect.is_empty() && size.rect().contains(*rect));
            prop_assert!(!rects[..i].iter().any(|other| other.intersects(*rect)));
            prop_assert!(!slow_box(canon, next, *rect, within).is_empty());
        }
        for (_, tile) in changes.iter() {
            for (y, x) in
                (tile.y..tile.bottom()).flat_map(|y| (tile.x..tile.right()).map(move |x| (y, x)))
            {
                let pixel = Rect::new(x, y, 1, 1);
                if canon.rgb(x, y) != next.rgb(x, y) && within.iter().any(|r| r.contains(pixel)) {
                    prop_assert!(rects.iter().any(|r| r.contains(pixel)));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn frames_that_cannot_be_compared_are_refused() {
    let (small, large) = (blank(Size::new(10, 10)), blank(Size::new(11, 10)));
    let (mut differ, mut changes) = (Differ::new(Kernel::detect()), Changes::new());
    let all = [Rect::new(0, 0, 20, 20)];
    let refused = differ.compare(&small.view(), &large.view(), &all, &mut changes);
    assert!(matches!(refused, Err(DiffError::Mismatch { .. })) && changes.is_empty());
    let rgba = FrameBuf::new(Size::new(10, 10), PixelFormat::Rgba).unwrap();
    assert!(differ.update(&mut small.clone(), &rgba.view(), &all, &mut changes).is_err());
    let many = [Rect::new(0, 0, 1, 1); 257];
    let refused = differ.compare(&small.view(), &small.view(), &many, &mut changes);
    assert_eq!(refused, Err(DiffError::Hint(257)));
    let mut next = small.clone();
    next.fill(Rect::new(3, 3, 2, 2), [1, 2, 3, 4]);
    differ.compare(&small.view(), &next.view(), &all, &mut changes).unwrap();
    assert!(differ.apply(&mut large.clone(), &large.view(), &changes).is_err());
    let mut moves = Vec::new();
    MoveFinder::new(Kernel::detect()).find(&large.view(), &large.view(), &changes, &mut moves);
    assert!(moves.is_empty());
}

#[test]
fn much_change_is_one_rectangle_and_scattered_change_is_bounded() {
    let size = Size::new(1920, 1080);
    let canon = blank(size);
    let (mut differ, mut changes) = (Differ::new(Kernel::detect()), Changes::new());
    let mut rects = Vec::new();
    for (percent, expected) in [(62, 1), (50, 40), (20, 40), (3, 40)] {
        let (mut next, mut random) = (canon.clone(), Random::new(percent));
        for block in 0..60 * 34 {
            if random.below(100) < percent as u32 {
                next.fill(Rect::new(block % 60 * 32, block / 60 * 32, 32, 32), [1, 1, 1, 1]);
            }
        }
        differ.compare(&canon.view(), &next.view(), &[size.rect()], &mut changes).unwrap();
        merge(&changes, &MergeParams::default(), &mut rects);
        assert!(rects.len() <= expected, "{} rectangles at {percent} %", rects.len());
    }
    let mut next = canon.clone();
    next.fill(Rect::new(100, 100, 9, 17), [1, 1, 1, 1]);
    next.fill(Rect::new(1500, 900, 40, 8), [1, 1, 1, 1]);
    differ.compare(&canon.view(), &next.view(), &[size.rect()], &mut changes).unwrap();
    merge(&changes, &MergeParams::default(), &mut rects);
    assert_eq!(rects, [Rect::new(100, 100, 9, 17), Rect::new(1500, 900, 40, 8)]);
}
