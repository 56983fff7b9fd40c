//! Pairing by a short code that one person tells another, beside an invitation without a secret.
//!
//! Both sides run SPAKE2 (RFC 9382) with the code as password and both keys as names. What comes
//! out is a secret that only two who know the same code share, whatever anybody in between does;
//! each try tells whether one guess was right, and no more. That secret is then proved as an
//! invitation's own would be. The sharer allows [`MAX_TRIES`] tries: of 2^40 codes that is one
//! chance in 2 * 10^11 for who guesses. The code pairs; it authorises nothing.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use spake2::{Ed25519Group, Identity as Name, Password, Spake2};
use zeroize::Zeroizing;

use crate::identity::PublicKey;
use crate::invitation::{SECRET_BYTES, Secret};

/// Characters of a code, the hyphen not counted.
pub const PAIRING_CODE_CHARS: usize = 8;
/// How long a code lets anyone in at the most.
pub const PAIRING_CODE_VALID: Duration = Duration::from_secs(600);
/// Wrong codes after which the right one is of no use either.
pub(crate) const MAX_TRIES: u8 = 5;
/// One side's message of SPAKE2.
pub(crate) const MESSAGE_BYTES: usize = 33;

/// Crockford's digits: without I, L, O and U, which are read as others.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code of 40 random bits. Wiped on drop, absent from every debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode(Zeroizing<[u8; PAIRING_CODE_CHARS]>);

/// What was typed is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pairing code has {PAIRING_CODE_CHARS} letters and digits, as in 7K3M-Q9ZT; ask for it again"
)]
pub struct PairingCodeError;

impl PairingCode {
    /// A new one; `None` when the system gives no random bytes.
    pub(crate) fn generate() -> Option<Self> {
        let mut code = Zeroizing::new([0; PAIRING_CODE_CHARS]);
        SystemRandom::new().fill(&mut code[..]).ok()?;
        // 256 is a multiple of 32: all digits are equally likely.
        code.iter_mut().for_each(|byte| *byte = DIGITS[usize::from(*byte % 32)]);
        Some(Self(code))
    }

    /// The code as a person tells it, with a hyphen in the middle. Secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        let text = std::str::from_utf8(&self.0[..]).unwrap_or_default();
        let (first, second) = text.split_at(text.len() / 2);
        Zeroizing::new(format!("{first}-{second}"))
    }
}

impl FromStr for PairingCode {
    type Err = PairingCodeError;

    /// Reads a code however it was written: in small letters, without or with other hyphens and
    /// spaces, with O for 0, I or L for 1.
    fn from_str(text: &str) -> Result<Self, PairingCodeError> {
        let mut code = Zeroizing::new([0; PAIRING_CODE_CHARS]);
        let mut count = 0;
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let digit = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = u8::try_from(digit).ok().filter(|digit| DIGITS.contains(digit));
            *code.get_mut(count).ok_or(PairingCodeError)? = digit.ok_or(PairingCodeError)?;
            count += 1;
        }
        if count == PAIRING_CODE_CHARS { Ok(Self(code)) } else { Err(PairingCodeError) }
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(..)")
    }
}

/// One side of a pairing whose message is on its way.
pub(crate) struct Pairing(Spake2<Ed25519Group>);

impl Pairing {
    /// Begins at the helper, or at the sharer; gives the message for the other side.
    pub(crate) fn begin(
        is_helper: bool,
        code: &PairingCode,
        helper: PublicKey,
        sharer: PublicKey,
    ) -> (Self, Vec<u8>) {
        let password = Password::new(&code.0[..]);
        let (helper, sharer) = (Name::new(helper.as_spki()), Name::new(sharer.as_spki()));
        let (state, message) = match is_helper {
            true => Spake2::<Ed25519Group>::start_a(&password, &helper, &sharer),
            false => Spake2::<Ed25519Group>::start_b(&password, &helper, &sharer),
        };
        (Self(state), message)
    }

    /// The secret that the other side has too if its code is the same; `None` for a message that
    /// is none.
    pub(crate) fn finish(self, message: &[u8]) -> Option<Secret> {
        let key = Zeroizing::new(self.0.finish(message).ok()?);
        let key: [u8; SECRET_BYTES] = key.as_slice().try_into().ok()?;
        Some(Secret(Zeroizing::new(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn key() -> PublicKey {
        Identity::generate().unwrap().public_key()
    }

    #[test]
    fn codes_are_read_as_people_write_them_and_nothing_else_is_a_code() {
        let code = PairingCode::generate().unwrap();
        assert_eq!(code.to_text().parse(), Ok(code.clone()));
        assert!(!format!("{code:?}").contains(&code.to_text()[..4]));
        let same = ["10AB-XYZ9", "10abxyz9", " 1 0 A B - x y z 9 ", "IOAB-XYZ9", "loab--xyz9"];
        for text in same {
            assert_eq!(text.parse(), "10ABXYZ9".parse::<PairingCode>(), "{text}");
        }
        let wrong = [
            "",
            "-",
            "10AB-XYZ",
            "10AB-XYZ99",
            "10AB-XYZU",
            "10AB_XYZ9",
            "１0AB-XYZ9",
            "10AB\0XYZ",
        ];
        for text in wrong {
            assert_eq!(text.parse::<PairingCode>(), Err(PairingCodeError), "{text:?}");
        }
    }

    #[test]
    fn equal_codes_give_equal_secrets_and_nothing_else_does() {
        let (helper, sharer, other) = (key(), key(), key());
        let codes = ["10AB-XYZ9", "10AB-XYZ8"].map(|code| code.parse::<PairingCode>().unwrap());
        let run = |near: (&PairingCode, PublicKey), far: (&PairingCode, PublicKey)| {
            let (a, to_b) = Pairing::begin(true, near.0, near.1, sharer);
            let (b, to_a) = Pairing::begin(false, far.0, far.1, sharer);
            assert_eq!((to_a.len(), to_b.len()), (MESSAGE_BYTES, MESSAGE_BYTES));
            a.finish(&to_a).unwrap().0 == b.finish(&to_b).unwrap().0
        };
        assert!(run((&codes[0], helper), (&codes[0], helper)));
        assert!(!run((&codes[0], helper), (&codes[1], helper)), "another code");
        assert!(!run((&codes[0], helper), (&codes[0], other)), "another helper");
    }

    #[test]
    fn messages_that_are_none_end_a_pairing() {
        let code = PairingCode::generate().unwrap();
        let good = Pairing::begin(false, &code, key(), key()).1;
        let mut reflected = good.clone();
        reflected[0] = b'A';
        let longer = [&good[..], &[0]].concat();
        // The last one is no point of the curve.
        let off_curve = [&good[..1], &[0x02; 32]].concat();
        for message in [&[][..], &good[..32], &longer, &reflected, &off_curve] {
            let (pairing, _) = Pairing::begin(true, &code, key(), key());
            assert!(pairing.finish(message).is_none(), "{message:?}");
        }
    }
}
