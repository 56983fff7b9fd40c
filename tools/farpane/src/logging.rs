//! What the libraries say while they work, on standard error.

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Stderr;

static LOGGER: Stderr = Stderr;

impl Log for Stderr {
    /// Of other libraries only errors: what they tell of their own work is not for our users.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("farpane") || metadata.level() <= Level::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Begins to pass it on.
pub(crate) fn start() {
    // Only a second logger is refused, and there is none.
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
