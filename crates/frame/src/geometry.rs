//! Sizes, rectangles and moves in pixels.

/// The largest width or height of a frame. Coordinates fit 14 bits, areas fit `u32`.
pub const MAX_DIMENSION_PX: u32 = 16_384;

/// Width and height of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels in a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

impl Size {
    /// A size of `width_px` by `height_px`.
    pub const fn new(width_px: u32, height_px: u32) -> Self {
        Self { width_px, height_px }
    }

    /// The rectangle from the origin that covers the whole picture.
    pub const fn rect(self) -> Rect {
        Rect::new(0, 0, self.width_px, self.height_px)
    }

    /// How many pixels the picture has.
    pub const fn area_px(self) -> u64 {
        self.width_px as u64 * self.height_px as u64
    }

    /// Whether both sides are in `1..=MAX_DIMENSION_PX`.
    pub const fn is_valid(self) -> bool {
        self.width_px >= 1
            && self.height_px >= 1
            && self.width_px <= MAX_DIMENSION_PX
            && self.height_px <= MAX_DIMENSION_PX
    }
}

/// A half-open rectangle: columns `x..x + width`, rows `y..y + height`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Rect {
    /// The rectangle at (`x`, `y`) of `width` by `height` pixels.
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The rectangle of columns `left..right` and rows `top..bottom`; empty when they cross.
    pub const fn from_edges(left: u32, top: u32, right: u32, bottom: u32) -> Self {
        Self::new(left, top, right.saturating_sub(left), bottom.saturating_sub(top))
    }

    /// One past the rightmost column.
    pub const fn right(self) -> u32 {
        self.x + self.width
    }

    /// One past the lowest row.
    pub const fn bottom(self) -> u32 {
        self.y + self.height
    }

    /// Whether no pixel is inside.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// How many pixels are inside.
    pub const fn area_px(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// The pixels in both; empty (with zero width and height) when they are disjoint.
    pub fn intersect(self, other: Self) -> Self {
        let out = Self::from_edges(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        if out.is_empty() { Self::default() } else { out }
    }

    /// Whether the two share a pixel.
    pub fn intersects(self, other: Self) -> bool {
        !self.intersect(other).is_empty()
    }

    /// Whether every pixel of `other` is inside; an empty `other` always is.
    pub fn contains(self, other: Self) -> bool {
        other.is_empty()
            || (self.x <= other.x
                && self.y <= other.y
                && self.right() >= other.right()
                && self.bottom() >= other.bottom())
    }

    /// The smallest rectangle that holds both; an empty one adds nothing.
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self::from_edges(
            self.x.min(other.x),
            self.y.min(other.y),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// The part inside a picture of `size`.
    pub fn clip(self, size: Size) -> Self {
        self.intersect(size.rect())
    }

    /// The rectangle moved by (`dx`, `dy`), or `None` when it would leave the coordinate space.
    pub fn translate(self, dx: i32, dy: i32) -> Option<Self> {
        let x = self.x.checked_add_signed(dx)?;
        let y = self.y.checked_add_signed(dy)?;
        (x.checked_add(self.width)? <= MAX_DIMENSION_PX
            && y.checked_add(self.height)? <= MAX_DIMENSION_PX)
            .then_some(Self { x, y, ..self })
    }

    /// What is left of `self` without `other`: up to four disjoint rectangles
    /// (above, below, left, right), the rest empty.
    pub fn subtract(self, other: Self) -> [Self; 4] {
        let hole = self.intersect(other);
        if hole.is_empty() {
            return [self, Self::default(), Self::default(), Self::default()];
        }
        [
            Self::from_edges(self.x, self.y, self.right(), hole.y),
            Self::from_edges(self.x, hole.bottom(), self.right(), self.bottom()),
            Self::from_edges(self.x, hole.y, hole.x, hole.bottom()),
            Self::from_edges(hole.right(), hole.y, self.right(), hole.bottom()),
        ]
    }
}

/// Pixels that appear unchanged at another place: `dst` of the new picture equals the same-sized
/// rectangle of the old picture at (`src_x`, `src_y`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Move {
    /// Where the pixels are now.
    pub dst: Rect,
    /// Leftmost column of where they were.
    pub src_x: u32,
    /// Topmost row of where they were.
    pub src_y: u32,
}

impl Move {
    /// Where the pixels were.
    pub const fn src(self) -> Rect {
        Rect::new(self.src_x, self.src_y, self.dst.width, self.dst.height)
    }

    /// Columns from source to destination; negative is leftwards.
    pub const fn dx(self) -> i32 {
        self.dst.x as i32 - self.src_x as i32
    }

    /// Rows from source to destination; negative is upwards.
    pub const fn dy(self) -> i32 {
        self.dst.y as i32 - self.src_y as i32
    }

    /// The part of the move whose destination lies inside `area`; `None` when there is none.
    pub fn clip_dst(self, area: Rect) -> Option<Self> {
        let dst = self.dst.intersect(area);
        (!dst.is_empty()).then(|| Self {
            dst,
            src_x: self.src_x + (dst.x - self.dst.x),
            src_y: self.src_y + (dst.y - self.dst.y),
        })
    }

    /// Whether both ends lie inside a picture of `size`.
    pub fn fits(self, size: Size) -> bool {
        let inside = |x: u32, y: u32| {
            u64::from(x) + u64::from(self.dst.width) <= u64::from(size.width_px)
                && u64::from(y) + u64::from(self.dst.height) <= u64::from(size.height_px)
        };
        inside(self.dst.x, self.dst.y) && inside(self.src_x, self.src_y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rect() -> impl Strategy<Value = Rect> {
        (0u32..40, 0u32..40, 0u32..24, 0u32..24).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    fn covers(r: Rect, x: u32, y: u32) -> bool {
        x >= r.x && x < r.right() && y >= r.y && y < r.bottom()
    }

    proptest! {
        #[test]
        fn set_operations_agree_with_membership(a in rect(), b in rect()) {
            let parts = a.subtract(b);
            for y in 0..64 {
                for x in 0..64 {
                    let (ina, inb) = (covers(a, x, y), covers(b, x, y));
                    prop_assert_eq!(covers(a.intersect(b), x, y), ina && inb);
                    let left = parts.iter().filter(|p| covers(**p, x, y)).count();
                    prop_assert_eq!(left, usize::from(ina && !inb));
                    if ina || inb {
                        prop_assert!(covers(a.union(b), x, y));
                    }
                }
            }
            prop_assert_eq!(a.contains(b), b.is_empty() || a.intersect(b) == b);
        }
    }

    #[test]
    fn a_translation_out_of_the_coordinate_space_is_refused() {
        let r = Rect::new(4, 4, 8, 8);
        assert_eq!(r.translate(-4, 3), Some(Rect::new(0, 7, 8, 8)));
        assert_eq!(r.translate(-5, 0), None);
        assert_eq!(r.translate(MAX_DIMENSION_PX as i32, 0), None);
    }

    #[test]
    fn a_clipped_move_keeps_its_offset() {
        let m = Move { dst: Rect::new(10, 20, 30, 40), src_x: 10, src_y: 60 };
        let part = m.clip_dst(Rect::new(20, 30, 5, 5)).unwrap();
        assert_eq!((part.dx(), part.dy()), (m.dx(), m.dy()));
        assert_eq!(part.src(), Rect::new(20, 70, 5, 5));
        assert_eq!(m.clip_dst(Rect::new(0, 0, 5, 5)), None);
    }
}
