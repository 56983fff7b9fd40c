//! Admission: two ends of one TLS connection prove to each other who they are.
//!
//! Each end has a [`Holder`]: its credential with the secret key. Once the handshake is complete,
//! the holder makes a [`Presented`] for this connection and session, which goes to the other end
//! as one control message. There the [`Rules`] of the machine verify it:
//!
//! - on the sharer's machine [`Rules::admit`] makes the [`Authentication`](crate::Authentication)
//!   that a [`Session`](crate::Session) waits for;
//! - on the helper's machine [`Rules::check_sharer`] says whose screen it is that comes.
//!
//! A person shows a grant, or an ID token whose roles the machine's [`Roles`] know. A machine
//! shows its device certificate, with or without the person who sits there. Nobody is asked
//! anything here: what a helper may do begins with the sharer's consent.

mod credential;
mod error;
mod holder;
mod presented;
mod roles;
mod rules;
mod sharer;
mod wire;

pub use credential::{
    Certificate, Credential, MAX_CREDENTIAL_BYTES, MAX_PRESENTED_BYTES, MAX_PRESENTED_TOKEN_BYTES,
};
pub use error::{AdmissionError, PresentedError};
pub use holder::Holder;
pub use presented::Presented;
pub use roles::{MAX_ROLES, RoleRule, Roles, RolesError};
pub use rules::Rules;
pub use sharer::VerifiedSharer;

#[cfg(test)]
mod tests;
