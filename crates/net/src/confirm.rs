//! The two-way confirmation that turns a QUIC connection into a session's connection.
//!
//! On the control stream, the helper sends kind (1), version (2), invitation id (16) and a proof
//! (32); the sharer answers with kind (1), version (2) and its own proof (32). A proof is an
//! HMAC-SHA256, keyed from the invitation's secret, over the TLS exporter of this very connection
//! (RFC 8446 section 7.5, used as in RFC 9266), the prover's role and both public keys: it is of no
//! use on another connection, to another party, or in the other direction.

use std::time::Instant;

use ring::hmac;

use crate::close::{CODE_UNPROVED, CloseReason, Refusal};
use crate::connection::close_once;
use crate::identity::PublicKey;
use crate::invitation::{Invitation, InvitationId, Secret};
use crate::ledger::Invitations;
use crate::streams::{ControlReceiver, ControlSender, StreamError};
use crate::tls;

const VERSION: u16 = 1;
const KIND_HELLO: u8 = 1;
const KIND_WELCOME: u8 = 2;
const PROOF_BYTES: usize = 32;
const HELLO_BYTES: usize = 1 + 2 + 16 + PROOF_BYTES;
const WELCOME_BYTES: usize = 1 + 2 + PROOF_BYTES;
const EXPORTER_LABEL: &[u8] = b"EXPORTER-farpane-confirmation";
const KEY_PURPOSE: &str = "farpane confirmation";

/// The control stream of a confirmed connection.
pub(crate) type Control = (ControlSender, ControlReceiver);

/// How a confirmation failed.
#[derive(Debug)]
pub(crate) enum ConfirmError {
    /// The sharer lets this helper not in.
    Refused(Refusal),
    /// The connection ended meanwhile.
    Lost(CloseReason),
    /// The sharer did not prove itself. Helper only.
    SharerUnproved,
}

impl From<StreamError> for ConfirmError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::TooLarge { .. } => Self::Refused(Refusal::ProtocolViolation),
            StreamError::Closed(reason) => Self::Lost(reason),
        }
    }
}

/// The sharer's half. Binds the invitation to the helper's key when the proof is right.
pub(crate) async fn as_sharer(
    connection: &quinn::Connection,
    sharer: PublicKey,
    invitations: &Invitations,
    limit_bytes: usize,
) -> Result<(Control, PublicKey, InvitationId), ConfirmError> {
    let helper = tls::peer_key(connection).ok_or(Refusal::ProtocolViolation)?;
    let streams = connection.accept_bi().await.map_err(|error| lost(&error))?;
    let mut sender = ControlSender::new(streams.0, limit_bytes);
    let mut receiver = ControlReceiver::new(streams.1, connection.clone(), HELLO_BYTES);
    let hello = receiver.recv().await?;
    let (id, proof) = parse_hello(&hello)?;
    let secret = invitations.secret_for(id, helper, Instant::now())?;
    let parties = Parties { helper, sharer };
    let [expected, own] = parties.proofs(connection, &secret)?;
    if !constant_time_equal(&secret, &expected, proof) {
        return Err(Refusal::WrongSecret.into());
    }
    invitations.bind(id, helper, connection, Instant::now())?;
    let mut welcome = Vec::with_capacity(WELCOME_BYTES);
    welcome.push(KIND_WELCOME);
    welcome.extend_from_slice(&VERSION.to_be_bytes());
    welcome.extend_from_slice(&own);
    sender.send(&welcome).await?;
    receiver.set_limit(limit_bytes);
    Ok(((sender, receiver), helper, id))
}

/// The helper's half.
pub(crate) async fn as_helper(
    connection: &quinn::Connection,
    helper: PublicKey,
    invitation: &Invitation,
    limit_bytes: usize,
) -> Result<Control, ConfirmError> {
    let parties = Parties { helper, sharer: invitation.sharer_key() };
    let [own, expected] = parties.proofs(connection, &invitation.secret)?;
    let streams = connection.open_bi().await.map_err(|error| lost(&error))?;
    let mut sender = ControlSender::new(streams.0, limit_bytes);
    let mut receiver = ControlReceiver::new(streams.1, connection.clone(), WELCOME_BYTES);
    let mut hello = Vec::with_capacity(HELLO_BYTES);
    hello.push(KIND_HELLO);
    hello.extend_from_slice(&VERSION.to_be_bytes());
    hello.extend_from_slice(&invitation.id().0);
    hello.extend_from_slice(&own);
    sender.send(&hello).await?;
    let welcome = receiver.recv().await?;
    let proved = welcome.split_first_chunk::<3>().is_some_and(|(head, proof)| {
        let [kind, version @ ..] = *head;
        kind == KIND_WELCOME
            && u16::from_be_bytes(version) == VERSION
            && constant_time_equal(&invitation.secret, &expected, proof)
    });
    if !proved {
        close_once(connection, CODE_UNPROVED, b"the sharer proved nothing");
        return Err(ConfirmError::SharerUnproved);
    }
    receiver.set_limit(limit_bytes);
    Ok((sender, receiver))
}

struct Parties {
    helper: PublicKey,
    sharer: PublicKey,
}

impl Parties {
    /// The helper's proof, then the sharer's.
    fn proofs(
        &self,
        connection: &quinn::Connection,
        secret: &Secret,
    ) -> Result<[[u8; PROOF_BYTES]; 2], ConfirmError> {
        let mut exporter = [0; 32];
        connection
            .export_keying_material(&mut exporter, EXPORTER_LABEL, &VERSION.to_be_bytes())
            .map_err(|_| Refusal::ProtocolViolation)?;
        let key = secret.key(KEY_PURPOSE);
        Ok([&b"helper"[..], b"sharer"].map(|role| {
            let mut context = hmac::Context::with_key(&key);
            context.update(&exporter);
            context.update(role);
            context.update(self.helper.as_spki());
            context.update(self.sharer.as_spki());
            let mut proof = [0; PROOF_BYTES];
            proof.copy_from_slice(context.sign().as_ref());
            proof
        }))
    }
}

fn parse_hello(hello: &[u8]) -> Result<(InvitationId, &[u8]), Refusal> {
    let (&[kind, v0, v1], rest) =
        hello.split_first_chunk::<3>().ok_or(Refusal::ProtocolViolation)?;
    if kind != KIND_HELLO {
        return Err(Refusal::ProtocolViolation);
    }
    if u16::from_be_bytes([v0, v1]) != VERSION {
        return Err(Refusal::UnsupportedVersion);
    }
    let (id, proof) = rest.split_first_chunk::<16>().ok_or(Refusal::ProtocolViolation)?;
    Ok((InvitationId(*id), proof))
}

/// Whether both proofs are equal, in a time that tells nothing about where they differ: both are
/// compared as `ring` compares a tag, under one more HMAC.
fn constant_time_equal(secret: &Secret, expected: &[u8], found: &[u8]) -> bool {
    let key = secret.key("farpane comparison");
    let tag = hmac::sign(&key, expected);
    hmac::verify(&key, found, tag.as_ref()).is_ok()
}

fn lost(error: &quinn::ConnectionError) -> ConfirmError {
    ConfirmError::Lost(error.into())
}

impl From<Refusal> for ConfirmError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
