//! What no program should do: every wrong call is an error that says so, and nothing crashes.
//!
//! The cases are counted, and the test prints how many there were.

mod common;

use common::*;
use farpane_capi::abi::*;
use farpane_capi::*;
use std::collections::BTreeSet;
use std::ptr::{null, null_mut};

/// Calls with the results they must have.
#[derive(Default)]
struct Cases {
    wrong: Vec<String>,
    count: usize,
}

impl Cases {
    fn expect(&mut self, name: &str, expected: farpane_result, result: farpane_result) {
        self.count += 1;
        if result != expected {
            self.wrong.push(format!("{name}: {result} instead of {expected} ({})", last_error()));
        }
        // The error that was expected has words.
        if result < 0 && last_error().is_empty() {
            self.wrong.push(format!("{name}: no words"));
        }
    }

    fn finish(self, name: &str, at_least: usize) {
        println!("{name}: {} cases", self.count);
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
        assert!(self.count >= at_least, "{} cases", self.count);
    }
}

type Call = fn(*mut farpane_session) -> farpane_result;

/// Every function of a session, with arguments that are right.
// SAFETY: all places are valid, and all lengths are right.
const CALLS: [(&str, Call); 40] = unsafe {
    [
        ("connect", |s| farpane_session_connect(s)),
        ("close", |s| farpane_session_close(s)),
        ("wait", |s| farpane_session_wait(s, 1)),
        ("event_fd", |s| farpane_session_event_fd(s, &mut 0)),
        ("set_wakeup", |s| farpane_session_set_wakeup(s, None, null_mut())),
        ("address", |s| farpane_session_address(s, [0; 64].as_mut_ptr(), 64, &mut 0)),
        ("event_next", |s| farpane_event_next(s, 0, &mut event())),
        ("stats_get", |s| farpane_stats_get(s, &mut stats())),
        ("invitation_create", |s| create_invitation(s, "127.0.0.1:9", 1_000)),
        ("invitation_create_with_code", |s| {
            let (at, mut text, mut code) = ("127.0.0.1:9", [0; 2048], [0; FARPANE_CODE_CAPACITY]);
            let (to, code) = (text.as_mut_ptr(), code.as_mut_ptr());
            let at = at.as_ptr().cast();
            farpane_invitation_create_with_code(s, at, 11, 1_000, to, 2048, &mut 0, code)
        }),
        ("consent_grant", |s| farpane_consent_grant(s, 1, FARPANE_SCOPE_VIEW, 0)),
        ("consent_deny", |s| farpane_consent_deny(s, 1)),
        ("consent_lower", |s| farpane_consent_lower(s, 1, FARPANE_SCOPE_VIEW)),
        ("consent_revoke", |s| farpane_consent_revoke(s, 1)),
        ("consent_in_advance", |s| {
            let text = "farpane-invitation:x";
            farpane_consent_in_advance(s, text.as_ptr().cast(), text.len(), 1)
        }),
        ("indicator_ack", |s| farpane_indicator_ack(s)),
        ("capture_start", |s| farpane_capture_start(s)),
        ("frame_push", |s| farpane_frame_push(s, &Picture::new(4, 4, 1).raw())),
        ("cursor_push", |s| farpane_cursor_push(s, &cursor(), null(), 0)),
        ("frame_next", |s| farpane_frame_next(s, 0, &mut null_mut())),
        ("cursor_get", |s| farpane_cursor_get(s, &mut cursor(), null_mut(), 0)),
        ("consent_request", |s| farpane_consent_request(s, FARPANE_SCOPE_VIEW)),
        ("input_send", |s| farpane_input_send(s, &input(FARPANE_INPUT_KEY))),
        ("event_text", |s| farpane_event_text(s, [0; 512].as_mut_ptr(), 512, &mut 0)),
        ("chat_send", |s| farpane_chat_send(s, 1, c"a".as_ptr(), 1)),
        ("clipboard_send", |s| farpane_clipboard_send(s, 1, c"a".as_ptr(), 1)),
        ("file_offer", |s| farpane_file_offer(s, 1, c"Cargo.toml".as_ptr(), 10, &mut 0)),
        ("file_accept", |s| farpane_file_accept(s, 1, 1, c"/tmp".as_ptr(), 4)),
        ("file_stop", |s| farpane_file_stop(s, 1, 1, 0)),
        ("session_hold", |s| farpane_session_hold(s, 1, 1)),
        ("compliance_ack", |s| farpane_compliance_ack(s, 1)),
        ("prompt_set", |s| farpane_prompt_set(s, 1)),
        ("lease_renew", |s| farpane_lease_renew(s, 1, 1, FARPANE_SCOPE_VIEW)),
        ("grant_revoke", |s| farpane_grant_revoke(s, 1)),
        ("set_revocations", |s| farpane_session_set_revocations(s, c"a".as_ptr().cast(), 1)),
        ("credentials_take", |s| {
            farpane_credentials_take(s, 1, [0; 8].as_mut_ptr(), 8, [0; 8].as_mut_ptr(), 8)
        }),
        ("credentials_send", |s| farpane_credentials_send(s, c"a".as_ptr(), 1, c"b".as_ptr(), 1)),
        ("event_next, waiting", |s| farpane_event_next(s, 1, &mut event())),
        ("frame_next, waiting", |s| farpane_frame_next(s, 1, &mut null_mut())),
        ("unref", |s| farpane_session_unref(s)),
    ]
};
/// Of these, those that only a sharer has, and those that only a helper has.
const SHARERS: [&str; 17] = [
    "address",
    "invitation_create",
    "invitation_create_with_code",
    "consent_grant",
    "consent_deny",
    "consent_lower",
    "consent_revoke",
    "consent_in_advance",
    "indicator_ack",
    "capture_start",
    "frame_push",
    "cursor_push",
    "prompt_set",
    "lease_renew",
    "grant_revoke",
    "set_revocations",
    "credentials_take",
];
const HELPERS: [&str; 6] = [
    "frame_next",
    "frame_next, waiting",
    "cursor_get",
    "consent_request",
    "input_send",
    "credentials_send",
];

