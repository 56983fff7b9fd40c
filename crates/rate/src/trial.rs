//! Trials that every controller is put to.

use crate::{Controller, Pacer, Report, Sample};
use std::collections::VecDeque;

/// A drop-tail link in virtual time with a greedy sender behind the controller.
struct Link {
    bytes_per_s: u64,
    one_way_us: u64,
    loss_every: u64,
}

struct Outcome {
    utilisation: f64,
    p95_queue_us: u64,
}

fn run(mut controller: impl Controller, link: &Link, seconds: u64) -> Outcome {
    const REPORT_US: u64 = 5_000;
    let mut pacer = Pacer::new(0, controller.pacing_bytes_per_s());
    let (mut free_at, mut in_flight, mut sent_count) = (0u64, 0u64, 0u64);
    let mut arriving: VecDeque<(Sample, bool)> = VecDeque::new();
    let mut reports: VecDeque<(u64, Vec<(Sample, bool)>)> = VecDeque::new();
    let (mut delivered, mut queues) = (0u64, Vec::new());
    for now in (0..seconds * 1_000_000).step_by(100) {
        while in_flight < controller.window_bytes() && pacer.is_open(now) {
            let bytes = 1_200u32;
            free_at = free_at.max(now) + u64::from(bytes) * 1_000_000 / link.bytes_per_s;
            sent_count += 1;
            let lost = link.loss_every > 0 && sent_count % link.loss_every == 0;
            let received_us = free_at + link.one_way_us + 77_000_000;
            arriving.push_back((Sample { sent_us: now, received_us, bytes }, lost));
            in_flight += u64::from(bytes);
            pacer.handle_sent(u64::from(bytes));
            if now > 2_000_000 {
                queues.push(free_at - now);
            }
        }
        if now % REPORT_US == 0 {
            let due = arriving.iter().take_while(|(s, _)| s.received_us <= now + 77_000_000);
            let due = due.count();
            if due > 0 {
                reports.push_back((now + link.one_way_us, arriving.drain(..due).collect()));
            }
        }
        while reports.front().is_some_and(|(at, _)| *at <= now) {
            let (_, fates) = reports.pop_front().unwrap();
            let of = |lost| fates.iter().filter(move |(_, l)| *l == lost).map(|(s, _)| *s);
            let samples: Vec<Sample> = of(false).collect();
            let sum = |i: &mut dyn Iterator<Item = Sample>| i.map(|s| u64::from(s.bytes)).sum();
            let (acked_bytes, lost_bytes) = (sum(&mut of(false)), sum(&mut of(true)));
            let rtt_us = samples.last().map(|s| now - s.sent_us);
            let report = Report {
                samples: &samples,
                acked_bytes,
                lost_bytes,
                rtt_us,
                in_flight_bytes: in_flight,
                ..Report::default()
            };
            in_flight -= acked_bytes + lost_bytes;
            if now > 2_000_000 {
                delivered += acked_bytes;
            }
            controller.handle_report(now, &report);
            pacer.set_rate(now, controller.pacing_bytes_per_s());
        }
    }
    queues.sort_unstable();
    let capacity = link.bytes_per_s * (seconds - 2);
    Outcome {
        utilisation: delivered as f64 / capacity as f64,
        p95_queue_us: queues[queues.len() * 95 / 100],
    }
}

/// Links of 1 to 100 Mbit/s and round trips up to 80 ms.
pub(crate) fn links_are_filled<C: Controller>(controller: fn() -> C) {
    for mbit in [1, 3, 10, 50, 100] {
        for one_way_us in [200, 10_000, 40_000] {
            let link = Link { bytes_per_s: mbit * 125_000, one_way_us, loss_every: 0 };
            let outcome = run(controller(), &link, 10);
            let at = format!(
                "{mbit} Mbit/s, {one_way_us} us: {:.2}, queue {} us",
                outcome.utilisation, outcome.p95_queue_us
            );
            assert!(outcome.utilisation > 0.8, "{at}");
            // Four datagrams, the smallest window, take 38 ms at 1 Mbit/s.
            assert!(outcome.p95_queue_us < if mbit == 1 { 60_000 } else { 35_000 }, "{at}");
        }
    }
}

/// One datagram in 50 is lost, and no queue stands.
pub(crate) fn loss_does_not_starve(controller: impl Controller) {
    let link = Link { bytes_per_s: 1_250_000, one_way_us: 20_000, loss_every: 50 };
    let outcome = run(controller, &link, 10);
    assert!(outcome.utilisation > 0.7, "{:.2}", outcome.utilisation);
}

/// A small datagram a second for a quarter of an hour.
pub(crate) fn silence_keeps_the_window(mut controller: impl Controller) {
    let before = controller.window_bytes();
    for i in 0..1_000 {
        let samples = [Sample { sent_us: i * 1_000_000, received_us: i * 1_000_000, bytes: 90 }];
        let report = Report {
            samples: &samples,
            acked_bytes: 90,
            rtt_us: Some(20_000),
            in_flight_bytes: 90,
            ..Report::default()
        };
        controller.handle_report(i * 1_000_000 + 20_000, &report);
    }
    assert_eq!(controller.window_bytes(), before);
}
