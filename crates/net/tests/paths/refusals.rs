//! Relays that answer and refuse: both sides are told why.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use farpane_net::{Credential, RelayUrl};
use farpane_netbed::{Bed, Config, Relay, RelayConfig};

use crate::support::{Carriers, Helper, Sharer, bare_urls, bed, refusals, refused, urls, urls_for};

const SECRET: &str = "north";

fn bed_with(config: &RelayConfig) -> (Bed, Relay) {
    let bed = Bed::build(&Config::default()).unwrap();
    let relay = bed.relay(config).unwrap();
    (bed, relay)
}

/// Neither side gets an address, and both are told the same.
fn both_are_told(bed: &Bed, relays: Vec<RelayUrl>, words: &[&str]) {
    let count = relays.len();
    for told in refusals(bed, relays) {
        println!("  {told}");
        for words in words {
            assert_eq!(told.matches(words).count(), count, "{words}: {told}");
        }
    }
}

#[test]
fn a_wrong_password_is_named() {
    let (bed, relay) = bed(&Config::default());
    let who = Credential::new("user", "passwort");
    let words = ["it does not accept this user name and password"];
    both_are_told(&bed, urls_for(&relay, Carriers::Both, &who), &words);
}

#[test]
fn an_unknown_user_is_named() {
    let (bed, relay) = bed(&Config::default());
    let who = Credential::new("nobody", "password");
    let words = ["it does not accept this user name and password"];
    both_are_told(&bed, urls_for(&relay, Carriers::Both, &who), &words);
}

#[test]
fn a_relay_that_wants_a_credential_says_so() {
    let (bed, relay) = bed(&Config::default());
    let words = ["it wants a user name and a password", "turn:USER:PASSWORD@HOST"];
    let pin = [relay.spki_sha256()];
    both_are_told(&bed, bare_urls(&relay, Carriers::Both, &pin), &words);
}

#[test]
fn a_credential_that_has_ended_is_named() {
    let (bed, relay) = bed_with(&RelayConfig::with_secret(SECRET));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let who = Credential::time_limited(SECRET.as_bytes(), now - 90, "user");
    let words = ["the credential ended 9", "s ago; get a new one"];
    both_are_told(&bed, urls_for(&relay, Carriers::Both, &who), &words);
}

#[test]
fn a_credential_from_a_secret_is_taken_until_it_ends() {
    let (bed, relay) = bed_with(&RelayConfig::with_secret(SECRET));
    let sharer = Sharer::start(&bed, urls(&relay, Carriers::Both));
    let helper = Helper::join(&bed, &sharer.invite(None)).unwrap();
    assert_eq!(sharer.failures(), "");
    assert!(helper.took < Duration::from_secs(1), "{:?}", helper.took);
}

/// The sharer has the relay's last address.
fn helper_is_told(config: &RelayConfig, carriers: Carriers, words: &[&str]) {
    let (bed, relay) = bed_with(config);
    let sharer = Sharer::start(&bed, urls(&relay, carriers));
    let helper = refused(&bed, &sharer.invite(None));
    println!("  {helper}");
    assert_eq!(sharer.failures(), "");
    words.iter().for_each(|words| assert!(helper.contains(words), "{words}: {helper}"));
}

#[test]
fn a_quota_that_is_used_up_is_named() {
    let config = RelayConfig { user_quota: Some(1), ..RelayConfig::default() };
    helper_is_told(&config, Carriers::Udp, &["turn:203.0.113.10:3478", "(486)", "raise its quota"]);
}

#[test]
fn a_relay_without_capacity_is_named() {
    // Its one port is the sharer's.
    let arguments = ["--min-port=50000", "--max-port=50000"].map(String::from).to_vec();
    let config = RelayConfig { arguments, ..RelayConfig::default() };
    helper_is_told(&config, Carriers::Udp, &["no capacity left (508)", "another relay"]);
}

#[test]
fn a_relay_that_denies_its_own_range_is_named() {
    let denied_peers = vec!["203.0.113.0-203.0.113.255".to_owned()];
    let config = RelayConfig { denied_peers, ..RelayConfig::default() };
    let words = ["does not forward to 203.0.113.10", "denied-peer-ip"];
    helper_is_told(&config, Carriers::Udp, &words);
    helper_is_told(&config, Carriers::Tls, &words);
}
