//! A screen on its way: the product's synchronisation, controller and pacer over QUIC datagrams.

use crate::flow::{Flow, Look};
use crate::quic::{End, Outgoing, Side};
use bytes::Bytes;
use farpane_frame::Size;
use farpane_linksim::{Ecn, MS, Ns, Span, US};
use farpane_net::WindowHandle;
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, ReceiverEvent, ScreenReceiver, ScreenSender};
use farpane_rate::{Controller, Pacer, Report, Sample};
use std::collections::VecDeque;

/// Datagrams carry this much, as over most paths.
const DATAGRAM_BYTES: usize = 1_150;
/// Bytes that may wait between the pacer and QUIC, as in the product.
const MAX_HANDED_BYTES: usize = 32 << 10;
/// A batch of a screen that never has enough.
const BATCH_BYTES: usize = 12_000;
/// How often the helper tells its receiver the round trip.
const RTT_EVERY: Ns = 500 * MS;

/// Who decides how much is sent.
pub(crate) enum Regulation {
    /// A controller above QUIC, which sets QUIC's own window to twice its own.
    Above(Box<dyn Controller>, WindowHandle),
    /// QUIC's own, whichever it was made with.
    Quic,
}

/// A sharer and a helper.
pub(crate) struct Media {
    sharer: Side,
    helper: Side,
    screen: ScreenSender,
    receiver: ScreenReceiver,
    regulation: Regulation,
    pacer: Pacer,
    handed: VecDeque<Bytes>,
    handed_bytes: usize,
    /// When there is something to show.
    active: Vec<Span>,
    data: Bytes,
    /// Packets that came to the helper marked.
    marked: u64,
    reports: VecDeque<Bytes>,
    rtt_at: Ns,
}

impl Media {
    /// A sharer whose screen always has more to show in the times of `active`.
    pub(crate) fn new(
        now: Ns,
        ends: (Side, Side),
        regulation: Regulation,
        active: Vec<Span>,
    ) -> Self {
        let rate = match &regulation {
            Regulation::Above(controller, _) => controller.pacing_bytes_per_s(),
            Regulation::Quic => u64::MAX >> 16,
        };
        Self {
            sharer: ends.0,
            helper: ends.1,
            screen: ScreenSender::new(now / US, 1, Size::new(1_920, 1_080), DATAGRAM_BYTES),
            receiver: ScreenReceiver::new(),
            regulation,
            pacer: Pacer::new(now / US, rate),
            handed: VecDeque::new(),
            handed_bytes: 0,
            active,
            data: vec![0; BATCH_BYTES].into(),
            marked: 0,
            reports: VecDeque::new(),
            rtt_at: 0,
        }
    }

    fn drive(&mut self, now: Ns) {
        self.receive(now);
        self.take_reports(now);
        self.fill(now);
        self.transmit(now);
        self.sharer.pump(now);
        self.helper.pump(now);
    }

    fn receive(&mut self, now: Ns) {
        let now_us = now / US;
        if now >= self.rtt_at
            && let Some(connection) = self.helper.connection()
        {
            self.receiver.set_rtt(connection.rtt().as_micros() as u64);
            self.rtt_at = now + RTT_EVERY;
        }
        while let Some(datagram) = self.helper.recv_datagram() {
            let taken = self.receiver.handle_datagram(now_us, &datagram);
            taken.expect("a sharer's datagrams are valid");
        }
        self.receiver.handle_timeout(now_us).expect("as above");
        while let Some(event) = self.receiver.poll_event() {
            debug_assert!(!matches!(event, ReceiverEvent::Cursor(_)));
        }
        if let Some(report) = self.receiver.poll_feedback(now_us) {
            let mut bytes = Vec::new();
            report.write(&mut bytes);
            self.reports.push_back(bytes.into());
        }
        while self.reports.front().is_some_and(|report| self.helper.send_datagram(report)) {
            self.reports.pop_front();
        }
    }

