//! The invitation: what a sharer gives a helper, outside this program, so that they can meet.
//!
//! Text form: `farpane-invitation:` and base64url without padding, on one line; white space inside
//! it is ignored, because mail and chat programs break lines. The bytes are, in network order:
//! version (1), id (16), secret (32), the sharer's key (44), expiry in Unix seconds (8), number of
//! addresses (1), each address as length (1) and `host:port` text, number of relays (1), each relay
//! as length (2) and address with its credential, then length (1) and `ip:port` text of the
//! sharer's address there, and an HMAC-SHA256 (32) over all of it, keyed from the secret. That last
//! field finds damage, not forgery: who holds the text holds the secret, so the text must travel as
//! confidentially as a password.
//!
//! With a pairing code in place of a secret the version is 2, the secret is left out, and the last
//! field is a SHA-256. That text may travel openly; the code must not travel with it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use zeroize::{Zeroize, Zeroizing};

use crate::code::PairingCode;
use crate::identity::{PUBLIC_KEY_BYTES, PublicKey};
use crate::relay::{MAX_RELAY_URL_BYTES, RelayUrl};

/// Longest text accepted as an invitation. The longest that is written has 6,925 characters.
pub const MAX_INVITATION_BYTES: usize = 8192;
/// Most relays in one invitation: two, over UDP and over TLS.
pub const MAX_RELAYS: usize = 4;
/// Most addresses in one invitation: several interfaces, two families, a few mappings.
pub const MAX_ADDRESSES: usize = 8;
/// Longest `host:port`: a DNS name has at most 253 characters, and a one-byte length holds 255.
const MAX_ADDRESS_BYTES: usize = 255;

const PREFIX: &str = "farpane-invitation:";
const VERSION: u8 = 1;
/// Of an invitation with a pairing code.
const CODE_VERSION: u8 = 2;
const ID_BYTES: usize = 16;
pub(crate) const SECRET_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// Names one invitation of one sharer. Public: it authorises nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvitationId(pub(crate) [u8; ID_BYTES]);

impl InvitationId {
    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

impl fmt::Debug for InvitationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvitationId({self})")
    }
}

impl fmt::Display for InvitationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The one-time secret; wiped on drop, absent from every debug output.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) Zeroizing<[u8; SECRET_BYTES]>);

impl Secret {
    /// A key for one purpose, so that no proof can stand in for another.
    pub(crate) fn key(&self, purpose: &str) -> hmac::Key {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &self.0[..]);
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose.as_bytes()).as_ref())
    }
}

/// What lets a helper in.
#[derive(Clone)]
pub(crate) enum Access {
    /// What is in the text itself.
    Secret(Secret),
    /// What a person tells; absent until the helper has been told.
    Code(Option<PairingCode>),
}

/// A relay by which the sharer can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitedRelay {
    /// The relay, and who the helper is there.
    pub url: RelayUrl,
    /// The sharer's address there, if it has one.
    pub address: Option<SocketAddr>,
}

/// Where the sharer can be reached, which key it has, and a secret that lets one helper in, or that
/// a pairing code does.
#[derive(Clone)]
pub struct Invitation {
    pub(crate) id: InvitationId,
    pub(crate) access: Access,
    pub(crate) sharer: PublicKey,
    pub(crate) expires_unix_s: u64,
    pub(crate) addresses: Vec<String>,
    pub(crate) relays: Vec<InvitedRelay>,
}

