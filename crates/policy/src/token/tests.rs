use super::*;
use crate::channel::{Audio, Chat, ClipboardIn, ClipboardOut, Credentials, FileIn, FileOut};
use std::sync::atomic::AtomicU64;
use std::time::Instant;

fn open(reach: Reach) -> Open {
    let channels = Capabilities::of(&[Capability::Chat, Capability::FileIn]);
    Open { capture: Some(1), input: Some((1, reach)), channels }
}

#[test]
fn a_revoked_token_is_invalid_in_every_clone_and_thread() {
    let mut tokens = Tokens::default();
    let token = tokens.open(&open(Reach::Full)).capture.unwrap();
    let clone = token.clone();
    assert!(clone.is_valid());
    std::thread::scope(|scope| {
        scope.spawn(|| tokens.close(&Open::default()));
    });
    assert!(!clone.is_valid() && !token.is_valid() && !clone.clone().is_valid());
}

#[test]
fn what_stays_open_keeps_its_token_and_what_closes_loses_it_at_once() {
    let mut tokens = Tokens::default();
    let first = tokens.open(&open(Reach::Full));
    let (capture, input) = (first.capture.unwrap(), first.input.unwrap());
    let chat = first.channels.of::<Chat>().unwrap();
    let file = first.channels.of::<FileIn>().unwrap();
    let fewer = Open {
        capture: Some(1),
        input: Some((2, Reach::Pointer)),
        channels: Capabilities::of(&[Capability::Chat]),
    };
    tokens.close(&fewer);
    assert!(capture.is_valid() && chat.is_valid());
    assert!(!input.is_valid() && !file.is_valid());
    let second = tokens.open(&fewer);
    assert!(second.capture.is_none() && second.channels.channels().is_empty());
    let pointer = second.input.unwrap();
    assert_eq!((pointer.epoch(), pointer.reach()), (2, Reach::Pointer));
    assert!(!input.is_valid(), "what was revoked stays so");
    tokens.close(&Open { capture: Some(3), ..fewer });
    assert!(!capture.is_valid() && !chat.is_valid(), "another epoch is another consent");
    assert!(pointer.is_valid());
    let third = tokens.open(&Open { capture: Some(3), ..fewer });
    assert_eq!(third.capture.unwrap().epoch(), 3);
    assert_eq!(third.channels.of::<Chat>().unwrap().epoch(), 3);
    drop(tokens);
    assert!(!pointer.is_valid());
}

#[test]
fn a_reach_that_changes_takes_the_token_even_within_an_epoch() {
    let mut tokens = Tokens::default();
    let token = tokens.open(&open(Reach::Full)).input.unwrap();
    tokens.close(&open(Reach::Pointer));
    assert!(!token.is_valid());
}

#[test]
fn a_pointer_is_shown_and_nothing_injected_without_full_reach() {
    let mut tokens = Tokens::default();
    let token = tokens.open(&open(Reach::Pointer)).input.unwrap();
    assert_eq!(token.point(1, || "shown"), Some("shown"));
    assert_eq!(token.inject(1, || "typed"), None);
    let token = Tokens::default().open(&open(Reach::Full)).input.unwrap();
    assert_eq!(token.inject(1, || "typed"), None, "the tokens were dropped");
    let mut tokens = Tokens::default();
    let token = tokens.open(&open(Reach::Full)).input.unwrap();
    assert_eq!(token.point(1, || "shown"), Some("shown"));
    assert_eq!(token.inject(1, || "typed"), Some("typed"));
}

#[test]
fn an_event_of_another_epoch_does_nothing() {
    let mut tokens = Tokens::default();
    let token = tokens.open(&open(Reach::Full)).input.unwrap();
    for epoch in [0, 2, u64::MAX] {
        assert_eq!(token.point(epoch, || panic!("shown")), None::<()>);
        assert_eq!(token.inject(epoch, || panic!("typed")), None::<()>);
    }
}

#[test]
fn only_what_was_done_counts_as_used() {
    let mut tokens = Tokens::default();
    let opened = tokens.open(&open(Reach::Full));
    let (input, chat) = (opened.input.unwrap(), opened.channels.of::<Chat>().unwrap());
    assert_eq!(tokens.used(), Capabilities::NONE);
    assert_eq!(input.inject(9, || ()), None);
    assert_eq!(tokens.used(), Capabilities::NONE);
    assert_eq!(chat.pass(|| 1), Some(1));
    assert_eq!(tokens.used(), Capabilities::of(&[Capability::Chat]));
    input.inject(1, || ());
    input.point(1, || ());
    let all = Capabilities::of(&[Capability::Chat, Capability::Point, Capability::Control]);
    assert_eq!(tokens.used(), all);
    tokens.close(&Open::default());
    assert_eq!(opened.channels.of::<FileIn>().unwrap().pass(|| panic!("moved")), None::<()>);
    assert_eq!(tokens.used(), all);
}

#[test]
fn each_channel_has_a_token_of_its_own() {
    let mut tokens = Tokens::default();
    let all = Capabilities::ALL;
    let opened = tokens.open(&Open { capture: Some(1), input: None, channels: all }).channels;
    assert_eq!(opened.channels(), all);
    let used = |tokens: &Tokens| tokens.used();
    opened.of::<Chat>().unwrap().pass(|| ());
    assert_eq!(used(&tokens), Capabilities::of(&[Capability::Chat]));
    opened.of::<ClipboardIn>().unwrap().pass(|| ());
    opened.of::<ClipboardOut>().unwrap().pass(|| ());
    opened.of::<FileIn>().unwrap().pass(|| ());
    opened.of::<FileOut>().unwrap().pass(|| ());
    opened.of::<Audio>().unwrap().pass(|| ());
    opened.of::<Credentials>().unwrap().pass(|| ());
    let rest = [Capability::View, Capability::Point, Capability::Control];
    assert_eq!(used(&tokens), all.without(Capabilities::of(&rest)));
    assert_eq!(opened.of::<Chat>(), opened.of::<Chat>());
    let more = tokens.open(&Open { capture: Some(1), input: None, channels: all });
    assert!(more.channels.channels().is_empty());
    assert!(more.channels.of::<Chat>().is_none());
}

#[test]
fn tokens_are_equal_only_when_they_die_together() {
    let (mut one, mut two) = (Tokens::default(), Tokens::default());
    let one = one.open(&open(Reach::Full)).capture.unwrap();
    let two = two.open(&open(Reach::Full)).capture.unwrap();
    assert_eq!(one, one.clone());
    assert_ne!(one, two);
}

/// No look at a token that begins 5 ms after its revocation finds it valid; on the machines that
/// this was tried on, none that begins after it.
#[test]
fn no_thread_finds_a_token_valid_5_ms_after_its_revocation() {
    let mut tokens = Tokens::default();
    let token = tokens.open(&open(Reach::Full)).input.unwrap();
    let start = Instant::now();
    let last_us = AtomicU64::new(0);
    let elapsed_us = || start.elapsed().as_micros() as u64;
    let mut revoked_us = 0;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut look_us = elapsed_us();
                while token.inject(1, || ()).is_some() {
                    last_us.fetch_max(look_us, Ordering::Relaxed);
                    look_us = elapsed_us();
                }
            });
        }
        while last_us.load(Ordering::Relaxed) < 2_000 {
            std::hint::spin_loop();
        }
        tokens.close(&Open::default());
        revoked_us = elapsed_us();
    });
    let last_us = last_us.load(Ordering::Relaxed);
    assert!(last_us < revoked_us + 5_000, "{last_us} us, revoked at {revoked_us} us");
}
