//! An administrator's name and password.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session};
use crate::channel::sent;
use crate::memory;
use farpane::{MAX_SECRET_BYTES, Secret};
use std::collections::BTreeMap;
use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};

const _: () = assert!(MAX_SECRET_BYTES < FARPANE_CREDENTIAL_CAPACITY);

/// What helpers have sent and the app has not taken yet: one of each, overwritten when it goes.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<BTreeMap<u64, Secret>>);

impl Secrets {
    pub(crate) fn keep(&self, id: u64, secret: Secret) {
        self.all().insert(id, secret);
    }

    pub(crate) fn forget(&self, id: u64) {
        self.all().remove(&id);
    }

    pub(crate) fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Helper: answers the prompt of FARPANE_EVENT_PROMPT with an administrator's name and password, of
/// at most 512 bytes together. They go by this session alone, sealed, and what the library holds of
/// them is overwritten as soon as they are gone; overwrite the app's own.
///
/// Any thread, does not block. Errors: FARPANE_ERR_NOT_PERMITTED without an open prompt or
/// FARPANE_SCOPE_ELEVATED, FARPANE_ERR_LIMIT when too much waits to be sent, FARPANE_ERR_ARGUMENT,
/// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
///
/// # Safety
/// `name` is NULL or readable for `name_len` bytes, `password` NULL or readable for
/// `password_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_credentials_send(
    session: *mut farpane_session,
    name: *const c_char,
    name_len: usize,
    password: *const c_char,
    password_len: usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let (name, password) = unsafe {
            (
                memory::text("name", name, name_len, MAX_SECRET_BYTES)?.unwrap_or_default(),
                memory::text("password", password, password_len, MAX_SECRET_BYTES)?
                    .unwrap_or_default(),
            )
        };
        let role = session.helper()?;
        let secret = Secret::new(name, password);
        let secret = secret.map_err(|error| Failure::argument(error.to_string()))?;
        role.with(|helper| sent(helper.send_credentials(&secret)))
    })
}

/// Sharer: copies out what FARPANE_EVENT_CREDENTIALS of the helper `id` announced, as texts with a
/// NUL, and forgets it; FARPANE_CREDENTIAL_CAPACITY bytes suffice for each. Hand them to the prompt
/// and to nothing else, then overwrite them. What is not taken is forgotten when elevation ends.
///
/// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when nothing waits,
/// FARPANE_ERR_BUFFER when a capacity is too small, and then it still waits, FARPANE_ERR_HANDLE,
/// FARPANE_ERR_STATE, FARPANE_ERR_ARGUMENT.
///
/// # Safety
/// `name` is NULL or writable for `name_capacity` bytes, `password` NULL or writable for
/// `password_capacity`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_credentials_take(
    session: *mut farpane_session,
    id: u64,
    name: *mut c_char,
    name_capacity: usize,
    password: *mut c_char,
    password_capacity: usize,
) -> farpane_result {
    on_session(session, |session| {
        let role = session.sharer()?;
        role.with(|_| {
            let mut secrets = role.secrets.all();
            let text = format!("helper {id} has sent no credentials");
            let secret = secrets.get(&id).ok_or(Failure::new(FARPANE_ERR_NOT_FOUND, text))?;
            // SAFETY: the caller's promise.
            unsafe {
                put("name", secret.name(), name, name_capacity)?;
                put("password", secret.password(), password, password_capacity)?;
            }
            secrets.remove(&id);
            Ok(FARPANE_OK)
        })
    })
}

/// # Safety
/// `to` is NULL or writable for `capacity` bytes.
unsafe fn put(what: &str, text: &str, to: *mut c_char, capacity: usize) -> Outcome {
    if to.is_null() {
        return Err(Failure::argument(format!("the place for the {what} is NULL")));
    }
    // SAFETY: the caller's promise.
    unsafe { memory::put_text(text, to, capacity, &mut 0) }
}
