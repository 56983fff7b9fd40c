//! The envelope: who signed what kind of credential. One algorithm, one shape.

use coset::cbor::Value;
use coset::{
    AsCborValue, CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, Label,
    TaggedCborSerializable, iana,
};

use super::error::EnvelopeError;
use super::strict;
use crate::identity::{KeyPair, PublicKey, SIGNATURE_BYTES, Tenant};

/// What a credential is, and how large it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Its media type, which is signed: no credential can pass for one of another kind.
    pub(crate) media_type: &'static str,
    /// Its most bytes.
    pub(crate) max_bytes: usize,
}

/// COSE_Sign1's tag, 18, in its one encoding.
const TAG: u8 = 0xd2;
/// Ed25519 and nothing else (RFC 9864 section 2.2).
const ALGORITHM: i64 = iana::Algorithm::Ed25519 as i64;
const LABEL_ALGORITHM: i64 = iana::HeaderParameter::Alg as i64;
const LABEL_CRITICAL: i64 = iana::HeaderParameter::Crit as i64;
const LABEL_KEY_ID: i64 = iana::HeaderParameter::Kid as i64;
/// `typ` (RFC 9596 section 2).
const LABEL_TYPE: i64 = 16;

/// Signs `payload`.
pub(crate) fn seal(kind: Kind, payload: &Value, key: &KeyPair) -> Result<Vec<u8>, EnvelopeError> {
    let mut bytes = Vec::new();
    coset::cbor::into_writer(payload, &mut bytes).map_err(|_| EnvelopeError::Shape)?;
    let protected = HeaderBuilder::new()
        .algorithm(iana::Algorithm::Ed25519)
        .key_id(key.public_key().id().to_vec())
        .value(LABEL_TYPE, Value::Text(kind.media_type.to_owned()))
        .build();
    let sealed = CoseSign1Builder::new()
        .protected(protected)
        .payload(bytes)
        .create_signature(&[], |message| key.sign(message).to_vec())
        .build()
        .to_tagged_vec()
        .map_err(|_| EnvelopeError::Shape)?;
    let (bytes, most) = (sealed.len(), kind.max_bytes);
    if bytes > most { Err(EnvelopeError::TooLarge { bytes, most }) } else { Ok(sealed) }
}

/// The payload of `bytes`, if an authority of `tenant` signed it as a credential of this kind. The
/// payload is deterministic CBOR.
pub(crate) fn open(kind: Kind, bytes: &[u8], tenant: &Tenant) -> Result<Value, EnvelopeError> {
    if bytes.len() > kind.max_bytes {
        return Err(EnvelopeError::TooLarge { bytes: bytes.len(), most: kind.max_bytes });
    }
    let (tag, rest) = bytes.split_first().ok_or(EnvelopeError::Shape)?;
    if *tag != TAG {
        return Err(EnvelopeError::Tag { byte: *tag });
    }
    let value = read(rest)?;
    let Value::Array(parts) = &value else { return Err(EnvelopeError::Shape) };
    let [
        Value::Bytes(protected),
        Value::Map(unprotected),
        Value::Bytes(payload),
        Value::Bytes(signature),
    ] = &parts[..]
    else {
        return Err(EnvelopeError::Shape);
    };
    let key_id = check_protected(kind, protected)?;
    if !unprotected.is_empty() {
        return Err(EnvelopeError::Unprotected);
    }
    if signature.len() != SIGNATURE_BYTES {
        return Err(EnvelopeError::SignatureLength { bytes: signature.len() });
    }
    let key = tenant.key(&key_id).ok_or(EnvelopeError::UnknownKey)?;
    let payload = payload.clone();
    verify(value, key)?;
    read(&payload)
}

fn read(bytes: &[u8]) -> Result<Value, EnvelopeError> {
    strict::check(bytes)?;
    Value::from_slice(bytes).map_err(|_| EnvelopeError::Shape)
}

fn verify(value: Value, key: &PublicKey) -> Result<(), EnvelopeError> {
    let sign1 = CoseSign1::from_cbor_value(value).map_err(|_| EnvelopeError::Shape)?;
    sign1.verify_signature(&[], |signature, message| {
        if key.verify(message, signature) { Ok(()) } else { Err(EnvelopeError::Signature) }
    })
}

/// The key's name, if the header says exactly what it must.
fn check_protected(kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let Value::Map(header) = read(bytes)? else { return Err(EnvelopeError::Shape) };
    let (mut algorithm, mut key_id, mut media_type) = (None, None, None);
    for (label, value) in header {
        let label = Label::from_cbor_value(label).map_err(|_| EnvelopeError::Shape)?;
        match label {
            Label::Int(LABEL_ALGORITHM) => algorithm = Some(value),
            Label::Int(LABEL_CRITICAL) => return Err(EnvelopeError::Critical),
            Label::Int(LABEL_KEY_ID) => key_id = Some(value),
            Label::Int(LABEL_TYPE) => media_type = Some(value),
            other => return Err(EnvelopeError::Header { label: format!("{other:?}") }),
        }
    }
    if algorithm != Some(Value::from(ALGORITHM)) {
        return Err(EnvelopeError::Algorithm);
    }
    if media_type.as_ref().and_then(Value::as_text) != Some(kind.media_type) {
        return Err(EnvelopeError::MediaType { expected: kind.media_type });
    }
    match key_id {
        Some(Value::Bytes(id)) => Ok(id),
        _ => Err(EnvelopeError::UnknownKey),
    }
}
