//! Which parts of a screen behave like a film.

use farpane_frame::{FrameRef, Rect, Size, TileGrid, TileSet};
use std::collections::BTreeMap;

/// Regions at once.
pub const MAX_REGIONS: usize = 2;
/// The least width and height of a region.
const LEAST_PX: u32 = 128;
/// From this share of the screen on, in percent, the whole screen is one region.
const WHOLE_PERCENT: u64 = 60;
/// A change of the regions counts when it has lasted so long.
const SETTLE_US: u64 = 150_000;
/// So often they are looked for.
const LOOK_US: u64 = 50_000;
/// What has not changed for once or twice this long is no part of a region.
const TURN_US: u64 = 400_000;
/// From so many changes on a tile's share of them says something.
const ENOUGH_CHANGES: u32 = 4;
/// Pixels of a tile that are looked at. It is busy when so many in a hundred differ from the one
/// to the left: at most 35 do in text, nearly all in films and photographs, and what differs less
/// costs little exactly.
const SAMPLES: usize = 200;
const BUSY_PIXELS_PERCENT: usize = 45;
/// Of the tiles of a region in motion so many in a hundred must be busy.
const BUSY_PERCENT: usize = 50;

/// Follows the regions of one screen.
///
/// A region is the smallest rectangle around the changes of neighbouring tiles in sustained
/// motion, most of them busy. It keeps its place and size until what moves leaves it or becomes
/// much smaller, for at least 150 ms: another region costs a keyframe.
#[derive(Clone, Debug)]
pub struct Regions {
    grid: TileGrid,
    /// The tiles of films: those in motion, and those at their edges.
    films: TileSet,
    /// Tiles that changed half as often as the one that changed most, before `turned_us`.
    steady: TileSet,
    /// How often each tile changed since then.
    counts: Vec<u32>,
    /// For each tile, what of it has changed of late.
    reach: Vec<Rect>,
    /// The same since `turned_us`.
    fresh: Vec<Rect>,
    turned_us: u64,
    looked_us: u64,
    current: Vec<Rect>,
    /// What the regions would be now, and since when.
    next: Option<(Vec<Rect>, u64)>,
}

impl Regions {
    /// No regions, on a screen of `size`.
    pub fn new(size: Size) -> Self {
        let grid = TileGrid::new(size);
        let reach = vec![Rect::default(); grid.tiles() as usize];
        Self {
            grid,
            films: TileSet::new(grid.tiles()),
            steady: TileSet::new(grid.tiles()),
            counts: vec![0; grid.tiles() as usize],
            fresh: reach.clone(),
            reach,
            turned_us: 0,
            looked_us: 0,
            current: Vec::new(),
            next: None,
        }
    }

    /// The regions, with even coordinates and sides.
    pub fn rects(&self) -> &[Rect] {
        &self.current
    }

    /// Whether a tile is one of a film: in motion, or at the edge of what is and as restless.
    pub fn is_film(&self, tile: u32) -> bool {
        self.films.contains(tile)
    }

    /// Takes in what changed at `now_us`, in `frame`, which shows it: `changed` has the changed
    /// rectangle of each changed tile, `moving` the tiles in sustained motion.
    pub fn observe(
        &mut self,
        now_us: u64,
        frame: &FrameRef<'_>,
        changed: &[(u32, Rect)],
        moving: &TileSet,
    ) {
        if self.current.is_empty() && moving.is_empty() {
            self.next = None;
            self.films.clear();
            return;
        }
        if now_us >= self.turned_us + TURN_US {
            self.turn(now_us);
        }
        for (tile, rect) in changed {
            let tile = *tile as usize;
            self.counts[tile] += 1;
            for reach in [&mut self.reach, &mut self.fresh] {
                reach[tile] = reach[tile].union(*rect);
            }
        }
        self.find_films(moving);
        if now_us < self.looked_us + LOOK_US {
            return;
        }
        self.looked_us = now_us;
        let found = self.find(frame, moving);
        if self.suits(&found) {
            self.next = None;
        } else if self.next.as_ref().is_none_or(|(next, _)| *next != found) {
            self.next = Some((found, now_us));
        } else if let Some((next, _)) = self.next.take_if(|(_, since)| now_us >= *since + SETTLE_US)
        {
            self.current = next;
        }
    }

