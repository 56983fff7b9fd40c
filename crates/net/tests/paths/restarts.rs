//! The only relay there is ends and starts again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use farpane_net::PathKind::RelayUdp;
use farpane_net::{CloseReason, RelayState};
use farpane_netbed::{Bed, Config};

use crate::running::Running;
use crate::session::Session;
use crate::support::{Carriers, Helper, Sharer, bed, urls, wait_for};

/// For both ends to know that the other is gone: 7 s, a keep-alive before it, and noise.
const IDLE_LIMIT: Duration = Duration::from_secs(12);
/// For the sharer to have addresses on it again: relays are asked every 15 s.
const REOPEN_LIMIT: Duration = Duration::from_secs(20);

#[test]
fn when_the_only_relay_starts_again_the_session_ends_and_helpers_can_join() {
    let (bed, mut relay) = bed(&Config::default());
    let mut running =
        Running::begin(Session::begin(&bed, urls(&relay, Carriers::Both), None), [RelayUdp; 2]);
    running.mark();
    let before = addresses(&running.session.sharer);
    relay.restart().unwrap();
    // Both ends' addresses on it are gone, and neither can tell the other a new one.
    let [near, far] = running.session.ends_by(IDLE_LIMIT);
    println!("  after {:?}: {near}; {far}", running.since.elapsed());
    assert_eq!([near, far], [CloseReason::TimedOut, CloseReason::TimedOut]);
    running.film.end();
    joins_again(&bed, &running.session.sharer, &before);
}

/// Once the sharer has other addresses than before, helpers join by them.
fn joins_again(bed: &Bed, sharer: &Sharer, before: &[SocketAddr]) {
    let start = Instant::now();
    let is_new = || {
        let now = addresses(sharer);
        now.len() == before.len() && now.iter().all(|address| !before.contains(address))
    };
    assert!(wait_for(REOPEN_LIMIT, is_new), "{:?}", sharer.listener.relays());
    println!("  new addresses after another {:?}", start.elapsed());
    let helper = Helper::join(bed, &sharer.invite(None)).unwrap();
    println!("  joined after {:?}", helper.took);
}

fn addresses(sharer: &Sharer) -> Vec<SocketAddr> {
    let states = sharer.listener.relays().into_iter();
    let open = states.filter_map(|(_, state)| match state {
        RelayState::Open(address) => Some(address),
        _ => None,
    });
    open.collect()
}

#[test]
fn a_relay_over_udp_starts_again_and_a_new_helper_joins() {
    let (bed, mut relay) = bed(&Config::default());
    let sharer = Sharer::start(&bed, urls(&relay, Carriers::Udp));
    sharer.invite(None);
    let before = addresses(&sharer);
    relay.restart().unwrap();
    joins_again(&bed, &sharer, &before);
}