    fn take_reports(&mut self, now: Ns) {
        let now_us = now / US;
        while let Some(bytes) = self.sharer.recv_datagram() {
            let feedback = Feedback::read(&bytes).expect("a helper's reports are valid");
            let in_flight_bytes = self.screen.in_flight_bytes();
            let report = self.screen.handle_feedback(now_us, &feedback).expect("as above");
            while self.screen.poll_event().is_some() {}
            let Regulation::Above(controller, window) = &mut self.regulation else { continue };
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
            window.set(controller.window_bytes() * 2);
        }
    }

    /// Queues more to show, as long as that would go out soon.
    fn fill(&mut self, now: Ns) {
        let is_active = self.active.iter().any(|span| span.contains(now));
        if !is_active || !self.sharer.is_connected {
            return;
        }
        while self.screen.queued_bytes() < BATCH_BYTES as u64 {
            self.screen.begin_update();
            self.screen.push_batch(BatchInfo { data: self.data.clone(), ..BatchInfo::default() });
            self.screen.end_update();
        }
    }

    fn transmit(&mut self, now: Ns) {
        self.screen.handle_timeout(now / US);
        while self.handed_bytes < MAX_HANDED_BYTES && self.is_open(now) {
            let Some(datagram) = self.screen.poll_datagram(now / US) else { break };
            self.pacer.handle_sent(datagram.len() as u64);
            self.handed_bytes += datagram.len();
            self.handed.push_back(datagram);
        }
        while self.handed.front().is_some_and(|datagram| self.sharer.send_datagram(datagram)) {
            let sent = self.handed.pop_front().map_or(0, |datagram| datagram.len());
            self.handed_bytes -= sent;
            self.sharer.pump(now);
        }
    }

    fn is_open(&mut self, now: Ns) -> bool {
        let Regulation::Above(controller, _) = &self.regulation else {
            return self.handed.is_empty();
        };
        let has_room = self.screen.has_urgent_datagram()
            || self.screen.in_flight_bytes() < controller.window_bytes();
        has_room && self.pacer.is_open(now / US)
    }

    fn paced_at(&self) -> Option<Ns> {
        let Regulation::Above(controller, _) = &self.regulation else { return None };
        let has_room = self.screen.in_flight_bytes() < controller.window_bytes();
        let waits = self.screen.has_datagram() && has_room && self.handed_bytes < MAX_HANDED_BYTES;
        waits.then(|| self.pacer.open_at_us() * US)
    }
}

impl Flow for Media {
    fn handle(&mut self, now: Ns, at: End, data: &[u8], ecn: Ecn) {
        match at {
            End::Sharer => self.sharer.handle(now, data, ecn),
            End::Helper => {
                self.marked += u64::from(ecn == Ecn::Ce);
                self.receiver.set_marked(self.marked);
                self.helper.handle(now, data, ecn);
            }
        }
        self.drive(now);
    }

    fn handle_timeout(&mut self, now: Ns) {
        self.sharer.handle_timeout(now);
        self.helper.handle_timeout(now);
        self.drive(now);
    }

    fn poll_timeout(&mut self) -> Option<Ns> {
        let quic = [self.sharer.poll_timeout(), self.helper.poll_timeout()];
        let screen = [self.screen.poll_timeout(), self.receiver.poll_timeout()];
        let begins = self.active.iter().map(|span| span.from).filter(|at| *at > self.rtt_at);
        let screen = screen.map(|at| at.map(|us| us * US));
        quic.into_iter().chain(screen).flatten().chain(self.paced_at()).chain(begins).min()
    }

    fn poll_transmit(&mut self) -> Option<(End, Outgoing)> {
        if let Some(mut outgoing) = self.sharer.poll_transmit() {
            if matches!(self.regulation, Regulation::Above(..)) {
                // The controller above is scalable, and the product's own socket says so.
                outgoing.ecn = Ecn::Ect1;
            }
            return Some((End::Sharer, outgoing));
        }
        Some((End::Helper, self.helper.poll_transmit()?))
    }

    fn look(&self, _now: Ns) -> Look {
        let (target_bits_per_s, queue_us) = match &self.regulation {
            Regulation::Above(controller, _) => {
                (controller.pacing_bytes_per_s() * 8, controller.queue_delay_us())
            }
            Regulation::Quic => (0, 0),
        };
        Look { target_bits_per_s, queue_us }
    }
}
