//! Single messages of the protocol: the first byte chooses the kind, the rest is the message. What
//! can be read must be written and read again as the same message.

use crate::Seed;
use bytes::Bytes;
use farpane_frame::Size;
use farpane_policy::admission::Presented;
use farpane_proto::control::{
    Control, CursorShape, FilePiece, WireReach, WireRights, read_clipboard,
};
use farpane_proto::datagram::{Body, Code, Cursor, Datagram, Order, Part};
use farpane_proto::feedback::{Arrival, Feedback};

const DATAGRAM: u8 = 0;
const CONTROL: u8 = 1;
const CURSOR_SHAPE: u8 = 2;
const FEEDBACK: u8 = 3;
const FILE_PIECE: u8 = 4;
const CLIPBOARD: u8 = 5;
const PRESENTED: u8 = 6;

/// Whether the input is a message.
pub fn accepts(input: &[u8]) -> bool {
    let Some((kind, message)) = input.split_first() else { return false };
    match *kind {
        DATAGRAM => Datagram::read(&Bytes::copy_from_slice(message)).is_ok_and(|datagram| {
            let mut again = Vec::new();
            datagram.write(&mut again);
            assert_eq!(Datagram::read(&again.into()), Ok(datagram));
            true
        }),
        CONTROL => Control::read(message).is_ok_and(|control| {
            assert_eq!(Control::read(&control.to_bytes()), Ok(control));
            true
        }),
        CURSOR_SHAPE => CursorShape::read(message).is_ok_and(|shape| {
            assert_eq!(CursorShape::read(&shape.to_bytes()), Ok(shape));
            true
        }),
        FEEDBACK => Feedback::read(message).is_ok_and(|feedback| {
            let mut again = Vec::new();
            feedback.write(&mut again);
            assert!(feedback.ranges().all(|(from, to, _)| from <= to && to <= feedback.decided));
            assert_eq!(Feedback::read(&again), Ok(feedback));
            true
        }),
        FILE_PIECE => FilePiece::read(message).is_ok_and(|piece| {
            assert_eq!(FilePiece::read(&piece.to_bytes()), Ok(piece));
            true
        }),
        CLIPBOARD => read_clipboard(message).is_ok(),
        PRESENTED => Presented::read(message).is_ok_and(|presented| {
            assert_eq!(presented.to_bytes(), message);
            true
        }),
        _ => false,
    }
}

/// A message of every kind.
pub fn seeds() -> Vec<Seed> {
    let part = |count, index, size| Part {
        generation: 1,
        size,
        update: 70,
        ends_update: index + 1 == count,
        batch: 20_000,
        index,
        count,
        code: None,
        order: size.map(|_| Order { is_member: index == 0, after: Some(19_990) }),
        data: Bytes::from_static(b"operations"),
    };
    let code = Some(Code { parity: 3, bytes: 15 });
    let cursor = Cursor { x: -3, y: 400, visible: true, shape: 2 };
    let shape = CursorShape { id: 2, width: 3, height: 2, hot_x: 1, hot_y: 1, bgra: vec![128; 24] };
    let report = Feedback {
        decided: 300,
        runs: vec![0, 2, 100, 1],
        update: 69,
        delay_us: 1_500,
        marked: 3,
        arrivals: vec![
            Arrival { seq: 298, received_us: 5_000_000 },
            Arrival { seq: 297, received_us: 5_000_090 },
        ],
    };
    let rights = WireRights { mode: 1, capabilities: 0b1_0111 };
    let offer = Control::FileOffer { id: 1, name: "report.pdf".to_owned(), bytes: 70_000 };
    let open = Control::InputOpen { epoch: 3, reach: WireReach::Full };
    let piece = FilePiece { id: 1, offset: 32_768, bytes: b"piece" }.to_bytes();
    let mut feedback = vec![FEEDBACK];
    report.write(&mut feedback);
    vec![
        ("part-of-one", datagram(Body::Part(part(1, 0, None)))),
        ("part-of-many", datagram(Body::Part(part(9, 8, Some(Size::new(1920, 1080)))))),
        ("part-of-parity", datagram(Body::Part(Part { code, ..part(2, 1, None) }))),
        ("bad-part", datagram(Body::Part(part(1, 1, None)))[..4].to_vec()),
        ("cursor", datagram(Body::Cursor(cursor))),
        ("probe", datagram(Body::Probe)),
        ("hello", control(&Control::hello("Ada Lovelace", 6))),
        ("consent-pending", control(&Control::ConsentPending)),
        ("granted", control(&Control::Granted(rights))),
        ("ask", control(&Control::Ask(rights))),
        ("input-open", control(&open)),
        ("chat", control(&Control::Chat("two\nlines".to_owned()))),
        ("file-offer", control(&offer)),
        ("file-piece", [&[FILE_PIECE][..], &piece].concat()),
        ("clipboard", [&[CLIPBOARD][..], b"a text"].concat()),
        ("bad-presented", vec![PRESENTED, 1, 1, 0]),
        ("cursor-shape", [&[CURSOR_SHAPE][..], &shape.to_bytes()].concat()),
        ("feedback", feedback),
        ("bad-kind", vec![CONTROL, 99]),
    ]
}

fn datagram(body: Body) -> Vec<u8> {
    let mut input = vec![DATAGRAM];
    Datagram { seq: 301, body }.write(&mut input);
    input
}

fn control(message: &Control) -> Vec<u8> {
    [&[CONTROL][..], &message.to_bytes()].concat()
}
