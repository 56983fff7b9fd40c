//! Where a relay is and who may use it: `turn:` and `turns:` addresses (RFC 7065), with the
//! credential and the pins that a session needs beside them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use zeroize::Zeroizing;

/// Longest relay address accepted, in bytes: a DNS name, a credential, two pins.
pub const MAX_RELAY_URL_BYTES: usize = 700;
/// Most keys that one relay may be pinned to: the present one and the next.
const MAX_PINS: usize = 2;
/// TURN's ports that a network which knows remote assistance lets out.
pub(crate) const UDP_PORTS: [u16; 4] = [3478, 3479, 3480, 3481];
/// Port of a `turns:` address without one. RFC 7065 says 5349, which firewalls do not let out.
const TLS_PORT: u16 = 443;
const PIN_BYTES: usize = 32;
/// Longest user name and password, as RFC 8489 (sections 14.3, 9.2) bounds them.
const MAX_CREDENTIAL_BYTES: usize = 512;

/// How a relay is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelayTransport {
    /// TURN over UDP, `turn:`.
    Udp,
    /// TURN over TLS over TCP, `turns:`.
    Tls,
}

impl fmt::Display for RelayTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tls => "TLS",
        })
    }
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo (as in RFC 7469, section 2.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub [u8; PIN_BYTES]);

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// Who may use a relay: a long-term credential of TURN (RFC 8489, section 9.2). The password is
/// wiped on drop and absent from every debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub(crate) username: String,
    pub(crate) password: Zeroizing<String>,
}

impl Credential {
    /// A user name and its password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: Zeroizing::new(password.into()) }
    }

    /// A credential that ends at `expires_unix_s`, for relays that share `secret` with whoever
    /// gives out credentials (coturn's `use-auth-secret`). The secret belongs on that server, not
    /// in an app: who has it can make any credential.
    pub fn time_limited(secret: &[u8], expires_unix_s: u64, name: &str) -> Self {
        let username = format!("{expires_unix_s}:{name}");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
        let password = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Self::new(username, password)
    }

    /// The user's name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// When a time-limited credential ends, in seconds since 1970-01-01 UTC.
    pub fn expires_unix_s(&self) -> Option<u64> {
        self.username.split_once(':')?.0.parse().ok()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.username)
    }
}

/// A relay's address: `turn:[USER:PASSWORD@]HOST[:PORT]` over UDP, or
/// `turns:[USER:PASSWORD@]HOST[:PORT]?pin=PIN[,PIN]` over TLS.
///
/// User name and password are percent-encoded; the last colon before the `@` parts them. A host is
/// a DNS name, an IPv4 address, or an IPv6 address in brackets. Over UDP without a port all of
/// 3478 to 3481 are tried; over TLS it is 443. A pin is the SHA-256 of the SubjectPublicKeyInfo of
/// the relay's certificate, in base64url without padding: nothing else makes a TLS relay trusted.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayUrl {
    transport: RelayTransport,
    host: String,
    port: Option<u16>,
    credential: Option<Credential>,
    pins: Vec<Pin>,
}

/// What is wrong with a relay's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; write turn:USER:PASSWORD@HOST or turns:USER:PASSWORD@HOST?pin=PIN")]
pub struct RelayUrlError {
    what: String,
}

impl RelayUrl {
    /// How it is reached.
    pub fn transport(&self) -> RelayTransport {
        self.transport
    }

    /// The DNS name or the address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The ports to try, best first.
    pub fn ports(&self) -> Vec<u16> {
        match (self.port, self.transport) {
            (Some(port), _) => vec![port],
            (None, RelayTransport::Udp) => UDP_PORTS.to_vec(),
            (None, RelayTransport::Tls) => vec![TLS_PORT],
        }
    }

