//! The datagrams a sharer sends: parts of batches, the cursor, probes.

use crate::{Reader, WireError, Writer};
use bytes::Bytes;
use farpane_frame::{MAX_DIMENSION_PX, Size};

/// The most parts one batch is cut into.
pub const MAX_PARTS: u32 = 1_024;
/// The smallest datagram size a path must carry; every fixed message fits it.
pub const MIN_DATAGRAM_BYTES: usize = 1_000;
/// The most parts of parity that one batch has.
pub const MAX_PARITY: u32 = 256;
/// The most bytes a part's header takes.
pub const MAX_PART_HEADER_BYTES: usize = 56;

/// A datagram from the sharer. Every one has the next transport-wide sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Counts up by one with every datagram the sharer sends to this helper, repeats included.
    pub seq: u64,
    /// What it carries.
    pub body: Body,
}

/// What a sharer's datagram carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A part of a batch of tile operations.
    Part(Part),
    /// Where the cursor is now.
    Cursor(Cursor),
    /// Nothing: asks for feedback.
    Probe,
}

/// A part of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which canvas the batch is for; counts up when the sharer's screen changes its size.
    pub generation: u32,
    /// The canvas's size; present until the sharer knows that the helper knows it.
    pub size: Option<Size>,
    /// Counts up with every captured state that is sent.
    pub update: u64,
    /// Whether this is the last datagram of the update.
    pub ends_update: bool,
    /// Counts up with every batch.
    pub batch: u64,
    /// Which part, from 0; of parity, which part of that.
    pub index: u32,
    /// How many parts the batch has, at least 1, without those of parity.
    pub count: u32,
    /// Whether this is a part of parity, and of what.
    pub code: Option<Code>,
    /// What the batch waits for; `None`: nothing.
    pub order: Option<Order>,
    /// The part's bytes.
    pub data: Bytes,
}

/// What parts of parity stand for: any `count` of a batch's parts, its own or of parity, give the
/// whole (Reed-Solomon, see the protocol's section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// How many parts of parity the batch has, 1 to [`MAX_PARITY`].
    pub parity: u32,
    /// How many bytes the batch has.
    pub bytes: u32,
}

/// A batch's place in a chain of batches that are applied one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whether others may wait for it.
    pub is_member: bool,
    /// The member that it is applied after. `None`: it begins a chain, and what waits for members
    /// of the one before waits in vain.
    pub after: Option<u64>,
}

/// The furthest that a batch waits for another, in batches.
pub const MAX_ORDER_DISTANCE: u64 = 8_192;

/// The sharer's pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Column of the hot spot.
    pub x: i32,
    /// Row of the hot spot.
    pub y: i32,
    /// Whether it is to be shown.
    pub visible: bool,
    /// Which shape; shapes travel on the reliable way. 0: none sent yet.
    pub shape: u64,
}

const KIND_PART: u8 = 0x10;
const KIND_PARITY: u8 = 0x30;
const KIND_CURSOR: u8 = 0x20;
const KIND_PROBE: u8 = 0x21;
const FLAG_SIZE: u8 = 1;
const FLAG_ENDS_UPDATE: u8 = 2;
const FLAG_MANY: u8 = 4;
const FLAG_ORDER: u8 = 8;
const FLAGS: u8 = FLAG_SIZE | FLAG_ENDS_UPDATE | FLAG_MANY | FLAG_ORDER;

impl Datagram {
    /// Appends the datagram to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        match &self.body {
            Body::Part(part) => {
                w.u8(part.kind());
                w.varint(self.seq);
                part.write(&mut w);
            }
            Body::Cursor(cursor) => {
                w.u8(KIND_CURSOR);
                w.varint(self.seq);
                w.i32(cursor.x);
                w.i32(cursor.y);
                w.u8(u8::from(cursor.visible));
                w.varint(cursor.shape);
            }
            Body::Probe => {
                w.u8(KIND_PROBE);
                w.varint(self.seq);
            }
        }
    }

    /// Reads a datagram; a part's data shares the memory of `bytes`.
    ///
    /// # Errors
    /// Anything that is not exactly one valid datagram.
    pub fn read(bytes: &Bytes) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let kind = r.u8("kind")?;
        let seq = r.varint("seq")?;
        let body = match kind {
            KIND_CURSOR => Body::Cursor(Cursor {
                x: r.i32("cursor x")?,
                y: r.i32("cursor y")?,
                visible: r.u8("visible")? != 0,
                shape: r.varint("shape")?,
            }),
            KIND_PROBE => Body::Probe,
            _ if matches!(kind & !FLAGS, KIND_PART | KIND_PARITY) => {
                Body::Part(Part::read(kind, &mut r, bytes)?)
            }
            _ => return Err(WireError::Kind { field: "datagram", value: u64::from(kind) }),
        };
        r.end()?;
        Ok(Self { seq, body })
    }
}

