//! What the pipeline tells the app.

use super::told::SharerEvent;
use crossbeam::channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Events that may wait for the app: as many again as [`CROWDED`] for those that must not be lost.
const QUEUE_EVENTS: usize = 1_024;
/// From here on the app counts as not listening: what it can do without is only counted, and
/// nobody is let in.
const CROWDED: usize = QUEUE_EVENTS / 2;

/// Tells the app what happens. Never blocks.
#[derive(Clone)]
pub(crate) struct Teller {
    events: Sender<SharerEvent>,
    missed: Arc<AtomicU64>,
    on_event: Arc<dyn Fn() + Send + Sync>,
}

impl Teller {
    pub(crate) fn new(on_event: Arc<dyn Fn() + Send + Sync>) -> (Self, Receiver<SharerEvent>) {
        let (events, queue) = bounded(QUEUE_EVENTS);
        (Self { events, missed: Arc::default(), on_event }, queue)
    }

    /// Queues an event. Of those that the app can do without, a crowded queue takes none; how
    /// many were missed is told as soon as there is room.
    pub(crate) fn tell(&self, event: SharerEvent) {
        if self.is_crowded() && !event.is_critical() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        } else {
            if !self.is_crowded() {
                let missed = self.missed.swap(0, Ordering::Relaxed);
                if missed > 0 {
                    let _ = self.events.try_send(SharerEvent::Missed { events: missed });
                }
            }
            // There is room: who may cause critical events is not let into a crowded sharer.
            let _ = self.events.try_send(event);
        }
        (self.on_event)();
    }

    /// Whether the app does not take its events.
    pub(crate) fn is_crowded(&self) -> bool {
        self.events.len() >= CROWDED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_policy::EndReason;

    #[test]
    fn an_app_that_does_not_listen_misses_only_what_it_can_do_without() {
        let (teller, events) = Teller::new(Arc::new(|| {}));
        (0..600).for_each(|_| teller.tell(SharerEvent::SourceEnded));
        let left = SharerEvent::Left { helper: 7, reason: EndReason::HelperEnded };
        (0..400).for_each(|_| teller.tell(left.clone()));
        let told: Vec<_> = events.try_iter().collect();
        let count = |wanted: &SharerEvent| told.iter().filter(|event| *event == wanted).count();
        assert_eq!([count(&SharerEvent::SourceEnded), count(&left)], [CROWDED, 400]);
        teller.tell(SharerEvent::SourceEnded);
        let missed = SharerEvent::Missed { events: 600 - CROWDED as u64 };
        assert_eq!(events.try_iter().collect::<Vec<_>>(), [missed, SharerEvent::SourceEnded]);
    }
}
