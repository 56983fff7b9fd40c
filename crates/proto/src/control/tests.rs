use super::*;
use proptest::prelude::*;

/// A message of every kind.
fn every_kind() -> Vec<Control> {
    let rights = WireRights { mode: 1, capabilities: 0x1f };
    vec![
        Control::hello("Ada Lovelace", 6),
        Control::ConsentPending,
        Control::Granted(rights),
        Control::VideoFailed { stream: 3 },
        Control::Credentials(vec![7; MAX_CREDENTIALS_BYTES]),
        Control::Ask(rights),
        Control::Refused,
        Control::Suspended,
        Control::Resumed,
        Control::Hold(true),
        Control::Compliance(2),
        Control::ComplianceSeen,
        Control::InputOpen { epoch: 300, reach: WireReach::Full },
        Control::InputOpen { epoch: 1, reach: WireReach::Pointer },
        Control::InputClosed,
        Control::Input(vec![1, 2, 3]),
        Control::Chat("two\nlines".into()),
        Control::FileOffer { id: 1, name: "report.pdf".into(), bytes: 1 << 40 },
        Control::FileAnswer { id: 1, wanted: true },
        Control::FileTaken { id: 1, bytes: 4_096 },
        Control::FileStopped { id: 1, by_sender: false },
        Control::Prompt(true),
        Control::Sealed(vec![9; 40]),
        Control::AuditHead(vec![1; 150]),
        Control::AuditSigned(vec![2; 300]),
    ]
}

#[test]
fn messages_come_back() {
    let kinds: std::collections::BTreeSet<u8> = every_kind().iter().map(Control::kind).collect();
    assert_eq!(kinds, (HELLO..=AUDIT_SIGNED).collect());
    for message in every_kind() {
        assert_eq!(Control::read(&message.to_bytes()), Ok(message));
    }
    let bgra = (0..24).collect();
    let shape = CursorShape { id: 3, width: 2, height: 3, hot_x: 1, hot_y: 0, bgra };
    assert_eq!(CursorShape::read(&shape.to_bytes()), Ok(shape));
}

#[test]
fn what_is_out_of_bounds_is_no_message() {
    let mut tried = 0;
    let mut refused = |bytes: &[u8]| {
        tried += 1;
        assert!(Control::read(bytes).is_err(), "{bytes:?}");
    };
    refused(&[]);
    refused(&[0]);
    (AUDIT_SIGNED + 1..=u8::MAX).for_each(|kind| refused(&[kind]));
    for message in every_kind() {
        let bytes = message.to_bytes();
        let free = matches!(bytes[0], CREDENTIALS | INPUT | CHAT | SEALED | 23..);
        if !free {
            (0..bytes.len()).for_each(|cut| refused(&bytes[..cut]));
            refused(&[&bytes[..], &[0]].concat());
        }
    }
    let long = |kind: u8, bytes: usize| [vec![kind], vec![b'a'; bytes]].concat();
    refused(&long(CREDENTIALS, MAX_CREDENTIALS_BYTES + 1));
    refused(&long(INPUT, MAX_INPUT_BYTES + 1));
    refused(&long(CHAT, MAX_CHAT_BYTES + 1));
    refused(&long(CHAT, 0));
    refused(&long(SEALED, MAX_SEALED_BYTES + 1));
    refused(&long(AUDIT_HEAD, MAX_HEAD_BYTES + 1));
    refused(&long(AUDIT_SIGNED, MAX_HEAD_BYTES + 1));
    (4..=u8::MAX).for_each(|mode| refused(&[ASK, mode, 1]));
    (2..=u8::MAX).for_each(|flag| refused(&[HOLD, flag]));
    (3..=u8::MAX).for_each(|posture| refused(&[COMPLIANCE, posture]));
    for text in ["a\0", "\u{1b}[2J", "a\rb", "\u{7f}"] {
        refused(&[&[CHAT], text.as_bytes()].concat());
    }
    refused(&[CHAT, 0xff]);
    println!("control messages: {tried} invalid ones refused");
}

#[test]
fn names_lose_control_characters_and_excess() {
    let Control::Hello { name, .. } = Control::hello(&format!("a\u{1b}[31m{}", "é".repeat(300)), 0)
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
        if let Ok(message) = Control::read(&bytes) {
            prop_assert_eq!(Control::read(&message.to_bytes()), Ok(message));
        }
        let _ = CursorShape::read(&bytes);
        let _ = FilePiece::read(&bytes);
        let _ = read_clipboard(&bytes);
    }
}
