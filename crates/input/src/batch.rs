//! Input on its way: batches of events under one permission.
//!
//! A batch is its version (one byte), the permission's epoch and the number of events (variable-
//! length integers of RFC 9000, section 16), then the events: a byte for the kind and
//!
//! | kind | | then |
//! |---|---|---|
//! | 1 | pointer | column and row, zigzag-coded |
//! | 2, 3 | button down, up | its number, one byte |
//! | 4 | wheel | clicks right and down, zigzag-coded |
//! | 5, 6 | key down, up | its usage, one byte |

use crate::event::{Button, InputEvent, MAX_WHEEL_CLICKS, Wheel};
use crate::key::Key;
use farpane_proto::{Reader, WireError, Writer};

/// The most events in a batch.
pub const MAX_BATCH_EVENTS: usize = 64;
/// The longest batch in bytes: version, epoch, count, and pointers far outside of the screen.
pub const MAX_BATCH_BYTES: usize = 1 + 8 + 2 + MAX_BATCH_EVENTS * (1 + 8 + 8);

const VERSION: u8 = 1;
const MOVE: u8 = 1;
const PRESS: u8 = 2;
const RELEASE: u8 = 3;
const WHEEL: u8 = 4;
const KEY_DOWN: u8 = 5;
const KEY_UP: u8 = 6;

/// Events in their order, and the permission under which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputBatch {
    epoch: u64,
    events: Vec<InputEvent>,
}

impl InputBatch {
    /// No event yet, under the permission with this number (`InputToken::epoch`, below 2^62).
    pub fn new(epoch: u64) -> Self {
        Self { epoch, events: Vec::new() }
    }

    /// Appends an event; whether there was room for it.
    #[must_use]
    pub fn push(&mut self, event: InputEvent) -> bool {
        let room = self.events.len() < MAX_BATCH_EVENTS;
        if room {
            self.events.push(event);
        }
        room
    }

    /// The permission's number.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The events, the oldest first.
    pub fn events(&self) -> &[InputEvent] {
        &self.events
    }

    /// As it is sent: at most [`MAX_BATCH_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.u8(VERSION);
        writer.varint(self.epoch);
        writer.varint(self.events.len() as u64);
        for event in &self.events {
            write(*event, &mut writer);
        }
        out
    }

    /// Reads what [`InputBatch::to_bytes`] wrote.
    ///
    /// # Errors
    /// Another version; anything out of its bounds, unknown, cut off or left over.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        match reader.u8("version")? {
            VERSION => {}
            other => return Err(WireError::Kind { field: "version", value: other.into() }),
        }
        let epoch = reader.varint("epoch")?;
        let count = reader.bounded("events", MAX_BATCH_EVENTS as u64)?;
        let events = (0..count).map(|_| read(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self { epoch, events })
    }
}

fn write(event: InputEvent, writer: &mut Writer<'_>) {
    match event {
        InputEvent::Move { x, y } => {
            writer.u8(MOVE);
            writer.i32(x);
            writer.i32(y);
        }
        InputEvent::Press(button) => writer.bytes(&[PRESS, button.number()]),
        InputEvent::Release(button) => writer.bytes(&[RELEASE, button.number()]),
        InputEvent::Wheel(wheel) => {
            writer.u8(WHEEL);
            writer.i32(wheel.right());
            writer.i32(wheel.down());
        }
        InputEvent::KeyDown(key) => writer.bytes(&[KEY_DOWN, key.usage()]),
        InputEvent::KeyUp(key) => writer.bytes(&[KEY_UP, key.usage()]),
    }
}

