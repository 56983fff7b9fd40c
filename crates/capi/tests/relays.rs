//! Sharers that name relays, as C programs do; a real relay between networks that do not meet.

mod common;

use common::*;
use farpane_capi::abi::*;
use farpane_capi::*;
use farpane_netbed::{Bed, Config, RelayConfig, Side};

fn with_relays(role: u32, relays: &str) -> farpane_session_config {
    let (relays, relays_len) = (relays.as_ptr().cast(), relays.len());
    farpane_session_config { relays, relays_len, ..config(role) }
}

#[test]
fn a_relay_is_enough_and_another_path_is_told() {
    let bed = Bed::build(&Config::default()).unwrap();
    let relay = bed.relay(&RelayConfig::default()).unwrap();
    let login = relay.login(std::time::Duration::from_secs(60)).unwrap();
    let (who, pin) = (format!("{}:{}", login.user, login.password), relay.spki_sha256());
    let pin = farpane::net::RelayPin(pin);
    let relays = format!("turn:{who}@{}\n\nturns:{who}@{}?pin={pin}\n", relay.udp(), relay.tls());
    let sharer = Session::create(&with_relays(FARPANE_ROLE_SHARER, &relays));
    bed.sharer().inside(|| sharer.connect()).unwrap();
    // No address: only the relays lead there.
    let helper = Session::helper(&sharer.invite_by(""));
    bed.helper().inside(|| helper.connect()).unwrap();
    let pair = Pair::of(sharer, helper);
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 7));
    assert!(pair.helper.frame().is(7));
    let _fault = bed.block_udp(Side::Helper).unwrap();
    // What is in use is noticed to be dead; what rests, only by its next sign of life.
    let mut shown = 10;
    let told = loop {
        pair.sharer.push(&Picture::new(WIDTH, HEIGHT, shown));
        shown += 1;
        match pair.helper.next(100) {
            Ok(event) if event.path == FARPANE_PATH_RELAY_TLS => break event,
            Ok(event) => assert_ne!(event.kind, FARPANE_EVENT_ENDED, "{}", text(&event.text)),
            Err(result) => assert_eq!(result, FARPANE_AGAIN),
        }
    };
    assert!(text(&told.text).starts_with("relay over TLS: "), "{}", text(&told.text));
    let told = pair.sharer.wait(FARPANE_EVENT_PATH_CHANGED);
    assert_eq!((told.id, text(&told.name).as_str()), (pair.helper_id, "Ada"));
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 9));
    while !pair.helper.frame().is(9) {}
}

#[test]
fn relays_that_cannot_be_are_refused_before_anything_is_sent() {
    let pinned = format!("turns:u:p@relay.test?pin={}", "A".repeat(43));
    let many = "turn:relay.test\n".repeat(5);
    let wrong = ["http://relay.test", "turn:", "turns:u:p@relay.test", "turn:a.test\n:", &many];
    let create = |role, relays: &str| {
        let mut session = std::ptr::null_mut();
        // SAFETY: both are valid.
        let result = unsafe { farpane_session_create(&with_relays(role, relays), &mut session) };
        farpane_session_unref(session);
        result
    };
    for relays in wrong {
        assert_eq!(create(FARPANE_ROLE_SHARER, relays), FARPANE_ERR_ARGUMENT, "{relays:?}");
        assert!(!last_error().is_empty());
    }
    assert_eq!(create(FARPANE_ROLE_HELPER, "turn:relay.test"), FARPANE_ERR_ARGUMENT);
    for relays in ["", "\n", "turn:u:p@relay.test", &pinned] {
        assert_eq!(create(FARPANE_ROLE_SHARER, relays), FARPANE_OK, "{relays:?} {}", last_error());
    }
}
