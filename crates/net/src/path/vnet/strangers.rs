//! Translators that show another address with every answer.

use std::sync::Arc;
use std::time::Duration;

use super::internet::Internet;
use super::session::Session;
use super::types::PORT_MAPPED_OPEN;
use super::{run, wait_for};
use crate::path::PathKind;

const SHARER: &str = "203.0.113.10";
const HELPER: &str = "203.0.113.20";
const WATCH: Duration = Duration::from_secs(6);
/// Far below what answers to answers come to: one in a round trip of 10 ms, for each of them.
const MAX_PACKETS: usize = 400;

/// Everything gets in, but no answer comes from where the question went.
#[test]
fn answers_from_ever_new_addresses_do_not_multiply() {
    run(async {
        let internet = Arc::new(Internet::new(true).await);
        let far = internet.host(SHARER, PORT_MAPPED_OPEN).await;
        let near = internet.host(HELPER, PORT_MAPPED_OPEN).await;
        let mut session = Session::begin(&internet, far, near).await;
        let traffic = internet.traffic();
        let packets = || traffic.packets(SHARER, HELPER) + traffic.packets(HELPER, SHARER);
        let is_flooded = wait_for(WATCH, || packets() > MAX_PACKETS).await;
        println!("{} packets in {WATCH:?}", packets());
        assert!(!is_flooded, "{}", session.told());
        session.carries_by(PathKind::RelayUdp).await.unwrap();
    });
}