    /// Who asks.
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// The same relay for somebody else.
    pub fn with_credential(self, credential: Credential) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// The keys that a TLS relay may have.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// The whole address with its password, which [`FromStr`] reads again.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let credential = self.credential.as_ref().map(|credential| {
            Zeroizing::new(format!(
                "{}:{}@",
                percent_encode(&credential.username),
                *Zeroizing::new(percent_encode(&credential.password)),
            ))
        });
        Zeroizing::new(self.text(credential.as_ref().map_or("", |text| text)))
    }

    fn text(&self, credential: &str) -> String {
        let scheme = match self.transport {
            RelayTransport::Udp => "turn",
            RelayTransport::Tls => "turns",
        };
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => self.host.clone(),
        };
        let port = self.port.map_or(String::new(), |port| format!(":{port}"));
        let pins: Vec<_> = self.pins.iter().map(ToString::to_string).collect();
        let pins = if pins.is_empty() { String::new() } else { format!("?pin={}", pins.join(",")) };
        format!("{scheme}:{credential}{host}{port}{pins}")
    }
}

/// Without the password.
impl fmt::Display for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(""))
    }
}

impl fmt::Debug for RelayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelayUrl({self})")
    }
}

impl FromStr for RelayUrl {
    type Err = RelayUrlError;

    fn from_str(text: &str) -> Result<Self, RelayUrlError> {
        let error = |what: String| RelayUrlError { what };
        if text.len() > MAX_RELAY_URL_BYTES {
            let bytes = text.len();
            return Err(error(format!("{bytes} bytes exceed {MAX_RELAY_URL_BYTES}")));
        }
        // What goes wrong is told without the credential.
        let (scheme, rest) =
            text.split_once(':').ok_or_else(|| error("a relay needs turn: or turns:".into()))?;
        let transport = match scheme {
            "turn" => RelayTransport::Udp,
            "turns" => RelayTransport::Tls,
            _ => return Err(error(format!("{scheme:?} is neither turn nor turns"))),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, query),
            None => (rest, ""),
        };
        let (credential, place) = match rest.rsplit_once('@') {
            Some((credential, place)) => (Some(read_credential(credential)?), place),
            None => (None, rest),
        };
        let (host, port) = read_place(place)
            .ok_or_else(|| error(format!("{place:?} is neither HOST nor HOST:PORT")))?;
        let pins = read_query(query, transport)?;
        if transport == RelayTransport::Tls && pins.is_empty() {
            return Err(error(
                "a turns: relay needs ?pin=, the SHA-256 of its certificate's key".into(),
            ));
        }
        let url = Self { transport, host, port, credential, pins };
        // It must fit once it is percent-encoded, too.
        match url.to_secret_text().len() {
            0..=MAX_RELAY_URL_BYTES => Ok(url),
            bytes => Err(error(format!("{bytes} bytes exceed {MAX_RELAY_URL_BYTES}"))),
        }
    }
}

fn read_credential(text: &str) -> Result<Credential, RelayUrlError> {
    let error = |what: &str| RelayUrlError { what: what.to_owned() };
    let (username, password) =
        text.rsplit_once(':').ok_or_else(|| error("there is no USER:PASSWORD before the @"))?;
    let decode = |text| percent_decode(text).ok_or_else(|| error("a percent sign encodes nothing"));
    let (username, password) = (decode(username)?, Zeroizing::new(decode(password)?));
    let fits = |text: &str| (1..=MAX_CREDENTIAL_BYTES).contains(&text.len());
    if !fits(&username) || !fits(&password) {
        return Err(error("a user name or password is empty or too long"));
    }
    Ok(Credential { username, password })
}

fn read_place(place: &str) -> Option<(String, Option<u16>)> {
    let port = |text: &str| text.parse().ok().filter(|port| *port != 0);
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let address: Ipv6Addr = host.parse().ok()?;
        return match rest.strip_prefix(':') {
            Some(text) => Some((address.to_string(), Some(port(text)?))),
            None => rest.is_empty().then(|| (address.to_string(), None)),
        };
    }
    let (host, port) = match place.split_once(':') {
        Some((host, text)) => (host, Some(port(text)?)),
        None => (place, None),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let is_host = (1..=253).contains(&host.len()) && host.bytes().all(is_name);
    is_host.then(|| (host.to_owned(), port))
}