/// What is wrong with an invitation, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// The text is no invitation, or is cut off.
    #[error("not an invitation: {expected} expected at byte {at}; copy the whole invitation again")]
    Malformed {
        /// Byte where the reading stopped: of the text for its form, else of the decoded bytes.
        at: usize,
        /// What should have been there.
        expected: &'static str,
    },
    /// The text is longer than any invitation.
    #[error(
        "{bytes} bytes are too long for an invitation (at most {MAX_INVITATION_BYTES}); \
             pass the file that `farpane share --invite` wrote"
    )]
    TooLong {
        /// Length found, in bytes; when read from a file, at least this many.
        bytes: usize,
    },
    /// A newer program wrote it.
    #[error(
        "invitation version {found} is not supported (this program reads {VERSION} and \
             {CODE_VERSION}); update this program"
    )]
    UnsupportedVersion {
        /// The version found.
        found: u8,
    },
    /// A byte has changed since the sharer wrote it.
    #[error("the invitation has been changed or damaged on the way; ask for a new one")]
    Tampered,
    /// Its time is over.
    #[error("the invitation expired {ago_s} s ago; ask for a new one")]
    Expired {
        /// Seconds since the expiry.
        ago_s: u64,
    },
    /// An address is not `host:port`.
    #[error("{address:?} is not host:port; write for example 192.0.2.1:3478 or [2001:db8::1]:3478")]
    Address {
        /// The text found.
        address: String,
    },
    /// There are no addresses, or too many addresses or relays.
    #[error(
        "{count} addresses given; an invitation carries 1 to {MAX_ADDRESSES}, \
             and at most {MAX_RELAYS} relays"
    )]
    AddressCount {
        /// How many were given.
        count: usize,
    },
    /// It is of use only with a pairing code.
    #[error("this invitation needs the pairing code that the sharer's program shows; ask for it")]
    NoCode,
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Invitation {
    /// The invitation's public name.
    pub fn id(&self) -> InvitationId {
        self.id
    }

    /// The sharer's key, which the helper pins.
    pub fn sharer_key(&self) -> PublicKey {
        self.sharer
    }

    /// Where to try, in the sharer's order of preference, each as `host:port`.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// By which relays to try, in the sharer's order of preference.
    pub fn relays(&self) -> &[InvitedRelay] {
        &self.relays
    }

    /// Whether it is of use only with a pairing code that it was not given yet.
    pub fn needs_code(&self) -> bool {
        matches!(self.access, Access::Code(None))
    }

    /// The same invitation with the code that the sharer's person told. An invitation with a secret
    /// of its own stays as it is.
    pub fn with_code(mut self, code: PairingCode) -> Self {
        if let Access::Code(known) = &mut self.access {
            *known = Some(code);
        }
        self
    }

    /// When it stops letting anyone in, in seconds since 1970-01-01 UTC.
    pub fn expires_unix_s(&self) -> u64 {
        self.expires_unix_s
    }

    /// An error if the invitation's time is over at `now_unix_s`. The sharer decides in the end,
    /// by its own monotonic clock; this check saves the helper the way there.
    pub fn check_expiry(&self, now_unix_s: u64) -> Result<(), InvitationError> {
        if now_unix_s < self.expires_unix_s {
            return Ok(());
        }
        Err(InvitationError::Expired { ago_s: now_unix_s - self.expires_unix_s })
    }

    /// Reads the text form and checks its integrity, not its expiry.
    ///
    /// Never allocates more than the input's own size.
    pub fn parse(text: &[u8]) -> Result<Self, InvitationError> {
        if text.len() > MAX_INVITATION_BYTES {
            return Err(InvitationError::TooLong { bytes: text.len() });
        }
        let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
        packed.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let Some(encoded) = packed.strip_prefix(PREFIX.as_bytes()) else {
            return Err(InvitationError::Malformed { at: 0, expected: PREFIX });
        };
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map(Zeroizing::new).map_err(|error| {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) => at,
                _ => encoded.len(),
            };
            InvitationError::Malformed { at: PREFIX.len() + at, expected: "base64url text" }
        })?;
        decode(&bytes)
    }

    /// The text form, one line without a line break. Secret: see the module's first lines. A
    /// pairing code is not in it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut body = self.body();
        match &self.access {
            Access::Secret(secret) => {
                let tag = hmac::sign(&secret.key(TAG_PURPOSE), &body);
                body.extend_from_slice(tag.as_ref());
            }
            Access::Code(_) => {
                let tag = digest::digest(&digest::SHA256, &body);
                body.extend_from_slice(tag.as_ref());
            }
        }
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(&body[..]));
        Zeroizing::new(format!("{PREFIX}{}", encoded.as_str()))
    }

    /// Reads and checks the invitation in a file, its expiry not included.
    pub fn load(path: &Path) -> Result<Self, InvitationError> {
        let error = |source| InvitationError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(error)?;
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_INVITATION_BYTES + 1));
        file.take(MAX_INVITATION_BYTES as u64 + 1).read_to_end(&mut text).map_err(error)?;
        Self::parse(&text)
    }

    /// Writes the text form to a file that only its owner may read (mode 0600), replacing it in
    /// one step: a reader finds the old content or the new, never a part.
    pub fn save(&self, path: &Path) -> Result<(), InvitationError> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".{}.tmp", self.id));
        let unfinished = PathBuf::from(unfinished);
        let written = write_private(&unfinished, self.to_text().as_bytes())
            .and_then(|()| fs::rename(&unfinished, path));
        written.map_err(|source| {
            let _ = fs::remove_file(&unfinished);
            InvitationError::File { path: path.to_owned(), source }
        })
    }

    fn body(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(MAX_INVITATION_BYTES));
        match &self.access {
            Access::Secret(secret) => {
                body.push(VERSION);
                body.extend_from_slice(&self.id.0);
                body.extend_from_slice(&secret.0[..]);
            }
            Access::Code(_) => {
                body.push(CODE_VERSION);
                body.extend_from_slice(&self.id.0);
            }
        }
        body.extend_from_slice(self.sharer.as_spki());
        body.extend_from_slice(&self.expires_unix_s.to_be_bytes());
        // Both counts fit a byte: `check_addresses` bounds them before an invitation exists.
        body.push(self.addresses.len() as u8);
        for address in &self.addresses {
            body.push(address.len() as u8);
            body.extend_from_slice(address.as_bytes());
        }
        body.push(self.relays.len() as u8);
        for InvitedRelay { url, address } in &self.relays {
            let url = url.to_secret_text();
            body.extend_from_slice(&(url.len() as u16).to_be_bytes());
            body.extend_from_slice(url.as_bytes());
            let address = address.map_or(String::new(), |address| address.to_string());
            body.push(address.len() as u8);
            body.extend_from_slice(address.as_bytes());
        }
        body
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    fn from_str(text: &str) -> Result<Self, InvitationError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("id", &self.id)
            .field("sharer", &self.sharer)
            .field("expires_unix_s", &self.expires_unix_s)
            .field("addresses", &self.addresses)
            .field("relays", &self.relays)
            .finish_non_exhaustive()
    }
}

