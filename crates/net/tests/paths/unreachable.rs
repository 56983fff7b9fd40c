//! Relays that are not there, or are something else.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use farpane_net::{Credential, RelayUrl};
use farpane_netbed::{Bed, Config};

use crate::support::refusals;

/// Within what both sides know that a relay is of no use: 5 s, and the machine's noise.
const LIMIT: Duration = Duration::from_secs(7);
/// Any pin.
const PIN: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// Both sides fail with these words, in time.
fn both_are_told(bed: &Bed, relay: &str, words: &[&str]) {
    let url: RelayUrl = relay.parse().unwrap();
    let who = Credential::new("user", "password");
    let start = Instant::now();
    let told = refusals(bed, vec![url.with_credential(who)]);
    println!("  both after {:?}", start.elapsed());
    assert!(start.elapsed() < LIMIT);
    for told in told {
        println!("  {told}");
        words.iter().for_each(|words| assert!(told.contains(words), "{words}: {told}"));
    }
}

#[test]
fn udp_that_nobody_listens_on_is_named() {
    let bed = Bed::build(&Config::default()).unwrap();
    let public = bed.public().address();
    let words = [&format!("allow outbound UDP to {public} port 3478")[..], "no answer within 5000"];
    both_are_told(&bed, &format!("turn:{public}:3478"), &words);
}

#[test]
fn tcp_that_nobody_listens_on_is_named() {
    let bed = Bed::build(&Config::default()).unwrap();
    let public = bed.public().address();
    let words = ["could not be reached", "refused"];
    both_are_told(&bed, &format!("turns:{public}?pin={PIN}"), &words);
}

#[test]
fn a_machine_that_is_not_there_is_named() {
    let bed = Bed::build(&Config::default()).unwrap();
    let words = ["no answer within 5000", "allow outbound TCP to 198.51.100.1 port 443"];
    both_are_told(&bed, &format!("turns:198.51.100.1?pin={PIN}"), &words);
}

#[test]
fn a_name_that_does_not_exist_is_named() {
    let bed = Bed::build(&Config::default()).unwrap();
    let words = ["the name relay.invalid could not be looked up", "check DNS"];
    both_are_told(&bed, "turn:relay.invalid", &words);
}

/// Who takes TCP at a relay's port and says `greeting`.
fn stranger(bed: &Bed, greeting: &'static [u8]) -> SocketAddr {
    let public = bed.public();
    let bind = || TcpListener::bind((public.address(), 443)).unwrap();
    let listener = public.inside(bind).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut client, _)) = listener.accept() {
            let _ = client.write_all(greeting);
            open.push(client);
        }
    });
    address
}

#[test]
fn a_port_that_speaks_no_tls_is_named() {
    let bed = Bed::build(&Config::default()).unwrap();
    let address = stranger(&bed, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    both_are_told(&bed, &format!("turns:{address}?pin={PIN}"), &["TLS failed"]);
}

#[test]
fn a_port_that_says_nothing_is_named() {
    let bed = Bed::build(&Config::default()).unwrap();
    let address = stranger(&bed, b"");
    let words = ["no answer within 5000"];
    both_are_told(&bed, &format!("turns:{address}?pin={PIN}"), &words);
}