    /// Forgets what has not changed since the last turn.
    fn turn(&mut self, now_us: u64) {
        std::mem::swap(&mut self.reach, &mut self.fresh);
        self.fresh.fill(Rect::default());
        self.turned_us = now_us;
        let most = self.counts.iter().copied().max().unwrap_or(0);
        self.steady.clear();
        for (tile, count) in (0..).zip(&mut self.counts) {
            if *count > 1 && *count * 2 >= most {
                self.steady.insert(tile);
            }
            *count = 0;
        }
    }

    /// The tiles in motion, and their neighbours that change as steadily: a film covers little of
    /// the tiles at its edges.
    fn find_films(&mut self, moving: &TileSet) {
        self.films.clear();
        for tile in moving.iter() {
            self.films.insert(tile);
        }
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let enough = most >= ENOUGH_CHANGES;
        for (tile, count) in (0..).zip(&self.counts) {
            let steady = self.steady.contains(tile) || (enough && *count * 2 >= most);
            if steady && neighbours(self.grid, tile).any(|other| moving.contains(other)) {
                self.films.insert(tile);
            }
        }
    }

    /// Whether the current regions serve `found` as well: each lies in one of its own, and fills
    /// half of it.
    fn suits(&self, found: &[Rect]) -> bool {
        let serves = |ours: &Rect, theirs: &Rect| {
            ours.contains(*theirs) && theirs.area_px() * 2 >= ours.area_px()
        };
        found.len() == self.current.len()
            && found.iter().all(|f| self.current.iter().any(|ours| serves(ours, f)))
    }

    fn find(&self, frame: &FrameRef<'_>, moving: &TileSet) -> Vec<Rect> {
        let mut found: Vec<Rect> = self
            .groups()
            .into_iter()
            .filter(|tiles| {
                let moving = tiles.iter().filter(|tile| moving.contains(**tile));
                let busy = moving.clone().filter(|t| is_busy(frame, self.reach[**t as usize]));
                busy.count() * 100 >= moving.count() * BUSY_PERCENT
            })
            .map(|tiles| {
                let reach = tiles.iter().map(|tile| self.reach[*tile as usize]);
                even(reach.fold(Rect::default(), Rect::union), self.grid.size())
            })
            .filter(|rect| rect.width >= LEAST_PX && rect.height >= LEAST_PX)
            .collect();
        found.sort_by_key(|rect| std::cmp::Reverse(rect.area_px()));
        found.truncate(MAX_REGIONS);
        let all: u64 = found.iter().map(|rect| rect.area_px()).sum();
        let screen = self.grid.size();
        if found.len() > 1 && found[0].intersects(found[1])
            || all * 100 >= screen.area_px() * WHOLE_PERCENT
        {
            let around = found.iter().fold(Rect::default(), |a, b| a.union(*b));
            let whole = all * 100 >= screen.area_px() * WHOLE_PERCENT;
            return vec![even(if whole { screen.rect() } else { around }, screen)];
        }
        found
    }

    /// The tiles of films that have changed, in groups of neighbours.
    fn groups(&self) -> Vec<Vec<u32>> {
        let changed = |tile: &u32| !self.reach[*tile as usize].is_empty();
        groups(self.grid, self.films.iter().filter(changed))
    }
}

/// Neighbouring parts of tiles that are busy, as photographs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// The smallest rectangle with even coordinates and sides around them, but for an odd edge of
    /// the screen.
    pub area: Rect,
    /// The parts.
    pub parts: Vec<(u32, Rect)>,
}