type FrameCall = fn(*mut farpane_frame) -> farpane_result;

// SAFETY: all places are valid, and all lengths are right.
const FRAME_CALLS: [(&str, FrameCall); 5] = unsafe {
    [
        ("frame_get_info", |f| farpane_frame_get_info(f, &mut frame_info())),
        ("frame_get_plane", |f| farpane_frame_get_plane(f, 0, &mut plane())),
        ("frame_get_damage", |f| {
            farpane_frame_get_damage(f, [farpane_rect::default(); 64].as_mut_ptr(), 64, &mut 0)
        }),
        ("frame_ref", |f| farpane_frame_ref(f)),
        ("frame_unref", |f| farpane_frame_unref(f)),
    ]
};

fn create_invitation(
    session: *mut farpane_session,
    addresses: &str,
    valid_ms: u64,
) -> farpane_result {
    let (at, bytes) = (addresses.as_ptr().cast(), addresses.len());
    let mut out = [0; 2048];
    // SAFETY: all lengths are right.
    unsafe {
        farpane_invitation_create(session, at, bytes, valid_ms, out.as_mut_ptr(), 2048, &mut 0)
    }
}

/// An invitation of a sharer that is gone.
fn stale_invitation() -> String {
    Session::listening().invite()
}

#[test]
fn no_wrong_handle_is_taken_for_a_session_or_a_frame() {
    let mut cases = Cases::default();
    let pair = sharing();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    let frame = pair.helper.frame();
    let released = Session::sharer();
    let released_name = released.0;
    drop(released);
    let on_heap = Box::new(0u128);
    let wrong: [(&str, usize); 9] = [
        ("NULL", 0),
        ("a small number", 3),
        ("an address", std::ptr::from_ref(&*on_heap) as usize),
        ("all bits", usize::MAX),
        ("a released one", released_name as usize),
        ("one bit more", pair.sharer.0 as usize ^ 1 << 40),
        ("another place", pair.sharer.0 as usize + (200 << 4)),
        ("the other kind", frame.0 as usize),
        ("the other kind, released", frame.0 as usize ^ 1 << 41),
    ];
    for (what, handle) in wrong {
        for (name, call) in CALLS {
            let result = call(handle as *mut farpane_session);
            cases.expect(&format!("{name} on {what}"), FARPANE_ERR_HANDLE, result);
        }
    }
    let session = pair.sharer.0 as usize;
    for (what, handle) in wrong[..6].iter().copied().chain([("a session", session)]) {
        for (name, call) in FRAME_CALLS {
            let result = call(handle as *mut farpane_frame);
            cases.expect(&format!("{name} on {what}"), FARPANE_ERR_HANDLE, result);
        }
    }
    let name = frame.0;
    assert_eq!(farpane_frame_ref(name), FARPANE_OK);
    cases.expect("first unref", FARPANE_OK, farpane_frame_unref(name));
    drop(frame);
    for (call_name, call) in FRAME_CALLS {
        let result = call(name);
        cases.expect(&format!("{call_name} after unref"), FARPANE_ERR_HANDLE, result);
    }
    cases.finish("wrong handles", 230);
}

