//! Translators that forget what is not used.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::internet::{Internet, Segment};
use super::session::Session;
use super::types::{FULL_CONE, PORT_RESTRICTED_CONE, SYMMETRIC, Translator};
use super::{run, wait_for};
use crate::config::NetConfig;
use crate::path::PathKind;

const SHARER: &str = "203.0.113.10";
const HELPER: &str = "203.0.113.20";
const LIMIT: Duration = Duration::from_secs(20);
const MACHINE: &str = "192.168.1.2";
/// Less than any translator leaves to mappings, and more than an idle session is silent.
const SHORT: Duration = Duration::from_millis(4_500);
/// More than that.
const AWAY: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(3600);

/// Networks behind translators with mappings of these lifetimes, the sharer's and the helper's.
async fn homes(
    translators: [Translator; 2],
    lifetimes: [Duration; 2],
) -> (Arc<Internet>, [Segment; 2]) {
    let internet = Arc::new(Internet::new(true).await);
    let [far, near] = [0, 1].map(|side| translators[side].forgetting(lifetimes[side]));
    let homes = [internet.behind(SHARER, far).await, internet.behind(HELPER, near).await];
    (internet, homes)
}

/// A session between translators that soon forget.
async fn begin(translator: Translator) -> (Arc<Internet>, Session) {
    let (internet, homes) = homes([translator; 2], [SHORT; 2]).await;
    let [far, near] = [homes[0].host(MACHINE).await, homes[1].host(MACHINE).await];
    let session = Session::begin(&internet, far, near).await;
    (internet, session)
}

#[test]
fn an_idle_session_keeps_its_direct_path_open() {
    run(async {
        let (internet, mut session) = begin(PORT_RESTRICTED_CONE).await;
        assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
        let traffic = internet.traffic();
        let is_lost = || traffic.changes(SHARER, HELPER) + traffic.changes(HELPER, SHARER) > 0;
        assert!(!wait_for(SHORT * 2, is_lost).await, "{}", session.told());
        session.carries_by(PathKind::Direct).await.unwrap();
    });
}

#[test]
fn an_idle_session_keeps_its_path_by_the_relay_open() {
    run(async {
        let (_internet, mut session) = begin(SYMMETRIC).await;
        let has_left = || !session.goes_by(PathKind::RelayUdp);
        assert!(!wait_for(SHORT * 2, has_left).await, "{}", session.told());
        session.carries_by(PathKind::RelayUdp).await.unwrap();
    });
}

/// One side is away for longer than its translator remembers what it had open, relays included.
async fn comes_back(translators: [Translator; 2], away: usize) {
    let mut config = NetConfig::default();
    config.timing.idle_timeout = AWAY * 4;
    let lifetimes = [0, 1].map(|side| if side == away { SHORT } else { LONG });
    let (internet, homes) = homes(translators, lifetimes).await;
    let cable = homes[away].cable().await;
    let [far, near] = [homes[0].host(MACHINE).await, homes[1].host(MACHINE).await];
    let mut session = Session::begin_with(&internet, far, near, config).await;
    assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
    cable.cut();
    sleep(AWAY).await;
    cable.mend();
    let traffic = internet.traffic();
    let changes = || traffic.changes(SHARER, HELPER) + traffic.changes(HELPER, SHARER);
    let before = changes();
    session.talks().await.unwrap_or_else(|error| panic!("{error}\n{}", session.told()));
    session.carries_by(PathKind::Direct).await.unwrap();
    assert!(changes() > before, "nothing was forgotten");
}

#[test]
fn a_session_comes_back_whose_helper_was_forgotten() {
    run(comes_back([PORT_RESTRICTED_CONE; 2], 1));
}

#[test]
fn a_session_comes_back_whose_sharer_was_forgotten() {
    run(comes_back([PORT_RESTRICTED_CONE; 2], 0));
}

#[test]
fn a_session_comes_back_whose_helper_was_forgotten_by_a_symmetric_translator() {
    run(comes_back([FULL_CONE, SYMMETRIC], 1));
}
