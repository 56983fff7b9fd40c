//! Sessions as a C program drives them.

mod common;

use common::*;
use farpane_capi::abi::*;
use farpane_capi::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[test]
fn pushed_pictures_arrive_exactly_and_only_with_consent_indicator_and_start() {
    let sharer = Session::listening();
    sharer.push(&Picture::new(WIDTH, HEIGHT, 7));
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_ERR_CONSENT_REQUIRED);
    let helper = Session::helper(&sharer.invite());
    helper.connect();
    helper.wait(FARPANE_EVENT_CONSENT_PENDING);
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!((text(&request.name).as_str(), request.scopes), ("Ada", FARPANE_SCOPE_VIEW));
    assert_eq!(text(&request.key).len(), 39);
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_ERR_CONSENT_REQUIRED);
    assert_eq!(farpane_consent_grant(sharer.0, request.id, FARPANE_SCOPE_VIEW, 0), FARPANE_OK);
    let shown = sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
    assert_eq!((shown.id, text(&shown.name).as_str()), (request.id, "Ada"));
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_ERR_INDICATOR_REQUIRED);
    assert!(last_error().contains("indicator"), "{}", last_error());
    assert_eq!(farpane_indicator_ack(sharer.0), FARPANE_OK);
    sharer.wait(FARPANE_EVENT_SHARING);
    helper.wait(FARPANE_EVENT_CONSENT_GRANTED);
    let mut nothing = std::ptr::null_mut();
    // SAFETY: the place is valid.
    let early = unsafe { farpane_frame_next(helper.0, 150, &mut nothing) };
    assert_eq!((early, nothing.is_null()), (FARPANE_AGAIN, true), "not started yet");
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_OK);
    let first = helper.frame();
    let info = first.info();
    assert_eq!((info.width, info.height, info.format), (WIDTH, HEIGHT, FARPANE_FORMAT_BGRX));
    assert!(info.damage_count > 0 && info.received_us <= info.composed_us);
    assert!(first.is(7));
    sharer.push(&Picture::new(WIDTH, HEIGHT, 9));
    assert!(helper.frame().is(9));
    assert!(first.is(7), "a frame that is held stays as it was");
    drop((sharer, helper));
    assert!(first.is(7), "a frame outlives the session");
}

#[test]
fn a_code_that_is_told_lets_a_helper_in_by_an_open_invitation() {
    let sharer = Session::listening();
    let (address, mut code) = (sharer.address(), [0; FARPANE_CODE_CAPACITY]);
    let (mut invitation, mut len) = ([0; FARPANE_INVITATION_CAPACITY], 0);
    let (at, bytes) = (address.as_ptr().cast(), address.len());
    // SAFETY: all lengths are right.
    let result = unsafe {
        let (to, capacity) = (invitation.as_mut_ptr(), invitation.len());
        let code = code.as_mut_ptr();
        farpane_invitation_create_with_code(
            sharer.0, at, bytes, 60_000, to, capacity, &mut len, code,
        )
    };
    assert_eq!(result, FARPANE_OK, "{}", last_error());
    let (invitation, code) = (text(&invitation), text(&code));
    let with_code = |code: &str| {
        let config = farpane_session_config {
            invitation: invitation.as_ptr().cast(),
            invitation_len: invitation.len(),
            code: code.as_ptr().cast(),
            code_len: code.len(),
            ..config(FARPANE_ROLE_HELPER)
        };
        let mut session = std::ptr::null_mut();
        // SAFETY: both are valid.
        let result = unsafe { farpane_session_create(&config, &mut session) };
        (result, Session(session))
    };
    assert_eq!(with_code("").0, FARPANE_ERR_ARGUMENT);
    assert_eq!(with_code("12").0, FARPANE_ERR_ARGUMENT);
    let wrong = if code.starts_with('7') { "8" } else { "7" };
    let (result, stranger) = with_code(&format!("{wrong}{}", &code[1..]));
    assert_eq!(result, FARPANE_OK);
    assert_eq!(farpane_session_connect(stranger.0), FARPANE_OK);
    let end = stranger.next(LIMIT_MS).unwrap();
    assert_eq!(end.kind, FARPANE_EVENT_ENDED);
    assert!(text(&end.text).contains("pairing code is wrong"), "{}", text(&end.text));
    let (_, helper) = with_code(&code);
    helper.connect();
    helper.wait(FARPANE_EVENT_CONSENT_PENDING);
}