#[test]
fn a_role_has_only_its_own_functions_and_each_state_its_own() {
    let mut cases = Cases::default();
    let invitation = stale_invitation();
    for (name, call) in CALLS {
        if SHARERS.contains(&name) {
            let helper = Session::helper(&invitation);
            cases.expect(&format!("{name} of a helper"), FARPANE_ERR_STATE, call(helper.0));
            let new = Session::sharer();
            let early = match name {
                "frame_push" | "cursor_push" => FARPANE_OK,
                _ => FARPANE_ERR_STATE,
            };
            cases.expect(&format!("{name} of a new sharer"), early, call(new.0));
        }
        if HELPERS.contains(&name) {
            let sharer = Session::listening();
            cases.expect(&format!("{name} of a sharer"), FARPANE_ERR_STATE, call(sharer.0));
            let new = Session::helper(&invitation);
            let early =
                if name.starts_with("frame_next") { FARPANE_AGAIN } else { FARPANE_ERR_STATE };
            cases.expect(&format!("{name} of a new helper"), early, call(new.0));
        }
    }
    let connected = Session::listening();
    let again = farpane_session_connect(connected.0);
    cases.expect("connect twice", FARPANE_ERR_STATE, again);
    for session in [Session::listening(), Session::sharer(), Session::helper(&invitation)] {
        cases.expect("close", FARPANE_OK, farpane_session_close(session.0));
        cases.expect("close twice", FARPANE_OK, farpane_session_close(session.0));
        while session.next(LIMIT_MS).is_ok() {}
        cases.expect("connect after close", FARPANE_ERR_STATE, farpane_session_connect(session.0));
        let next = session.next(0).map(|event| event.kind);
        cases.expect("event after the end", FARPANE_ENDED, next.unwrap_err());
        let name = session.0;
        cases.expect("unref", FARPANE_OK, farpane_session_unref(name));
        cases.expect("unref twice", FARPANE_ERR_HANDLE, farpane_session_unref(name));
    }
    let ended = sharing();
    farpane_session_close(ended.sharer.0);
    while ended.sharer.next(LIMIT_MS).is_ok() {}
    cases.expect("start after end", FARPANE_ERR_STATE, farpane_capture_start(ended.sharer.0));
    let captured = "pattern:typing";
    let capturing = Session::create(&farpane_session_config {
        source: captured.as_ptr().cast(),
        source_len: captured.len(),
        ..config(FARPANE_ROLE_SHARER)
    });
    // SAFETY: the picture is valid.
    let pushed = unsafe { farpane_frame_push(capturing.0, &Picture::new(4, 4, 1).raw()) };
    cases.expect("push to a session that captures", FARPANE_ERR_STATE, pushed);
    cases.finish("roles and states", 45);
}

/// Calls `call` with every wrong size, on a structure with room behind it.
fn wrong_sizes<T: Copy>(
    cases: &mut Cases,
    name: &str,
    value: T,
    call: impl Fn(*mut T) -> farpane_result,
) {
    wrong_sizes_below(size_of::<T>(), cases, name, value, call);
}

/// As [`wrong_sizes`], of a structure that had `first` bytes in its first version.
fn wrong_sizes_below<T: Copy>(
    first: usize,
    cases: &mut Cases,
    name: &str,
    value: T,
    call: impl Fn(*mut T) -> farpane_result,
) {
    #[repr(C, align(16))]
    struct Room<T>(T, [u8; 8192]);
    let first = first as u32;
    for size in [0, 1, 4, first - 1, 4097, 65_536, u32::MAX] {
        let mut room = Room(value, [0; 8192]);
        // SAFETY: every structure begins with its size.
        unsafe { (&raw mut room.0).cast::<u32>().write(size) };
        let result = call(&raw mut room.0);
        cases.expect(&format!("{name} of {size} bytes"), FARPANE_ERR_ARGUMENT, result);
    }
    cases.expect(&format!("{name} NULL"), FARPANE_ERR_ARGUMENT, call(null_mut()));
}

