//! Calls into the app, during which the app may not call back.

use std::cell::Cell;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a callback.
pub(crate) fn is_inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

/// Runs `call`, which calls the app.
pub(crate) fn call(call: impl FnOnce()) {
    let set = |inside| INSIDE.try_with(|flag| flag.replace(inside)).unwrap_or(inside);
    let before = set(true);
    call();
    set(before);
}
