//! Sessions through all types of translators (RFC 4787), over networks of the crate webrtc-util.
//!
//! Both ends are whole: listener, race, TURN and STUN, paths, QUIC. Only their sockets are of a
//! virtual network. It runs in real time, as the ends do.

mod host;
mod internet;
mod lifetimes;
mod matrix;
mod neighbours;
mod relay;
mod session;
mod strangers;
mod theory;
mod types;

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a test on one thread, as the product runs.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test)
}

/// Waits until something is so, at most for `limit`; whether it is.
async fn wait_for(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !is_so() {
        if Instant::now() >= end {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}