/// Calls `call` with a structure of a newer version that uses what is unknown here.
fn newer<T: Copy>(
    cases: &mut Cases,
    name: &str,
    value: T,
    call: impl Fn(*mut T) -> farpane_result,
) {
    #[repr(C, align(16))]
    struct Newer<T>(T, [u8; 64]);
    let mut newer = Newer(value, [0; 64]);
    newer.1[40] = 1;
    let bytes = size_of::<T>() as u32 + 48;
    // SAFETY: every structure begins with its size.
    unsafe { (&raw mut newer.0).cast::<u32>().write(bytes) };
    cases.expect(&format!("newer {name}"), FARPANE_ERR_UNSUPPORTED, call(&raw mut newer.0));
    newer.1[40] = 0;
    let result = call(&raw mut newer.0);
    cases.count += 1;
    if result == FARPANE_ERR_UNSUPPORTED {
        cases.wrong.push(format!("newer {name} with zeros is refused"));
    }
}

#[test]
fn structures_of_a_wrong_size_or_a_newer_version_are_refused() {
    let mut cases = Cases::default();
    let pair = sharing();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    let frame = pair.helper.frame();
    let (sharer, helper, frame) = (pair.sharer.0, pair.helper.0, frame.0);
    let picture = Picture::new(4, 4, 1);
    // SAFETY: the structures have the room that their sizes claim, as far as sizes are believed.
    unsafe {
        let create = |c: *mut farpane_session_config| {
            let mut out = null_mut();
            let result = farpane_session_create(c, &mut out);
            assert_eq!(out.is_null(), result != FARPANE_OK);
            farpane_session_unref(out);
            result
        };
        let first = std::mem::offset_of!(farpane_session_config, probe);
        wrong_sizes_below(first, &mut cases, "config", config(FARPANE_ROLE_SHARER), create);
        newer(&mut cases, "config", config(FARPANE_ROLE_SHARER), create);
        let first = std::mem::offset_of!(farpane_event, text_len);
        let next = |e| farpane_event_next(sharer, 0, e);
        wrong_sizes_below(first, &mut cases, "event", event(), next);
        wrong_sizes(&mut cases, "stats", stats(), |s| farpane_stats_get(helper, s));
        wrong_sizes(&mut cases, "picture", picture.raw(), |p| farpane_frame_push(sharer, p));
        newer(&mut cases, "picture", picture.raw(), |p| farpane_frame_push(sharer, p));
        let push_cursor = |c: *mut farpane_cursor| farpane_cursor_push(sharer, c, null(), 0);
        wrong_sizes(&mut cases, "cursor", cursor(), push_cursor);
        newer(&mut cases, "cursor", cursor(), push_cursor);
        let get_cursor = |c: *mut farpane_cursor| farpane_cursor_get(helper, c, null_mut(), 0);
        wrong_sizes(&mut cases, "cursor out", cursor(), get_cursor);
        let send = |i: *mut farpane_input| farpane_input_send(helper, i);
        wrong_sizes(&mut cases, "input", input(FARPANE_INPUT_MOVE), send);
        newer(&mut cases, "input", input(FARPANE_INPUT_MOVE), send);
        wrong_sizes(&mut cases, "info", frame_info(), |i| farpane_frame_get_info(frame, i));
        wrong_sizes(&mut cases, "plane", plane(), |p| farpane_frame_get_plane(frame, 0, p));
    }
    cases.finish("sizes and versions", 80);
}

#[test]
fn wrong_values_are_refused() {
    let mut cases = Cases::default();
    let argument = FARPANE_ERR_ARGUMENT;
    for (name, config) in wrong_configs() {
        let mut out = std::ptr::dangling_mut();
        // SAFETY: the texts have their lengths, or are refused before they are read.
        let result = unsafe { farpane_session_create(&config, &mut out) };
        assert!(out.is_null(), "{name}");
        cases.expect(name, if name.contains("invitation that") { -11 } else { argument }, result);
    }
    // SAFETY: what is NULL is refused.
    unsafe {
        let sharer = config(FARPANE_ROLE_SHARER);
        cases.expect("no place", argument, farpane_session_create(&sharer, null_mut()));
    }
    wrong_pictures(&mut cases);
    wrong_sharer_calls(&mut cases);
    wrong_helper_calls(&mut cases);
    // SAFETY: what is NULL is refused.
    unsafe {
        cases.expect("log level 0", argument, farpane_log_set(0, None, null_mut()));
        cases.expect("log level 9", argument, farpane_log_set(9, None, null_mut()));
        cases.expect(
            "error without length",
            argument,
            farpane_last_error(null_mut(), 0, null_mut()),
        );
        let no_room = farpane_last_error(null_mut(), 0, &mut 0);
        cases.expect("error without room", FARPANE_ERR_BUFFER, no_room);
    }
    cases.finish("values", 70);
}

