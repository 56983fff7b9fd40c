use super::*;
use farpane_policy::{Capabilities, Mode, Posture, Reach, Rights};
use farpane_proto::control::WireRights;
use zeroize::Zeroizing;

fn ends() -> (Sealer, Opener) {
    let key = || Zeroizing::new([7; 32]);
    (Sealer::new(key()), Opener::new(key()))
}

#[test]
fn a_secret_arrives_once_and_only_as_it_was_sealed() {
    let (mut sealer, mut opener) = ends();
    let secret = Secret::new("root", "correct horse").unwrap();
    let mut tried = 0;
    let mut refused = |opener: &mut Opener, bytes: &[u8]| {
        tried += 1;
        assert_eq!(opener.open(bytes), Err(SecretError::Refused));
    };
    let sealed = sealer.seal(&secret).unwrap();
    assert!(!sealed.windows(4).any(|part| part == b"root"));
    for at in 0..sealed.len() {
        refused(&mut opener, &sealed[..at]);
        for bit in 0..8 {
            let mut other = sealed.clone();
            other[at] ^= 1 << bit;
            refused(&mut opener, &other);
        }
    }
    refused(&mut opener, &[&sealed[..], &[0]].concat());
    let opened = opener.open(&sealed).unwrap();
    assert_eq!((opened.name(), opened.password()), ("root", "correct horse"));
    refused(&mut opener, &sealed);
    let [second, third] = [(); 2].map(|()| sealer.seal(&secret).unwrap());
    assert!(opener.open(&third).is_ok(), "one may be lost");
    refused(&mut opener, &second);
    let (mut stranger, _) = (Sealer::new(Zeroizing::new([8; 32])), ());
    (0..5).for_each(|_| refused(&mut opener, &stranger.seal(&secret).unwrap()));
    println!("channels: {tried} sealed secrets refused");
}

#[test]
fn secrets_are_bounded_and_show_nothing() {
    let long = "x".repeat(MAX_SECRET_BYTES);
    assert!(Secret::new("", &long).is_ok());
    let error = SecretError::TooLong { bytes: MAX_SECRET_BYTES + 1 };
    assert_eq!(Secret::new("a", &long), Err(error));
    let secret = Secret::new("root", "canary").unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    assert_eq!(secret, secret.clone());
    assert_ne!(secret, Secret::new("root", "canary").unwrap());
}

#[test]
fn rights_come_back_and_modes_without_what_they_need_do_not() {
    let (mut kept, mut refused) = (0, 0);
    for mode in 0..=u8::MAX {
        for capabilities in (0..=0x3ff).chain([0x400, u16::MAX]) {
            match rights_of(WireRights { mode, capabilities }) {
                Some(rights) => {
                    kept += 1;
                    assert!(rights.capabilities().is_subset(Capabilities::from_bits(capabilities)));
                    assert!(rights.capabilities().is_subset(rights.mode().most()));
                    assert_eq!(rights_of(wire_rights(rights)), Some(rights));
                }
                None => {
                    refused += 1;
                    let needed = Mode::ALL.get(usize::from(mode)).map(|mode| mode.needs());
                    let held = Capabilities::from_bits(capabilities);
                    assert!(needed.is_none_or(|needed| !needed.is_subset(held)));
                }
            }
        }
    }
    assert!(kept > 1_000 && refused > 1_000);
    for mode in Mode::ALL {
        let all = Rights::with(mode, Capabilities::ALL);
        assert_eq!(rights_of(wire_rights(all)), Some(all));
    }
    for posture in [Posture::Compliant, Posture::NotCompliant, Posture::Unknown] {
        assert_eq!(posture_of(posture_byte(posture)), posture);
    }
    assert_eq!(posture_of(200), Posture::Unknown);
    for reach in [Reach::Pointer, Reach::Full] {
        assert_eq!(reach_of(wire_reach(reach)), reach);
    }
    println!("channels: {refused} rights that do not fit together refused");
}
