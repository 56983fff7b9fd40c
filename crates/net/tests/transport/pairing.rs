//! Who gets in by a pairing code.

use std::time::Duration;

use farpane_net::{
    ConnectError, Connection, Identity, Invitation, InvitationError, PAIRING_CODE_VALID,
    PairingCode, Refusal, connect,
};

use crate::support::{Sharer, join, on_net, quick};

const HOUR: Duration = Duration::from_secs(3600);

fn invite(sharer: &Sharer) -> (Invitation, PairingCode) {
    let (key, address) = (sharer.identity.public_key(), sharer.address.to_string());
    sharer.invitations.issue_with_code(key, vec![address], Vec::new(), HOUR).unwrap()
}

/// A code that differs from this one in a digit.
fn wrong(code: &PairingCode) -> PairingCode {
    let other = if code.to_text().starts_with('7') { "8" } else { "7" };
    format!("{other}{}", &code.to_text()[1..]).parse().unwrap()
}

fn refusal(outcome: Result<Connection, ConnectError>) -> Refusal {
    match outcome {
        Err(ConnectError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn the_code_lets_one_helper_in_who_may_come_back_by_it() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (invitation, code) = invite(&sharer);
        // What travels openly has no code in it.
        let text = invitation.to_text();
        assert!(!text.contains(&code.to_text()[..4]));
        let invitation: Invitation = text.parse().unwrap();
        assert!(invitation.needs_code());
        let invitation = invitation.with_code(code);
        let helper = Identity::generate().unwrap();
        let mut ends = Vec::new();
        for _ in 0..10 {
            let near = connect(&invitation, &helper, &quick()).await.unwrap();
            let far = sharer.listener.accept().await.unwrap();
            assert_eq!(near.peer_key(), sharer.identity.public_key());
            assert_eq!(far.peer_key(), helper.public_key());
            // Neither closes it: the helper comes back as if its network had been gone.
            ends.push((near, far));
        }
        assert_eq!(refusal(join(&invitation, &quick()).await), Refusal::AlreadyUsed);
    });
}

#[test]
fn five_wrong_codes_are_told_so_and_then_the_right_one_is_refused() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (invitation, code) = invite(&sharer);
        let guess = invitation.clone().with_code(wrong(&code));
        for _ in 0..5 {
            assert_eq!(refusal(join(&guess, &quick()).await), Refusal::WrongCode);
        }
        let right = invitation.clone().with_code(code);
        assert_eq!(refusal(join(&right, &quick()).await), Refusal::NoTriesLeft);
        assert_eq!(sharer.listener.stats().joined, 0);
        let (another, code) = invite(&sharer);
        join(&another.with_code(code), &quick()).await.expect("others are not touched");
    });
}

#[test]
fn four_wrong_codes_leave_one_try() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (invitation, code) = invite(&sharer);
        let guess = invitation.clone().with_code(wrong(&code));
        for _ in 0..4 {
            assert_eq!(refusal(join(&guess, &quick()).await), Refusal::WrongCode);
        }
        join(&invitation.with_code(code), &quick()).await.unwrap();
    });
}

#[test]
fn without_a_code_no_packet_is_sent() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let (invitation, _) = invite(&sharer);
        match join(&invitation, &quick()).await {
            Err(ConnectError::Invitation(InvitationError::NoCode)) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(sharer.listener.stats().refused, 0);
    });
}

#[test]
fn a_code_for_another_invitation_or_another_sharer_is_a_wrong_code() {
    on_net(async {
        let (sharer, other) = (Sharer::start(quick()).await, Sharer::start(quick()).await);
        let (first, _) = invite(&sharer);
        let (_, second) = invite(&sharer);
        let (_, elsewhere) = invite(&other);
        for code in [second, elsewhere] {
            let outcome = join(&first.clone().with_code(code), &quick()).await;
            assert_eq!(refusal(outcome), Refusal::WrongCode);
        }
    });
}

#[test]
fn a_code_is_valid_for_ten_minutes_at_the_most() {
    on_net(async {
        let sharer = Sharer::start(quick()).await;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let (invitation, code) = invite(&sharer);
        let left = invitation.expires_unix_s() - now.as_secs();
        assert!(left <= PAIRING_CODE_VALID.as_secs() + 1, "{left}");
        let invitation = invitation.with_code(code);
        sharer.invitations.admit(&invitation, Duration::ZERO).unwrap();
        assert_eq!(refusal(join(&invitation, &quick()).await), Refusal::Expired);
    });
}
