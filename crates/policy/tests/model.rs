//! A part of what the example `model` explores in full.

#[path = "../examples/model/properties.rs"]
mod properties;
#[path = "../examples/model/world.rs"]
mod world;

#[test]
fn what_must_hold_holds_in_every_state_that_two_ends_a_broker_and_a_revoker_reach_first() {
    let found = properties::check(150_000, 1);
    assert!(found.distinct >= 50_000, "{}", found.distinct);
    assert!(found.violations.is_empty(), "{:?}", found.violations);
    assert!(found.unreached.is_empty(), "{:?}", found.unreached);
}
