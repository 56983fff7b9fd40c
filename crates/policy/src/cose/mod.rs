//! Signed credentials: COSE_Sign1 (RFC 9052) over CWT claims (RFC 8392), read strictly.

mod claims;
mod envelope;
mod error;
mod labels;
mod strict;

pub(crate) use claims::{Claims, ClaimsWriter, Text, fixed, identifier, length, set};
pub(crate) use envelope::{Kind, open, seal};
pub use error::{CredentialError, EnvelopeError};
pub(crate) use labels::*;
pub use strict::CborError;
