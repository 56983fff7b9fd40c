//! Messages, clipboards, files and passwords, as C programs exchange them.

mod common;

use common::*;
use farpane::capture::Xvfb;
use farpane::frame::Size;
use farpane_capi::abi::*;
use farpane_capi::*;
use std::path::Path;

const EVERYTHING: u32 = FARPANE_SCOPE_VIEW
    | FARPANE_SCOPE_CONTROL
    | FARPANE_SCOPE_ELEVATED
    | FARPANE_SCOPE_CLIPBOARD_IN
    | FARPANE_SCOPE_CLIPBOARD_OUT
    | FARPANE_SCOPE_FILE_IN
    | FARPANE_SCOPE_FILE_OUT;

/// A helper with these rights of a display that takes input.
fn helping(scopes: u32) -> (Pair, Keeping, Xvfb) {
    let display = Xvfb::start(Size::new(WIDTH, HEIGHT), 24).unwrap();
    let (listen, input) = ("127.0.0.1:0", display.display());
    let sharer = Session::create(&farpane_session_config {
        listen: listen.as_ptr().cast(),
        listen_len: listen.len(),
        input: input.as_ptr().cast(),
        input_len: input.len(),
        scopes,
        ..config(FARPANE_ROLE_SHARER)
    });
    sharer.connect();
    let invitation = sharer.invite();
    let helper = Session::create(&farpane_session_config {
        invitation: invitation.as_ptr().cast(),
        invitation_len: invitation.len(),
        scopes,
        ..config(FARPANE_ROLE_HELPER)
    });
    helper.connect();
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!(request.scopes, scopes);
    assert_eq!(farpane_consent_grant(sharer.0, request.id, scopes, 0), FARPANE_OK);
    sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
    let keeping = Keeping::of(&sharer);
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_OK, "{}", last_error());
    assert_eq!(helper.wait(FARPANE_EVENT_CONSENT_GRANTED).scopes, scopes);
    // The indicator shows, and the session moves.
    helper.wait(FARPANE_EVENT_INPUT);
    (Pair { helper, sharer, helper_id: request.id }, keeping, display)
}

impl Pair {
    /// Both ends: who sends to which number, and who receives.
    fn ways(&self) -> [(&Session, u64, &Session); 2] {
        [(&self.helper, 0, &self.sharer), (&self.sharer, self.helper_id, &self.helper)]
    }
}

type Send = unsafe extern "C" fn(
    *mut farpane_session,
    u64,
    *const std::ffi::c_char,
    usize,
) -> farpane_result;

fn send(send: Send, from: &Session, id: u64, text: &str) -> farpane_result {
    // SAFETY: the text has that length.
    unsafe { send(from.0, id, text.as_ptr().cast(), text.len()) }
}

fn offer(from: &Session, id: u64, path: &Path) -> (farpane_result, u32) {
    let (path, mut file) = (path.to_str().unwrap(), 0);
    // SAFETY: the text has that length, the place is valid.
    let result =
        unsafe { farpane_file_offer(from.0, id, path.as_ptr().cast(), path.len(), &mut file) };
    (result, file)
}

fn accept(at: &Session, event: &farpane_event, folder: &Path) -> farpane_result {
    let folder = folder.to_str().unwrap();
    let (text, bytes) = (folder.as_ptr().cast(), folder.len());
    // SAFETY: the text has that length.
    unsafe { farpane_file_accept(at.0, event.id, event.file, text, bytes) }
}

#[test]
fn messages_and_clipboards_go_both_ways_whole() {
    let (pair, _keeping, _display) = helping(EVERYTHING);
    let (long, clipboard) = ("grün ".repeat(682), "é".repeat(FARPANE_MAX_CLIPBOARD_BYTES / 2));
    for (from, id, to) in pair.ways() {
        let from_id = pair.helper_id - id;
        for said in ["hello", &long] {
            assert_eq!(send(farpane_chat_send, from, id, said), FARPANE_OK, "{}", last_error());
            let event = to.wait(FARPANE_EVENT_CHAT);
            assert_eq!((event.id, event.text_len as usize), (from_id, said.len()));
            assert!(said.starts_with(&text(&event.text)) && to.event_text() == said);
        }
        assert_eq!(send(farpane_clipboard_send, from, id, &clipboard), FARPANE_OK);
        to.wait(FARPANE_EVENT_CLIPBOARD);
        assert!(to.event_text() == clipboard);
        for wrong in ["", "a\u{7}b", &"a".repeat(FARPANE_MAX_CHAT_BYTES + 1)] {
            let refused = send(farpane_chat_send, from, id, wrong);
            assert_eq!(refused, FARPANE_ERR_ARGUMENT, "{}", wrong.len());
        }
        let long = "a".repeat(FARPANE_MAX_CLIPBOARD_BYTES + 1);
        assert_eq!(send(farpane_clipboard_send, from, id, &long), FARPANE_ERR_ARGUMENT);
    }
    assert_eq!(send(farpane_chat_send, &pair.helper, 1, "hello"), FARPANE_ERR_ARGUMENT);
    assert_eq!(send(farpane_chat_send, &pair.sharer, 99, "hello"), FARPANE_ERR_NOT_FOUND);
}