/// Configurations that make no session. The names with "invitation that" are of bad invitations.
fn wrong_configs() -> Vec<(&'static str, farpane_session_config)> {
    let (sharer, helper) = (config(FARPANE_ROLE_SHARER), config(FARPANE_ROLE_HELPER));
    let text = |text: &'static [u8]| (text.as_ptr().cast(), text.len());
    let invited = |bytes: &'static [u8]| {
        let (invitation, invitation_len) = text(bytes);
        farpane_session_config { invitation, invitation_len, ..helper }
    };
    let named = |bytes: &'static [u8]| {
        let (name, name_len) = text(bytes);
        farpane_session_config { name, name_len, ..sharer }
    };
    let listening = |bytes: &'static [u8]| {
        let (listen, listen_len) = text(bytes);
        farpane_session_config { listen, listen_len, ..sharer }
    };
    let (source, source_len) = text(b"x11");
    let sharing = |bytes: &'static [u8]| {
        let (source, source_len) = text(bytes);
        farpane_session_config { source, source_len, ..sharer }
    };
    vec![
        ("an unknown source", sharing(b"x12")),
        ("a display without a name", sharing(b"x11:")),
        ("a recording without a file", sharing(b"replay:")),
        ("an unknown pattern", sharing(b"pattern:nothing")),
        (
            "a monitor of a recording",
            farpane_session_config { monitor: source, monitor_len: 3, ..sharing(b"replay:a") },
        ),
        ("role 0", config(0)),
        ("role 3", config(3)),
        ("a helper without an invitation", helper),
        ("a helper with a source", farpane_session_config { source, source_len, ..helper }),
        (
            "a helper that listens",
            farpane_session_config { listen: source, listen_len: 3, ..helper },
        ),
        (
            "a sharer with an invitation",
            farpane_session_config { invitation: source, invitation_len: 3, ..sharer },
        ),
        (
            "a monitor without a source",
            farpane_session_config { monitor: source, monitor_len: 3, ..sharer },
        ),
        ("an invitation that is none", invited(b"hello")),
        ("an invitation that is cut", invited(b"farpane-invitation:AQ")),
        ("an invitation that is binary", invited(b"\0\x01\x02")),
        ("an invitation, not UTF-8", invited(b"\xff\xfe")),
        ("a name, not UTF-8", named(b"\xc3\x28")),
        ("a name without memory", farpane_session_config { name: null(), name_len: 4, ..sharer }),
        (
            "a name beyond all bounds",
            farpane_session_config { name_len: usize::MAX, ..named(b"a") },
        ),
        ("an address without a port", listening(b"127.0.0.1")),
        ("an address with a name", listening(b"localhost:1")),
        ("an address with a wrong port", listening(b"127.0.0.1:65536")),
    ]
}

