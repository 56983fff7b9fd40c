//! The log: one sink for the process, and nothing personal in it.

use crate::abi::{
    FARPANE_LOG_ERROR, FARPANE_LOG_INFO, FARPANE_LOG_WARN, FARPANE_OK, farpane_log_fn,
    farpane_result,
};
use crate::boundary::{Failure, run};
use crate::callback;
use std::ffi::{c_char, c_void};
use std::sync::{Mutex, PoisonError};

struct Sink {
    level: u32,
    call: unsafe extern "C" fn(u32, *const c_char, usize, *mut c_void),
    user: *mut c_void,
}

// SAFETY: the app promises that its callback can be called with its pointer from any thread.
unsafe impl Send for Sink {}

static SINK: Mutex<Option<Sink>> = Mutex::new(None);

pub(crate) fn error(text: &str) {
    write(FARPANE_LOG_ERROR, text);
}

pub(crate) fn warn(text: &str) {
    write(FARPANE_LOG_WARN, text);
}

pub(crate) fn info(text: &str) {
    write(FARPANE_LOG_INFO, text);
}

/// Callers name sessions and helpers by number and give codes: never names, keys, addresses,
/// paths, invitations or what the other side wrote.
fn write(level: u32, text: &str) {
    let sink = SINK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sink) = sink.as_ref().filter(|sink| level <= sink.level) {
        // SAFETY: the app promised it when it gave the callback; the text lives through the call.
        callback::call(|| unsafe {
            (sink.call)(level, text.as_ptr().cast::<c_char>(), text.len(), sink.user);
        });
    }
}

/// What the libraries below log.
struct Below;

static BELOW: Below = Below;

impl log::Log for Below {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("farpane")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = match record.level() {
                log::Level::Error => FARPANE_LOG_ERROR,
                log::Level::Warn => FARPANE_LOG_WARN,
                log::Level::Info | log::Level::Debug | log::Level::Trace => FARPANE_LOG_INFO,
            };
            write(level, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Gives the whole process a sink for the log, or takes it away with NULL. By default there is
/// none.
///
/// `level` is the least important kind that is passed on, FARPANE_LOG_*. The log never holds
/// names, keys, addresses, invitations or pixels. `call` is called with `user` from any thread,
/// one line at a time; when this returns, the sink of before is not running and never runs again.
///
/// Any thread. Errors: FARPANE_ERR_ARGUMENT for an unknown level.
///
/// # Safety
/// `call` can be called with `user` from any thread until it is replaced.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_log_set(
    level: u32,
    call: farpane_log_fn,
    user: *mut c_void,
) -> farpane_result {
    run(|| {
        if !(FARPANE_LOG_ERROR..=FARPANE_LOG_INFO).contains(&level) {
            return Err(Failure::argument(format!("there is no log level {level}")));
        }
        // A program in Rust may have a logger of its own: then that one hears them.
        if log::set_logger(&BELOW).is_ok() {
            log::set_max_level(log::LevelFilter::Info);
        }
        let sink = call.map(|call| Sink { level, call, user });
        *SINK.lock().unwrap_or_else(PoisonError::into_inner) = sink;
        Ok(FARPANE_OK)
    })
}
