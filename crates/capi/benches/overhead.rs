//! The delay of a helper that links the C ABI beside that of one that links the library, on the
//! same recorded desktop, in turns.
//!
//! `cargo bench -p farpane-capi --bench overhead` prints both as JSON, in microseconds from the
//! source's notice of a change to the app's having the frame.

#[path = "../tests/common/mod.rs"]
mod common;

use common::Session;
use farpane::capture::{CaptureSource, Pace, ReplayOptions, ReplaySource, monotonic_us};
use farpane::net::{Identity, Invitation};
use farpane::{Helper, HelperEvent, HelperOptions, Sharer, SharerEvent, SharerOptions};
use farpane_capi::abi::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

const TRACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/data/desktop.trace");
/// Runs of each, in turns.
const ROUNDS: usize = 3;
const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let mut delays = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS * 2 {
        // Rust, C, C, Rust and so on: whoever is first gains nothing by it.
        let is_c = (round + round / 2) % 2 == 1;
        delays[usize::from(is_c)].extend(play(if is_c { see_by_c } else { see_by_rust }));
    }
    let [rust, c] = delays.map(|mut delays| {
        delays.sort_unstable();
        let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
        (at(50), at(95), delays.len())
    });
    println!(
        "{{\"rust_p50_us\": {}, \"rust_p95_us\": {}, \"rust_updates\": {}, \
         \"c_p50_us\": {}, \"c_p95_us\": {}, \"c_updates\": {}}}",
        rust.0, rust.1, rust.2, c.0, c.1, c.2
    );
}

/// When each update was had, until the source has ended.
type See = fn(&Invitation, &AtomicBool) -> Vec<(u64, u64)>;

/// Plays the recording to a helper. Returns the delays of the updates it had.
fn play(see: See) -> Vec<u64> {
    let sharer = Sharer::start(SharerOptions {
        listen: "127.0.0.1:0".parse().expect("an address"),
        ..SharerOptions::new(|| {
            let options = ReplayOptions { pace: Pace::RealTime, ..ReplayOptions::default() };
            Ok(Box::new(ReplaySource::open(TRACE, options)?) as Box<dyn CaptureSource>)
        })
    });
    let sharer = Arc::new(sharer.expect("a sharer that listens"));
    let invitation = sharer.invite(vec![sharer.local_address().to_string()], LIMIT);
    let invitation = invitation.expect("an invitation");
    sharer.consent_in_advance(&invitation, LIMIT);
    let over = Arc::new(AtomicBool::new(false));
    let indicator = indicate(Arc::clone(&sharer), Arc::clone(&over));
    let seen = see(&invitation, &over);
    indicator.join().expect("an indicator that ends");
    let noticed: BTreeMap<u64, u64> =
        std::iter::from_fn(|| sharer.try_record()).map(|r| (r.update, r.notice_us)).collect();
    // The first is the whole screen, which was there before.
    let later = seen.iter().skip(1);
    later.filter_map(|(update, at)| Some(at.saturating_sub(*noticed.get(update)?))).collect()
}

/// Shows the indicator until a while after the recording's end.
fn indicate(sharer: Arc<Sharer>, over: Arc<AtomicBool>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !over.load(Ordering::SeqCst) {
            sharer.acknowledge_indicator();
            match sharer.next_event(Duration::from_millis(300)) {
                Some(SharerEvent::SourceEnded) => {
                    std::thread::sleep(Duration::from_millis(300));
                    over.store(true, Ordering::SeqCst);
                }
                Some(SharerEvent::Failed { reason }) => panic!("{reason}"),
                _ => {}
            }
        }
    })
}

fn see_by_rust(invitation: &Invitation, over: &AtomicBool) -> Vec<(u64, u64)> {
    let (ring, rung) = channel();
    let options = HelperOptions {
        on_change: Arc::new(move || {
            let _ = ring.send(());
        }),
        ..HelperOptions::default()
    };
    let identity = Identity::generate().expect("a key");
    let helper = Helper::connect(invitation, &identity, options).expect("a sharer that listens");
    let mut seen = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let _ = rung.recv_timeout(Duration::from_millis(50));
        if let Some(picture) = helper.take_picture() {
            seen.push((picture.update, monotonic_us()));
        }
        if let Some(HelperEvent::Ended { reason, .. }) = helper.try_event() {
            panic!("{reason}");
        }
    }
    seen
}

fn see_by_c(invitation: &Invitation, over: &AtomicBool) -> Vec<(u64, u64)> {
    let helper = Session::helper(&invitation.to_text());
    helper.connect();
    let mut seen = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let mut raw = std::ptr::null_mut();
        // SAFETY: the place is valid.
        let result = unsafe { farpane_capi::farpane_frame_next(helper.0, 50, &mut raw) };
        if result == FARPANE_OK {
            let frame = common::Frame(raw);
            let at = monotonic_us();
            seen.push((frame.info().update, at));
        }
        assert!(result >= 0, "{result}");
    }
    seen
}