fn wrong_pictures(cases: &mut Cases) {
    let sharer = Session::sharer();
    let memory = Picture::new(4, 4, 1);
    let good = memory.raw();
    let huge = [farpane_rect { x: 0, y: 0, width: 16_385, height: 1 }];
    let rect = huge.as_ptr();
    let wrong = [
        ("format 0", farpane_picture { format: 0, ..good }),
        ("format 3", farpane_picture { format: 3, ..good }),
        ("no columns", farpane_picture { width: 0, ..good }),
        ("no rows", farpane_picture { height: 0, ..good }),
        ("too many columns", farpane_picture { width: 16_385, stride: 65_540, ..good }),
        ("too many rows", farpane_picture { height: u32::MAX, ..good }),
        ("no pixels", farpane_picture { pixels: null(), ..good }),
        ("no pixels at all", farpane_picture { pixels: null(), pixels_len: 0, ..good }),
        ("too few pixels", farpane_picture { pixels_len: 63, ..good }),
        ("one row too many", farpane_picture { height: 5, ..good }),
        ("a short stride", farpane_picture { stride: 15, ..good }),
        ("no stride", farpane_picture { stride: 0, ..good }),
        ("an overflowing stride", farpane_picture { stride: usize::MAX / 2, ..good }),
        ("damage without memory", farpane_picture { damage_count: 1, ..good }),
        ("too much damage", farpane_picture { damage: rect, damage_count: 4_097, ..good }),
        ("wide damage", farpane_picture { damage: rect, damage_count: 1, ..good }),
        (
            "crooked damage",
            farpane_picture { damage: std::ptr::without_provenance(2), damage_count: 1, ..good },
        ),
    ];
    for (name, picture) in wrong {
        // SAFETY: what is wrong is refused before it is read.
        let result = unsafe { farpane_frame_push(sharer.0, &picture) };
        cases.expect(name, FARPANE_ERR_ARGUMENT, result);
    }
    let cursor = farpane_cursor { width: 2, height: 2, ..cursor() };
    let shape = [0u8; 16];
    let wrong = [
        ("a shape without columns", farpane_cursor { width: 0, ..cursor }, 16),
        ("a shape without rows", farpane_cursor { height: 0, ..cursor }, 16),
        ("a shape that is too wide", farpane_cursor { width: 257, ..cursor }, 16),
        ("a shape of no size", farpane_cursor { width: u32::MAX, height: u32::MAX, ..cursor }, 16),
        ("a hot spot outside", farpane_cursor { hot_x: 2, ..cursor }, 16),
        ("a hot spot below", farpane_cursor { hot_y: 2, ..cursor }, 16),
        ("too few bytes", cursor, 15),
        ("no bytes", cursor, 0),
        ("far too many bytes", cursor, usize::MAX),
    ];
    for (name, cursor, bytes) in wrong {
        // SAFETY: what is wrong is refused before it is read.
        let result = unsafe { farpane_cursor_push(sharer.0, &cursor, shape.as_ptr(), bytes) };
        cases.expect(name, FARPANE_ERR_ARGUMENT, result);
    }
}

fn wrong_sharer_calls(cases: &mut Cases) {
    let (sharer, argument) = (Session::listening(), FARPANE_ERR_ARGUMENT);
    for scopes in [0, FARPANE_SCOPE_CONTROL, 4, 5, 8, 9, 129 + 2] {
        let result = farpane_consent_grant(sharer.0, 1, scopes, 0);
        cases.expect(&format!("scopes {scopes}"), argument, result);
    }
    for scopes in [256, 257, u32::MAX] {
        let result = farpane_consent_grant(sharer.0, 1, scopes, 0);
        cases.expect(&format!("scopes {scopes}"), FARPANE_ERR_UNSUPPORTED, result);
    }
    for id in [0, 1, u64::MAX] {
        let missing = FARPANE_ERR_NOT_FOUND;
        cases.expect("grant", missing, farpane_consent_grant(sharer.0, id, 1, 0));
        cases.expect("deny", missing, farpane_consent_deny(sharer.0, id));
        cases.expect("revoke", missing, farpane_consent_revoke(sharer.0, id));
    }
    let unusable = FARPANE_ERR_INVITATION;
    for addresses in ["", ",", "127.0.0.1", "127.0.0.1:0x", ":1", "a b:1"] {
        let result = create_invitation(sharer.0, addresses, 1_000);
        cases.expect(&format!("addresses {addresses:?}"), unusable, result);
    }
    // SAFETY: what is wrong is refused before it is read.
    unsafe {
        let (at, mut out) = (c"127.0.0.1:9".as_ptr(), [0; 8]);
        let create = |at, bytes, out, capacity, len| {
            farpane_invitation_create(sharer.0, at, bytes, 1_000, out, capacity, len)
        };
        let room = out.as_mut_ptr();
        cases.expect("no addresses", unusable, create(null(), 0, room, 8, &mut 0));
        cases.expect("lost addresses", argument, create(null(), 5, room, 8, &mut 0));
        cases.expect("endless addresses", argument, create(at, usize::MAX, room, 8, &mut 0));
        cases.expect("no length", argument, create(at, 11, room, 8, null_mut()));
        let mut needed = 0;
        let small = create(at, 11, room, 8, &mut needed);
        cases.expect("no room", FARPANE_ERR_BUFFER, small);
        assert!((100..2048).contains(&needed) && out == [0; 8], "{needed}");
        let advance = |at, bytes| farpane_consent_in_advance(sharer.0, at, bytes, 1_000);
        cases.expect("no invitation", argument, advance(null(), 0));
        cases.expect("an endless invitation", argument, advance(at, usize::MAX));
        cases.expect("no invitation at all", unusable, advance(at, 11));
        let address = |out, capacity, len| farpane_session_address(sharer.0, out, capacity, len);
        cases.expect("no address length", argument, address(room, 8, null_mut()));
        cases.expect("no address room", FARPANE_ERR_BUFFER, address(room, 8, &mut 0));
        cases.expect("no address", FARPANE_ERR_BUFFER, address(null_mut(), 0, &mut 0));
        let fd = farpane_session_event_fd(sharer.0, null_mut());
        cases.expect("no place for the descriptor", argument, fd);
    }
}

