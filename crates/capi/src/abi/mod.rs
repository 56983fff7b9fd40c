//! Codes, constants and structures that cross the boundary. All of them only ever grow at the end.
#![allow(non_camel_case_types)]

mod config;
mod end;
mod event;
mod picture;

pub use config::*;
pub use end::*;
pub use event::*;
pub use picture::*;

use std::ffi::{c_char, c_void};

/// What a function came to: 0 and above are no failure, below is an error.
pub type farpane_result = i32;

/// It is done.
pub const FARPANE_OK: farpane_result = 0;
/// Nothing is there yet: wait for the descriptor or the wakeup, or call again with a timeout.
pub const FARPANE_AGAIN: farpane_result = 1;
/// The session is over and everything it had to say was taken.
pub const FARPANE_ENDED: farpane_result = 2;
/// An argument is NULL, out of range or not UTF-8. A mistake of the caller.
pub const FARPANE_ERR_ARGUMENT: farpane_result = -1;
/// No living object has this handle: it was released already, or it is of another kind.
pub const FARPANE_ERR_HANDLE: farpane_result = -2;
/// The structure or a flag is of a newer version than this library.
pub const FARPANE_ERR_UNSUPPORTED: farpane_result = -3;
/// The session's role or state does not allow it now.
pub const FARPANE_ERR_STATE: farpane_result = -4;
/// The buffer is too small; the length that is needed was stored.
pub const FARPANE_ERR_BUFFER: farpane_result = -5;
/// Nobody may see the screen: grant a request for consent first.
pub const FARPANE_ERR_CONSENT_REQUIRED: farpane_result = -6;
/// The indicator does not show: show it and call farpane_indicator_ack first.
pub const FARPANE_ERR_INDICATOR_REQUIRED: farpane_result = -7;
/// The sharer has not granted this, or it is not there now.
pub const FARPANE_ERR_NOT_PERMITTED: farpane_result = -8;
/// No request, helper, file or secret has this number (any more).
pub const FARPANE_ERR_NOT_FOUND: farpane_result = -9;
/// Too many objects of this kind are alive, or too much waits to be sent: release some, or wait.
pub const FARPANE_ERR_LIMIT: farpane_result = -10;
/// The invitation is damaged, expired or of another version.
pub const FARPANE_ERR_INVITATION: farpane_result = -11;
/// The network, the display or the system refused; farpane_last_error says which and why.
pub const FARPANE_ERR_SYSTEM: farpane_result = -12;
/// Called from inside a callback, where nothing of this library may be called.
pub const FARPANE_ERR_REENTRANT: farpane_result = -13;
/// A bug in this library. The session is over; please report what standard error says.
pub const FARPANE_ERR_PANIC: farpane_result = -14;

/// The version of this interface: the high 16 bits change when programs must be compiled anew.
pub const FARPANE_ABI_VERSION: u32 = 0x0001_0000;
/// A timeout that never ends.
pub const FARPANE_FOREVER: u32 = u32::MAX;

/// The session shares a screen.
pub const FARPANE_ROLE_SHARER: u32 = 1;
/// The session sees one.
pub const FARPANE_ROLE_HELPER: u32 = 2;

/// The helper sees the screen, shows a pointer of its own, and both write messages.
pub const FARPANE_SCOPE_VIEW: u32 = 1;
/// The helper also moves the pointer and types. Only with FARPANE_SCOPE_VIEW.
pub const FARPANE_SCOPE_CONTROL: u32 = 2;
/// The helper also answers prompts for an administrator's password. Only with
/// FARPANE_SCOPE_CONTROL, as all that follow but the last.
pub const FARPANE_SCOPE_ELEVATED: u32 = 4;
/// The helper's clipboard goes to the sharer.
pub const FARPANE_SCOPE_CLIPBOARD_IN: u32 = 8;
/// The sharer's clipboard goes to the helper.
pub const FARPANE_SCOPE_CLIPBOARD_OUT: u32 = 16;
/// The helper's files go to the sharer.
pub const FARPANE_SCOPE_FILE_IN: u32 = 32;
/// The sharer's files go to the helper.
pub const FARPANE_SCOPE_FILE_OUT: u32 = 64;
/// The helper sees a screen at which nobody is. Only with FARPANE_SCOPE_VIEW alone in a request,
/// and only for helpers whose grants say so; a sharer adds it to what it allows at most.
pub const FARPANE_SCOPE_UNATTENDED: u32 = 128;

/// Blue, green, red, ignored.
pub const FARPANE_FORMAT_BGRX: u32 = 1;
/// Red, green, blue, ignored.
pub const FARPANE_FORMAT_RGBX: u32 = 2;

/// Straight.
pub const FARPANE_PATH_DIRECT: u32 = 1;
/// By a relay, to which this side talks over UDP.
pub const FARPANE_PATH_RELAY_UDP: u32 = 2;
/// By a relay, to which this side talks over TLS.
pub const FARPANE_PATH_RELAY_TLS: u32 = 3;

