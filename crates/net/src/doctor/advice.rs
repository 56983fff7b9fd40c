//! What to allow or to change, and where, for each reason that a relay is of no use.

use std::net::IpAddr;

use super::mtu::NEEDED_BYTES;
use crate::relay::{RelayError, RelayPin, RelayTransport, RelayUrl, TurnRefusal};

/// What to do about an error.
pub(super) fn for_error(error: &RelayError, url: &RelayUrl) -> String {
    let place = place(url);
    match error {
        RelayError::Lookup { .. } => lookup(url.host()),
        RelayError::Connect(_) | RelayError::NoAnswer { .. } => let_out(url, &url.ports()),
        RelayError::Tls(_) => format!(
            "let TLS to {place} pass unchanged, and let the relay offer TLS 1.2 or 1.3 with a \
             valid certificate file"
        ),
        RelayError::Inspected { presented, expected } => format!(
            "exempt {place} from TLS inspection: the certificate shown is of {} signed by {} with \
             key {}, expected {}. If the relay's own key was changed, get its new pin",
            presented.subject,
            presented.issuer,
            presented.pin,
            pins(expected),
        ),
        RelayError::Refused(refusal) => for_refusal(*refusal, url),
        RelayError::Ended(_) => format!(
            "look at the log of the relay at {place}, and let the firewall keep connections to it"
        ),
    }
}

/// What to do about a name.
pub(super) fn lookup(host: &str) -> String {
    format!(
        "let this machine look up {host}: check the name, and that its DNS servers answer for it \
         (`getent hosts {host}`)"
    )
}

/// What a firewall has to let out so that the relay is reached at these ports.
pub(super) fn let_out(url: &RelayUrl, ports: &[u16]) -> String {
    let protocol = match url.transport() {
        RelayTransport::Udp => "UDP",
        RelayTransport::Tls => "TCP",
    };
    format!(
        "let outbound {protocol} to {} port {} through the firewall, and answers back; if it does, \
         check that the relay runs and listens there",
        url.host(),
        ranges(ports),
    )
}

/// What to do where small packets pass and large ones do not.
pub(super) fn widen(url: &RelayUrl) -> String {
    let host = url.host();
    match url.transport() {
        RelayTransport::Udp => format!(
            "raise the MTU on the way to {host}, both ways: a session needs {NEEDED_BYTES} bytes \
             of UDP payload"
        ),
        RelayTransport::Tls => format!(
            "let routers on the way to {host} clamp the MSS of TCP to their MTU, or let ICMP \
             (fragmentation needed, packet too big) pass both ways: large segments are lost"
        ),
    }
}

/// What a relay has to forward to.
pub(super) fn allow_own_address(url: &RelayUrl, ip: IpAddr) -> String {
    format!(
        "the relay {} forwards to no peers at its own address, which sessions need: allow {ip} \
         beside the denied ranges (coturn: allowed-peer-ip={ip} next to denied-peer-ip)",
        url.host()
    )
}

/// Host and port for people.
pub(super) fn place(url: &RelayUrl) -> String {
    let host =
        if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().into() };
    format!("{host}:{}", ranges(&url.ports()))
}

fn for_refusal(refusal: TurnRefusal, url: &RelayUrl) -> String {
    let host = url.host();
    match refusal {
        TurnRefusal::Credential => {
            "check user name and password: a time-limited credential has to \
             be made with the relay's present secret, and percent signs, colons and slashes in \
             addresses are percent-encoded"
                .to_owned()
        }
        TurnRefusal::CredentialEnded { ago_s } => format!(
            "get a new credential: this one ended {ago_s} s ago; if it is new, set the clocks of \
             this machine, of the relay, and of who gives out credentials"
        ),
        TurnRefusal::NoCredential => {
            "give a user name and a password: turn:USER:PASSWORD@HOST".to_owned()
        }
        TurnRefusal::Quota => format!(
            "raise the user's quota at {host} (coturn: user-quota, total-quota), or end this \
             user's other sessions: each side of a session holds one allocation over UDP and one \
             over TLS"
        ),
        TurnRefusal::Capacity => format!(
            "give the relay {host} more ports (coturn: min-port, max-port) or a higher \
             total-quota, or use another relay"
        ),
        TurnRefusal::Family => {
            format!("give the relay {host} an address of this family (coturn: relay-ip)")
        }
        TurnRefusal::Forbidden => {
            format!("let the relay {host} serve this machine (its log says why it does not)")
        }
        TurnRefusal::Silent => let_out(url, &url.ports()),
        TurnRefusal::Other(code) => {
            format!("look for error {code} in the log of the relay {host}")
        }
    }
}

fn pins(pins: &[RelayPin]) -> String {
    pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// Ports in order, neighbours joined: `443, 3478-3481`.
fn ranges(ports: &[u16]) -> String {
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    let runs = ports.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    let texts = runs.map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        _ => run[0].to_string(),
    });
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_as_ranges() {
        for (ports, text) in [
            (&[3478][..], "3478"),
            (&[3479, 3478], "3478-3479"),
            (&[3481, 443, 3478, 3479, 3480], "443, 3478-3481"),
            (&[3478, 3480], "3478, 3480"),
        ] {
            assert_eq!(ranges(ports), text);
        }
    }

    #[test]
    fn firewalls_are_told_host_protocol_and_ports() {
        let url: RelayUrl = "turn:u:secret@relay.example".parse().unwrap();
        let advice = let_out(&url, &url.ports());
        assert!(advice.contains("outbound UDP to relay.example port 3478-3481"), "{advice}");
        assert!(!advice.contains("secret"));
        assert!(widen(&url).contains("raise the MTU on the way to relay.example"));
        let tls = format!("turns:relay.example?pin={}", RelayPin([7; 32])).parse().unwrap();
        assert!(widen(&tls).contains("clamp the MSS"));
        let url: RelayUrl = "turn:[2001:db8::1]:53".parse().unwrap();
        assert_eq!(place(&url), "[2001:db8::1]:53");
    }
}