fn wrong_helper_calls(cases: &mut Cases) {
    let pair = sharing();
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    let frame = pair.helper.frame();
    let argument = FARPANE_ERR_ARGUMENT;
    // SAFETY: what is wrong is refused before it is read.
    unsafe {
        for scopes in [FARPANE_SCOPE_CONTROL, 256, u32::MAX] {
            let asked = farpane_consent_request(pair.helper.0, scopes);
            let expected =
                if scopes == FARPANE_SCOPE_CONTROL { argument } else { FARPANE_ERR_UNSUPPORTED };
            cases.expect(&format!("scopes {scopes}"), expected, asked);
        }
        for kind in [0, 5, u32::MAX] {
            let sent = farpane_input_send(pair.helper.0, &input(kind));
            cases.expect(&format!("input {kind}"), argument, sent);
        }
        let next = farpane_frame_next(pair.helper.0, 0, null_mut());
        cases.expect("no place for a frame", argument, next);
        for index in [1, u32::MAX] {
            let plane = farpane_frame_get_plane(frame.0, index, &mut plane());
            cases.expect(&format!("plane {index}"), argument, plane);
        }
        let damage =
            |rects, capacity, count| farpane_frame_get_damage(frame.0, rects, capacity, count);
        cases.expect("no place for a count", argument, damage(null_mut(), 0, null_mut()));
        cases.expect("no room for damage", FARPANE_ERR_BUFFER, damage(null_mut(), 0, &mut 0));
        cases.expect("lost damage", FARPANE_ERR_BUFFER, damage(null_mut(), 64, &mut 0));
    }
}

#[test]
fn results_have_words_of_their_own() {
    let words = |result| {
        // SAFETY: the words end with a NUL.
        unsafe { std::ffi::CStr::from_ptr(farpane_result_str(result)) }.to_str().unwrap()
    };
    let known: BTreeSet<_> = (FARPANE_ERR_PANIC..=FARPANE_ENDED).map(words).collect();
    assert_eq!(known.len(), 17);
    for unknown in [i32::MIN, -15, 3, i32::MAX] {
        assert_eq!(words(unknown), "an unknown result");
    }
    assert_eq!(farpane_abi_version(), FARPANE_ABI_VERSION);
}

#[test]
fn many_threads_at_once_find_only_results_that_the_header_names() {
    let pair = sharing();
    let names: Vec<usize> = [&pair.sharer, &pair.helper].map(|s| s.0 as usize).to_vec();
    let threads: Vec<_> = (0..8u64)
        .map(|seed| {
            let names = names.clone();
            std::thread::spawn(move || {
                let mut state = seed;
                for _ in 0..400 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                    let name = names[(state >> 33) as usize % 2];
                    // Not close and unref: others still want the session.
                    let calls = CALLS.iter().filter(|(name, _)| !["close", "unref"].contains(name));
                    let which = (state >> 40) as usize % (CALLS.len() - 2);
                    let (what, call) = calls.clone().nth(which).unwrap();
                    let result = call(name as *mut farpane_session);
                    let range = FARPANE_ERR_REENTRANT..=FARPANE_ENDED;
                    assert!(range.contains(&result), "{what}: {result}");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // And many that release the same session: one is let.
    let name = Session::listening();
    let raw = name.0 as usize;
    std::mem::forget(name);
    let releasing: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(move || farpane_session_unref(raw as *mut farpane_session)))
        .collect();
    let results: Vec<_> = releasing.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(results.iter().filter(|r| **r == FARPANE_OK).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|r| **r == FARPANE_ERR_HANDLE).count(), 7, "{results:?}");
}
