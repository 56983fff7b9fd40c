//! Several helpers of one sharer, through the library.

use farpane::capture::SourceSpec;
use farpane::frame::Size;
use farpane::net::Identity;
use farpane::policy::{Answer, Mode, Reach, Rights};
use farpane::{
    Helper, HelperEvent, HelperOptions, InputTarget, Sharer, SharerEvent, SharerOptions,
};
use farpane_tests::{Desk, HelperApp, SharerApp, beside_others, holds_for, wait_for};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn helpers_see_the_same_and_come_and_go_without_disturbing_each_other() {
    let _turn = beside_others();
    let desk = Desk::start(Size::new(700, 500));
    let app = SharerApp::start(&format!("x11:{}", desk.display()));
    let picture = || desk.picture();
    (0..10).for_each(|step| desk.draw(step));
    let mut first = HelperApp::join(&app.invite());
    let mut second = HelperApp::join(&app.invite());
    first.wait_picture(LIMIT, picture);
    second.wait_picture(LIMIT, picture);

    (10..30).for_each(|step| desk.draw(step));
    drop(first);
    (30..40).for_each(|step| desk.draw(step));
    second.wait_picture(LIMIT, picture);

    let mut late = HelperApp::join(&app.invite());
    late.wait_picture(LIMIT, picture);
    (40..50).for_each(|step| desk.draw(step));
    late.wait_picture(LIMIT, picture);
    second.wait_picture(LIMIT, picture);
    assert!(late.is_in() && second.is_in());

    drop((late, second));
    let events = app.stop();
    let count = |wanted: fn(&SharerEvent) -> bool| events.iter().filter(|e| wanted(e)).count();
    assert_eq!(count(|e| matches!(e, SharerEvent::ShowIndicator { .. })), 3, "{events:?}");
    assert_eq!(count(|e| matches!(e, SharerEvent::Failed { .. })), 0, "{events:?}");
}

#[test]
fn a_desktop_in_motion_reaches_two_helpers_at_once() {
    let _turn = beside_others();
    let app = SharerApp::start("pattern:typing,640x480");
    let mut helpers = [HelperApp::join(&app.invite()), HelperApp::join(&app.invite())];
    for round in 0..5 {
        for helper in &mut helpers {
            let before = helper.last_update();
            helper.wait_update(LIMIT, before + 1);
            assert!(helper.is_in(), "round {round}");
        }
    }
}

/// What a helper's app is told next of its input.
fn input(helper: &Helper, sharer: &Sharer) -> Option<Reach> {
    let mut told = None;
    wait_for("word of input", LIMIT, || {
        sharer.acknowledge_indicator();
        told = std::iter::from_fn(|| helper.try_event())
            .filter_map(
                |event| if let HelperEvent::Input(reach) = event { Some(reach) } else { None },
            )
            .last();
        told.is_some()
    });
    told.flatten()
}

/// Connects a helper that asks for control, and waits until the sharer is asked.
fn ask(sharer: &Sharer) -> (Helper, u64) {
    let at = vec![sharer.local_address().to_string()];
    let invitation = sharer.invite(at, LIMIT).expect("an invitation");
    let options = HelperOptions { rights: Rights::of(Mode::Control), ..HelperOptions::default() };
    let identity = Identity::generate().expect("a key");
    let helper = Helper::connect(&invitation, &identity, options).expect("a sharer that listens");
    let mut asked = None;
    wait_for("the question", LIMIT, || {
        sharer.acknowledge_indicator();
        let event = sharer.next_event(Duration::from_millis(20));
        if let Some(SharerEvent::ConsentRequested { helper, .. }) = event {
            asked = Some(helper);
        }
        asked.is_some()
    });
    (helper, asked.expect("somebody asked"))
}

#[test]
fn no_helper_clicks_on_the_question_about_another_whatever_prompts_close() {
    let _turn = beside_others();
    let desk = Desk::start(Size::new(320, 200));
    let source = SourceSpec::parse(&format!("x11:{}", desk.display()), None).unwrap();
    let display = Some(desk.display().to_owned());
    let sharer = Sharer::start(SharerOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        allow: Mode::Control.usual(),
        input: InputTarget::X11 { display, monitor: None },
        ..SharerOptions::new(move || source.open())
    })
    .unwrap();
    let (first, id) = ask(&sharer);
    sharer.answer(id, Answer::Allow(Rights::of(Mode::Control)));
    assert_eq!(input(&first, &sharer), Some(Reach::Full));
    let (_second, id) = ask(&sharer);
    assert_eq!(input(&first, &sharer), None, "somebody else is asked about");
    // A prompt that never opened: it must not stand for the question.
    sharer.prompt_closed();
    let silent = || {
        sharer.acknowledge_indicator();
        std::iter::from_fn(|| first.try_event()).all(|e| !matches!(e, HelperEvent::Input(_)))
    };
    assert!(holds_for(Duration::from_millis(300), silent));
    sharer.answer(id, Answer::Deny);
    assert_eq!(input(&first, &sharer), Some(Reach::Full));
    let withdrawn = std::iter::from_fn(|| sharer.next_event(Duration::from_millis(50)))
        .any(|event| matches!(event, SharerEvent::QuestionWithdrawn { .. }));
    assert!(!withdrawn, "it was answered");
}