fn read_query(query: &str, transport: RelayTransport) -> Result<Vec<Pin>, RelayUrlError> {
    let error = |what: String| Err(RelayUrlError { what });
    let mut pins = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (name, value, transport) {
            ("transport", "udp", RelayTransport::Udp) => {}
            ("transport", "tcp", RelayTransport::Tls) => {}
            ("transport", ..) => {
                return error(format!("transport={value} is not what this scheme goes by"));
            }
            ("pin", _, RelayTransport::Tls) => {
                for text in value.split(',') {
                    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
                    match bytes.and_then(|bytes| bytes.try_into().ok()) {
                        Some(bytes) => pins.push(Pin(bytes)),
                        None => return error(format!("{text:?} is not 32 bytes in base64url")),
                    }
                }
            }
            _ => return error(format!("{name:?} is not known here")),
        }
    }
    match pins.len() {
        0..=MAX_PINS => Ok(pins),
        count => error(format!("{count} pins are more than {MAX_PINS}")),
    }
}

fn percent_encode(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().fold(String::new(), |mut out, byte| {
        match is_plain(byte) {
            true => out.push(byte as char),
            false => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || (bytes.next()? as char).to_digit(16);
        out.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(out).ok()
}

/// The address that `host` is, when it is no name.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> String {
        Pin([7; PIN_BYTES]).to_string()
    }

    #[test]
    fn addresses_come_back_whole_and_are_shown_without_the_password() {
        let tls = format!("turns:1700000000%3Ah%C3%A9:p%2Fw%3A%40@relay.example:443?pin={}", pin());
        for (text, shown) in [
            ("turn:relay.example", "turn:relay.example"),
            ("turn:u:secret@192.0.2.1:3479", "turn:192.0.2.1:3479"),
            ("turn:u:secret@[2001:db8::1]:3478", "turn:[2001:db8::1]:3478"),
            (tls.as_str(), &format!("turns:relay.example:443?pin={}", pin())),
        ] {
            let url: RelayUrl = text.parse().unwrap();
            assert_eq!(*url.to_secret_text(), text);
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?} {:?}", url.credential()).contains("secret"));
        }
        let url: RelayUrl = tls.parse().unwrap();
        let credential = url.credential().unwrap();
        assert_eq!((credential.username(), &**credential.password), ("1700000000:hé", "p/w:@"));
        assert_eq!(credential.expires_unix_s(), Some(1_700_000_000));
    }

    #[test]
    fn without_a_port_the_schemes_own_are_tried() {
        let ports = |text: &str| text.parse::<RelayUrl>().unwrap().ports();
        assert_eq!(ports("turn:a"), UDP_PORTS);
        assert_eq!(ports("turn:a:53?transport=udp"), [53]);
        assert_eq!(ports(&format!("turns:a?pin={}", pin())), [443]);
    }

    #[test]
    fn what_is_no_relay_is_refused_without_telling_the_password() {
        let long = format!("turn:{}", "a".repeat(MAX_RELAY_URL_BYTES));
        let three = format!("turns:a?pin={0},{0},{0}", pin());
        for text in [
            "",
            "relay.example",
            "http:a",
            "turn:",
            "turn:a:0",
            "turn:a:x",
            "turn:a:70000",
            "turn:a b",
            "turn:[::1",
            "turn:[::1]x",
            "turn:[1.2.3.4]",
            "turn:secret@a",
            "turn::secret@a",
            "turn:u:@a",
            "turn:u:secret%@a",
            "turn:u:secret%zz@a",
            "turn:u:secret%ff@a",
            "turns:a",
            "turns:u:secret@a",
            "turns:a?pin=abc",
            "turn:a?transport=tcp",
            "turn:a?pin=AAAA",
            "turn:a?x=y",
            "turns:a?transport=udp",
            &long,
            &three,
        ] {
            let error = text.parse::<RelayUrl>().expect_err(text).to_string();
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn time_limited_credentials_are_what_coturn_computes() {
        // printf %s 1700000000:helper | openssl dgst -sha1 -hmac north -binary | base64
        let credential = Credential::time_limited(b"north", 1_700_000_000, "helper");
        assert_eq!(credential.username(), "1700000000:helper");
        assert_eq!(&**credential.password, EXPECTED);
    }

    const EXPECTED: &str = "xzLRoWUyyOGLeXsuXuPJ31fidfY=";
}
