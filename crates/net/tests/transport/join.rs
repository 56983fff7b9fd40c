//! Who gets in.

use std::time::Duration;

use farpane_net::{AttemptFailure, ConnectError, Identity, Invitation, Refusal, connect};

use crate::support::{ID_AT, KEY_AT, SECRET_AT, Sharer, Wire, forge, join, on_net, quick};

async fn refused(invitation: &Invitation) -> Refusal {
    match join(invitation, &quick()).await {
        Err(ConnectError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_helper_with_an_invitation_gets_in_and_both_know_who_they_talk_to() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation: Invitation = sharer.invite().to_text().parse().unwrap();
        let helper = Identity::generate().unwrap();
        let at_helper = connect(&invitation, &helper, &quick()).await.unwrap();
        let at_sharer = sharer.listener.accept().await.unwrap();
        assert_eq!(at_helper.peer_key(), sharer.identity.public_key());
        assert_eq!(at_sharer.peer_key(), helper.public_key());
        assert_eq!(at_sharer.invitation_id(), invitation.id());
        assert_eq!(sharer.listener.stats().joined, 1);
    });
}

#[test]
fn a_sharer_with_another_key_is_never_accepted() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let other = Identity::generate().unwrap().public_key();
        let invitation = forge(&sharer.invite(), |bytes| {
            bytes[KEY_AT..KEY_AT + 44].copy_from_slice(other.as_spki());
        });
        match join(&invitation, &quick()).await {
            Err(ConnectError::Unreachable { attempts }) => {
                assert_eq!(attempts.len(), 1);
                assert_eq!(attempts[0].address, sharer.address.to_string());
                assert_eq!(attempts[0].why, AttemptFailure::WrongKey);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(sharer.listener.stats().joined, 0);
    });
}

#[test]
fn an_unknown_invitation_and_a_wrong_secret_are_refused() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation = sharer.invite();
        let unknown = forge(&invitation, |bytes| bytes[ID_AT] ^= 1);
        assert_eq!(refused(&unknown).await, Refusal::UnknownInvitation);
        let wrong = forge(&invitation, |bytes| bytes[SECRET_AT] ^= 1);
        assert_eq!(refused(&wrong).await, Refusal::WrongSecret);
        assert_eq!(sharer.listener.stats().refused, 2);
        join(&invitation, &quick()).await.expect("failed tries by others must not spend it");
    });
}

#[test]
fn the_sharers_own_clock_decides_on_expiry() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation = sharer.invite();
        sharer.invitations.admit(&invitation, Duration::ZERO).unwrap();
        assert_eq!(refused(&invitation).await, Refusal::Expired);
    });
}

#[test]
fn an_expired_invitation_is_refused_without_a_packet() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let key = sharer.identity.public_key();
        let addresses = vec![sharer.address.to_string()];
        let invitation = sharer.invitations.issue(key, addresses, Duration::ZERO).unwrap();
        let error = join(&invitation, &quick()).await.unwrap_err();
        assert!(matches!(error, ConnectError::Invitation(_)), "{error}");
        assert_eq!(sharer.listener.stats(), Default::default());
    });
}

#[test]
fn a_withdrawn_invitation_lets_nobody_in() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation = sharer.invite();
        assert!(sharer.invitations.withdraw(invitation.id()));
        assert_eq!(refused(&invitation).await, Refusal::UnknownInvitation);
    });
}

#[test]
fn an_invitation_belongs_to_the_first_helper_that_used_it() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation = sharer.invite();
        let _first = join(&invitation, &quick()).await.unwrap();
        assert_eq!(refused(&invitation).await, Refusal::AlreadyUsed);
    });
}

#[test]
fn two_helpers_join_with_an_invitation_each() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (mut a, mut a_far) = sharer.pair(&quick()).await;
        let (mut b, mut b_far) = sharer.pair(&quick()).await;
        for (near, far, word) in [(&mut a, &mut a_far, b"aa"), (&mut b, &mut b_far, b"bb")] {
            near.control().0.send(word).await.unwrap();
            assert_eq!(far.control().1.recv().await.unwrap(), word[..]);
        }
    });
}

#[test]
fn the_same_helper_comes_back_after_a_lost_connection_and_nobody_else_does() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let wire = Wire::to(sharer.address);
        let invitation = sharer.invite_to(&[wire.address.to_string()]);
        let helper = Identity::generate().unwrap();
        let first = connect(&invitation, &helper, &quick()).await.unwrap();
        let first_far = sharer.listener.accept().await.unwrap();
        wire.cut();
        first.closed().await;
        first_far.closed().await;
        wire.mend();
        assert_eq!(refused(&invitation).await, Refusal::AlreadyUsed);
        let again = connect(&invitation, &helper, &quick()).await.unwrap();
        let again_far = sharer.listener.accept().await.unwrap();
        assert_eq!(again_far.peer_key(), helper.public_key());
        drop(again);
    });
}

#[test]
fn a_helper_that_comes_back_early_replaces_its_old_connection() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation = sharer.invite();
        let helper = Identity::generate().unwrap();
        let first = connect(&invitation, &helper, &quick()).await.unwrap();
        let _second = connect(&invitation, &helper, &quick()).await.unwrap();
        assert_eq!(first.closed().await, farpane_net::CloseReason::Replaced);
    });
}

#[test]
fn an_ended_session_spends_the_invitation_for_its_helper_too() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let invitation = sharer.invite();
        let helper = Identity::generate().unwrap();
        let near = connect(&invitation, &helper, &quick()).await.unwrap();
        let far = sharer.listener.accept().await.unwrap();
        far.close(1, "the sharer ended");
        near.closed().await;
        let error = connect(&invitation, &helper, &quick()).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused(Refusal::AlreadyUsed)), "{error}");
    });
}

#[test]
fn a_dead_address_costs_only_the_head_start_and_is_named_when_all_are_dead() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let dead = silent.local_addr().unwrap().to_string();
        let invitation = sharer.invite_to(&[dead.clone(), sharer.address.to_string()]);
        join(&invitation, &quick()).await.expect("the second address answers");
        let invitation = sharer.invite_to(&[dead.clone(), "no-such-host.invalid:1".to_owned()]);
        let error = join(&invitation, &quick()).await.unwrap_err();
        let ConnectError::TimedOut { attempts, .. } = &error else { panic!("{error}") };
        assert_eq!(attempts.len(), 2, "{error}");
        assert!(error.to_string().contains(&dead), "{error}");
        assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
    });
}

#[test]
fn the_whole_attempt_is_bounded_in_time() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let invitation = sharer.invite_to(&[silent.local_addr().unwrap().to_string()]);
        let mut config = quick();
        config.timing.connect = Duration::from_millis(100);
        let error = join(&invitation, &config).await.unwrap_err();
        let ConnectError::TimedOut { limit_ms: 100, attempts } = &error else { panic!("{error}") };
        assert_eq!(attempts[0].why, AttemptFailure::NoAnswer);
    });
}
