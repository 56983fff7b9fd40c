//! Who asks, for what, and what the sharer says.

use crate::device::Posture;
use crate::grant;
use crate::identity::PublicKey;
use crate::rights::{Mode, Rights};

/// Longest display name in characters: what fits one line of a prompt.
pub const MAX_NAME_CHARS: usize = 64;

/// The public name of the invitation by which a helper came.
pub type InvitationKey = [u8; 16];

/// Tells one request from every other, so that a late answer cannot meet the wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// Somebody at the other end as people are shown them: the helper in the sharer's prompt, or the
/// sharer to the helper.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    display_name: String,
    key_fingerprint: String,
    job_title: Option<String>,
    company: Option<String>,
    verified: bool,
}

/// Why a name must not be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// There is nothing to see.
    #[error("the helper's name or fingerprint is empty; a prompt must say who asks")]
    Empty,
    /// It would not fit a prompt.
    #[error("{chars} characters are too long for a name (at most {MAX_NAME_CHARS})")]
    TooLong {
        /// Its length in characters.
        chars: usize,
    },
    /// It could make a prompt show something else than what is there.
    #[error("character U+{code:04X} in the helper's name is not allowed; use plain text")]
    Deceptive {
        /// The character.
        code: u32,
    },
}

impl Peer {
    /// Somebody who says their own name. Checks both texts: control characters, bidirectional
    /// controls and invisible characters are refused rather than removed, for who sends them means
    /// to deceive.
    ///
    /// # Errors
    /// A text must not be shown.
    pub fn new(display_name: &str, key_fingerprint: &str) -> Result<Self, PeerError> {
        [display_name, key_fingerprint].into_iter().try_for_each(check_shown)?;
        let (display_name, key_fingerprint) = (display_name.into(), key_fingerprint.into());
        let (job_title, company, verified) = (None, None, false);
        Ok(Self { display_name, key_fingerprint, job_title, company, verified })
    }

    /// Somebody whose names are in a credential that was verified with a proof by `key`.
    pub(crate) fn verified(names: &grant::Person, key: &PublicKey) -> Result<Self, PeerError> {
        let peer = Self::new(&names.name, &key.to_string())?;
        let (job_title, company) = (names.job_title.clone(), names.company.clone());
        job_title.iter().chain(&company).try_for_each(|text| check_shown(text))?;
        Ok(Self { job_title, company, verified: true, ..peer })
    }

    /// The name to show. Only their own word unless [`Peer::is_verified`] or the fingerprint is
    /// compared.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The fingerprint of the key that they proved to hold.
    pub fn key_fingerprint(&self) -> &str {
        &self.key_fingerprint
    }

    /// What they are, if their credential says so. Never of a name that is not verified.
    pub fn job_title(&self) -> Option<&str> {
        self.job_title.as_deref()
    }

    /// Where they are that, if their credential says so. Never of a name that is not verified.
    pub fn company(&self) -> Option<&str> {
        self.company.as_deref()
    }

    /// Whether the tenant says these names, and not only whoever bears them.
    pub fn is_verified(&self) -> bool {
        self.verified
    }
}

/// What a helper asks for at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// The invitation by which the helper came.
    pub invitation: InvitationKey,
    /// What the helper asks for.
    pub rights: Rights,
}

/// A question to the sharer: for consent to a session, or within one to more than there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsentRequest {
    /// This question's own number.
    pub id: RequestId,
    /// The invitation by which the helper came.
    pub invitation: InvitationKey,
    /// Who asks.
    pub peer: Peer,
    /// What the helper asks for, as far as everybody but the sharer allows it.
    pub rights: Rights,
    /// Whether the device keeps the tenant's rules. Both ends have seen it.
    pub posture: Posture,
    /// Whether the tenant lets the session be recorded.
    pub recording_allowed: bool,
}

/// The sharer's answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Yes, up to these rights: less than was asked for is possible, more is not.
    Allow(Rights),
    /// The same, for so many microseconds from the answer on. Then a session that began with this
    /// answer ends, and one in which it allowed more returns to what there was before.
    AllowFor(Rights, u64),
    /// No.
    Deny,
}

/// The sharer's consent before anyone asks: to one invitation, for viewing only, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AdvanceConsent {
    invitation: InvitationKey,
    expires_us: u64,
}

impl AdvanceConsent {
    /// Consent to being viewed by whoever holds `invitation`, for requests before `expires_us`.
    pub fn view_only(invitation: InvitationKey, expires_us: u64) -> Self {
        Self { invitation, expires_us }
    }

    /// Whether it answers `request`. Asking for more than viewing always needs the sharer.
    pub fn covers(&self, request: &Request, now_us: u64) -> bool {
        request.invitation == self.invitation
            && request.rights.mode() == Mode::View
            && request.rights.capabilities().is_subset(Mode::View.usual())
            && now_us < self.expires_us
    }
}

/// Whether people may be shown `text`: no name may make a prompt say something else.
pub(crate) fn check_shown(text: &str) -> Result<(), PeerError> {
    if text.trim().is_empty() {
        return Err(PeerError::Empty);
    }
    let chars = text.chars().count();
    if chars > MAX_NAME_CHARS {
        return Err(PeerError::TooLong { chars });
    }
    match text.chars().find(|c| is_deceptive(*c)) {
        Some(bad) => Err(PeerError::Deceptive { code: bad.into() }),
        None => Ok(()),
    }
}

fn is_deceptive(c: char) -> bool {
    let bidirectional = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}');
    let invisible = matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200d}'
        | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}');
    c.is_control() || bidirectional || invisible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{Capabilities, Capability};

    fn request(rights: Rights) -> Request {
        Request { invitation: [1; 16], rights }
    }

    #[test]
    fn advance_consent_is_for_one_invitation_for_viewing_and_for_a_while() {
        let consent = AdvanceConsent::view_only([1; 16], 1000);
        let view = request(Rights::of(Mode::View));
        assert!(consent.covers(&view, 999));
        assert!(!consent.covers(&view, 1000));
        for mode in [Mode::Control, Mode::Elevated, Mode::Unattended] {
            assert!(!consent.covers(&request(Rights::of(mode)), 0), "{mode}");
        }
        let sound = Capabilities::of(&[Capability::Audio]);
        assert!(!consent.covers(&request(Rights::with(Mode::View, sound)), 0));
        let other = AdvanceConsent::view_only([2; 16], 1000);
        assert!(!other.covers(&view, 0));
    }

    #[test]
    fn names_of_all_scripts_are_shown_and_deceptive_ones_are_not() {
        for good in ["Ada Lovelace", "Zoë", "王小明", "דוד", "محمد"] {
            assert!(Peer::new(good, "f").is_ok(), "{good}");
        }
        for bad in ["a\nb", "a\u{202e}b", "a\u{200b}b", "\u{1b}[2J", "a\u{2066}", "\u{feff}a"] {
            assert!(matches!(Peer::new(bad, "f"), Err(PeerError::Deceptive { .. })), "{bad:?}");
        }
        let peer = Peer::new("Ada", "12ab-34cd").unwrap();
        assert_eq!((peer.display_name(), peer.key_fingerprint()), ("Ada", "12ab-34cd"));
        assert!(!peer.is_verified());
        assert_eq!(Peer::new(" ", "f"), Err(PeerError::Empty));
        assert_eq!(Peer::new("a", ""), Err(PeerError::Empty));
        assert!(Peer::new(&"x".repeat(64), "f").is_ok());
        assert_eq!(Peer::new(&"x".repeat(65), "f"), Err(PeerError::TooLong { chars: 65 }));
    }
}
