use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::identity::Identity;
use crate::relay::RelayPin;

fn sample() -> Invitation {
    with(Access::Secret(Secret(Zeroizing::new([9; SECRET_BYTES]))))
}

fn with(access: Access) -> Invitation {
    Invitation {
        id: InvitationId([7; ID_BYTES]),
        access,
        sharer: Identity::generate().unwrap().public_key(),
        expires_unix_s: 2_000_000_000,
        addresses: vec!["192.0.2.1:3478".into(), "[2001:db8::1]:3478".into(), "a.test:1".into()],
        relays: vec![
            relay("turn:u:pass@[2001:db8::9]:3478", Some("[2001:db8::9]:50000")),
            relay(&format!("turns:u:pass@relay.test?pin={}", RelayPin([1; 32])), None),
        ],
    }
}

fn relay(url: &str, address: Option<&str>) -> InvitedRelay {
    let address = address.map(|address| address.parse().unwrap());
    InvitedRelay { url: url.parse().unwrap(), address }
}

fn check(addresses: &[String]) -> Result<(), InvitationError> {
    check_ways(addresses, &[])
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap()
}

fn text_of(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn same(a: &Invitation, b: &Invitation) -> bool {
    a.id == b.id
        && match (&a.access, &b.access) {
            (Access::Secret(a), Access::Secret(b)) => a.0 == b.0,
            (Access::Code(a), Access::Code(b)) => a == b,
            _ => false,
        }
        && a.sharer == b.sharer
        && a.expires_unix_s == b.expires_unix_s
        && a.addresses == b.addresses
        && a.relays == b.relays
}

#[test]
fn an_invitation_survives_the_round_trip_and_a_mail_programs_line_breaks() {
    for invitation in [sample(), with(Access::Code(None))] {
        let text = invitation.to_text();
        assert!(same(&text.parse().unwrap(), &invitation));
        let wrapped: Vec<&[u8]> = text.as_bytes().chunks(60).collect();
        let wrapped = [b" \r\n".as_slice(), &wrapped.join(&b"\r\n  "[..]), b"\n\n"].concat();
        assert!(same(&Invitation::parse(&wrapped).unwrap(), &invitation));
    }
}

#[test]
fn a_code_is_in_no_text() {
    let code: PairingCode = "7K3M-Q9ZT".parse().unwrap();
    let invitation = with(Access::Code(Some(code)));
    assert!(!invitation.needs_code());
    let bytes = decoded(&invitation.to_text());
    assert!(!bytes.windows(8).any(|bytes| bytes == b"7K3MQ9ZT"));
    let without = Invitation { access: Access::Code(None), ..invitation.clone() };
    assert!(same(&invitation.to_text().parse().unwrap(), &without));
}

#[test]
fn every_flipped_bit_of_an_invitation_is_found() {
    let bytes = decoded(&sample().to_text());
    let mut mutants = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut mutant = bytes.clone();
            mutant[at] ^= 1 << bit;
            let error = Invitation::parse(text_of(&mutant).as_bytes()).unwrap_err();
            match error {
                InvitationError::UnsupportedVersion { .. } => assert_eq!(at, 0),
                InvitationError::Tampered | InvitationError::Malformed { .. } => assert!(at > 0),
                other => panic!("byte {at}, bit {bit}: {other}"),
            }
            mutants += 1;
        }
    }
    assert_eq!(mutants, bytes.len() * 8);
    assert!(mutants >= 1_400, "{mutants}");
}

#[test]
fn changed_contents_are_named_as_tampering() {
    let bytes = decoded(&sample().to_text());
    let expiry_at = 1 + ID_BYTES + SECRET_BYTES + PUBLIC_KEY_BYTES;
    for at in [1, 1 + ID_BYTES, 1 + ID_BYTES + SECRET_BYTES, expiry_at, bytes.len() - 1] {
        let mut mutant = bytes.clone();
        mutant[at] ^= 0x10;
        let error = Invitation::parse(text_of(&mutant).as_bytes()).unwrap_err();
        assert!(matches!(error, InvitationError::Tampered), "byte {at}: {error}");
    }
}

#[test]
fn every_cut_off_or_extended_invitation_is_an_error() {
    let text = sample().to_text();
    for length in 0..text.len() {
        assert!(Invitation::parse(&text.as_bytes()[..length]).is_err(), "{length} bytes");
    }
    let bytes = decoded(&text);
    for length in 0..bytes.len() {
        assert!(Invitation::parse(text_of(&bytes[..length]).as_bytes()).is_err());
    }
    let extended = text_of(&[&bytes[..], b"x"].concat());
    let error = Invitation::parse(extended.as_bytes()).unwrap_err();
    assert!(matches!(error, InvitationError::Malformed { expected: "the end", .. }), "{error}");
}