/// The busy ones of some parts of tiles, in groups of neighbours.
pub fn busy(frame: &FrameRef<'_>, parts: &[(u32, Rect)]) -> Vec<Busy> {
    let mut areas: BTreeMap<u32, Rect> = parts.iter().copied().collect();
    areas.retain(|_, area| is_busy(frame, *area));
    let grid = TileGrid::new(frame.size());
    let whole = |tiles: Vec<u32>| {
        let parts: Vec<_> = tiles.iter().map(|tile| (*tile, areas[tile])).collect();
        let area = parts.iter().fold(Rect::default(), |around, (_, part)| around.union(*part));
        Busy { area: even(area, frame.size()), parts }
    };
    groups(grid, areas.keys().copied()).into_iter().map(whole).collect()
}

/// A tile and those around it.
fn neighbours(grid: TileGrid, tile: u32) -> impl Iterator<Item = u32> {
    let (columns, rows) = (grid.columns(), grid.rows());
    let (x, y) = (tile % columns, tile / columns);
    let across = move || x.saturating_sub(1)..=(x + 1).min(columns - 1);
    let down = y.saturating_sub(1)..=(y + 1).min(rows - 1);
    down.flat_map(move |y| across().map(move |x| y * columns + x))
}

/// Tiles in groups of neighbours.
fn groups(grid: TileGrid, tiles: impl Iterator<Item = u32>) -> Vec<Vec<u32>> {
    let mut left = TileSet::new(grid.tiles());
    tiles.for_each(|tile| {
        left.insert(tile);
    });
    let mut groups = Vec::new();
    loop {
        let Some(first) = left.iter().next() else { return groups };
        left.remove(first);
        let (mut group, mut at) = (vec![first], 0);
        while at < group.len() {
            group.extend(neighbours(grid, group[at]).filter(|tile| left.remove(*tile)));
            at += 1;
        }
        groups.push(group);
    }
}