impl Part {
    fn kind(&self) -> u8 {
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let kind = if self.code.is_some() { KIND_PARITY } else { KIND_PART };
        kind | flag(self.size.is_some(), FLAG_SIZE)
            | flag(self.ends_update, FLAG_ENDS_UPDATE)
            | flag(self.is_one_of_many(), FLAG_MANY)
            | flag(self.order.is_some(), FLAG_ORDER)
    }

    fn is_one_of_many(&self) -> bool {
        self.count > 1 || self.code.is_some()
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.varint(u64::from(self.generation));
        if let Some(size) = self.size {
            w.varint(u64::from(size.width_px));
            w.varint(u64::from(size.height_px));
        }
        w.varint(self.update);
        w.varint(self.batch);
        if self.is_one_of_many() {
            w.varint(u64::from(self.index));
            w.varint(u64::from(self.count));
        }
        if let Some(Order { is_member, after }) = self.order {
            let distance = after.map_or(0, |after| self.batch - after);
            w.varint(distance << 1 | u64::from(is_member));
        }
        if let Some(Code { parity, bytes }) = self.code {
            w.varint(u64::from(parity));
            w.varint(u64::from(bytes));
        }
        w.bytes(&self.data);
    }

    fn read(kind: u8, r: &mut Reader<'_>, bytes: &Bytes) -> Result<Self, WireError> {
        let generation = r.u32("generation")?;
        let size = match kind & FLAG_SIZE {
            0 => None,
            _ => Some(read_size(r)?),
        };
        let (update, batch) = (r.varint("update")?, r.varint("batch")?);
        let (index, count) = match kind & FLAG_MANY {
            0 => (0, 1),
            _ => {
                let index = r.bounded("part", u64::from(MAX_PARTS) - 1)? as u32;
                (index, r.bounded("parts", u64::from(MAX_PARTS))? as u32)
            }
        };
        let order = match kind & FLAG_ORDER {
            0 => None,
            _ => Some(read_order(r, batch)?),
        };
        let code = match kind & !FLAGS {
            KIND_PARITY => Some(read_code(r, count)?),
            _ => None,
        };
        let (value, bound) = (u64::from(index), u64::from(code.map_or(count, |c| c.parity)));
        if value >= bound {
            return Err(WireError::Bound { field: "part", value, bound });
        }
        let data = bytes.slice_ref(r.rest());
        let ends_update = kind & FLAG_ENDS_UPDATE != 0;
        Ok(Self { generation, size, update, ends_update, batch, index, count, code, order, data })
    }
}

/// Parity of a batch whose other parts are as long as this one, but for the last.
fn read_code(r: &mut Reader<'_>, count: u32) -> Result<Code, WireError> {
    let parity = r.bounded("parity", u64::from(MAX_PARITY))? as u32;
    let bytes = r.u32("bytes of a batch")?;
    let part = r.left();
    let is_even = part > 0 && part.is_multiple_of(2);
    if !is_even || count == 0 || (bytes as usize).div_ceil(part) != count as usize {
        let (value, bound) = (u64::from(bytes), part as u64 * u64::from(count));
        return Err(WireError::Bound { field: "bytes of a batch", value, bound });
    }
    Ok(Code { parity, bytes })
}

fn read_order(r: &mut Reader<'_>, batch: u64) -> Result<Order, WireError> {
    let bound = MAX_ORDER_DISTANCE.min(batch) << 1 | 1;
    let value = r.bounded("order", bound)?;
    let (distance, is_member) = (value >> 1, value & 1 == 1);
    if distance == 0 && !is_member {
        return Err(WireError::Bound { field: "order", value, bound });
    }
    Ok(Order { is_member, after: (distance > 0).then(|| batch - distance) })
}