/// 20,000 mutants by a seeded generator: 1 to 8 bytes of the text replaced, removed or doubled.
#[test]
fn twenty_thousand_random_mutants_neither_panic_nor_pass() {
    let invitation = sample();
    let text = invitation.to_text();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut unharmed = 0;
    for _ in 0..20_000 {
        let mut mutant = text.as_bytes().to_vec();
        for _ in 0..=random(8) {
            let at = random(mutant.len());
            match random(3) {
                0 => mutant[at] = random(256) as u8,
                1 => drop(mutant.remove(at)),
                _ => mutant.insert(at, mutant[at]),
            }
        }
        // A mutant may only pass where nothing but white space or an equal byte was put in.
        if let Ok(parsed) = Invitation::parse(&mutant) {
            assert!(same(&parsed, &invitation));
            unharmed += 1;
        }
    }
    assert!(unharmed < 1_000, "{unharmed}");
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let mut bytes = decoded(&sample().to_text());
    bytes[0] = CODE_VERSION + 1;
    let error = Invitation::parse(text_of(&bytes).as_bytes()).unwrap_err();
    assert!(matches!(error, InvitationError::UnsupportedVersion { found: 3 }), "{error}");
}

#[test]
fn too_long_and_foreign_texts_are_refused() {
    let long = vec![b' '; MAX_INVITATION_BYTES + 1];
    assert!(matches!(Invitation::parse(&long), Err(InvitationError::TooLong { bytes: 8193 })));
    for text in ["", "hello", "farpane-invitation", "https://example.org/"] {
        let error = text.parse::<Invitation>().unwrap_err();
        assert!(matches!(error, InvitationError::Malformed { at: 0, .. }), "{text}: {error}");
    }
    let error = "farpane-invitation:AA*A".parse::<Invitation>().unwrap_err();
    assert!(matches!(error, InvitationError::Malformed { at: 21, .. }), "{error}");
}

#[test]
fn the_longest_invitation_fits_the_limit() {
    let mut invitation = sample();
    let host = "h".repeat(MAX_ADDRESS_BYTES - ":65535".len());
    invitation.addresses = vec![format!("{host}:65535"); MAX_ADDRESSES];
    let name = "h".repeat(253);
    let user = "u".repeat(MAX_RELAY_URL_BYTES - name.len() - "turn::p@:65535".len());
    let longest = relay(
        &format!("turn:{user}:p@{name}:65535"),
        Some("[2001:db8:1111:2222:3333:4444:5555:6666]:65535"),
    );
    invitation.relays = vec![longest; MAX_RELAYS];
    check_ways(&invitation.addresses, &invitation.relays).unwrap();
    let text = invitation.to_text();
    assert_eq!(text.len(), 6_925);
    assert!(text.len() <= MAX_INVITATION_BYTES);
    assert!(same(&text.parse().unwrap(), &invitation));
}

#[test]
fn an_invitation_by_relays_alone_is_read_and_one_to_nowhere_is_not() {
    let mut invitation = sample();
    invitation.addresses.clear();
    assert!(same(&invitation.to_text().parse().unwrap(), &invitation));
    invitation.relays.remove(0);
    let error = invitation.to_text().parse::<Invitation>().unwrap_err();
    assert!(matches!(error, InvitationError::Malformed { .. }), "{error}");
}

#[test]
fn addresses_must_be_host_and_port() {
    for good in ["1.2.3.4:5", "[::1]:65535", "host-1.example:3478"] {
        assert!(check(&[good.into()]).is_ok(), "{good}");
    }
    for bad in ["", ":1", "host", "host:0", "host:65536", "::1:80", "[::1:80", "[x]:1", "a b:1"] {
        let error = check(&[bad.into()]).unwrap_err();
        assert!(matches!(error, InvitationError::Address { .. }), "{bad}: {error}");
    }
    assert!(matches!(check(&[]), Err(InvitationError::AddressCount { count: 0 })));
    let by_relay = relay("turn:a", Some("192.0.2.1:5"));
    assert!(check_ways(&[], std::slice::from_ref(&by_relay)).is_ok(), "no address but a relay's");
    assert!(check_ways(&[], &[relay("turn:a", None)]).is_err(), "a relay without an address");
    assert!(check_ways(&[], &vec![by_relay; MAX_RELAYS + 1]).is_err());
    let nine = vec!["a:1".to_owned(); 9];
    assert!(matches!(check(&nine), Err(InvitationError::AddressCount { count: 9 })));
}

#[test]
fn an_invitation_expires_at_its_second() {
    let invitation = sample();
    assert!(invitation.check_expiry(1_999_999_999).is_ok());
    assert!(invitation.check_expiry(2_000_000_000).is_err());
    let error = invitation.check_expiry(2_000_000_060).unwrap_err();
    assert!(matches!(error, InvitationError::Expired { ago_s: 60 }));
}

#[test]
fn a_saved_invitation_is_readable_by_its_owner_alone_and_replaces_an_older_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("invitation");
    fs::write(&path, "older").unwrap();
    let invitation = sample();
    invitation.save(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(same(&Invitation::load(&path).unwrap(), &invitation));
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("invitation");
    for error in [Invitation::load(&missing).unwrap_err(), sample().save(&missing).unwrap_err()] {
        assert!(error.to_string().contains("missing/invitation"), "{error}");
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let text = format!("{:?}", sample());
    assert!(!text.contains("secret") && !text.contains("9, 9"), "{text}");
    assert!(text.contains("relay.test") && !text.contains("pass"), "{text}");
}
