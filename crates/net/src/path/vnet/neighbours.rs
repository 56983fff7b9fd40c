//! Two machines behind one translator.

use std::sync::Arc;
use std::time::Duration;

use super::internet::Internet;
use super::session::Session;
use super::types::{PORT_RESTRICTED_CONE, SYMMETRIC};
use super::{run, wait_for};
use crate::path::PathKind;

const OUTSIDE: &str = "203.0.113.10";
const LIMIT: Duration = Duration::from_secs(20);
/// Packets with which both ends must have knocked before it is believed that they are not let in.
const KNOCKS: usize = 9;

#[test]
fn in_one_network_sessions_are_direct_whether_its_translator_hairpins_or_not() {
    run(async {
        for hairpins in [true, false] {
            for translator in [PORT_RESTRICTED_CONE, SYMMETRIC] {
                let internet = Arc::new(Internet::new(hairpins).await);
                let home = internet.behind(OUTSIDE, translator.nat_type()).await;
                let (far, near) = (home.host("192.168.1.2").await, home.host("192.168.1.3").await);
                let mut session = Session::begin(&internet, far, near).await;
                assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
                session.carries_by(PathKind::Direct).await.unwrap();
            }
        }
    });
}

/// As where a provider's customers share its addresses: what both know of each other is an address
/// of the same translator.
async fn behind_one_carrier(hairpins: bool) -> (Arc<Internet>, Session) {
    let internet = Arc::new(Internet::new(hairpins).await);
    let nat = PORT_RESTRICTED_CONE.nat_type();
    let carrier = internet.wan().behind(OUTSIDE, "100.64.0.0/24", nat).await;
    let home = async |outside: &str| {
        let home = carrier.behind(outside, "192.168.1.0/24", nat).await;
        home.host("192.168.1.2").await
    };
    let (far, near) = (home("100.64.0.2").await, home("100.64.0.3").await);
    let session = Session::begin(&internet, far, near).await;
    (internet, session)
}

#[test]
fn behind_a_carriers_translator_that_hairpins_two_networks_meet() {
    run(async {
        let (_internet, mut session) = behind_one_carrier(true).await;
        assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
        session.carries_by(PathKind::Direct).await.unwrap();
    });
}

#[test]
fn behind_a_carriers_translator_that_does_not_hairpin_two_networks_stay_on_the_relay() {
    run(async {
        let (internet, mut session) = behind_one_carrier(false).await;
        let has_knocked = || internet.traffic().packets(OUTSIDE, OUTSIDE) >= KNOCKS;
        assert!(wait_for(LIMIT, has_knocked).await, "{}", session.told());
        session.carries_by(PathKind::RelayUdp).await.unwrap();
        assert!(!session.claims_direct(), "{}", session.told());
    });
}
