//! Properties of arbitrary runs.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

/// A run: where it begins, and what comes after which pause.
fn runs() -> impl Strategy<Value = (Machine, Vec<(u64, Event)>)> {
    let machines: Vec<Machine> = situations().into_iter().map(|(_, machine)| machine).collect();
    let events: Vec<Event> = events().into_iter().map(|(_, event)| event).collect();
    let moves = prop::collection::vec((0_u64..1_500_000, select(events)), 0..40);
    (select(machines), moves)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rights_grow_only_with_consent_and_stay_within_every_source((machine, moves) in runs()) {
        let (mut machine, mut now_us) = (machine, 0);
        for (pause_us, event) in moves {
            now_us += pause_us;
            let next = step(&machine, &event, now_us);
            let grows = !held(&next.machine).is_subset(held(&machine));
            prop_assert!(!grows || tell_of_consent(&next.audit));
            for source in Source::ALL {
                prop_assert!(held(&next.machine).is_subset(next.machine.sources.of(source)));
            }
            machine = next.machine;
        }
    }

    #[test]
    fn a_clock_that_jumps_back_is_one_that_stands_still(
        (machine, moves) in runs(),
        jumps in prop::collection::vec(any::<u64>(), 40),
    ) {
        let (mut steady, mut jumping) = (machine.clone(), machine);
        let mut now_us = 0;
        // A log that fails comes before everything that is due.
        let moves = moves.into_iter().filter(|(_, event)| *event != Event::AuditFailed);
        for ((pause_us, event), jump) in moves.zip(jumps) {
            now_us += pause_us;
            steady = step(&steady, &event, now_us).machine;
            // Sees the right time once, and any earlier one with the event.
            jumping = step(&jumping, &Event::Tick, now_us).machine;
            jumping = step(&jumping, &event, jump % (now_us + 1)).machine;
            prop_assert_eq!(&steady, &jumping);
        }
    }

    #[test]
    fn what_is_not_renewed_is_over_in_time((machine, moves) in runs()) {
        let (mut machine, mut now_us) = (machine, 0);
        for (pause_us, event) in moves {
            let due_us = machine.next_deadline_us();
            now_us += pause_us;
            let next = step(&machine, &event, now_us);
            if due_us.is_some_and(|due_us| due_us <= now_us) {
                prop_assert!(next.accepted, "what is due happens");
            }
            prop_assert!(next.machine.next_deadline_us().is_none_or(|due_us| due_us > now_us));
            machine = next.machine;
        }
        // Silence ends everything that has begun.
        let begun = !matches!(machine.state, State::Idle);
        while let Some(due_us) = machine.next_deadline_us() {
            machine = step(&machine, &Event::Tick, due_us).machine;
        }
        prop_assert_eq!(matches!(machine.state, State::Ended(_)), begun);
    }

    #[test]
    fn epochs_grow_and_every_opening_has_a_new_one((machine, moves) in runs()) {
        let (mut machine, mut now_us) = (machine, 0);
        for (pause_us, event) in moves {
            now_us += pause_us;
            let next = step(&machine, &event, now_us).machine;
            prop_assert!(next.epoch >= machine.epoch);
            let (was, is) = (machine.open(), next.open());
            if is.capture.is_some() && was.capture.is_none() {
                prop_assert!(is.capture > Some(machine.epoch));
            } else if is.capture.is_some() {
                prop_assert_eq!(is.capture, was.capture);
            }
            if is.input.is_some() && is.input != was.input {
                prop_assert!(is.input.is_some_and(|(epoch, _)| epoch > machine.epoch));
            }
            machine = next;
        }
    }
}
