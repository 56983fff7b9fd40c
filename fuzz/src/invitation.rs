//! Invitations. The first byte chooses: 0, the rest is the text of one; 1, the rest is the body of
//! one, to which this module adds the integrity check that no fuzzer would guess.

use crate::Seed;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farpane_net::Invitation;
use ring::hmac::{HMAC_SHA256, Key, sign};

const TEXT: u8 = 0;
const BODY: u8 = 1;
const SECRET: std::ops::Range<usize> = 17..49;
/// A pin: 32 bytes in base64url.
const PIN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// An Ed25519 key's first bytes (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Whether the input is an invitation; if so, it must come back from the text it is written as.
pub fn accepts(input: &[u8]) -> bool {
    let text = match input.split_first() {
        Some((&TEXT, text)) => text.to_vec(),
        Some((&BODY, body)) => with_tag(body).into_bytes(),
        _ => return false,
    };
    let Ok(invitation) = Invitation::parse(&text) else { return false };
    let again = Invitation::parse(invitation.to_text().as_bytes()).expect("what was just written");
    assert_eq!(format!("{invitation:?}"), format!("{again:?}"));
    assert_eq!(invitation.to_text(), again.to_text());
    true
}

/// The text of an invitation with this body.
fn with_tag(body: &[u8]) -> String {
    let secret = body.get(SECRET).unwrap_or_default();
    let root = Key::new(HMAC_SHA256, secret);
    let key = Key::new(HMAC_SHA256, sign(&root, b"farpane invitation integrity").as_ref());
    let tag = sign(&key, body);
    format!("farpane-invitation:{}", URL_SAFE_NO_PAD.encode([body, tag.as_ref()].concat()))
}

/// Invitations with one address and with many, as text and as bodies.
pub fn seeds() -> Vec<Seed> {
    let one = body(&["192.0.2.1:3478"], &[]);
    let many = body(&["[2001:db8::1]:3478", "sharer.example:443", "10.0.0.7:65535"], &[]);
    let (udp, tls) = ("turn:u:p%40@relay.example:3478", format!("turns:relay.example?pin={PIN}"));
    let relays = [(udp, "[2001:db8::9]:50000"), (&tls, "")];
    let text = with_tag(&one);
    let broken = text.as_bytes().chunks(70).collect::<Vec<_>>().join(&b"\r\n  "[..]);
    let mut damaged = text.clone().into_bytes();
    damaged[40] = if damaged[40] == b'A' { b'B' } else { b'A' };
    vec![
        ("body", led(BODY, &one)),
        ("body-many-addresses", led(BODY, &many)),
        ("text", led(TEXT, text.as_bytes())),
        ("text-in-lines", led(TEXT, &broken)),
        ("bad-text-damaged", led(TEXT, &damaged)),
        ("body-relays", led(BODY, &body(&["192.0.2.1:3478"], &relays))),
        ("body-relays-alone", led(BODY, &body(&[], &relays))),
        ("bad-body-no-address", led(BODY, &body(&[], &[]))),
        ("bad-body-no-way", led(BODY, &body(&[], &relays[1..]))),
        ("bad-body-port", led(BODY, &body(&["192.0.2.1:0"], &[]))),
        ("bad-body-relay", led(BODY, &body(&["192.0.2.1:1"], &[("turns:relay.example", "")]))),
    ]
}

fn led(kind: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind][..], rest].concat()
}

fn body(addresses: &[&str], relays: &[(&str, &str)]) -> Vec<u8> {
    let mut body = vec![1];
    body.extend([0x11; 16]);
    body.extend([0x22; 32]);
    body.extend(SPKI);
    body.extend([0x33; 32]);
    body.extend(1_900_000_000_u64.to_be_bytes());
    body.push(addresses.len() as u8);
    for address in addresses {
        body.push(address.len() as u8);
        body.extend(address.as_bytes());
    }
    body.push(relays.len() as u8);
    for (url, address) in relays {
        body.extend((url.len() as u16).to_be_bytes());
        body.extend(url.as_bytes());
        body.push(address.len() as u8);
        body.extend(address.as_bytes());
    }
    body
}
