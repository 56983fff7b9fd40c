//! A panic in any thread of the library is an event and an error, and never ends the process.

mod common;

use common::*;
use farpane_capi::abi::*;
use farpane_capi::*;
use std::sync::Mutex;

/// One panic is armed at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for the session's last event.
fn end(session: &Session) -> farpane_event {
    loop {
        let event = session.next(LIMIT_MS).unwrap_or_else(|r| panic!("{r} instead of the end"));
        if event.kind == FARPANE_EVENT_ENDED {
            return event;
        }
    }
}

/// Arms a panic in a session that runs, and pushes until it has happened.
fn sharing_with_panic(name: &str) -> Pair {
    let pair = sharing();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    pair.helper.frame();
    farpane::fault::arm(name);
    // Enough tiles to be encoded in parallel.
    pair.sharer.push(&Picture::new(1920, 1080, 2));
    pair
}

#[test]
fn a_panic_in_the_sharing_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let pair = sharing_with_panic("farpane-share");
    assert_eq!(end(&pair.sharer).reason, FARPANE_END_ERROR);
    assert_eq!(farpane_capture_start(pair.sharer.0), FARPANE_ERR_STATE);
    assert_ne!(end(&pair.helper).reason, 0);
}

#[test]
fn a_panic_in_an_encoding_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let pair = sharing_with_panic("farpane-enc");
    assert_eq!(end(&pair.sharer).reason, FARPANE_END_ERROR);
    assert_eq!(farpane_capture_start(pair.sharer.0), FARPANE_ERR_STATE);
}

#[test]
fn a_panic_in_the_capture_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let pair = sharing_with_panic("farpane-capture");
    let failed = pair.sharer.wait(FARPANE_EVENT_FAILED);
    assert!(text(&failed.text).contains("farpane-capture"), "{}", text(&failed.text));
    assert_eq!(end(&pair.helper).reason, FARPANE_END_ERROR);
    assert_eq!(farpane_capture_start(pair.sharer.0), FARPANE_ERR_CONSENT_REQUIRED);
}

#[test]
fn a_panic_in_the_decoding_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let pair = sharing_with_panic("farpane-decode");
    assert_eq!(end(&pair.helper).reason, FARPANE_END_ERROR);
    // SAFETY: the input is valid.
    let sent = unsafe { farpane_input_send(pair.helper.0, &input(FARPANE_INPUT_MOVE)) };
    assert!(sent < 0, "{sent}");
    pair.sharer.wait(FARPANE_EVENT_HELPER_LEFT);
}

#[test]
fn a_panic_in_the_network_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let pair = sharing_with_panic("farpane-net");
    assert_ne!(end(&pair.helper).reason, 0);
    pair.sharer.wait(FARPANE_EVENT_HELPER_LEFT);
}

#[test]
fn a_panic_in_the_connecting_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let sharer = Session::listening();
    let helper = Session::helper(&sharer.invite());
    farpane::fault::arm("farpane-connect");
    assert_eq!(farpane_session_connect(helper.0), FARPANE_OK);
    assert_eq!(end(&helper).reason, FARPANE_END_ERROR);
    assert_eq!(farpane_session_connect(helper.0), FARPANE_ERR_STATE);
}

#[test]
fn a_panic_in_a_call_of_the_app() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let pair = sharing();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    pair.helper.frame();
    farpane::fault::arm("farpane-api");
    assert_eq!(farpane_indicator_ack(pair.sharer.0), FARPANE_ERR_PANIC);
    assert_eq!(farpane_indicator_ack(pair.sharer.0), FARPANE_ERR_PANIC, "it is poisoned");
    assert_eq!(end(&pair.sharer).reason, FARPANE_END_ERROR);
    assert_eq!(pair.sharer.next(0).map(|event| event.kind).unwrap_err(), FARPANE_ENDED);
    assert_eq!(end(&pair.helper).reason, FARPANE_END_SHARER_ENDED);
    assert_eq!(farpane_session_close(pair.sharer.0), FARPANE_OK);
}
