//! Messages on the reliable control stream, and the cursor shapes that travel beside it.

use crate::{Reader, VERSION, WireError, Writer};

/// The longest name a peer may show.
pub const MAX_NAME_BYTES: u64 = 256;
/// The largest side of a cursor.
pub const MAX_CURSOR_PX: u64 = 256;
/// The kind under which a cursor shape travels.
pub const CURSOR_SHAPE_BLOB: u8 = 1;

/// A control message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// The first message of either side.
    Hello {
        /// The protocol's version: [`VERSION`].
        version: u32,
        /// The peer's unverified name, for people.
        name: String,
        /// The formats of video that the peer decodes: the sum of 1 shifted left by the number
        /// of each.
        video: u32,
    },
    /// The sharer has been asked for consent.
    ConsentPending,
    /// The sharer consented; the screen follows.
    ConsentGranted,
    /// The helper could not decode a stream of video: it must begin anew with a keyframe.
    VideoFailed {
        /// Which stream.
        stream: u8,
    },
}

const HELLO: u8 = 1;
const CONSENT_PENDING: u8 = 2;
const CONSENT_GRANTED: u8 = 3;
const VIDEO_FAILED: u8 = 4;

impl Control {
    /// This version's greeting, of a peer that decodes `video`.
    pub fn hello(name: &str, video: u32) -> Self {
        Self::Hello { version: VERSION, name: printable(name, MAX_NAME_BYTES), video }
    }

    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        match self {
            Self::Hello { version, name, video } => {
                w.u8(HELLO);
                w.varint(u64::from(*version));
                w.text(name);
                w.varint(u64::from(*video));
            }
            Self::ConsentPending => w.u8(CONSENT_PENDING),
            Self::ConsentGranted => w.u8(CONSENT_GRANTED),
            Self::VideoFailed { stream } => {
                w.u8(VIDEO_FAILED);
                w.u8(*stream);
            }
        }
        out
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Anything that is not exactly one valid message.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let message = match r.u8("kind")? {
            HELLO => Self::Hello {
                version: r.u32("version")?,
                name: r.text("name", MAX_NAME_BYTES)?.to_owned(),
                video: r.u32("video")?,
            },
            CONSENT_PENDING => Self::ConsentPending,
            CONSENT_GRANTED => Self::ConsentGranted,
            VIDEO_FAILED => Self::VideoFailed { stream: r.u8("stream")? },
            kind => return Err(WireError::Kind { field: "control", value: u64::from(kind) }),
        };
        r.end()?;
        Ok(message)
    }
}

/// `text` without control characters, cut to `max_bytes` at a character's end.
fn printable(text: &str, max_bytes: u64) -> String {
    let mut out: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut end = out.len().min(max_bytes as usize);
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// A pointer's picture. Travels whole, on a reliable stream of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorShape {
    /// The number by which [`crate::datagram::Cursor::shape`] names it; never 0.
    pub id: u64,
    /// Pixels in a row, 1 to [`MAX_CURSOR_PX`].
    pub width: u32,
    /// Rows, 1 to [`MAX_CURSOR_PX`].
    pub height: u32,
    /// Column of the hot spot.
    pub hot_x: u32,
    /// Row of the hot spot.
    pub hot_y: u32,
    /// `width * height` pixels of blue, green, red, alpha; colours premultiplied by alpha.
    pub bgra: Vec<u8>,
}

impl CursorShape {
    /// The shape's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bgra.len() + 24);
        let mut w = Writer::new(&mut out);
        w.varint(self.id);
        for side in [self.width, self.height, self.hot_x, self.hot_y] {
            w.varint(u64::from(side));
        }
        w.bytes(&self.bgra);
        out
    }

    /// Reads a shape.
    ///
    /// # Errors
    /// A side out of range, or pixels that do not fit the size.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let mut at_least_1 = |field, bound| match r.bounded(field, bound)? {
            0 => Err(WireError::Bound { field, value: 0, bound }),
            value => Ok(value),
        };
        let id = at_least_1("shape", u64::MAX)?;
        let width = at_least_1("cursor width", MAX_CURSOR_PX)? as u32;
        let height = at_least_1("cursor height", MAX_CURSOR_PX)? as u32;
        let hot_x = r.bounded("hot x", u64::from(width) - 1)? as u32;
        let hot_y = r.bounded("hot y", u64::from(height) - 1)? as u32;
        let bgra = r.bytes((width * height * 4) as usize, "cursor pixels")?.to_vec();
        r.end()?;
        Ok(Self { id, width, height, hot_x, hot_y, bgra })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_come_back() {
        for message in
            [Control::hello("Ada Lovelace", 6), Control::ConsentPending, Control::ConsentGranted]
        {
            assert_eq!(Control::read(&message.to_bytes()), Ok(message));
        }
        let bgra = (0..24).collect();
        let shape = CursorShape { id: 3, width: 2, height: 3, hot_x: 1, hot_y: 0, bgra };
        assert_eq!(CursorShape::read(&shape.to_bytes()), Ok(shape));
    }

    #[test]
    fn names_lose_control_characters_and_excess() {
        let Control::Hello { name, .. } =
            Control::hello(&format!("a\u{1b}[31m{}", "é".repeat(300)), 0)
        else {
            unreachable!()
        };
        assert!(name.starts_with("a[31mé") && name.len() <= 256);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_message_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..600)
        ) {
            let _ = Control::read(&bytes);
            let _ = CursorShape::read(&bytes);
        }
    }
}
