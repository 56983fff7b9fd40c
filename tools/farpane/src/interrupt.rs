//! Ctrl-C and the polite kill.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Knows whether the program was asked to end. A second Ctrl-C ends it at once.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen; `wake` is called, on another thread, when the program is to end.
    ///
    /// # Errors
    /// The system refuses signal handlers or a thread.
    pub(crate) fn listen(wake: impl Fn() + Send + 'static) -> Result<Self> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot take signals")?;
        let listen = move || {
            for signal in signals.forever() {
                if flag.swap(true, Ordering::SeqCst) {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                wake();
            }
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen)
            .context("cannot start a thread")?;
        Ok(interrupt)
    }

    /// Whether it was.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
