//! What happens in a session.

use super::{FARPANE_KEY_CAPACITY, FARPANE_NAME_CAPACITY, FARPANE_TEXT_CAPACITY};
use std::ffi::c_char;

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
/// Helper: input counts from now on, all of it if `scopes` holds FARPANE_SCOPE_CONTROL; only moves
/// of the pointer, which are shown, with FARPANE_SCOPE_VIEW; none without either.
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
/// Sharer: the helper `id` was not let in: it did not prove who it is. `text` says why.
pub const FARPANE_EVENT_HELPER_REFUSED: u32 = 20;
/// The sharer's device does not keep the tenant's rules, or nobody knows: `posture`. Show it, then
/// call farpane_compliance_ack; before that nobody is asked for consent.
pub const FARPANE_EVENT_COMPLIANCE_WARNING: u32 = 21;
/// Sharer with FARPANE_SESSION_LEASE_BY_APP: the lease of the session of the helper `id` is to be
/// renewed, every 5 s. Answer with farpane_lease_renew and `renewal`: a lease lasts for 10 s from
/// when it was asked for.
pub const FARPANE_EVENT_LEASE_DUE: u32 = 22;
/// Sharer: the helper `id` points at column `x` and row `y` of the screen.
pub const FARPANE_EVENT_POINTING: u32 = 23;
/// The other side, at a sharer the helper `id`, wrote the message `text`: ends of lines and tabs
/// are the only control characters in it.
pub const FARPANE_EVENT_CHAT: u32 = 24;
/// The clipboard of the other side, at a sharer of the helper `id`, is `text`.
pub const FARPANE_EVENT_CLIPBOARD: u32 = 25;
/// The other side, at a sharer the helper `id`, has the file `file` of `bytes` bytes, called
/// `text`. Answer with farpane_file_accept or farpane_file_stop.
pub const FARPANE_EVENT_FILE_OFFERED: u32 = 26;
/// All of `file` is at its receiver. If it came to this side (`outgoing` 0), `text` is its path.
pub const FARPANE_EVENT_FILE_DONE: u32 = 27;
/// `file` will not come to its receiver whole; what was there of it is removed. `text` says why.
pub const FARPANE_EVENT_FILE_STOPPED: u32 = 28;
/// Sharer: the helper `id` answers the prompt. Take name and password by farpane_credentials_take.
pub const FARPANE_EVENT_CREDENTIALS: u32 = 29;
/// Sharer: elevation has ended: sign the administrator out who was signed in for the helper `id`.
pub const FARPANE_EVENT_SIGN_OUT: u32 = 30;
/// Helper: the sharer's machine asks for an administrator's password (`open` 1), or no longer does.
/// Answer with farpane_credentials_send.
pub const FARPANE_EVENT_PROMPT: u32 = 31;
/// Helper with a membership: the sharer has proved that it is of the tenant. `name` is who sits
/// there, `text` the device.
pub const FARPANE_EVENT_SHARER_VERIFIED: u32 = 32;

/// The device keeps the tenant's rules.
pub const FARPANE_POSTURE_COMPLIANT: u32 = 1;
/// It does not.
pub const FARPANE_POSTURE_NOT_COMPLIANT: u32 = 2;
/// Nobody has said so.
pub const FARPANE_POSTURE_UNKNOWN: u32 = 3;

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
    /// The name of whom the event is about, NUL-terminated UTF-8: only their own word unless
    /// `verified`, but without deceptive characters.
    pub name: [c_char; FARPANE_NAME_CAPACITY],
    /// The fingerprint of the key that they proved to hold, NUL-terminated.
    pub key: [c_char; FARPANE_KEY_CAPACITY],
    /// What the kind says; else why, for people. NUL-terminated UTF-8, cut where it is longer.
    pub text: [c_char; FARPANE_TEXT_CAPACITY],
    /// FARPANE_PATH_*, for FARPANE_EVENT_PATH_CHANGED.
    pub path: u32,
    /// Bytes of the whole text, as farpane_event_text gives it.
    pub text_len: u32,
    /// 1 when the tenant says the name, and not only whoever bears it.
    pub verified: u32,
    /// FARPANE_POSTURE_*, for FARPANE_EVENT_COMPLIANCE_WARNING and FARPANE_EVENT_CONSENT_REQUESTED.
    pub posture: u32,
    /// Column, for FARPANE_EVENT_POINTING.
    pub x: u32,
    /// Row.
    pub y: u32,
    /// Whether a prompt is open, for FARPANE_EVENT_PROMPT.
    pub open: u32,
    /// Which file. Files that this side offered and those that the other did are numbered apart.
    pub file: u32,
    /// 1 when this side offered the file.
    pub outgoing: u32,
    /// 0.
    pub reserved: u32,
    /// The file's bytes.
    pub bytes: u64,
    /// For FARPANE_EVENT_LEASE_DUE.
    pub renewal: u64,
}
