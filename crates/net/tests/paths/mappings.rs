//! Translators that forget: all at once in the middle of a session, or what is not used.

use std::time::Duration;

use farpane_net::PathKind::RelayUdp;
use farpane_net::SwitchReason::{RelayLost, Silence};
use farpane_netbed::{Bed, Config, Relay, Side};

use crate::running::{CALM, GAP, Running};
use crate::session::Session;
use crate::support::{Carriers, Helper, Sharer, bed, urls};

/// What a forgetful translator leaves to mappings; less than 30 s is rare.
const MAPPING: Duration = Duration::from_secs(20);
/// For a relay to say that an allocation is lost, and for the way over UDP to be taken again.
const BACK_LIMIT: Duration = Duration::from_secs(22);

/// All that the side's translator knows of flows is gone, also of those over TCP.
fn mappings_change(side: Side) -> (Bed, Relay, Running) {
    let (bed, relay) = bed(&Config::default());
    let mut running =
        Running::begin(Session::begin(&bed, urls(&relay, Carriers::Both), None), [RelayUdp; 2]);
    running.mark();
    bed.remap(side).unwrap();
    running.film.watch(GAP * 3);
    let (gap, session) = (running.film.gap(running.since), &running.session);
    println!("  gap {gap:?}\n{}", session.told());
    assert!(gap < GAP);
    assert!(session.agrees(), "{}", session.told());
    let reasons = running.reasons();
    assert!(reasons.contains(&Silence) || reasons.contains(&RelayLost), "{reasons:?}");
    (bed, relay, running)
}

#[test]
fn the_helpers_translator_forgets() {
    let (_bed, _relay, running) = mappings_change(Side::Helper);
    running.ends();
}

#[test]
fn the_sharers_translator_forgets_and_udp_comes_back() {
    let (_bed, _relay, mut running) = mappings_change(Side::Sharer);
    let session = &running.session;
    let is_back = || session.kinds() == [RelayUdp; 2];
    assert!(running.film.watch_until(BACK_LIMIT, is_back), "{}", session.told());
    println!("  by UDP again after {:?}", running.since.elapsed());
    assert!(running.film.gap(running.since) < GAP);
    running.ends();
}

/// The router forgets mappings of UDP that are not used, as others do after 30 s.
#[test]
fn a_sharer_who_waits_stays_reachable_behind_a_forgetful_translator() {
    let (bed, relay) = bed(&Config::default());
    let router = bed.router(Side::Sharer);
    for name in ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"] {
        let write = || {
            std::fs::write(format!("/proc/sys/net/netfilter/{name}"), MAPPING.as_secs().to_string())
        };
        router.inside(write).unwrap().unwrap();
    }
    let sharer = Sharer::start(&bed, urls(&relay, Carriers::Udp));
    sharer.invite(None);
    std::thread::sleep(MAPPING + CALM);
    let helper = Helper::join(&bed, &sharer.invite(None));
    println!("  joined after {:?}", helper.unwrap().took);
}
