//! Whoever opens TLS on the way is named and never accepted.

use std::time::Duration;

use farpane_net::{Credential, PathKind, RelayPin, RelayUrl};
use farpane_netbed::{Bed, Config, Interception, Relay, Side};

use crate::session::Session;
use crate::support::{Carriers, Sharer, bare_urls, bed, refusals, refused, urls, wait_for};

/// For the best of what is left to be in use.
const BEST_LIMIT: Duration = Duration::from_secs(3);
const WRONG: [u8; 32] = [7; 32];

fn pinned(relay: &Relay, pins: &[[u8; 32]]) -> Vec<RelayUrl> {
    let who = Credential::new("user", "password");
    let urls = bare_urls(relay, Carriers::Tls, pins).into_iter();
    urls.map(|url| url.with_credential(who.clone())).collect()
}

/// Whether a text names what was shown and what was expected.
fn is_named(text: &str, subject: &str, shown: [u8; 32], expected: [u8; 32]) -> bool {
    println!("  {text}");
    let [shown, expected] = [shown, expected].map(|key| RelayPin(key).to_string());
    let words = ["TLS is inspected", "exempt this host", subject, &shown, &expected];
    words.iter().all(|words| text.contains(words))
}

#[test]
fn a_wrong_pin_is_an_inspection() {
    let (bed, relay) = bed(&Config::default());
    for text in refusals(&bed, pinned(&relay, &[WRONG])) {
        assert!(is_named(&text, relay.server_name(), relay.spki_sha256(), WRONG), "{text}");
    }
}

#[test]
fn the_second_of_two_pins_may_be_the_right_one() {
    let (bed, relay) = bed(&Config::default());
    let session = Session::begin(&bed, pinned(&relay, &[WRONG, relay.spki_sha256()]), None);
    assert_eq!(session.kinds(), [PathKind::RelayTls; 2]);
}

fn inspected(side: Side) -> (Bed, Relay, Interception) {
    let (bed, relay) = bed(&Config::default());
    let proxy = bed.intercept_tls(side, &relay).unwrap();
    (bed, relay, proxy)
}

const PROXY: &str = "Corporate Inspection CA";

#[test]
fn a_proxy_before_the_helper_is_named() {
    let (bed, relay, proxy) = inspected(Side::Helper);
    let sharer = Sharer::start(&bed, urls(&relay, Carriers::Tls));
    let text = refused(&bed, &sharer.invite(None));
    assert!(is_named(&text, PROXY, proxy.spki_sha256(), relay.spki_sha256()), "{text}");
    assert_eq!(sharer.failures(), "");
}

#[test]
fn a_proxy_before_the_sharer_is_named() {
    let (bed, relay, proxy) = inspected(Side::Sharer);
    let sharer = Sharer::start(&bed, urls(&relay, Carriers::Tls));
    let error = sharer.try_invite(None, |_| {}).err().unwrap();
    println!("  {error}");
    let text = sharer.failures();
    assert!(is_named(&text, PROXY, proxy.spki_sha256(), relay.spki_sha256()), "{text}");
}

/// The session goes by UDP, and nothing by TLS on the side that has the proxy.
fn udp_remains(side: Side) {
    let (bed, relay, _proxy) = inspected(side);
    let session = Session::begin(&bed, urls(&relay, Carriers::Both), None);
    let is_best = || session.kinds() == [PathKind::RelayUdp; 2];
    assert!(wait_for(BEST_LIMIT, is_best), "{}", session.told());
    let end = if side == Side::Helper { &session.near } else { &session.far };
    let relays = end.paths().iter().filter_map(|path| path.relay).collect::<Vec<_>>();
    assert!(relays.iter().all(|server| *server == relay.udp()), "{relays:?}");
    println!("  joined after {:?}", session.took);
    session.control_passes();
}

#[test]
fn with_a_proxy_before_the_helper_udp_remains() {
    udp_remains(Side::Helper);
}

#[test]
fn with_a_proxy_before_the_sharer_udp_remains() {
    udp_remains(Side::Sharer);
}

#[test]
fn proxies_before_both_let_nobody_in() {
    let (bed, relay, proxy) = inspected(Side::Sharer);
    let other = bed.intercept_tls(Side::Helper, &relay).unwrap();
    let [sharer, helper] = refusals(&bed, urls(&relay, Carriers::Tls));
    assert!(is_named(&helper, PROXY, other.spki_sha256(), relay.spki_sha256()), "{helper}");
    assert!(is_named(&sharer, PROXY, proxy.spki_sha256(), relay.spki_sha256()), "{sharer}");
}
