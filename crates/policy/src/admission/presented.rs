//! What an end shows of itself on one connection, as it goes over the wire.
//!
//! ```text
//! 01, kind (1 helper, 2 sharer), software (3 numbers of 2 bytes), then
//!   helper: person
//!   sharer: certificate, proof, 00; or certificate, proof, 01, person
//! person:      credential, proof
//! credential:  01, grant; or 02, key (32 bytes), salt (32 bytes), token
//! proof:       65 bytes
//! ```
//! Grant, certificate and token have their length in front, 2 bytes. Nothing follows.

use super::credential::{Certificate, Credential, MAX_PRESENTED_BYTES};
use super::error::PresentedError;
use super::wire::{Reader, Writer};
use crate::event::Side;
use crate::identity::{PROOF_BYTES, Proof};
use crate::settings::Version;

const VERSION: u8 = 1;
const HELPER: u8 = 1;
const SHARER: u8 = 2;
const ALONE: u8 = 0;
const WITH_PERSON: u8 = 1;
/// What a sharer's message with a person has beside the two credentials.
const SHARER_BYTES: usize = 2 + 6 + 1 + 2 * PROOF_BYTES;

/// What an end shows of itself, with proofs for one connection and session. Nothing of it is
/// verified: [`Rules`](super::Rules) do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub(super) software: Version,
    pub(super) end: End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Helper(Proved<Credential>),
    Sharer { device: Proved<Certificate>, person: Option<Proved<Credential>> },
}

/// A credential, and the proof that its holder is at this end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proved<C> {
    pub(super) credential: C,
    pub(super) proof: Proof,
}

impl Presented {
    /// Whether it is the helper's or the sharer's.
    pub fn side(&self) -> Side {
        match self.end {
            End::Helper(_) => Side::Helper,
            End::Sharer { .. } => Side::Sharer,
        }
    }

    /// The software at that end, by its own word.
    pub fn software(&self) -> Version {
        self.software
    }

    /// As it goes over the wire: at most 16 KiB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.byte(VERSION);
        to.byte(if self.side() == Side::Helper { HELPER } else { SHARER });
        let Version(major, minor, patch) = self.software;
        [major, minor, patch].into_iter().for_each(|number| to.number(number));
        match &self.end {
            End::Helper(person) => person.write(&mut to),
            End::Sharer { device, person } => {
                device.credential.write(&mut to);
                to.bytes(&device.proof.to_bytes());
                to.byte(if person.is_some() { WITH_PERSON } else { ALONE });
                person.iter().for_each(|person| person.write(&mut to));
            }
        }
        to.finish()
    }

    /// Whether a sharer's two credentials fit one message.
    pub(super) fn check_pair(
        certificate: &Certificate,
        person: &Credential,
    ) -> Result<(), PresentedError> {
        let mut both = Writer::default();
        certificate.write(&mut both);
        person.write(&mut both);
        check_size(both.finish().len() + SHARER_BYTES)
    }

    /// Reads what [`Presented::to_bytes`] writes. What passes has one encoding.
    ///
    /// # Errors
    /// Says what is wrong. No bytes make it panic.
    pub fn read(bytes: &[u8]) -> Result<Self, PresentedError> {
        check_size(bytes.len())?;
        let mut from = Reader::new(bytes);
        let version = from.byte()?;
        if version != VERSION {
            return Err(PresentedError::Version { version });
        }
        let kind = from.byte()?;
        let software = Version(from.number()?, from.number()?, from.number()?);
        let end = match kind {
            HELPER => End::Helper(Proved::read(&mut from)?),
            SHARER => {
                let credential = Certificate::read(&mut from)?;
                let device = Proved { credential, proof: read_proof(&mut from)? };
                let person = match from.byte()? {
                    ALONE => None,
                    WITH_PERSON => Some(Proved::read(&mut from)?),
                    kind => return Err(PresentedError::Kind { of: "person", kind }),
                };
                End::Sharer { device, person }
            }
            kind => return Err(PresentedError::Kind { of: "end", kind }),
        };
        from.finish()?;
        Ok(Self { software, end })
    }
}

impl Proved<Credential> {
    fn write(&self, to: &mut Writer) {
        self.credential.write(to);
        to.bytes(&self.proof.to_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, PresentedError> {
        let credential = Credential::read(from)?;
        Ok(Self { credential, proof: read_proof(from)? })
    }
}

fn read_proof(from: &mut Reader<'_>) -> Result<Proof, PresentedError> {
    let bytes: [u8; PROOF_BYTES] = from.array()?;
    Proof::from_bytes(&bytes).map_err(PresentedError::Proof)
}

fn check_size(bytes: usize) -> Result<(), PresentedError> {
    match bytes <= MAX_PRESENTED_BYTES {
        true => Ok(()),
        false => Err(PresentedError::TooLarge { bytes }),
    }
}
