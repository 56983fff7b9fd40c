//! Sequences of calls that nobody thought of, for the fuzzer: each byte of the input chooses a
//! call or an argument. Memory is always what the arguments say; all else is the input's choice.

use crate::abi::*;
use crate::*;
use std::ffi::c_char;
use std::ptr::{null, null_mut};

/// Sessions and frames that a sequence may have at once.
const MOST: usize = 4;
/// Calls in a sequence.
const MOST_CALLS: usize = 64;

/// Makes the calls and releases what is left; whether any of them did what it says.
///
/// # Panics
/// When a result is none that the header names, or an object is there after a failure.
pub fn run(input: &[u8]) -> bool {
    let mut sequence = Sequence { input, sessions: Vec::new(), frames: Vec::new() };
    let mut done = false;
    for _ in 0..MOST_CALLS {
        let Some(call) = sequence.byte() else { break };
        let result = sequence.call(call);
        assert!((FARPANE_ERR_PANIC + 1..=FARPANE_ENDED).contains(&result), "{call}: {result}");
        done |= result == FARPANE_OK;
    }
    sequence.release();
    done
}

struct Sequence<'a> {
    input: &'a [u8],
    sessions: Vec<*mut farpane_session>,
    frames: Vec<*mut farpane_frame>,
}

impl Sequence<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.input.split_first()?;
        self.input = rest;
        Some(*first)
    }

    fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let count = usize::from(self.byte().unwrap_or_default() % 9);
        bytes[..count].fill_with(|| self.byte().unwrap_or_default());
        u64::from_le_bytes(bytes)
    }

    fn small(&mut self) -> u32 {
        self.byte().unwrap_or_default().into()
    }

    fn text(&mut self) -> Vec<u8> {
        let bytes = usize::from(self.byte().unwrap_or_default()).min(self.input.len());
        let (text, rest) = self.input.split_at(bytes);
        self.input = rest;
        text.to_vec()
    }

    /// One that is alive, one that is not, or any number.
    fn session(&mut self) -> *mut farpane_session {
        match self.byte().unwrap_or_default() {
            0xff => self.number() as usize as *mut farpane_session,
            0xfe => self.frames.first().map_or(null_mut(), |frame| frame.cast()),
            n => self.sessions.get(usize::from(n) % MOST).copied().unwrap_or(null_mut()),
        }
    }

    fn frame(&mut self) -> *mut farpane_frame {
        match self.byte().unwrap_or_default() {
            0xff => self.number() as usize as *mut farpane_frame,
            0xfe => self.sessions.first().map_or(null_mut(), |session| session.cast()),
            n => self.frames.get(usize::from(n) % MOST).copied().unwrap_or(null_mut()),
        }
    }

    /// A size that is right, or smaller.
    fn size<T>(&mut self) -> u32 {
        let right = size_of::<T>() as u32;
        match self.byte().unwrap_or_default() {
            n @ 0..8 => u32::from(n) * right / 8,
            _ => right,
        }
    }

    fn call(&mut self, call: u8) -> farpane_result {
        match call % 40 {
            0 => self.create(),
            1 => farpane_session_connect(self.session()),
            2 => farpane_session_close(self.session()),
            3 => self.unref(),
            // SAFETY: the place is valid.
            4 => unsafe { farpane_session_event_fd(self.session(), &mut 0) },
            // SAFETY: there is no callback.
            5 => unsafe { farpane_session_set_wakeup(self.session(), None, null_mut()) },
            6 => {
                let (mut out, capacity) = ([0; 255], self.small() as usize % 256);
                // SAFETY: the buffer has at least that capacity.
                unsafe {
                    let session = self.session();
                    farpane_session_address(session, out.as_mut_ptr(), capacity, &mut 0)
                }
            }
            7 => {
                let mut event = event::new(0);
                event.struct_size = self.size::<farpane_event>();
                // SAFETY: the event is no smaller than it says.
                unsafe { farpane_event_next(self.session(), self.small() % 3, &mut event) }
            }
            8 => {
                let struct_size = self.size::<farpane_stats>();
                let mut stats = farpane_stats { struct_size, ..farpane_stats::default() };
                // SAFETY: the structure is no smaller than it says.
                unsafe { farpane_stats_get(self.session(), &mut stats) }
            }
            9 => self.invite(),
            10 => farpane_consent_grant(self.session(), self.number(), self.small(), self.number()),
            11 => farpane_consent_deny(self.session(), self.number()),
            12 => farpane_consent_revoke(self.session(), self.number()),
            13 => {
                let (session, text, ttl_ms) = (self.session(), self.text(), self.number());
                let at = text.as_ptr().cast::<c_char>();
                // SAFETY: the text has that length.
                unsafe { farpane_consent_in_advance(session, at, text.len(), ttl_ms) }
            }
            14 => farpane_indicator_ack(self.session()),
            15 => farpane_capture_start(self.session()),
            16..=18 => self.push(),
            19 => self.push_cursor(),
            20 => self.next_frame(),
            21 => self.get_from_frame(),
            22 => farpane_frame_ref_and_unref(self.frame()),
            23 => self.unref_frame(),
            24 => self.get_cursor(),
            25 => self.send_input(),
            26 => farpane_session_wait(self.session(), self.small() % 3),
            27..=38 => self.call_beside(call % 40),
            _ => {
                let (mut out, capacity) = ([0; 255], self.small() as usize % 256);
                // SAFETY: the buffer has at least that capacity.
                unsafe { farpane_last_error(out.as_mut_ptr(), capacity, &mut 0) }
            }
        }
    }

    /// What goes beside the screen.
    fn call_beside(&mut self, call: u8) -> farpane_result {
        match call {
            27 => farpane_consent_request(self.session(), self.small()),
            28 => farpane_consent_lower(self.session(), self.number(), self.small()),
            29 => self.send(farpane_chat_send),
            30 => self.send(farpane_clipboard_send),
            31 => farpane_file_stop(self.session(), self.number(), self.small(), self.small() % 2),
            32 => farpane_session_hold(self.session(), self.number(), self.small() % 2),
            33 => farpane_prompt_set(self.session(), self.small() % 2),
            34 => self.pass_credentials(),
            35 => {
                let (session, id, renewal) = (self.session(), self.number(), self.number());
                farpane_lease_renew(session, id, renewal, self.small())
            }
            36 => match self.small() % 2 {
                0 => farpane_grant_revoke(self.session(), self.number()),
                _ => farpane_compliance_ack(self.session(), self.number()),
            },
            37 => self.get_event_text(),
            _ => self.join_tenant(),
        }
    }

    fn create(&mut self) -> farpane_result {
        if self.sessions.len() == MOST {
            return FARPANE_AGAIN;
        }
        let (struct_size, role) = (self.size::<farpane_session_config>(), self.small() % 4);
        let fields = self.small();
        let texts: [Vec<u8>; 4] = std::array::from_fn(|field| match fields >> field & 1 {
            1 => self.text(),
            _ => Vec::new(),
        });
        let at = |field: usize| match texts[field].len() {
            0 => (null(), 0),
            bytes => (texts[field].as_ptr().cast::<c_char>(), bytes),
        };
        let (name, name_len) = at(0);
        let (invitation, invitation_len) = at(1);
        let (monitor, monitor_len) = at(2);
        let (listen, listen_len) = match fields >> 4 & 1 {
            1 => at(3),
            _ => (c"127.0.0.1:0".as_ptr(), if role == FARPANE_ROLE_SHARER { 11 } else { 0 }),
        };
        // A source could be any file or display of this machine.
        let config = farpane_session_config {
            struct_size,
            role,
            name,
            name_len,
            invitation,
            invitation_len,
            source: null(),
            source_len: 0,
            monitor,
            monitor_len,
            listen,
            listen_len,
            // Programs, and files to be written.
            probe: null(),
            probe_len: 0,
            remembered: null(),
            remembered_len: 0,
            code: null(),
            code_len: 0,
            relays: null(),
            relays_len: 0,
            scopes: 0,
            flags: 0,
            // Any display of this machine.
            input: null(),
            input_len: 0,
            membership: null(),
            audit: null(),
        };
        let mut session = null_mut();
        // SAFETY: the texts have their lengths, and the structure is no smaller than it says.
        let result = unsafe { farpane_session_create(&config, &mut session) };
        assert_eq!(session.is_null(), result != FARPANE_OK);
        self.sessions.extend((result == FARPANE_OK).then_some(session));
        result
    }

    fn unref(&mut self) -> farpane_result {
        let session = self.session();
        let result = farpane_session_unref(session);
        assert_eq!(result == FARPANE_OK, self.sessions.contains(&session));
        self.sessions.retain(|alive| *alive != session);
        result
    }

    fn invite(&mut self) -> farpane_result {
        let (session, text, valid_ms) = (self.session(), self.text(), self.number());
        let (mut out, capacity) = ([0; 2048], self.small() as usize * 8);
        let at = text.as_ptr().cast::<c_char>();
        // SAFETY: the text has that length, the buffer at least that capacity.
        unsafe {
            let out = out.as_mut_ptr();
            farpane_invitation_create(session, at, text.len(), valid_ms, out, capacity, &mut 0)
        }
    }

    fn push(&mut self) -> farpane_result {
        let (session, pixels) = (self.session(), self.text());
        let rects: Vec<farpane_rect> = (0..self.small() % 4)
            .map(|_| farpane_rect {
                x: self.number() as u32,
                y: self.small(),
                width: self.small(),
                height: self.number() as u32,
            })
            .collect();
        let picture = farpane_picture {
            struct_size: self.size::<farpane_picture>(),
            format: self.small() % 4,
            width: self.small(),
            height: self.small(),
            pixels: pixels.as_ptr(),
            pixels_len: pixels.len(),
            stride: self.number() as usize,
            damage: if rects.is_empty() { null() } else { rects.as_ptr() },
            damage_count: rects.len(),
        };
        // SAFETY: pixels and damage have their lengths.
        unsafe { farpane_frame_push(session, &picture) }
    }

    fn push_cursor(&mut self) -> farpane_result {
        let (session, bgra, mut cursor) = (self.session(), self.text(), self.cursor());
        (cursor.width, cursor.height) = (self.small(), self.small());
        (cursor.hot_x, cursor.hot_y) = (self.small(), self.small());
        // SAFETY: the shape has that length.
        unsafe { farpane_cursor_push(session, &cursor, bgra.as_ptr(), bgra.len()) }
    }

    fn cursor(&mut self) -> farpane_cursor {
        farpane_cursor {
            struct_size: self.size::<farpane_cursor>(),
            visible: self.small(),
            x: self.number() as i32,
            y: self.number() as i32,
            shape: self.number(),
            width: 0,
            height: 0,
            hot_x: 0,
            hot_y: 0,
        }
    }

    fn next_frame(&mut self) -> farpane_result {
        if self.frames.len() == MOST {
            return FARPANE_AGAIN;
        }
        let mut frame = null_mut();
        // SAFETY: the place is valid.
        let result = unsafe { farpane_frame_next(self.session(), self.small() % 3, &mut frame) };
        assert_eq!(frame.is_null(), result != FARPANE_OK);
        self.frames.extend((result == FARPANE_OK).then_some(frame));
        result
    }

    fn get_from_frame(&mut self) -> farpane_result {
        let mut rects = [farpane_rect::default(); 64];
        let (frame, capacity) = (self.frame(), self.small() as usize % 65);
        // SAFETY: the buffer has at least that capacity.
        unsafe { farpane_frame_get_damage(frame, rects.as_mut_ptr(), capacity, &mut 0) }
    }

    fn unref_frame(&mut self) -> farpane_result {
        let frame = self.frame();
        let result = farpane_frame_unref(frame);
        assert_eq!(result == FARPANE_OK, self.frames.contains(&frame));
        self.frames.retain(|alive| *alive != frame);
        result
    }

    fn get_cursor(&mut self) -> farpane_result {
        let (mut cursor, mut bgra) = (self.cursor(), [0; 255]);
        let capacity = self.small() as usize;
        // SAFETY: the buffer has at least that capacity, the structure is no smaller than it says.
        unsafe { farpane_cursor_get(self.session(), &mut cursor, bgra.as_mut_ptr(), capacity) }
    }

    fn send_input(&mut self) -> farpane_result {
        let input = farpane_input {
            struct_size: self.size::<farpane_input>(),
            kind: self.small() % 6,
            x: self.number() as i32,
            y: self.number() as i32,
            code: self.small(),
            pressed: self.small(),
            scroll_x: 0,
            scroll_y: 0,
        };
        // SAFETY: the structure is no smaller than it says.
        unsafe { farpane_input_send(self.session(), &input) }
    }

    /// Files are left out: any path of this machine could be meant.
    fn send(
        &mut self,
        send: unsafe extern "C" fn(
            *mut farpane_session,
            u64,
            *const c_char,
            usize,
        ) -> farpane_result,
    ) -> farpane_result {
        let (session, id, text) = (self.session(), self.number(), self.text());
        // SAFETY: the text has that length.
        unsafe { send(session, id, text.as_ptr().cast(), text.len()) }
    }

    fn pass_credentials(&mut self) -> farpane_result {
        let (session, name, password) = (self.session(), self.text(), self.text());
        let (id, capacity) = (self.number(), self.small() as usize);
        let (mut to, mut to_password) = ([0; 255], [0; 255]);
        let (at, password_at) = (name.as_ptr().cast(), password.as_ptr().cast());
        // SAFETY: the texts have their lengths, the buffers at least that capacity.
        unsafe {
            match id % 2 {
                0 => farpane_credentials_send(session, at, name.len(), password_at, password.len()),
                _ => {
                    let (to, to_password) = (to.as_mut_ptr(), to_password.as_mut_ptr());
                    farpane_credentials_take(session, id, to, capacity, to_password, capacity)
                }
            }
        }
    }

    fn get_event_text(&mut self) -> farpane_result {
        let (mut out, capacity) = ([0; 255], self.small() as usize);
        // SAFETY: the buffer has at least that capacity.
        unsafe { farpane_event_text(self.session(), out.as_mut_ptr(), capacity, &mut 0) }
    }

    /// No bytes that nobody signed make a member.
    fn join_tenant(&mut self) -> farpane_result {
        let [tenant, revocations, credential, key] = std::array::from_fn(|_| self.text());
        let mut membership = null_mut();
        let config = farpane_membership_config {
            struct_size: self.size::<farpane_membership_config>(),
            role: self.small() % 4,
            tenant: tenant.as_ptr().cast(),
            tenant_len: tenant.len(),
            revocations: revocations.as_ptr(),
            revocations_len: revocations.len(),
            credential: credential.as_ptr(),
            credential_len: credential.len(),
            key: key.as_ptr().cast(),
            key_len: key.len(),
            person: null(),
            person_len: 0,
            person_key: null(),
            person_key_len: 0,
            settings: self.small(),
            device_scopes: self.small(),
            minimum_major: self.number() as u32,
            minimum_minor: 0,
            minimum_patch: 0,
            reserved: 0,
        };
        // SAFETY: the documents have their lengths, and the structure is no smaller than it says.
        let result = unsafe { farpane_membership_create(&config, &mut membership) };
        assert!(membership.is_null() && result < 0);
        result
    }

    fn release(&mut self) {
        for session in self.sessions.drain(..) {
            assert_eq!(farpane_session_unref(session), FARPANE_OK);
            assert_eq!(farpane_session_unref(session), FARPANE_ERR_HANDLE);
        }
        for frame in self.frames.drain(..) {
            assert_eq!(farpane_frame_unref(frame), FARPANE_OK);
        }
    }
}

/// Adds a reference and takes it away again.
fn farpane_frame_ref_and_unref(frame: *mut farpane_frame) -> farpane_result {
    match farpane_frame_ref(frame) {
        FARPANE_OK => farpane_frame_unref(frame),
        other => other,
    }
}
