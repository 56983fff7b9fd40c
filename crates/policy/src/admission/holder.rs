//! An end's own credentials, with their secret keys.

use super::credential::{Certificate, Credential, Form};
use super::error::PresentedError;
use super::presented::{End, Presented, Proved};
use crate::identity::{Exporter, KeyPair, Proof, ProofInput, Role};
use crate::record::SessionId;
use crate::settings::Version;

/// An end's own credentials, with their secret keys, which are wiped on drop and in no `Debug`
/// output.
#[derive(Debug, Clone)]
pub struct Holder {
    software: Version,
    held: Held,
}

#[derive(Debug, Clone)]
enum Held {
    Helper((Credential, KeyPair)),
    Sharer { device: (Certificate, KeyPair), person: Option<(Credential, KeyPair)> },
}

impl Holder {
    /// Who helps, with software of this version. `key` is the one that the grant names, or the
    /// session's, to which the token is bound.
    ///
    /// # Errors
    /// The token is bound to another key.
    pub fn helper(
        credential: Credential,
        key: KeyPair,
        software: Version,
    ) -> Result<Self, PresentedError> {
        check_key(&credential, &key)?;
        Ok(Self { software, held: Held::Helper((credential, key)) })
    }

    /// A machine that is helped, with software of this version. `key` is the one that its
    /// certificate names. Without a person who sits there, it speaks for its owner.
    ///
    /// # Errors
    /// The person's token is bound to another key, or both credentials together do not fit a
    /// message.
    pub fn sharer(
        certificate: Certificate,
        key: KeyPair,
        person: Option<(Credential, KeyPair)>,
        software: Version,
    ) -> Result<Self, PresentedError> {
        if let Some((credential, key)) = &person {
            check_key(credential, key)?;
            Presented::check_pair(&certificate, credential)?;
        }
        Ok(Self { software, held: Held::Sharer { device: (certificate, key), person } })
    }

    /// The software at this end.
    pub fn software(&self) -> Version {
        self.software
    }

    /// A sharer's certificate, and the credential of who sits there.
    pub(super) fn device(&self) -> Option<(&Certificate, Option<&Credential>)> {
        match &self.held {
            Held::Helper(_) => None,
            Held::Sharer { device: (certificate, _), person } => {
                Some((certificate, person.as_ref().map(|(credential, _)| credential)))
            }
        }
    }

    /// What this end shows of itself in `session` on the connection of `exporter`. Take the
    /// exporter when the handshake is complete.
    pub fn present(&self, exporter: &Exporter, session: SessionId) -> Presented {
        let prove = |key: &KeyPair, role, credential| {
            let (session, exporter) = (session.0, *exporter);
            Proof::sign(key, &ProofInput { role, credential, session, exporter })
        };
        let person = |(credential, key): &(Credential, KeyPair), role| Proved {
            proof: prove(key, role, credential.hash()),
            credential: credential.clone(),
        };
        let end = match &self.held {
            Held::Helper(held) => End::Helper(person(held, Role::Helper)),
            Held::Sharer { device: (certificate, key), person: sharer } => End::Sharer {
                device: Proved {
                    proof: prove(key, Role::Device, certificate.hash()),
                    credential: certificate.clone(),
                },
                person: sharer.as_ref().map(|held| person(held, Role::Sharer)),
            },
        };
        Presented { software: self.software, end }
    }
}

/// A token of another key could never be proved.
fn check_key(credential: &Credential, key: &KeyPair) -> Result<(), PresentedError> {
    match &credential.0 {
        Form::Token { binding, .. } if binding.key != key.public_key() => {
            Err(PresentedError::OtherKey)
        }
        _ => Ok(()),
    }
}