/// Of an invitation's text, the NUL included.
pub const FARPANE_INVITATION_CAPACITY: usize = 8193;
/// Of a pairing code, the NUL included.
pub const FARPANE_CODE_CAPACITY: usize = 10;
/// Of the bytes of a helper's name in an event, the NUL included.
pub const FARPANE_NAME_CAPACITY: usize = 260;
/// Of a key's fingerprint in an event, the NUL included.
pub const FARPANE_KEY_CAPACITY: usize = 64;
/// Of a text in an event, the NUL included. Longer texts are cut at a character; the whole one is
/// had from farpane_event_text.
pub const FARPANE_TEXT_CAPACITY: usize = 320;
/// Of the longest text of an event, the NUL included: a clipboard's.
pub const FARPANE_EVENT_TEXT_CAPACITY: usize = 262_145;
/// Of the longest message in bytes.
pub const FARPANE_MAX_CHAT_BYTES: usize = 4_096;
/// Of the longest clipboard in bytes.
pub const FARPANE_MAX_CLIPBOARD_BYTES: usize = 262_144;
/// Of an administrator's name or password, the NUL included. Both together have at most 512 bytes.
pub const FARPANE_CREDENTIAL_CAPACITY: usize = 513;

/// A session. A name, not an address: it is never dereferenced, and a wrong one is an error.
pub struct farpane_session {
    _private: [u8; 0],
}

/// A picture that was received. A name, as farpane_session.
pub struct farpane_frame {
    _private: [u8; 0],
}

/// A place in a tenant. A name, as farpane_session.
pub struct farpane_membership {
    _private: [u8; 0],
}

/// An audit log. A name, as farpane_session.
pub struct farpane_audit {
    _private: [u8; 0],
}

/// What the helper did with mouse or keyboard. Begin with FARPANE_INPUT_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_input {
    /// sizeof(farpane_input).
    pub struct_size: u32,
    /// FARPANE_INPUT_*.
    pub kind: u32,
    /// Column on the sharer's screen.
    pub x: i32,
    /// Row on the sharer's screen.
    pub y: i32,
    /// Button (1 left, 2 middle, 3 right, 4 back, 5 forward) or key (USB HID usage of page 7).
    pub code: u32,
    /// 1 when it went down, 0 when it went up.
    pub pressed: u32,
    /// Wheel clicks to the right.
    pub scroll_x: i32,
    /// Wheel clicks down.
    pub scroll_y: i32,
}

/// The pointer moved to (x, y).
pub const FARPANE_INPUT_MOVE: u32 = 1;
/// A mouse button went down or up.
pub const FARPANE_INPUT_BUTTON: u32 = 2;
/// The wheel turned.
pub const FARPANE_INPUT_SCROLL: u32 = 3;
/// A key went down or up.
pub const FARPANE_INPUT_KEY: u32 = 4;

/// What a session has counted. Begin with FARPANE_STATS_INIT. A figure counts only when its bit
/// in `valid` is set: bit 0 for `helpers`, and so on in order.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct farpane_stats {
    /// sizeof(farpane_stats).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Which figures count.
    pub valid: u64,
    /// Sharer: helpers that see the screen now.
    pub helpers: u64,
    /// Sharer: updates sent. Helper: number of the newest update received.
    pub updates: u64,
    /// Sharer: encoded bytes in the updates.
    pub update_bytes: u64,
    /// Sharer: frames captured since the screen was opened last. Helper: frames composed.
    pub frames: u64,
    /// Sharer: changes that the display did not report and the watchdog found.
    pub watchdog_misses: u64,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: u64,
    /// Sharer: how long datagrams wait in queues on the way, in microseconds.
    pub queue_delay_us: u64,
    /// Helper: UDP payload bytes sent.
    pub udp_sent_bytes: u64,
    /// Helper: UDP payload bytes received.
    pub udp_received_bytes: u64,
    /// Sharer: times the watchdog looked for such changes.
    pub watchdog_checks: u64,
    /// Sharer: frames of this screen that a GPU compared.
    pub frames_by_gpu: u64,
}

/// Something went wrong that a person should look at.
pub const FARPANE_LOG_ERROR: u32 = 1;
/// Something unusual.
pub const FARPANE_LOG_WARN: u32 = 2;
/// What a session does.
pub const FARPANE_LOG_INFO: u32 = 3;

/// Takes one line of the log: level, text (UTF-8, not NUL-terminated), its bytes, and the pointer
/// given with it. Called from any thread, never twice at once.
pub type farpane_log_fn = Option<unsafe extern "C" fn(u32, *const c_char, usize, *mut c_void)>;
/// Says that an event or a frame may be there. Called from any thread.
pub type farpane_wakeup_fn = Option<unsafe extern "C" fn(*mut c_void)>;