#[test]
fn files_go_both_ways_whole_or_not_at_all() {
    let (pair, _keeping, _display) = helping(EVERYTHING);
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..300_000u32).map(|n| (n * 7 % 251) as u8).collect();
    let (there, here) = (folder.path().join("there"), folder.path().join("here"));
    std::fs::create_dir(&there).unwrap();
    std::fs::create_dir(&here).unwrap();
    let path = here.join("notes.txt");
    std::fs::write(&path, &content).unwrap();
    for ((from, id, to), name) in pair.ways().into_iter().zip(["notes.txt", "notes (1).txt"]) {
        let (offered, file) = offer(from, id, &path);
        assert_eq!(offered, FARPANE_OK, "{}", last_error());
        let event = to.wait(FARPANE_EVENT_FILE_OFFERED);
        assert_eq!((text(&event.text).as_str(), event.bytes), ("notes.txt", 300_000));
        assert_eq!((event.outgoing, event.id), (0, pair.helper_id - id));
        assert_eq!(accept(to, &event, &folder.path().join("none")), FARPANE_ERR_SYSTEM);
        assert_eq!(accept(to, &event, &there), FARPANE_OK, "{}", last_error());
        assert_eq!(accept(to, &event, &there), FARPANE_ERR_NOT_FOUND);
        let done = to.wait(FARPANE_EVENT_FILE_DONE);
        assert_eq!(text(&done.text), there.join(name).to_str().unwrap());
        assert!(std::fs::read(there.join(name)).unwrap() == content);
        let done = from.wait(FARPANE_EVENT_FILE_DONE);
        assert_eq!((done.file, done.outgoing, text(&done.text).as_str()), (file, 1, ""));
        // One that is not wanted, and one that its sender gives up.
        assert_eq!(offer(from, id, &path).0, FARPANE_OK);
        let event = to.wait(FARPANE_EVENT_FILE_OFFERED);
        assert_eq!(farpane_file_stop(to.0, event.id, event.file, 0), FARPANE_OK);
        from.wait(FARPANE_EVENT_FILE_STOPPED);
        let (_, file) = offer(from, id, &path);
        let event = to.wait(FARPANE_EVENT_FILE_OFFERED);
        assert_eq!(farpane_file_stop(from.0, id, file, 1), FARPANE_OK);
        to.wait(FARPANE_EVENT_FILE_STOPPED);
        assert_eq!(accept(to, &event, &there), FARPANE_ERR_NOT_FOUND);
        assert_eq!(offer(from, id, folder.path()).0, FARPANE_ERR_SYSTEM);
    }
    assert_eq!(std::fs::read_dir(&there).unwrap().count(), 2);
}

#[test]
fn whoever_only_views_writes_and_points_and_no_more() {
    let (pair, _keeping, _display) = helping(FARPANE_SCOPE_VIEW);
    let file = Path::new("Cargo.toml");
    for (from, id, to) in pair.ways() {
        assert_eq!(send(farpane_chat_send, from, id, "hello"), FARPANE_OK);
        to.wait(FARPANE_EVENT_CHAT);
        let refused = send(farpane_clipboard_send, from, id, "secret");
        assert_eq!(refused, FARPANE_ERR_NOT_PERMITTED);
        assert_eq!(offer(from, id, file).0, FARPANE_ERR_NOT_PERMITTED);
    }
    let credentials = send_credentials(&pair.helper, "admin", "secret");
    assert_eq!(credentials, FARPANE_ERR_NOT_PERMITTED);
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    pair.helper.frame();
    let point = farpane_input { x: 30, y: 40, ..input(FARPANE_INPUT_MOVE) };
    // SAFETY: the structure is valid.
    assert_eq!(unsafe { farpane_input_send(pair.helper.0, &point) }, FARPANE_OK);
    let pointing = pair.sharer.wait(FARPANE_EVENT_POINTING);
    assert_eq!((pointing.id, pointing.x, pointing.y), (pair.helper_id, 30, 40));
}

