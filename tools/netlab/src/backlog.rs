//! A screen that always has more to show than goes through.

use crate::flow::Look;
use crate::source::Source;
use bytes::Bytes;
use farpane_frame::Size;
use farpane_linksim::{Span, US};
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, ScreenReceiver, ScreenSender};
use farpane_rate::{Controller, Pacer, Report, Sample};

/// Datagrams carry this much, as over most paths.
pub(crate) const DATAGRAM_BYTES: usize = 1_150;
/// One batch.
const BATCH_BYTES: usize = 12_000;

/// The product's synchronisation, a controller and the product's pacer.
pub(crate) struct Backlog {
    screen: ScreenSender,
    receiver: ScreenReceiver,
    /// `None`: QUIC decides how much is sent.
    controller: Option<Box<dyn Controller>>,
    pacer: Pacer,
    /// When there is something to show.
    active: Vec<Span>,
    data: Bytes,
}

impl Backlog {
    /// A screen that has more to show in the times of `active`.
    pub(crate) fn new(
        now_us: u64,
        controller: Option<Box<dyn Controller>>,
        active: Vec<Span>,
    ) -> Self {
        let rate = controller.as_ref().map_or(u64::MAX >> 16, |c| c.pacing_bytes_per_s());
        Self {
            screen: ScreenSender::new(now_us, 1, Size::new(1_920, 1_080), DATAGRAM_BYTES),
            receiver: ScreenReceiver::new(),
            controller,
            pacer: Pacer::new(now_us, rate),
            active,
            data: vec![0; BATCH_BYTES].into(),
        }
    }

    fn has_room(&self) -> bool {
        let window = self.window_bytes();
        window.is_none_or(|window| self.screen.in_flight_bytes() < window)
    }
}

impl Source for Backlog {
    fn handle_datagram(&mut self, now_us: u64, datagram: &Bytes) {
        let taken = self.receiver.handle_datagram(now_us, datagram);
        taken.expect("a sharer's datagrams are valid");
    }

    fn handle_timeout(&mut self, now_us: u64) {
        self.receiver.handle_timeout(now_us).expect("a sharer's datagrams are valid");
        while self.receiver.poll_event().is_some() {}
    }

    fn set_rtt(&mut self, rtt_us: u64) {
        self.receiver.set_rtt(rtt_us);
    }

    fn set_marked(&mut self, packets: u64) {
        self.receiver.set_marked(packets);
    }

    fn poll_report(&mut self, now_us: u64) -> Option<Bytes> {
        let mut bytes = Vec::new();
        self.receiver.poll_feedback(now_us)?.write(&mut bytes);
        Some(bytes.into())
    }

    fn poll_helper_timeout(&self) -> Option<u64> {
        self.receiver.poll_timeout()
    }

    fn handle_report(&mut self, now_us: u64, report: &[u8]) {
        let feedback = Feedback::read(report).expect("a helper's reports are valid");
        let in_flight_bytes = self.screen.in_flight_bytes();
        let report = self.screen.handle_feedback(now_us, &feedback).expect("as above");
        while self.screen.poll_event().is_some() {}
        let Some(controller) = &mut self.controller else { return };
        let samples: Vec<Sample> = report
            .samples
            .iter()
            .map(|s| Sample { sent_us: s.sent_us, received_us: s.received_us, bytes: s.bytes })
            .collect();
        let report = Report {
            samples: &samples,
            acked_bytes: report.acked_bytes,
            lost_bytes: report.lost_bytes,
            marked: report.marked,
            rtt_us: report.rtt_us,
            in_flight_bytes,
        };
        controller.handle_report(now_us, &report);
        self.pacer.set_rate(now_us, controller.pacing_bytes_per_s());
    }

    /// Queues more to show, as long as that would go out soon.
    fn fill(&mut self, now_us: u64) {
        if !self.active.iter().any(|span| span.contains(now_us * US)) {
            return;
        }
        while self.screen.queued_bytes() < BATCH_BYTES as u64 {
            self.screen.begin_update();
            self.screen.push_batch(BatchInfo { data: self.data.clone(), ..BatchInfo::default() });
            self.screen.end_update();
        }
    }

    fn poll_datagram(&mut self, now_us: u64) -> Option<Bytes> {
        self.screen.handle_timeout(now_us);
        let may_leave = self.screen.has_urgent_datagram() || self.has_room();
        if !may_leave || !self.pacer.is_open(now_us) {
            return None;
        }
        let datagram = self.screen.poll_datagram(now_us)?;
        self.pacer.handle_sent(datagram.len() as u64);
        Some(datagram)
    }

    fn poll_sharer_timeout(&self, now_us: u64) -> Option<u64> {
        let waits = self.controller.is_some() && self.screen.has_datagram() && self.has_room();
        let paced = waits.then(|| self.pacer.open_at_us());
        let begins = self.active.iter().map(|span| span.from / US).filter(|at| *at > now_us);
        paced.into_iter().chain(self.screen.poll_timeout()).chain(begins).min()
    }

    fn window_bytes(&self) -> Option<u64> {
        Some(self.controller.as_ref()?.window_bytes())
    }

    fn look(&self) -> Look {
        let Some(controller) = &self.controller else { return Look::default() };
        Look {
            target_bits_per_s: controller.pacing_bytes_per_s() * 8,
            queue_us: controller.queue_delay_us(),
        }
    }
}
