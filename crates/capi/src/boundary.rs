//! The one way in: errors become codes, panics end where Rust ends.

use crate::abi::{
    FARPANE_ERR_ARGUMENT, FARPANE_ERR_HANDLE, FARPANE_ERR_PANIC, FARPANE_ERR_REENTRANT,
    FARPANE_ERR_SYSTEM, farpane_result, farpane_session,
};
use crate::session::{SESSIONS, Session};
use crate::{callback, log};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A failure and what it says to people.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: farpane_result,
    pub(crate) text: String,
}

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(code: farpane_result, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(crate) fn argument(text: impl Into<String>) -> Self {
        Self::new(FARPANE_ERR_ARGUMENT, text)
    }

    pub(crate) fn system(error: impl std::fmt::Display) -> Self {
        Self::new(FARPANE_ERR_SYSTEM, error.to_string())
    }

    pub(crate) fn handle(kind: &str) -> Self {
        Self::new(FARPANE_ERR_HANDLE, format!("this is no living {kind}"))
    }
}

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What the last failure on this thread said.
pub(crate) fn last_error() -> String {
    LAST_ERROR.try_with(|last| last.borrow().clone()).unwrap_or_default()
}

fn remember(text: String) {
    // A thread that is ending has nobody to ask.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
}

/// Runs the body of an export.
pub(crate) fn run(body: impl FnOnce() -> Outcome<farpane_result>) -> farpane_result {
    if callback::is_inside() {
        remember("called from inside a callback".to_owned());
        return FARPANE_ERR_REENTRANT;
    }
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            remember(failure.text);
            failure.code
        }
        Err(payload) => {
            // Dropping what was thrown may throw again.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            remember("a bug in this library; see what standard error says".to_owned());
            FARPANE_ERR_PANIC
        }
    }
}

/// Runs the body of an export about a session. After a panic nothing of that session can be
/// trusted: it ends.
pub(crate) fn on_session(
    handle: *const farpane_session,
    body: impl FnOnce(&Session) -> Outcome<farpane_result>,
) -> farpane_result {
    run(|| {
        let session = SESSIONS.get(handle as usize).ok_or_else(|| Failure::handle("session"))?;
        if session.is_poisoned() {
            return Err(Failure::new(FARPANE_ERR_PANIC, "the session has ended by a bug"));
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            farpane::fault::point("farpane-api");
            body(&session)
        }));
        outcome.unwrap_or_else(|payload| {
            session.poison();
            log::error("a panic in a call ended the session");
            std::panic::resume_unwind(payload)
        })
    })
}
