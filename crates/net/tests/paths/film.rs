//! What is shown: datagrams at a steady rate, each with its number, answered by the helper.

use std::collections::HashSet;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farpane_net::{Connection, NetThread};
use tokio::sync::watch;

/// Between two frames.
const EVERY: Duration = Duration::from_millis(20);
const FRAME_BYTES: usize = 1_000;
/// For what is under way at the end to arrive.
const REST: Duration = Duration::from_millis(500);

/// A film from the sharer to the helper, until it is ended or dropped.
pub(crate) struct Film {
    arrivals: mpsc::Receiver<(u32, Instant)>,
    /// The number of the next frame.
    sent: watch::Receiver<u32>,
    running: watch::Sender<bool>,
    /// The frames that have come, and when.
    pub(crate) had: Vec<(u32, Instant)>,
}

impl Film {
    /// Begins it, each end on its own thread.
    pub(crate) fn start(
        (net, connection): (&NetThread, Arc<Connection>),
        (helper_net, near): (&NetThread, Arc<Connection>),
    ) -> Self {
        let (sender, arrivals) = mpsc::channel();
        let (running, is_running) = watch::channel(true);
        let (count, sent) = watch::channel(0);
        let (keep, is_over) = (sender.clone(), over(is_running.clone()));
        net.spawn(async move {
            tokio::select! {
                () = is_over => {}
                () = show(&connection, count) => {}
            }
            drop((connection, keep));
        });
        let is_over = over(is_running);
        helper_net.spawn(async move {
            tokio::select! {
                () = is_over => {}
                () = look(&near, &sender) => {}
            }
            drop((near, sender));
        });
        Self { arrivals, sent, running, had: Vec::new() }
    }

    /// The number of the next frame to be sent.
    pub(crate) fn next(&self) -> u32 {
        *self.sent.borrow()
    }

    /// Watches for so long.
    pub(crate) fn watch(&mut self, time: Duration) {
        self.watch_until(time, || false);
    }

    /// Watches until something is so, at most for so long; whether it is.
    pub(crate) fn watch_until(&mut self, limit: Duration, is_so: impl Fn() -> bool) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if is_so() {
                return true;
            }
            let wait = end.saturating_duration_since(Instant::now()).min(EVERY);
            if let Ok(arrival) = self.arrivals.recv_timeout(wait) {
                self.had.push(arrival);
            }
        }
        is_so()
    }

    /// The longest time without a new frame since `from`.
    pub(crate) fn gap(&self, from: Instant) -> Duration {
        let last_before = self.had.iter().map(|(_, at)| *at).filter(|at| *at < from).max();
        let after = self.had.iter().map(|(_, at)| *at).filter(|at| *at >= from);
        let times: Vec<_> = last_before.into_iter().chain(after).chain([Instant::now()]).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX)
    }

    /// The frames since `first` that have not come, once those that are under way have had time.
    pub(crate) fn missing(&mut self, first: u32) -> Vec<u32> {
        let end = self.next();
        self.watch(REST);
        let had: HashSet<_> = self.had.iter().map(|(number, _)| *number).collect();
        (first..end).filter(|number| !had.contains(number)).collect()
    }

    /// Ends it, and waits until both ends have let go of their connections.
    pub(crate) fn end(self) {
        self.running.send_replace(false);
        while self.arrivals.recv().is_ok() {}
    }
}

async fn over(mut running: watch::Receiver<bool>) {
    // Nobody who could end it any more is an end, too.
    let _ = running.wait_for(|running| !running).await;
}

async fn show(connection: &Connection, count: watch::Sender<u32>) {
    loop {
        let number = *count.borrow();
        let mut frame = vec![0; FRAME_BYTES];
        frame[..4].copy_from_slice(&number.to_be_bytes());
        if connection.send_datagram(Bytes::from(frame)).await.is_err() {
            return;
        }
        count.send_replace(number + 1);
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(connection: &Connection, arrived: &mpsc::Sender<(u32, Instant)>) {
    while let Ok(frame) = connection.read_datagram().await {
        let Some(number) = frame.first_chunk() else { continue };
        if arrived.send((u32::from_be_bytes(*number), Instant::now())).is_err() {
            return;
        }
        let _ = connection.send_datagram(frame.slice(..4)).await;
    }
}