fn send_credentials(helper: &Session, name: &str, password: &str) -> farpane_result {
    let (name_at, password_at) = (name.as_ptr().cast(), password.as_ptr().cast());
    // SAFETY: the texts have their lengths.
    unsafe { farpane_credentials_send(helper.0, name_at, name.len(), password_at, password.len()) }
}

#[test]
fn a_password_is_taken_once_while_a_prompt_is_open() {
    let (pair, _keeping, _display) = helping(EVERYTHING);
    let take = |capacity| {
        const CAPACITY: usize = FARPANE_CREDENTIAL_CAPACITY;
        let (mut name, mut password) = ([0; CAPACITY], [0; CAPACITY]);
        let (name_at, password_at) = (name.as_mut_ptr(), password.as_mut_ptr());
        let (sharer, id) = (pair.sharer.0, pair.helper_id);
        // SAFETY: the buffers have at least these capacities.
        let result = unsafe {
            farpane_credentials_take(sharer, id, name_at, CAPACITY, password_at, capacity)
        };
        (result, text(&name), text(&password))
    };
    let send = || send_credentials(&pair.helper, "admin", "pässword");
    let wait_prompt = |open| while pair.helper.wait(FARPANE_EVENT_PROMPT).open != open {};
    assert_eq!(send(), FARPANE_ERR_NOT_PERMITTED, "no prompt is open");
    assert_eq!(farpane_prompt_set(pair.sharer.0, 1), FARPANE_OK);
    wait_prompt(1);
    assert_eq!(send_credentials(&pair.helper, &"a".repeat(513), ""), FARPANE_ERR_ARGUMENT);
    assert_eq!(send(), FARPANE_OK, "{}", last_error());
    let event = pair.sharer.wait(FARPANE_EVENT_CREDENTIALS);
    assert_eq!((event.id, text(&event.text).as_str()), (pair.helper_id, ""));
    assert_eq!(take(9).0, FARPANE_ERR_BUFFER);
    let (result, name, password) = take(FARPANE_CREDENTIAL_CAPACITY);
    assert_eq!((result, name.as_str(), password.as_str()), (FARPANE_OK, "admin", "pässword"));
    assert_eq!(take(FARPANE_CREDENTIAL_CAPACITY).0, FARPANE_ERR_NOT_FOUND);
    // What nobody takes is gone with the elevation.
    assert_eq!(send(), FARPANE_OK);
    pair.sharer.wait(FARPANE_EVENT_CREDENTIALS);
    assert_eq!(farpane_prompt_set(pair.sharer.0, 0), FARPANE_OK);
    wait_prompt(0);
    let lowered = farpane_consent_lower(pair.sharer.0, pair.helper_id, FARPANE_SCOPE_VIEW);
    assert_eq!(lowered, FARPANE_OK);
    pair.sharer.wait(FARPANE_EVENT_SIGN_OUT);
    assert_eq!(take(FARPANE_CREDENTIAL_CAPACITY).0, FARPANE_ERR_NOT_FOUND);
    assert_eq!(pair.helper.wait(FARPANE_EVENT_CONSENT_GRANTED).scopes, FARPANE_SCOPE_VIEW);
    assert_eq!(send(), FARPANE_ERR_NOT_PERMITTED);
}

#[test]
fn a_rest_ends_when_both_sides_let_go() {
    let (pair, _keeping, _display) = helping(FARPANE_SCOPE_VIEW);
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 1));
    assert!(pair.helper.frame().is(1));
    let hold = |end: &Session, id, held| {
        assert_eq!(farpane_session_hold(end.0, id, held), FARPANE_OK, "{}", last_error());
    };
    hold(&pair.sharer, pair.helper_id, 1);
    pair.helper.wait(FARPANE_EVENT_SUSPENDED);
    pair.sharer.push(&Picture::new(WIDTH, HEIGHT, 2));
    hold(&pair.helper, 0, 1);
    hold(&pair.sharer, pair.helper_id, 0);
    let mut frame = std::ptr::null_mut();
    // SAFETY: the place is valid.
    assert_eq!(unsafe { farpane_frame_next(pair.helper.0, 150, &mut frame) }, FARPANE_AGAIN);
    hold(&pair.helper, 0, 0);
    pair.helper.wait(FARPANE_EVENT_RESUMED);
    assert!(pair.helper.frame().is(2));
}
