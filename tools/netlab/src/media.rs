//! A screen on its way over QUIC datagrams, as in a session.

use crate::desk::Seen;
use crate::flow::{Flow, Look};
use crate::input::Input;
use crate::quic::{End, Outgoing, Side};
use crate::source::Source;
use bytes::Bytes;
use farpane_linksim::{Ecn, MS, Ns, US};
use farpane_net::WindowHandle;
use std::collections::VecDeque;

/// Bytes that may wait between the pacer and QUIC, as in the product.
const MAX_HANDED_BYTES: usize = 32 << 10;
/// How often the helper tells its receiver the round trip.
const RTT_EVERY: Ns = 500 * MS;

/// A sharer and a helper.
pub(crate) struct Media {
    sharer: Side,
    helper: Side,
    source: Box<dyn Source>,
    /// QUIC's own window, which is twice the source's where that decides.
    window: WindowHandle,
    handed: VecDeque<Bytes>,
    handed_bytes: usize,
    /// Packets that came to the helper marked.
    marked: u64,
    reports: VecDeque<Bytes>,
    rtt_at: Ns,
    input: Option<Input>,
    driven: Ns,
}

impl Media {
    /// A connection that carries `source`, and what the helper types where `input` says so.
    pub(crate) fn new(
        ends: (Side, Side),
        window: WindowHandle,
        source: Box<dyn Source>,
        input: Option<Input>,
    ) -> Self {
        Self {
            sharer: ends.0,
            helper: ends.1,
            source,
            window,
            handed: VecDeque::new(),
            handed_bytes: 0,
            marked: 0,
            reports: VecDeque::new(),
            rtt_at: 0,
            input,
            driven: 0,
        }
    }

    fn drive(&mut self, now: Ns) {
        self.driven = now;
        self.receive(now);
        while let Some(report) = self.sharer.recv_datagram() {
            self.source.handle_report(now / US, &report);
        }
        if let Some(bytes) = self.source.window_bytes() {
            self.window.set(bytes * 2);
        }
        if self.sharer.is_connected {
            self.source.fill(now / US);
            self.transmit(now);
            self.source.fill_rest(now / US);
            self.transmit(now);
        }
        if let Some(input) = &mut self.input {
            input.drive(now, &mut self.helper, &mut self.sharer);
        }
        self.sharer.pump(now);
        self.helper.pump(now);
    }

    fn receive(&mut self, now: Ns) {
        let now_us = now / US;
        if now >= self.rtt_at
            && let Some(connection) = self.helper.connection()
        {
            self.source.set_rtt(connection.rtt().as_micros() as u64);
            self.rtt_at = now + RTT_EVERY;
        }
        while let Some(datagram) = self.helper.recv_datagram() {
            self.source.handle_datagram(now_us, &datagram);
        }
        self.source.handle_timeout(now_us);
        self.reports.extend(self.source.poll_report(now_us));
        while self.reports.front().is_some_and(|report| self.helper.send_datagram(report)) {
            self.reports.pop_front();
        }
    }

    fn transmit(&mut self, now: Ns) {
        while self.may_hand() {
            let Some(datagram) = self.source.poll_datagram(now / US) else { break };
            self.handed_bytes += datagram.len();
            self.handed.push_back(datagram);
        }
        while self.handed.front().is_some_and(|datagram| self.sharer.send_datagram(datagram)) {
            let sent = self.handed.pop_front().map_or(0, |datagram| datagram.len());
            self.handed_bytes -= sent;
            self.sharer.pump(now);
        }
    }

    fn may_hand(&self) -> bool {
        let is_above = self.source.window_bytes().is_some();
        self.handed_bytes < if is_above { MAX_HANDED_BYTES } else { 1 }
    }
}

impl Flow for Media {
    fn handle(&mut self, now: Ns, at: End, data: &[u8], ecn: Ecn) {
        match at {
            End::Sharer => self.sharer.handle(now, data, ecn),
            End::Helper => {
                self.marked += u64::from(ecn == Ecn::Ce);
                self.source.set_marked(self.marked);
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
        let sends = self.sharer.is_connected && self.may_hand();
        let sharer = self.source.poll_sharer_timeout(self.driven / US).filter(|_| sends);
        let source = [self.source.poll_helper_timeout(), sharer];
        let source = source.map(|at| at.map(|us| (us * US).max(self.driven + US)));
        let input = self.input.as_ref().map(Input::poll_timeout);
        quic.into_iter().chain(source).flatten().chain(input).min()
    }

    fn poll_transmit(&mut self) -> Option<(End, Outgoing)> {
        if let Some(mut outgoing) = self.sharer.poll_transmit() {
            if self.source.window_bytes().is_some() {
                // The controller above is scalable.
                outgoing.ecn = Ecn::Ect1;
            }
            return Some((End::Sharer, outgoing));
        }
        Some((End::Helper, self.helper.poll_transmit()?))
    }

    fn look(&self, _now: Ns) -> Look {
        self.source.look()
    }

    fn seen(&self) -> Option<&Seen> {
        self.source.seen()
    }

    fn input_delays(&self) -> &[Ns] {
        self.input.as_ref().map_or(&[], Input::delays)
    }
}
