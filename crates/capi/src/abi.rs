//! Codes, constants and structures that cross the boundary. All of them only ever grow at the end.
#![allow(non_camel_case_types)]

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
/// The sharer has not granted this.
pub const FARPANE_ERR_NOT_PERMITTED: farpane_result = -8;
/// No request or helper has this number (any more).
pub const FARPANE_ERR_NOT_FOUND: farpane_result = -9;
/// Too many objects of this kind are alive: release some.
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

/// The helper sees the screen.
pub const FARPANE_SCOPE_VIEW: u32 = 1;
/// The helper also moves the pointer and types.
pub const FARPANE_SCOPE_CONTROL: u32 = 2;

/// Blue, green, red, ignored.
pub const FARPANE_FORMAT_BGRX: u32 = 1;
/// Red, green, blue, ignored.
pub const FARPANE_FORMAT_RGBX: u32 = 2;

/// The session is connected (helper), or takes helpers in (sharer).
pub const FARPANE_EVENT_CONNECTED: u32 = 1;
/// The session is over: `reason` and `text` say why, `lost` whether connecting again may help.
/// The last event, unless a helper connects again.
pub const FARPANE_EVENT_ENDED: u32 = 2;
/// Sharer: the helper `id`, called `name`, with the key `key`, asks for `scopes`. Answer with
/// farpane_consent_grant or farpane_consent_deny; silence for 60 s denies.
pub const FARPANE_EVENT_CONSENT_REQUESTED: u32 = 3;
/// Sharer: show that `name` sees the screen, then call farpane_indicator_ack now and every second.
pub const FARPANE_EVENT_SHOW_INDICATOR: u32 = 4;
/// Sharer: the helper `id` may see the screen from now on.
pub const FARPANE_EVENT_SHARING: u32 = 5;
/// Sharer: the session of the helper `id` is over.
pub const FARPANE_EVENT_HELPER_LEFT: u32 = 6;
/// Sharer: the display went away; it is tried again. `text` says why.
pub const FARPANE_EVENT_SCREEN_LOST: u32 = 7;
/// Sharer: a replay has come to its end; the last picture stays.
pub const FARPANE_EVENT_SOURCE_ENDED: u32 = 8;
/// Sharer: the screen cannot be shared. Every helper's session has ended. `text` says why.
pub const FARPANE_EVENT_FAILED: u32 = 9;
/// `missed` events that an app can do without were dropped, because it did not take them.
pub const FARPANE_EVENT_MISSED: u32 = 10;
/// Helper: the sharer has been asked for consent.
pub const FARPANE_EVENT_CONSENT_PENDING: u32 = 11;
/// Helper: `scopes` are its rights from now on. The first time, the sharer has consented, and
/// frames follow.
pub const FARPANE_EVENT_CONSENT_GRANTED: u32 = 12;
/// The session, or at a sharer that of the helper `id`, goes by another `path`. `text` says why.
pub const FARPANE_EVENT_PATH_CHANGED: u32 = 13;

/// Helper: it does not get what it asked for; what it has stays.
pub const FARPANE_EVENT_REFUSED: u32 = 14;
/// Helper: input counts from now on if `scopes` holds FARPANE_SCOPE_CONTROL, and else not any more.
pub const FARPANE_EVENT_INPUT: u32 = 15;
/// Sharer: the question of the helper `id` was taken back before it was answered.
pub const FARPANE_EVENT_CONSENT_WITHDRAWN: u32 = 16;
/// Helper: nothing moves until FARPANE_EVENT_RESUMED.
pub const FARPANE_EVENT_SUSPENDED: u32 = 17;
/// Helper: the session goes on.
pub const FARPANE_EVENT_RESUMED: u32 = 18;
/// Sharer: the display takes no input of the helper `id`, whose control is taken back. `text` says
/// why.
pub const FARPANE_EVENT_INPUT_FAILED: u32 = 19;

/// Straight.
pub const FARPANE_PATH_DIRECT: u32 = 1;
/// By a relay, to which this side talks over UDP.
pub const FARPANE_PATH_RELAY_UDP: u32 = 2;
/// By a relay, to which this side talks over TLS.
pub const FARPANE_PATH_RELAY_TLS: u32 = 3;