/// Every address must be `host:port`, there must be a way, and not too many.
pub(crate) fn check_ways(
    addresses: &[String],
    relays: &[InvitedRelay],
) -> Result<(), InvitationError> {
    let count = addresses.len();
    let by_relay = relays.iter().any(|relay| relay.address.is_some());
    let is_none = count == 0 && !by_relay;
    if is_none || count > MAX_ADDRESSES || relays.len() > MAX_RELAYS {
        return Err(InvitationError::AddressCount { count });
    }
    match addresses.iter().find(|address| split_address(address).is_none()) {
        Some(address) => Err(InvitationError::Address { address: address.clone() }),
        None => Ok(()),
    }
}

/// Host and port of `host:port`, the brackets of an IPv6 address taken off.
pub(crate) fn split_address(address: &str) -> Option<(&str, u16)> {
    if address.len() > MAX_ADDRESS_BYTES {
        return None;
    }
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok().filter(|&port| port != 0)?;
    if let Some(inside) = host.strip_prefix('[') {
        let inside = inside.strip_suffix(']')?;
        return inside.parse::<std::net::Ipv6Addr>().is_ok().then_some((inside, port));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    (!host.is_empty() && host.bytes().all(is_name)).then_some((host, port))
}

const TAG_PURPOSE: &str = "farpane invitation integrity";

fn decode(bytes: &[u8]) -> Result<Invitation, InvitationError> {
    let mut reader = Reader { bytes, at: 0 };
    let [version] = reader.array("a version")?;
    if ![VERSION, CODE_VERSION].contains(&version) {
        return Err(InvitationError::UnsupportedVersion { found: version });
    }
    let id = InvitationId(reader.array("an id")?);
    let access = match version {
        VERSION => {
            let mut secret: [u8; SECRET_BYTES] = reader.array("a secret")?;
            let kept = Secret(Zeroizing::new(secret));
            secret.zeroize();
            Access::Secret(kept)
        }
        _ => Access::Code(None),
    };
    let key_at = reader.at;
    let key: [u8; PUBLIC_KEY_BYTES] = reader.array("the sharer's key")?;
    let expires_unix_s = u64::from_be_bytes(reader.array("an expiry")?);
    let [count] = reader.array("a number of addresses")?;
    let count_at = reader.at - 1;
    if usize::from(count) > MAX_ADDRESSES {
        return Err(InvitationError::Malformed { at: count_at, expected: "at most 8 addresses" });
    }
    let mut addresses = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let [length] = reader.array("an address length")?;
        let text_at = reader.at;
        let text = reader.take(usize::from(length), "an address")?;
        let address = std::str::from_utf8(text).ok().filter(|text| split_address(text).is_some());
        let expected = "an address as host:port";
        let malformed = InvitationError::Malformed { at: text_at, expected };
        addresses.push(address.ok_or(malformed)?.to_owned());
    }
    let relays = read_relays(&mut reader)?;
    if check_ways(&addresses, &relays).is_err() {
        return Err(InvitationError::Malformed { at: count_at, expected: "an address" });
    }
    let body = &bytes[..reader.at];
    let tag: [u8; TAG_BYTES] = reader.array("an integrity check")?;
    if reader.at != bytes.len() {
        return Err(InvitationError::Malformed { at: reader.at, expected: "the end" });
    }
    let is_whole = match &access {
        Access::Secret(secret) => hmac::verify(&secret.key(TAG_PURPOSE), body, &tag).is_ok(),
        Access::Code(_) => digest::digest(&digest::SHA256, body).as_ref() == tag,
    };
    if !is_whole {
        return Err(InvitationError::Tampered);
    }
    let sharer = PublicKey::from_spki(&key)
        .ok_or(InvitationError::Malformed { at: key_at, expected: "an Ed25519 key" })?;
    Ok(Invitation { id, access, sharer, expires_unix_s, addresses, relays })
}