#[test]
fn a_denied_helper_and_a_revoked_one_are_told_so() {
    let sharer = Session::listening();
    let helper = Session::helper(&sharer.invite());
    helper.connect();
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!(farpane_consent_deny(sharer.0, request.id), FARPANE_OK);
    assert_eq!(farpane_consent_deny(sharer.0, request.id), FARPANE_ERR_NOT_FOUND);
    assert_eq!(helper.wait_end().reason, FARPANE_END_CONSENT_DENIED);
    assert_eq!(sharer.wait(FARPANE_EVENT_HELPER_LEFT).reason, FARPANE_END_CONSENT_DENIED);

    let pair = sharing();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    pair.helper.frame();
    assert_eq!(farpane_consent_revoke(pair.sharer.0, pair.helper_id), FARPANE_OK);
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 2));
    let end = pair.helper.wait_end();
    assert_eq!((end.reason, end.lost), (FARPANE_END_SHARER_ENDED, 0));
    let mut frame = std::ptr::null_mut();
    // SAFETY: the place is valid.
    let after = unsafe { farpane_frame_next(pair.helper.0, 0, &mut frame) };
    assert_eq!((after, frame.is_null()), (FARPANE_ENDED, true));
    pair.sharer.wait(FARPANE_EVENT_HELPER_LEFT);
    assert_eq!(farpane_consent_revoke(pair.sharer.0, pair.helper_id), FARPANE_ERR_NOT_FOUND);
    assert_eq!(farpane_capture_start(pair.sharer.0), FARPANE_ERR_CONSENT_REQUIRED);
}

#[test]
fn a_grant_for_a_while_ends_by_itself_and_so_does_a_forgotten_indicator() {
    let sharer = Session::listening();
    let helper = Session::helper(&sharer.invite());
    helper.connect();
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!(farpane_consent_grant(sharer.0, request.id, FARPANE_SCOPE_VIEW, 300), FARPANE_OK);
    assert_eq!(farpane_indicator_ack(sharer.0), FARPANE_OK);
    assert_eq!(helper.wait_end().reason, FARPANE_END_EXPIRED);

    let pair = sharing();
    assert_eq!(pair.helper.wait_end().reason, FARPANE_END_INDICATOR_LOST);
}

#[test]
fn consent_in_advance_is_for_one_invitation_and_still_needs_the_indicator() {
    let sharer = Session::listening();
    sharer.push(&Picture::new(WIDTH, HEIGHT, 3));
    let invitation = sharer.invite();
    let (at, bytes) = (invitation.as_ptr().cast(), invitation.len());
    // SAFETY: the text has that length.
    let advance = |ttl_ms| unsafe { farpane_consent_in_advance(sharer.0, at, bytes, ttl_ms) };
    assert_eq!(advance(0), FARPANE_ERR_ARGUMENT);
    assert_eq!(advance(60_000), FARPANE_OK);
    let helper = Session::helper(&invitation);
    helper.connect();
    sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_ERR_INDICATOR_REQUIRED);
    assert_eq!(farpane_indicator_ack(sharer.0), FARPANE_OK);
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_OK);
    assert!(helper.frame().is(3));
}