/// The sharer ended it.
pub const FARPANE_END_SHARER_ENDED: u32 = 1;
/// The helper ended it.
pub const FARPANE_END_HELPER_ENDED: u32 = 2;
/// The sharer said no.
pub const FARPANE_END_CONSENT_DENIED: u32 = 3;
/// The sharer did not answer in time.
pub const FARPANE_END_CONSENT_TIMEOUT: u32 = 4;
/// It lasted as long as it may.
pub const FARPANE_END_EXPIRED: u32 = 5;
/// The connection is gone, or never came.
pub const FARPANE_END_CONNECTION_LOST: u32 = 6;
/// The app stopped calling farpane_indicator_ack.
pub const FARPANE_END_INDICATOR_LOST: u32 = 7;
/// The helper has not the permissions for what it asks.
pub const FARPANE_END_NOT_PERMITTED: u32 = 8;
/// Something failed.
pub const FARPANE_END_ERROR: u32 = 9;
/// The helper did not prove its invitation or code.
pub const FARPANE_END_PAIRING_FAILED: u32 = 10;
/// The proof is for another connection.
pub const FARPANE_END_WRONG_CONNECTION: u32 = 11;
/// Helper, sharer and device are not all of one tenant.
pub const FARPANE_END_DIFFERENT_TENANT: u32 = 12;
/// The tenant has switched remote assistance off.
pub const FARPANE_END_TENANT_DISABLED: u32 = 13;
/// The software of one end is older than the tenant allows.
pub const FARPANE_END_VERSION_TOO_OLD: u32 = 14;
/// The tenant does not manage the device.
pub const FARPANE_END_NOT_ENROLLED: u32 = 15;
/// The helper's scope does not cover the device.
pub const FARPANE_END_OUT_OF_SCOPE: u32 = 16;
/// It took too long to begin.
pub const FARPANE_END_SETUP_TIMEOUT: u32 = 17;
/// Its lease was not renewed.
pub const FARPANE_END_LEASE_LOST: u32 = 18;
/// What was granted was taken back.
pub const FARPANE_END_REVOKED: u32 = 19;
/// What happens could not be written down.
pub const FARPANE_END_AUDIT_FAILED: u32 = 20;

/// Of an invitation's text, the NUL included.
pub const FARPANE_INVITATION_CAPACITY: usize = 8193;
/// Of a pairing code, the NUL included.
pub const FARPANE_CODE_CAPACITY: usize = 10;
/// Of the bytes of a helper's name in an event, the NUL included.
pub const FARPANE_NAME_CAPACITY: usize = 260;
/// Of a key's fingerprint in an event, the NUL included.
pub const FARPANE_KEY_CAPACITY: usize = 64;
/// Of a text in an event, the NUL included. Longer texts are cut at a character.
pub const FARPANE_TEXT_CAPACITY: usize = 320;

/// A session. A name, not an address: it is never dereferenced, and a wrong one is an error.
pub struct farpane_session {
    _private: [u8; 0],
}

/// A picture that was received. A name, as farpane_session.
pub struct farpane_frame {
    _private: [u8; 0],
}

/// How a session is made. Begin with FARPANE_SESSION_CONFIG_INIT; what stays 0 has its default.
/// All texts are UTF-8, need no NUL and are copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_session_config {
    /// sizeof(farpane_session_config).
    pub struct_size: u32,
    /// FARPANE_ROLE_SHARER or FARPANE_ROLE_HELPER.
    pub role: u32,
    /// The name that the other side sees; it is not verified. Default "sharer" or "helper".
    pub name: *const c_char,
    /// Its bytes.
    pub name_len: usize,
    /// Helper: the invitation that the sharer gave out. Required.
    pub invitation: *const c_char,
    /// Its bytes.
    pub invitation_len: usize,
    /// Sharer: what to share: "x11", "x11:DISPLAY", "replay:FILE" or "pattern:NAME". By
    /// default nothing is captured: the app pushes its pictures by farpane_frame_push.
    pub source: *const c_char,
    /// Its bytes.
    pub source_len: usize,
    /// Sharer: the one monitor of the source to share. Default all.
    pub monitor: *const c_char,
    /// Its bytes.
    pub monitor_len: usize,
    /// Sharer: where to listen, as "192.0.2.7:4433"; port 0 takes a free one. Default
    /// "0.0.0.0:0".
    pub listen: *const c_char,
    /// Its bytes.
    pub listen_len: usize,
    /// Sharer: the program that tries the driver of an encoder in hardware before films rely on
    /// it, most simply this program itself: it is started as `PROGRAM probe-encoder NAME`, calls
    /// farpane_probe_encoder with NAME and ends. By default films are encoded in software only,
    /// as they are where no driver works, and from the first failure of one on.
    pub probe: *const c_char,
    /// Its bytes.
    pub probe_len: usize,
    /// Sharer: the file that keeps what was found out about each driver, so that none is tried
    /// twice; it need not exist, its folder does. Required with `probe`, and only with it.
    pub remembered: *const c_char,
    /// Its bytes.
    pub remembered_len: usize,
    /// Helper: the pairing code that the sharer told, for an invitation made with one.
    pub code: *const c_char,
    /// Its bytes.
    pub code_len: usize,
    /// Sharer: relays for helpers who cannot come directly, one a line, at most 4, as
    /// "turn:USER:PASSWORD@HOST" over UDP or "turns:USER:PASSWORD@HOST?pin=PIN" over TLS. Helpers
    /// get them with the invitation. Default none.
    pub relays: *const c_char,
    /// Its bytes.
    pub relays_len: usize,
    /// FARPANE_SCOPE_* bits. Sharer: what helpers may be allowed at most. Helper: what to ask for.
    /// Default FARPANE_SCOPE_VIEW.
    pub scopes: u32,
    /// 0.
    pub reserved: u32,
    /// Sharer: the X display to which the input of helpers goes, as ":0". Default the one of an
    /// "x11" source; where there is none, helpers cannot control.
    pub input: *const c_char,
    /// Its bytes.
    pub input_len: usize,
}

