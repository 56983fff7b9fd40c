//! What a helper does with mouse and keyboard.

use crate::Key;

/// The most clicks of the wheel in one event, in each direction: more than a hand turns between
/// two batches.
pub const MAX_WHEEL_CLICKS: u8 = 32;

/// One thing that a helper did with mouse or keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputEvent {
    /// The pointer is at this pixel of the sharer's screen. May be outside; then the nearest
    /// pixel is meant.
    Move {
        /// Columns from the left edge.
        x: i32,
        /// Rows from the top edge.
        y: i32,
    },
    /// A button went down.
    Press(Button),
    /// A button went up.
    Release(Button),
    /// The wheel turned.
    Wheel(Wheel),
    /// A key went down.
    KeyDown(Key),
    /// A key went up.
    KeyUp(Key),
}

impl InputEvent {
    /// Whether it lets go of a button or a key.
    pub fn is_release(self) -> bool {
        matches!(self, Self::Release(_) | Self::KeyUp(_))
    }
}

/// A button of a mouse, by what it does: the left one is the main one, whichever finger is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Button {
    /// The main one.
    Left,
    /// The wheel, pressed.
    Middle,
    /// The one for menus.
    Right,
    /// The one at the thumb that goes back.
    Back,
    /// The one at the thumb that goes forward.
    Forward,
}

impl Button {
    /// Every button.
    pub const ALL: [Self; 5] = [Self::Left, Self::Middle, Self::Right, Self::Back, Self::Forward];

    /// The number that stands for it on the wire and in the C ABI, 1 to 5.
    pub fn number(self) -> u8 {
        match self {
            Self::Left => 1,
            Self::Middle => 2,
            Self::Right => 3,
            Self::Back => 4,
            Self::Forward => 5,
        }
    }

    /// The button that `number` stands for.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|button| u32::from(button.number()) == number)
    }
}

/// A turn of the wheel, at most [`MAX_WHEEL_CLICKS`] clicks in each direction, and not none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wheel {
    right: i8,
    down: i8,
}

impl Wheel {
    /// So many clicks to the right and down; negative ones are to the left and up. `None` for no
    /// click and for more than [`MAX_WHEEL_CLICKS`].
    pub fn new(right: i32, down: i32) -> Option<Self> {
        let clicks = |count: i32| {
            i8::try_from(count).ok().filter(|count| count.unsigned_abs() <= MAX_WHEEL_CLICKS)
        };
        let wheel = Self { right: clicks(right)?, down: clicks(down)? };
        (wheel.clicks() > 0).then_some(wheel)
    }

    /// Clicks to the right.
    pub fn right(self) -> i32 {
        self.right.into()
    }

    /// Clicks down.
    pub fn down(self) -> i32 {
        self.down.into()
    }

    /// How many clicks there are in all, whatever their direction.
    pub fn clicks(self) -> u32 {
        self.right().unsigned_abs() + self.down().unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_have_numbers_of_their_own() {
        for (number, button) in (1..).zip(Button::ALL) {
            assert_eq!(u32::from(button.number()), number);
            assert_eq!(Button::from_number(number), Some(button));
        }
        assert!([0, 6, 8, u32::MAX].into_iter().all(|n| Button::from_number(n).is_none()));
    }

    #[test]
    fn the_wheel_is_bounded() {
        let max = i32::from(MAX_WHEEL_CLICKS);
        let wheel = Wheel::new(-max, max).unwrap();
        assert_eq!((wheel.right(), wheel.down(), wheel.clicks()), (-max, max, 64));
        for (right, down) in [(0, 0), (max + 1, 0), (0, -max - 1), (i32::MIN, 1), (1, i32::MAX)] {
            assert_eq!(Wheel::new(right, down), None, "{right} {down}");
        }
    }
}
