//! Other people's code, whose panics are its failures.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls into a codec; a panic is an error. What it was called on must not be used again then.
pub(super) fn guard<T>(call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the codec panicked: {}", text.as_deref().unwrap_or("no reason given"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_reason() {
        assert_eq!(guard(|| Ok(1)), Ok(1));
        let error = guard::<()>(|| panic!("row {}", 7)).unwrap_err();
        assert_eq!(error, "the codec panicked: row 7");
    }
}