/// What happened. Begin with FARPANE_EVENT_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_event {
    /// sizeof(farpane_event).
    pub struct_size: u32,
    /// FARPANE_EVENT_*.
    pub kind: u32,
    /// Sharer: which helper. 0 when it is about the session itself.
    pub id: u64,
    /// FARPANE_SCOPE_* bits.
    pub scopes: u32,
    /// FARPANE_END_*, for FARPANE_EVENT_ENDED and FARPANE_EVENT_HELPER_LEFT.
    pub reason: u32,
    /// 1 when the connection was lost and farpane_session_connect may bring it back.
    pub lost: u32,
    /// For FARPANE_EVENT_MISSED.
    pub missed: u32,
    /// The helper's name where the event is about one, NUL-terminated UTF-8; it is not verified,
    /// but holds no deceptive characters.
    pub name: [c_char; FARPANE_NAME_CAPACITY],
    /// The fingerprint of the key that this helper proved to hold, NUL-terminated.
    pub key: [c_char; FARPANE_KEY_CAPACITY],
    /// Why, for people, NUL-terminated UTF-8.
    pub text: [c_char; FARPANE_TEXT_CAPACITY],
    /// FARPANE_PATH_*, for FARPANE_EVENT_PATH_CHANGED.
    pub path: u32,
}

/// A rectangle in pixels from the top left corner.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct farpane_rect {
    /// Column of the left edge.
    pub x: u32,
    /// Row of the upper edge.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A picture that the app captured. Begin with FARPANE_PICTURE_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_picture {
    /// sizeof(farpane_picture).
    pub struct_size: u32,
    /// FARPANE_FORMAT_*.
    pub format: u32,
    /// Columns, 1 to 16384.
    pub width: u32,
    /// Rows, 1 to 16384.
    pub height: u32,
    /// The first pixel. Read during the call only.
    pub pixels: *const u8,
    /// Bytes that may be read there: at least stride * (height - 1) + 4 * width.
    pub pixels_len: usize,
    /// Bytes from one row to the next, at least 4 * width.
    pub stride: usize,
    /// Where it differs from the picture pushed before; NULL for everywhere. Rectangles may
    /// overlap, and are cut at the edges.
    pub damage: *const farpane_rect,
    /// Rectangles there, at most 4096. With damage NULL it is 0.
    pub damage_count: usize,
}

/// What is known of a received frame. Begin with FARPANE_FRAME_INFO_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_frame_info {
    /// sizeof(farpane_frame_info).
    pub struct_size: u32,
    /// FARPANE_FORMAT_BGRX.
    pub format: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Counts up when the sharer's screen became another one, as when its size changed.
    pub generation: u32,
    /// Rectangles that farpane_frame_get_damage would store.
    pub damage_count: u32,
    /// The newest update in it.
    pub update: u64,
    /// When its newest datagram arrived, in microseconds of CLOCK_MONOTONIC.
    pub received_us: u64,
    /// When it was composed, same clock.
    pub composed_us: u64,
}

/// A frame's pixels. Begin with FARPANE_PLANE_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_plane {
    /// sizeof(farpane_plane).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The first pixel. Never written again while the frame is alive.
    pub pixels: *const u8,
    /// Bytes from there on.
    pub pixels_len: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A pointer. Begin with FARPANE_CURSOR_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_cursor {
    /// sizeof(farpane_cursor).
    pub struct_size: u32,
    /// 1 when it is to be drawn.
    pub visible: u32,
    /// Column of its hot spot on the screen; may be outside.
    pub x: i32,
    /// Row of its hot spot on the screen; may be outside.
    pub y: i32,
    /// Names its shape: equal numbers are equal shapes. 0 for no shape.
    pub shape: u64,
    /// Columns of the shape, at most 256; 0 when there is none.
    pub width: u32,
    /// Rows of the shape, at most 256.
    pub height: u32,
    /// Column of the hot spot in the shape.
    pub hot_x: u32,
    /// Row of the hot spot in the shape.
    pub hot_y: u32,
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