#[test]
fn closing_is_told_to_both_sides_and_twice_is_as_good_as_once() {
    for sharer_closes in [true, false] {
        let Pair { helper, sharer, .. } = sharing();
        let (first, other) = if sharer_closes { (sharer, helper) } else { (helper, sharer) };
        assert_eq!(farpane_session_close(first.0), FARPANE_OK);
        assert_eq!(farpane_session_close(first.0), FARPANE_OK);
        let end = first.wait_end();
        let expected =
            if sharer_closes { FARPANE_END_SHARER_ENDED } else { FARPANE_END_HELPER_ENDED };
        assert_eq!((end.reason, end.lost), (expected, 0));
        assert_eq!(first.next(0).map(|event| event.kind).unwrap_err(), FARPANE_ENDED);
        assert_eq!(farpane_session_connect(first.0), FARPANE_ERR_STATE);
        assert_eq!(farpane_session_close(first.0), FARPANE_OK);
        if sharer_closes {
            assert_eq!(other.wait_end().reason, FARPANE_END_SHARER_ENDED);
        } else {
            assert_eq!(other.wait(FARPANE_EVENT_HELPER_LEFT).reason, FARPANE_END_HELPER_ENDED);
        }
    }
    let new = Session::sharer();
    assert_eq!(farpane_session_close(new.0), FARPANE_OK);
    assert_eq!(new.wait_end().reason, FARPANE_END_SHARER_ENDED);
}

#[test]
fn nobody_is_kept_waiting_by_a_sharer_that_is_not_there() {
    let gone = Session::listening();
    let invitation = gone.invite();
    drop(gone);
    let helper = Session::helper(&invitation);
    assert_eq!(farpane_session_connect(helper.0), FARPANE_OK);
    assert_eq!(farpane_session_connect(helper.0), FARPANE_ERR_STATE);
    let start = Instant::now();
    drop(helper);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let helper = Session::helper(&invitation);
    assert_eq!(farpane_session_connect(helper.0), FARPANE_OK);
    assert_eq!(farpane_session_close(helper.0), FARPANE_OK);
    assert_eq!(helper.wait_end().reason, FARPANE_END_HELPER_ENDED);
}

#[test]
fn the_descriptor_is_readable_while_there_is_something_to_take() {
    let sharer = Session::sharer();
    let mut fd = -1;
    // SAFETY: the place is valid.
    assert_eq!(unsafe { farpane_session_event_fd(sharer.0, &mut fd) }, FARPANE_OK);
    let is_readable = || {
        // SAFETY: the session is alive, and with it the descriptor.
        let fd = unsafe { rustix::fd::BorrowedFd::borrow_raw(fd) };
        let mut poll = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
        let zero = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut poll, Some(&zero)).unwrap() == 1
    };
    assert_eq!(sharer.next(0).map(|event| event.kind).unwrap_err(), FARPANE_AGAIN);
    assert!(!is_readable());
    assert_eq!(farpane_session_connect(sharer.0), FARPANE_OK);
    assert!(is_readable());
    assert_eq!(sharer.next(0).unwrap().kind, FARPANE_EVENT_CONNECTED);
    assert_eq!(sharer.next(0).map(|event| event.kind).unwrap_err(), FARPANE_AGAIN);
    assert!(!is_readable());
}

#[test]
fn the_wakeup_is_called_until_it_is_replaced_and_may_call_nothing() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static RESULTS: AtomicU32 = AtomicU32::new(0);
    unsafe extern "C" fn wakeup(session: *mut c_void) {
        CALLS.fetch_add(1, Ordering::SeqCst);
        let session = session.cast::<farpane_session>();
        let reentrant = [
            farpane_session_close(session),
            farpane_session_unref(session),
            farpane_indicator_ack(session),
        ];
        let refused = reentrant.iter().filter(|r| **r == FARPANE_ERR_REENTRANT).count();
        RESULTS.fetch_add(refused as u32, Ordering::SeqCst);
    }
    let sharer = Session::sharer();
    // SAFETY: the callback only uses the session's name.
    let set = unsafe { farpane_session_set_wakeup(sharer.0, Some(wakeup), sharer.0.cast()) };
    assert_eq!(set, FARPANE_OK);
    sharer.connect();
    let calls = CALLS.load(Ordering::SeqCst);
    assert!(calls >= 1);
    assert_eq!(RESULTS.load(Ordering::SeqCst), 3 * calls);
    // SAFETY: there is no callback.
    let set = unsafe { farpane_session_set_wakeup(sharer.0, None, std::ptr::null_mut()) };
    assert_eq!(set, FARPANE_OK);
    assert_eq!(farpane_session_close(sharer.0), FARPANE_OK);
    sharer.wait_end();
    assert_eq!(CALLS.load(Ordering::SeqCst), calls);
}

