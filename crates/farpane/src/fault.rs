//! Panics on demand, to test what an app is told of them. Nothing without the feature
//! `fault-injection`.

#[cfg(feature = "fault-injection")]
static ARMED: std::sync::Mutex<Option<String>> = std::sync::Mutex::new(None);

/// The next [`point`] of this name panics, once.
#[cfg(feature = "fault-injection")]
pub fn arm(name: &str) {
    *ARMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(name.to_owned());
}

/// A place that panics when it was armed.
///
/// # Panics
/// On demand.
#[cfg(feature = "fault-injection")]
pub fn point(name: &'static str) {
    let mut armed = ARMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if armed.take_if(|armed| armed == name).is_some() {
        drop(armed);
        panic!("a panic was asked for in {name}");
    }
}

/// A place that panics when a test wants it to.
#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub fn point(_name: &'static str) {}
