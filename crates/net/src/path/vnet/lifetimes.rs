//! Translators that forget what is not used.

use std::sync::Arc;
use std::time::Duration;

use super::internet::Internet;
use super::session::Session;
use super::types::{FULL_CONE, PORT_RESTRICTED_CONE, SYMMETRIC, Translator};
use super::{run, wait_for};
use crate::path::PathKind;

const SHARER: &str = "203.0.113.10";
const HELPER: &str = "203.0.113.20";
const LIMIT: Duration = Duration::from_secs(20);
/// Less than any translator leaves to mappings, and more than an idle session is silent.
const SHORT: Duration = Duration::from_secs(5);
/// Less than an idle session is silent.
const TOO_SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(3600);

/// A session between translators with mappings of these lifetimes, the sharer's and the helper's.
async fn begin(
    translators: [Translator; 2],
    lifetimes: [Duration; 2],
) -> (Arc<Internet>, Session) {
    let internet = Arc::new(Internet::new(true).await);
    let [far, near] = [0, 1].map(|side| translators[side].forgetting(lifetimes[side]));
    let far = internet.behind(SHARER, far).await.host("192.168.1.2").await;
    let near = internet.behind(HELPER, near).await.host("192.168.1.2").await;
    let session = Session::begin(&internet, far, near).await;
    (internet, session)
}

#[test]
fn an_idle_session_keeps_its_direct_path_open() {
    run(async {
        let (internet, mut session) = begin([PORT_RESTRICTED_CONE; 2], [SHORT; 2]).await;
        assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
        let switches = session.switches();
        let traffic = internet.traffic();
        let has_lost = || !session.goes_by(PathKind::Direct) || session.switches() > switches;
        assert!(!wait_for(SHORT * 5 / 2, has_lost).await, "{}", session.told());
        let changes = [traffic.changes(SHARER, HELPER), traffic.changes(HELPER, SHARER)];
        assert_eq!(changes, [0; 2], "a mapping was lost");
        session.carries_by(PathKind::Direct).await.unwrap();
    });
}

#[test]
fn an_idle_session_keeps_its_path_by_the_relay_open() {
    run(async {
        let (_internet, mut session) = begin([SYMMETRIC; 2], [SHORT; 2]).await;
        let has_left = || !session.goes_by(PathKind::RelayUdp);
        assert!(!wait_for(SHORT * 5 / 2, has_left).await, "{}", session.told());
        session.carries_by(PathKind::RelayUdp).await.unwrap();
    });
}

/// One side's translator forgets all that its machine has open, relays included.
async fn comes_back(translators: [Translator; 2], lifetimes: [Duration; 2]) {
    let (internet, mut session) = begin(translators, lifetimes).await;
    assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
    let traffic = internet.traffic();
    let changes = || traffic.changes(SHARER, HELPER) + traffic.changes(HELPER, SHARER);
    let before = changes();
    assert!(wait_for(LIMIT, || changes() > before).await, "nothing was forgotten");
    session.talks().await.unwrap_or_else(|error| panic!("{error}\n{}", session.told()));
    assert!(session.comes_to(PathKind::Direct, LIMIT).await, "{}", session.told());
    session.carries_by(PathKind::Direct).await.unwrap();
}

#[test]
fn a_session_comes_back_whose_helper_was_forgotten() {
    run(comes_back([PORT_RESTRICTED_CONE; 2], [LONG, TOO_SHORT]));
}

#[test]
fn a_session_comes_back_whose_sharer_was_forgotten() {
    run(comes_back([PORT_RESTRICTED_CONE; 2], [TOO_SHORT, LONG]));
}

#[test]
fn a_session_comes_back_whose_helper_was_forgotten_by_a_symmetric_translator() {
    run(comes_back([FULL_CONE, SYMMETRIC], [LONG, TOO_SHORT]));
}