#[test]
fn statistics_pointer_and_input_are_there_for_a_session_that_runs() {
    let pair = sharing();
    let mut counted = stats();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 5));
    let shape = [9u8; 16];
    let mut pointer = farpane_cursor { visible: 1, x: 30, y: 40, shape: 77, ..cursor() };
    (pointer.width, pointer.height) = (2, 2);
    // SAFETY: the shape has that length.
    let pushed = unsafe { farpane_cursor_push(pair.sharer.0, &pointer, shape.as_ptr(), 16) };
    assert_eq!(pushed, FARPANE_OK, "{}", last_error());
    pair.helper.frame();
    let deadline = Instant::now() + Duration::from_secs(20);
    let (mut seen, mut pixels) = (cursor(), [0u8; 16]);
    while seen.width == 0 {
        assert!(Instant::now() < deadline, "no pointer");
        // SAFETY: the buffer has that capacity.
        unsafe { farpane_cursor_get(pair.helper.0, &mut seen, pixels.as_mut_ptr(), 16) };
    }
    assert_eq!((seen.x, seen.y, seen.visible, seen.width, pixels), (30, 40, 1, 2, shape));
    // SAFETY: all places are valid.
    unsafe {
        let small = farpane_cursor_get(pair.helper.0, &mut seen, pixels.as_mut_ptr(), 15);
        assert_eq!(small, FARPANE_ERR_BUFFER);
        assert_eq!(farpane_stats_get(pair.helper.0, &mut counted), FARPANE_OK);
        assert!(counted.valid & 1 << 3 != 0 && counted.frames >= 1);
        assert!(counted.valid & 1 << 8 != 0 && counted.udp_received_bytes > 0);
        assert_eq!(farpane_stats_get(pair.sharer.0, &mut counted), FARPANE_OK);
        assert!(counted.valid & 1 == 1 && counted.helpers == 1 && counted.updates >= 1);
        let sent = farpane_input_send(pair.helper.0, &input(FARPANE_INPUT_MOVE));
        assert_eq!(sent, FARPANE_ERR_NOT_PERMITTED);
    }
}

#[test]
fn eight_sessions_in_one_process_do_not_disturb_each_other() {
    let pairs: Vec<Pair> = (0..4).map(|_| sharing()).collect();
    for (index, pair) in pairs.iter().enumerate() {
        pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 10 + index as u8));
    }
    for (index, pair) in pairs.iter().enumerate() {
        farpane_indicator_ack(pair.sharer.0);
        assert!(pair.helper.frame().is(10 + index as u8));
    }
}

#[test]
fn a_call_that_waits_ends_when_the_session_is_released() {
    let sharer = Session::listening();
    let name = sharer.0 as usize;
    let waiting = std::thread::spawn(move || {
        let mut event = event();
        // SAFETY: the event is valid, and a session is only named.
        unsafe { farpane_event_next(name as *mut farpane_session, FARPANE_FOREVER, &mut event) }
    });
    std::thread::sleep(Duration::from_millis(50));
    drop(sharer);
    let result = waiting.join().unwrap();
    assert!([FARPANE_ENDED, FARPANE_ERR_HANDLE].contains(&result), "{result}");
}

impl Session {
    /// Waits for the end; other events before it are passed over.
    fn wait_end(&self) -> farpane_event {
        loop {
            let event = self.next(LIMIT_MS).unwrap_or_else(|r| panic!("{r} instead of the end"));
            if event.kind == FARPANE_EVENT_ENDED {
                return event;
            }
        }
    }
}
