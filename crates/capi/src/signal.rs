//! Telling the app that there may be something to take: a wait, a descriptor, a callback.

use crate::abi::farpane_wakeup_fn;
use crate::boundary::{Failure, Outcome};
use crate::callback;
use std::ffi::c_void;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Instant;

/// Rings when an event or a frame may be there.
#[derive(Default)]
pub(crate) struct Signal {
    rings: Mutex<u64>,
    rung: Condvar,
    descriptor: OnceLock<Descriptor>,
    wakeup: RwLock<Option<Wakeup>>,
}

/// The app's callback.
struct Wakeup {
    call: unsafe extern "C" fn(*mut c_void),
    user: *mut c_void,
}

// SAFETY: the app promises that its callback can be called with its pointer from any thread.
unsafe impl Send for Wakeup {}
// SAFETY: as above.
unsafe impl Sync for Wakeup {}

impl Signal {
    pub(crate) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rung.notify_all();
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.set();
        }
        if let Some(wakeup) = &*self.wakeup.read().unwrap_or_else(PoisonError::into_inner) {
            // SAFETY: the app promised it when it gave the callback.
            callback::call(|| unsafe { (wakeup.call)(wakeup.user) });
        }
    }

    /// How often it rang: to be read before looking for what it announces.
    pub(crate) fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it rings more often than `seen`; false when `deadline` came first.
    pub(crate) fn wait(&self, seen: u64, deadline: Option<Instant>) -> bool {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        while *rings == seen {
            rings = match deadline {
                None => self.rung.wait(rings).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.rung.wait_timeout(rings, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }

    /// The descriptor, readable from now on until [`Signal::clear_descriptor`].
    pub(crate) fn descriptor(&self) -> Outcome<i32> {
        if self.descriptor.get().is_none() {
            // If another thread was quicker, this one is closed again.
            let _ = self.descriptor.set(Descriptor::new()?);
        }
        let descriptor = self.descriptor.get().expect("set above");
        descriptor.set();
        Ok(descriptor.number())
    }

    pub(crate) fn clear_descriptor(&self) {
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.clear();
        }
    }

    pub(crate) fn set_descriptor(&self) {
        if let Some(descriptor) = self.descriptor.get() {
            descriptor.set();
        }
    }

    /// Replaces the callback; when this returns the old one is not running and never runs again.
    pub(crate) fn set_wakeup(&self, call: farpane_wakeup_fn, user: *mut c_void) {
        let wakeup = call.map(|call| Wakeup { call, user });
        *self.wakeup.write().unwrap_or_else(PoisonError::into_inner) = wakeup;
    }
}

/// A descriptor that is readable or not.
#[cfg(target_os = "linux")]
struct Descriptor(rustix::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Descriptor {
    fn new() -> Outcome<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        eventfd(0, flags).map(Self).map_err(Failure::system)
    }

    fn number(&self) -> i32 {
        use std::os::fd::AsRawFd;
        self.0.as_raw_fd()
    }

    fn set(&self) {
        // Fails only when it is readable already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

#[cfg(not(target_os = "linux"))]
struct Descriptor(std::convert::Infallible);

#[cfg(not(target_os = "linux"))]
impl Descriptor {
    fn new() -> Outcome<Self> {
        let text = "this system has no descriptor for events: use farpane_session_set_wakeup";
        Err(Failure::new(crate::abi::FARPANE_ERR_UNSUPPORTED, text))
    }

    fn number(&self) -> i32 {
        match self.0 {}
    }

    fn set(&self) {}

    fn clear(&self) {}
}
