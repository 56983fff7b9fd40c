//! The two-way confirmation that turns a QUIC connection into a session's connection.
//!
//! On the control stream, the helper sends kind (1), version (2), invitation id (16) and a proof
//! (32); the sharer answers with kind (1), version (2) and its own proof (32). A proof is an
//! HMAC-SHA256, keyed from the invitation's secret, over the TLS exporter of this very connection
//! (RFC 8446 section 7.5, used as in RFC 9266), the prover's role and both public keys: it is of no
//! use on another connection, to another party, or in the other direction.
//!
//! Where the invitation has a pairing code in place of a secret, the two agree on a secret first
//! ([`crate::code`]): the helper sends kind (3), version (2), invitation id (16) and a message of
//! SPAKE2 (33), the sharer answers with kind (4), version (2) and its message (33).

use std::time::Instant;

use ring::hmac;

use crate::close::{CODE_UNPROVED, CloseReason, Refusal};
use crate::code::{MESSAGE_BYTES, Pairing, PairingCode};
use crate::connection::close_once;
use crate::identity::PublicKey;
use crate::invitation::{Access, Invitation, InvitationId, Secret};
use crate::ledger::Invitations;
use crate::streams::{ControlReceiver, ControlSender, StreamError};
use crate::tls;

const VERSION: u16 = 1;
const KIND_HELLO: u8 = 1;
const KIND_WELCOME: u8 = 2;
const KIND_PAIR: u8 = 3;
const KIND_PAIRED: u8 = 4;
const PROOF_BYTES: usize = 32;
/// The longest of the helper's messages.
const PAIR_BYTES: usize = 1 + 2 + 16 + MESSAGE_BYTES;
/// The longest of the sharer's messages.
const ANSWER_BYTES: usize = 1 + 2 + MESSAGE_BYTES;
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
    /// The invitation needs a code. Helper only.
    NoCode,
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
    let mut receiver = ControlReceiver::new(streams.1, connection.clone(), PAIR_BYTES);
    let parties = Parties { helper, sharer };
    let first = receiver.recv().await?;
    let (hello, paired) = match parse(&first)? {
        (KIND_HELLO, _, _) => (first, None),
        (_, id, message) => {
            let code = invitations.code_for(id, helper, Instant::now())?;
            let (secret, answer) = parties.pair_as_sharer(&code, message)?;
            sender.send(&message_of(KIND_PAIRED, &[&answer])).await?;
            (receiver.recv().await?, Some((id, secret)))
        }
    };
    let (KIND_HELLO, id, proof) = parse(&hello)? else {
        return Err(Refusal::ProtocolViolation.into());
    };
    let (secret, wrong) = match paired {
        Some((same, secret)) if same == id => (secret, Refusal::WrongCode),
        Some(_) => return Err(Refusal::ProtocolViolation.into()),
        None => (invitations.secret_for(id, helper, Instant::now())?, Refusal::WrongSecret),
    };
    let [expected, own] = parties.proofs(connection, &secret)?;
    if !constant_time_equal(&secret, &expected, proof) {
        return Err(wrong.into());
    }
    invitations.bind(id, helper, connection, Instant::now())?;
    sender.send(&message_of(KIND_WELCOME, &[&own])).await?;
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
    let streams = connection.open_bi().await.map_err(|error| lost(&error))?;
    let mut sender = ControlSender::new(streams.0, limit_bytes);
    let mut receiver = ControlReceiver::new(streams.1, connection.clone(), ANSWER_BYTES);
    let id = &invitation.id().0;
    let secret = match &invitation.access {
        Access::Secret(secret) => Some(secret.clone()),
        Access::Code(None) => return Err(ConfirmError::NoCode),
        Access::Code(Some(code)) => {
            let (pairing, message) = parties.begin_pairing(true, code);
            sender.send(&message_of(KIND_PAIR, &[id, &message])).await?;
            let answer = receiver.recv().await?;
            answer_of(KIND_PAIRED, &answer).and_then(|message| pairing.finish(message))
        }
    };
    let mut proved = false;
    if let Some(secret) = secret {
        let [own, expected] = parties.proofs(connection, &secret)?;
        sender.send(&message_of(KIND_HELLO, &[id, &own])).await?;
        let welcome = receiver.recv().await?;
        proved = answer_of(KIND_WELCOME, &welcome)
            .is_some_and(|proof| constant_time_equal(&secret, &expected, proof));
    }
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
    fn begin_pairing(&self, is_helper: bool, code: &PairingCode) -> (Pairing, Vec<u8>) {
        Pairing::begin(is_helper, code, self.helper, self.sharer)
    }

    /// The sharer's answer to the helper's message, and the secret that it leads to.
    fn pair_as_sharer(
        &self,
        code: &PairingCode,
        message: &[u8],
    ) -> Result<(Secret, Vec<u8>), Refusal> {
        let (pairing, answer) = self.begin_pairing(false, code);
        let secret = pairing.finish(message).ok_or(Refusal::ProtocolViolation)?;
        Ok((secret, answer))
    }

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

fn message_of(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend_from_slice(&VERSION.to_be_bytes());
    parts.iter().for_each(|part| message.extend_from_slice(part));
    message
}

/// What a sharer's message of this kind holds.
fn answer_of(expected: u8, message: &[u8]) -> Option<&[u8]> {
    let (&[kind, v0, v1], rest) = message.split_first_chunk::<3>()?;
    (kind == expected && u16::from_be_bytes([v0, v1]) == VERSION).then_some(rest)
}

/// The kind of a helper's message, the invitation, and the rest.
fn parse(hello: &[u8]) -> Result<(u8, InvitationId, &[u8]), Refusal> {
    let (&[kind, v0, v1], rest) =
        hello.split_first_chunk::<3>().ok_or(Refusal::ProtocolViolation)?;
    if ![KIND_HELLO, KIND_PAIR].contains(&kind) {
        return Err(Refusal::ProtocolViolation);
    }
    if u16::from_be_bytes([v0, v1]) != VERSION {
        return Err(Refusal::UnsupportedVersion);
    }
    let (id, proof) = rest.split_first_chunk::<16>().ok_or(Refusal::ProtocolViolation)?;
    Ok((kind, InvitationId(*id), proof))
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