fn read_size(r: &mut Reader<'_>) -> Result<Size, WireError> {
    let mut side = |field| match r.bounded(field, u64::from(MAX_DIMENSION_PX))? {
        0 => Err(WireError::Bound { field, value: 0, bound: u64::from(MAX_DIMENSION_PX) }),
        side => Ok(side as u32),
    };
    Ok(Size::new(side("width")?, side("height")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body() -> impl Strategy<Value = Body> {
        let part = (
            any::<u32>(),
            prop::option::of((1..=MAX_DIMENSION_PX, 1..=MAX_DIMENSION_PX)),
            (0u64..1 << 40, any::<bool>(), 0u64..1 << 40),
            (1..=MAX_PARTS).prop_flat_map(|count| (0..count, Just(count))),
            prop::option::of((any::<bool>(), prop::option::of(1..=MAX_ORDER_DISTANCE))),
            prop::collection::vec(any::<u8>(), 0..64),
            prop::option::of(1..=MAX_PARITY),
        )
            .prop_map(
                |(generation, size, (update, ends_update, batch), parts, order, data, parity)| {
                    let (index, count) = parts;
                    let is_code = !data.is_empty() && data.len().is_multiple_of(2);
                    let bytes = count * data.len() as u32;
                    let code = parity.filter(|_| is_code).map(|parity| Code { parity, bytes });
                    let index = code.map_or(index, |code| index % code.parity);
                    let order = order.map(|(is_member, distance)| {
                        let after = distance.and_then(|distance| batch.checked_sub(distance));
                        Order { is_member: is_member || after.is_none(), after }
                    });
                    Body::Part(Part {
                        generation,
                        size: size.map(|(w, h)| Size::new(w, h)),
                        update,
                        ends_update,
                        batch,
                        index,
                        count,
                        code,
                        order,
                        data: data.into(),
                    })
                },
            );
        let cursor = (any::<i32>(), any::<i32>(), any::<bool>(), 0u64..1 << 62)
            .prop_map(|(x, y, visible, shape)| Body::Cursor(Cursor { x, y, visible, shape }));
        prop_oneof![part, cursor, Just(Body::Probe)]
    }

    proptest! {
        #[test]
        fn datagrams_come_back(seq in 0u64..1 << 62, body in body()) {
            let datagram = Datagram { seq, body };
            let mut out = Vec::new();
            datagram.write(&mut out);
            if let Body::Part(part) = &datagram.body {
                prop_assert!(out.len() - part.data.len() <= MAX_PART_HEADER_BYTES);
            }
            prop_assert_eq!(Datagram::read(&out.into()), Ok(datagram));
        }

        #[test]
        fn any_bytes_give_a_datagram_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..80)
        ) {
            let _ = Datagram::read(&bytes.into());
        }
    }

    #[test]
    fn parity_that_does_not_fit_its_batch_is_refused() {
        let parity = |index, count, parity, bytes, data: &[u8]| {
            let mut bytes = vec![KIND_PARITY | FLAG_MANY, 0, 0, 0, 0, index, count, parity, bytes];
            bytes.extend_from_slice(data);
            Datagram::read(&bytes.into())
        };
        assert!(parity(1, 3, 2, 5, b"ab").is_ok());
        for (index, count, of, bytes, data) in [
            (2, 3, 2, 5, &b"ab"[..]), // which does not exist
            (0, 3, 0, 5, b"ab"),      // of none
            (0, 0, 2, 0, b"ab"),      // of no parts
            (0, 3, 2, 7, b"ab"),      // more bytes than in its parts
            (0, 3, 2, 4, b"ab"),      // and fewer
            (0, 3, 2, 5, b""),
            (0, 3, 2, 7, b"abc"), // an odd number
        ] {
            let read = parity(index, count, of, bytes, data);
            let refused = matches!(read, Err(WireError::Bound { .. }));
            assert!(refused, "{index} {count} {of} {bytes} {data:?}: {read:?}");
        }
    }

    #[test]
    fn a_part_beyond_its_count_is_refused() {
        for (index, count) in [(3u8, 3u8), (0, 0), (5, 2)] {
            let bytes = vec![KIND_PART | FLAG_MANY, 0, 0, 0, 0, index, count];
            assert!(matches!(
                Datagram::read(&bytes.into()),
                Err(WireError::Bound { field: "part", .. })
            ));
        }
    }
}