fn read(reader: &mut Reader<'_>) -> Result<InputEvent, WireError> {
    Ok(match reader.u8("kind")? {
        MOVE => InputEvent::Move { x: reader.i32("x")?, y: reader.i32("y")? },
        PRESS => InputEvent::Press(button(reader)?),
        RELEASE => InputEvent::Release(button(reader)?),
        WHEEL => {
            let (right, down) = (reader.i32("right")?, reader.i32("down")?);
            let value = right.unsigned_abs().max(down.unsigned_abs()).into();
            let error = WireError::Bound { field: "wheel", value, bound: MAX_WHEEL_CLICKS.into() };
            InputEvent::Wheel(Wheel::new(right, down).ok_or(error)?)
        }
        KEY_DOWN => InputEvent::KeyDown(key(reader)?),
        KEY_UP => InputEvent::KeyUp(key(reader)?),
        other => return Err(WireError::Kind { field: "kind", value: other.into() }),
    })
}

fn button(reader: &mut Reader<'_>) -> Result<Button, WireError> {
    let number = reader.u8("button")?;
    let unknown = WireError::Kind { field: "button", value: number.into() };
    Button::from_number(number.into()).ok_or(unknown)
}

fn key(reader: &mut Reader<'_>) -> Result<Key, WireError> {
    let usage = reader.u8("key")?;
    Key::new(usage.into()).ok_or(WireError::Kind { field: "key", value: usage.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = InputEvent> {
        let (button, key) = (0..Button::ALL.len(), (0x04..=0xe7_u32));
        let (button, key) =
            (button.prop_map(|at| Button::ALL[at]), key.prop_filter_map("", Key::new));
        let clicks = -i32::from(MAX_WHEEL_CLICKS)..=i32::from(MAX_WHEEL_CLICKS);
        let wheel = (clicks.clone(), clicks);
        prop_oneof![
            any::<(i32, i32)>().prop_map(|(x, y)| InputEvent::Move { x, y }),
            button.clone().prop_map(InputEvent::Press),
            button.prop_map(InputEvent::Release),
            wheel.prop_filter_map("", |(x, y)| Wheel::new(x, y)).prop_map(InputEvent::Wheel),
            key.clone().prop_map(InputEvent::KeyDown),
            key.prop_map(InputEvent::KeyUp),
        ]
    }

    proptest! {
        #[test]
        fn batches_come_back(
            epoch in 0..1_u64 << 62,
            events in vec(event(), 0..=MAX_BATCH_EVENTS),
        ) {
            let batch = InputBatch { epoch, events };
            let bytes = batch.to_bytes();
            prop_assert!(bytes.len() <= MAX_BATCH_BYTES);
            prop_assert!(InputBatch::read(&bytes).is_ok_and(|read| read == batch));
        }

        #[test]
        fn any_bytes_give_a_batch_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
            let _ = InputBatch::read(&bytes);
            if let Ok(batch) = InputBatch::read(&[&[VERSION, 1], &bytes[..]].concat()) {
                prop_assert!(batch.events().len() <= MAX_BATCH_EVENTS);
                prop_assert!(InputBatch::read(&batch.to_bytes()).is_ok_and(|read| read == batch));
            }
        }

        #[test]
        fn no_cut_passes(events in vec(event(), 1..9), cut in 0..1000_usize) {
            let bytes = InputBatch { epoch: 300, events }.to_bytes();
            prop_assert!(InputBatch::read(&bytes[..cut % bytes.len()]).is_err());
        }
    }

    #[test]
    fn a_key_takes_two_bytes_and_the_longest_batch_fits() {
        let mut batch = InputBatch::new(1);
        assert!(batch.push(InputEvent::KeyDown(Key::new(4).unwrap())));
        assert_eq!(batch.to_bytes(), [1, 1, 1, KEY_DOWN, 4]);
        let mut batch = InputBatch::new((1 << 62) - 1);
        let far = InputEvent::Move { x: i32::MIN, y: i32::MAX };
        while batch.push(far) {}
        assert_eq!(batch.events().len(), MAX_BATCH_EVENTS);
        assert_eq!(batch.to_bytes().len(), MAX_BATCH_BYTES);
    }
}
