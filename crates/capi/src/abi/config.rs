//! How sessions are made.

use super::{farpane_audit, farpane_membership};
use std::ffi::c_char;

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
    /// FARPANE_SESSION_* bits.
    pub flags: u32,
    /// Sharer: the X display to which the input of helpers goes, as ":0". Default the one of an
    /// "x11" source; where there is none, helpers cannot control.
    pub input: *const c_char,
    /// Its bytes.
    pub input_len: usize,
    /// This side's place in a tenant: only members of the same tenant are let in. It may be
    /// released once the session is made. Default NULL: whoever has an invitation may ask.
    pub membership: *const farpane_membership,
    /// Where what happens is written down before it happens; a session that cannot be written down
    /// ends. It may be released once the session is made. Default NULL: nowhere.
    pub audit: *const farpane_audit,
}

/// Sharer: the app asks somebody else for the lease of each session: FARPANE_EVENT_LEASE_DUE.
pub const FARPANE_SESSION_LEASE_BY_APP: u32 = 1;

/// The tenant has switched remote assistance off.
pub const FARPANE_TENANT_DISABLED: u32 = 1;
/// Helpers and sharers of the tenant do not write to each other.
pub const FARPANE_TENANT_CHAT_BLOCKED: u32 = 2;
/// Devices may be helped that the tenant does not manage.
pub const FARPANE_TENANT_UNENROLLED_ALLOWED: u32 = 4;

/// What a tenant has given out to one of its ends, as `farpane tenant` writes it. Begin with
/// FARPANE_MEMBERSHIP_CONFIG_INIT. Texts are UTF-8, and all is copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct farpane_membership_config {
    /// sizeof(farpane_membership_config).
    pub struct_size: u32,
    /// FARPANE_ROLE_SHARER or FARPANE_ROLE_HELPER: the membership serves sessions of this role.
    pub role: u32,
    /// The tenant, as in its tenant.json. Required.
    pub tenant: *const c_char,
    /// Its bytes.
    pub tenant_len: usize,
    /// The tenant's newest revocation list, as in revocations.cwt. Required.
    pub revocations: *const u8,
    /// Its bytes.
    pub revocations_len: usize,
    /// Helper: its grant. Sharer: the certificate of its device. Required.
    pub credential: *const u8,
    /// Its bytes.
    pub credential_len: usize,
    /// The private key that the credential names, as PEM. Required.
    pub key: *const c_char,
    /// Its bytes.
    pub key_len: usize,
    /// Sharer: the grant of who sits there. Default none: the device speaks for its owner.
    pub person: *const u8,
    /// Its bytes.
    pub person_len: usize,
    /// Its private key, as PEM. Required with `person`, and only with it.
    pub person_key: *const c_char,
    /// Its bytes.
    pub person_key_len: usize,
    /// The tenant's settings: FARPANE_TENANT_* bits.
    pub settings: u32,
    /// Sharer: what the management of this machine allows on it, FARPANE_SCOPE_* bits. Default all.
    pub device_scopes: u32,
    /// The oldest version of either end's software that the tenant allows: the first number of
    /// three, of which each is at most 65535. Default 0.0.0.
    pub minimum_major: u32,
    /// The second.
    pub minimum_minor: u32,
    /// The third.
    pub minimum_patch: u32,
    /// 0.
    pub reserved: u32,
}