/// The smallest rectangle with even coordinates and sides around `rect`, inside the even part of
/// the screen.
fn even(rect: Rect, screen: Size) -> Rect {
    let (right, bottom) = (rect.right().next_multiple_of(2), rect.bottom().next_multiple_of(2));
    let (x, y) = (rect.x & !1, rect.y & !1);
    let (right, bottom) = (right.min(screen.width_px & !1), bottom.min(screen.height_px & !1));
    Rect { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
}

/// Whether most pixels of `area` differ from their neighbours, going by some of them.
fn is_busy(frame: &FrameRef<'_>, area: Rect) -> bool {
    let step = (area.area_px() as usize / SAMPLES).max(1);
    let (mut looked, mut differ) = (0, 0);
    // An odd step, so that the samples lie in all columns of usual widths.
    for at in (0..area.area_px() as usize).step_by(step | 1) {
        let (x, y) = (area.x + at as u32 % area.width, area.y + at as u32 / area.width);
        if x > 0 {
            looked += 1;
            differ += usize::from(frame.rgb(x, y) != frame.rgb(x - 1, y));
        }
    }
    differ * 100 >= looked * BUSY_PIXELS_PERCENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::{FrameBuf, PixelFormat};

    const SIZE: Size = Size::new(1281, 800);

    struct Screen {
        frame: FrameBuf,
        regions: Regions,
        moving: TileSet,
        now_us: u64,
        random: u32,
    }

    impl Screen {
        fn new() -> Self {
            let (frame, moving) =
                (FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap(), TileSet::default());
            Self { frame, regions: Regions::new(SIZE), moving, now_us: 0, random: 1 }
        }

        /// So many pictures, 33 ms apart, of films at `areas` with so many busy pixels in a
        /// hundred.
        fn play(&mut self, areas: &[Rect], busy: u32, pictures: u32) -> Vec<Rect> {
            let grid = TileGrid::new(SIZE);
            for _ in 0..pictures {
                self.moving = TileSet::new(grid.tiles());
                let mut changed = Vec::new();
                for area in areas {
                    for y in area.y..area.bottom() {
                        for pixel in self.frame.span_mut(area.x, y, area.width).chunks_mut(4) {
                            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1);
                            let colour = (self.random >> 8) % 5_000 * 7_919;
                            let colour = if (self.random >> 24) % 100 < busy { colour } else { 0 };
                            pixel.copy_from_slice(&colour.to_le_bytes());
                        }
                    }
                    changed.extend(grid.split(*area));
                }
                for (tile, _) in &changed {
                    self.moving.insert(*tile);
                }
                self.now_us += 33_000;
                self.regions.observe(self.now_us, &self.frame.view(), &changed, &self.moving);
            }
            self.regions.rects().to_vec()
        }
    }

    #[test]
    fn a_film_is_a_region_after_a_while_and_no_longer_when_it_ends() {
        let (mut screen, film) = (Screen::new(), Rect::new(101, 51, 641, 361));
        assert!(screen.play(&[film], 90, 3).is_empty());
        assert_eq!(screen.play(&[film], 90, 12), [Rect::new(100, 50, 642, 362)]);
        assert_eq!(screen.play(&[], 90, 3).len(), 1, "not at once");
        assert!(screen.play(&[], 90, 12).is_empty());
    }

    #[test]
    fn text_small_films_and_plain_ones_are_none() {
        let mut screen = Screen::new();
        assert!(screen.play(&[Rect::new(100, 100, 640, 360)], 15, 30).is_empty(), "text");
        assert!(Screen::new().play(&[Rect::new(100, 100, 120, 360)], 90, 30).is_empty(), "narrow");
    }

    #[test]
    fn photographs_are_busy_and_apart_while_text_is_not() {
        let mut screen = Screen::new();
        screen.play(&[Rect::new(70, 70, 201, 150), Rect::new(640, 128, 128, 128)], 90, 1);
        screen.play(&[Rect::new(64, 512, 300, 200)], 15, 1);
        let grid = TileGrid::new(SIZE);
        let parts: Vec<_> = (0..grid.tiles()).map(|tile| (tile, grid.rect(tile))).collect();
        let found = busy(&screen.frame.view(), &parts);
        let areas: Vec<Rect> = found.iter().map(|busy| busy.area).collect();
        assert_eq!(areas, [Rect::new(64, 64, 192, 128), Rect::new(640, 128, 128, 128)]);
        assert_eq!(found[1].parts.len(), 4);
    }

    #[test]
    fn two_films_are_two_regions_and_many_are_the_largest() {
        let mut screen = Screen::new();
        let films =
            [Rect::new(0, 0, 200, 200), Rect::new(500, 0, 300, 200), Rect::new(0, 500, 250, 200)];
        assert_eq!(screen.play(&films[..2], 90, 12), [films[1], films[0]]);
        assert_eq!(screen.play(&films, 90, 12), [films[1], films[2]]);
    }

    #[test]
    fn most_of_the_screen_is_all_of_it_but_for_an_odd_edge() {
        let film = Rect::new(0, 0, 1281, 600);
        assert_eq!(Screen::new().play(&[film], 90, 12), [Rect::new(0, 0, 1280, 800)]);
    }

    #[test]
    fn a_region_stays_while_the_film_inside_is_half_of_it() {
        let mut screen = Screen::new();
        let film = Rect::new(100, 100, 640, 400);
        let region = screen.play(&[film], 90, 12);
        let part = Rect::new(100, 100, 640, 320);
        assert_eq!(screen.play(&[part], 90, 30), region);
        let small = Rect::new(100, 100, 300, 200);
        let [shrunk] = screen.play(&[small], 90, 60)[..] else { panic!("one region") };
        assert!(shrunk.contains(small) && shrunk.area_px() < 2 * small.area_px(), "{shrunk:?}");
    }
}
