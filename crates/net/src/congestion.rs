//! quinn's congestion window, set from above: a safety net around the media controller.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory};

/// Never fewer than this many packets, so that control messages always move.
const MIN_WINDOW_PACKETS: u64 = 4;
/// Regrowth per acknowledgement after persistent congestion. A peer acknowledges at least every
/// second packet, so the window about doubles per round trip, as in slow start.
const REGROWTH_PACKETS: u64 = 2;

/// Sets how many bytes quinn may have in flight on one connection.
///
/// The pacer above decides what is sent and when. This window only bounds the damage when it is
/// wrong, so set it to about twice the media controller's own window. quinn also spreads packets
/// at 1.25 windows per round trip.
#[derive(Debug, Clone)]
pub struct WindowHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bytes: AtomicU64,
    released: AtomicBool,
}

impl WindowHandle {
    pub(crate) fn new(initial_bytes: u64) -> Self {
        let bytes = AtomicU64::new(initial_bytes);
        Self(Arc::new(Shared { bytes, released: AtomicBool::new(false) }))
    }

    /// Sets the window; at least four packets always stay allowed. Takes effect with the next
    /// packet.
    pub fn set(&self, window_bytes: u64) {
        self.0.bytes.store(window_bytes, Ordering::Relaxed);
    }

    /// The window set last, in bytes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn factory(&self) -> Arc<WindowFactory> {
        Arc::new(WindowFactory(self.clone()))
    }
}

/// Lifts the window of a connection that is about to close, whatever is set afterwards: quinn
/// holds a close back like any packet while its window is full or its pacer waits, and a closed
/// connection takes no acknowledgement that would open them again.
pub(crate) fn release(connection: &quinn::Connection) {
    if let Ok(controller) = connection.congestion_state().into_any().downcast::<FixedWindow>() {
        controller.target.0.released.store(true, Ordering::Relaxed);
    }
}

/// Builds the controllers of one connection: the first, and one more for each migration.
#[derive(Debug)]
pub(crate) struct WindowFactory(WindowHandle);

impl ControllerFactory for WindowFactory {
    fn build(self: Arc<Self>, _now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(FixedWindow { target: self.0.clone(), cap_bytes: u64::MAX, mtu: current_mtu })
    }
}

/// The window from above, except after persistent congestion (RFC 9002 section 7.6.2): then it
/// falls to the minimum and about doubles per round trip until it meets the target again.
#[derive(Debug, Clone)]
struct FixedWindow {
    target: WindowHandle,
    cap_bytes: u64,
    mtu: u16,
}

impl FixedWindow {
    fn min_bytes(&self) -> u64 {
        MIN_WINDOW_PACKETS * u64::from(self.mtu)
    }
}

impl Controller for FixedWindow {
    fn on_end_acks(
        &mut self,
        _now: Instant,
        _in_flight: u64,
        _app_limited: bool,
        _largest_packet_num_acked: Option<u64>,
    ) {
        if self.cap_bytes == u64::MAX {
            return;
        }
        self.cap_bytes += REGROWTH_PACKETS * u64::from(self.mtu);
        if self.cap_bytes >= self.target.bytes() {
            self.cap_bytes = u64::MAX;
        }
    }

    fn on_congestion_event(
        &mut self,
        _now: Instant,
        _sent: Instant,
        is_persistent_congestion: bool,
        _lost_bytes: u64,
    ) {
        if is_persistent_congestion {
            self.cap_bytes = self.min_bytes();
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
    }

    fn window(&self) -> u64 {
        if self.target.0.released.load(Ordering::Relaxed) {
            return u64::MAX;
        }
        self.target.bytes().min(self.cap_bytes).max(self.min_bytes())
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.target.bytes().max(self.min_bytes())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(handle: &WindowHandle) -> Box<dyn Controller> {
        handle.factory().build(Instant::now(), 1200)
    }

    #[test]
    fn the_handle_moves_the_window_of_every_controller_of_the_connection() {
        let handle = WindowHandle::new(100_000);
        let (first, migrated) = (controller(&handle), controller(&handle));
        assert_eq!(first.window(), 100_000);
        handle.set(50_000);
        assert_eq!((first.window(), migrated.window()), (50_000, 50_000));
    }

    #[test]
    fn four_packets_are_always_allowed() {
        let handle = WindowHandle::new(0);
        let mut controller = controller(&handle);
        assert_eq!(controller.window(), 4800);
        controller.on_mtu_update(1452);
        assert_eq!(controller.window(), 4 * 1452);
    }

    #[test]
    fn single_losses_leave_the_window_to_the_media_controller() {
        let handle = WindowHandle::new(100_000);
        let mut controller = controller(&handle);
        let now = Instant::now();
        controller.on_congestion_event(now, now, false, 12_000);
        assert_eq!(controller.window(), 100_000);
    }

    #[test]
    fn persistent_congestion_closes_the_window_and_acknowledgements_open_it_again() {
        let handle = WindowHandle::new(100_000);
        let mut controller = controller(&handle);
        let now = Instant::now();
        controller.on_congestion_event(now, now, true, 12_000);
        assert_eq!(controller.window(), 4800);
        let mut last_bytes = 4800;
        for _ in 0..40 {
            controller.on_end_acks(now, 0, false, Some(1));
            assert!(controller.window() > last_bytes);
            last_bytes = controller.window();
            if last_bytes == 100_000 {
                return;
            }
        }
        panic!("the window stayed at {last_bytes} bytes");
    }
}