fn read_relays(reader: &mut Reader<'_>) -> Result<Vec<InvitedRelay>, InvitationError> {
    let at = reader.at;
    let [count] = reader.array("a number of relays")?;
    let count = usize::from(count);
    if count > MAX_RELAYS {
        return Err(InvitationError::Malformed { at, expected: "at most 4 relays" });
    }
    let mut relays = Vec::with_capacity(count);
    for _ in 0..count {
        let length = usize::from(u16::from_be_bytes(reader.array("a relay's length")?));
        let at = reader.at;
        let malformed = |expected| move || InvitationError::Malformed { at, expected };
        if length > MAX_RELAY_URL_BYTES {
            return Err(malformed("a shorter relay")());
        }
        let url = std::str::from_utf8(reader.take(length, "a relay")?).ok();
        let url = url.and_then(|url| url.parse().ok()).ok_or_else(malformed("a relay"))?;
        let [length] = reader.array("an address at a relay")?;
        let address = match reader.take(usize::from(length), "an address at a relay")? {
            [] => None,
            text => {
                let address = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                Some(address.ok_or_else(malformed("an address at a relay"))?)
            }
        };
        relays.push(InvitedRelay { url, address });
    }
    Ok(relays)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, expected: &'static str) -> Result<&'a [u8], InvitationError> {
        let malformed = InvitationError::Malformed { at: self.at, expected };
        let taken = self.bytes[self.at..].get(..count).ok_or(malformed)?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(
        &mut self,
        expected: &'static str,
    ) -> Result<[u8; N], InvitationError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, expected)?);
        Ok(array)
    }
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
