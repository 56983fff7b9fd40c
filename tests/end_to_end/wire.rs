//! What others on the way see of consent: no picture leaves the sharer before it, and none after
//! it was taken back.

use farpane::frame::Size;
use farpane_netbed::{Bed, Config, Layout};
use farpane_tests::{
    Credential, Desk, Share, Tenant, View, alone, holds_for, packet_fields, wait_for,
};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);
/// Sessions, unless `FARPANE_RUNS` says how many.
const RUNS: usize = 3;
/// What keeps a connection alive, questions, answers and farewells fit packets of so many bytes,
/// headers of all layers included; a piece of a changing picture does not.
const SMALL_BYTES: u64 = 200;
/// From the question on the connection still finds out how large its packets may be.
const SETTLE: Duration = Duration::from_secs(1);
/// How long the sharer then thinks, and how long is looked on after the end.
const WATCH: Duration = Duration::from_millis(700);
/// Large packets that a picture that changes all the time takes at the least.
const MANY: usize = 20;
/// Pause between two drawings: what is measured is as exact as packets are frequent.
const PAUSE: Duration = Duration::from_millis(3);
/// The longest pause between two of those packets.
const BUSY: Duration = Duration::from_millis(300);
/// For a revocation to take effect, beside the round-trip time.
const SILENT_WITHIN_MS: f64 = 100.0;

/// A tenant, a machine of its with a display, and a network.
struct World {
    bed: Bed,
    tenant: Tenant,
    device: Credential,
    desk: Desk,
}

/// When what happened in one session, since 1970 as packets are stamped.
struct Session {
    /// The question has been there for a while.
    settled: Duration,
    answered: Duration,
    /// The revocation list was replaced.
    revoked: Duration,
    /// It had been looked on for a while.
    over: Duration,
    /// The least round-trip time that the connection measured.
    rtt_ms: f64,
}

/// A packet from the sharer's machine.
struct Packet {
    at: Duration,
    bytes: u64,
}

impl World {
    fn new() -> Self {
        let config = Config { layout: Layout::OneLan, ..Config::default() };
        let bed = Bed::build(&config).expect("networks; this needs root");
        let tenant = Tenant::init("Contoso Ltd");
        let device = tenant.device("laptop-7", &["--enrolled", "--compliance", "compliant"]);
        Self { bed, tenant, device, desk: Desk::start(SIZE) }
    }

    /// One session, from the question to a revocation.
    fn session(&self) -> Session {
        let grant = self.tenant.grant("ada@contoso.example", &["--role", "Tier 1"]);
        let (sharer, helper) = (self.tenant.member(&self.device), self.tenant.member(&grant));
        let sharer: Vec<_> = sharer.iter().map(String::as_str).collect();
        let helper: Vec<_> = helper.iter().map(String::as_str).chain(["--headless"]).collect();
        let more = [&sharer[..], &["--consent", "ask"]].concat();
        let space = self.bed.sharer();
        let mut share = Share::start_in(Some(space), &self.desk, "0.0.0.0:0", &more);
        let view = View::start_in(Some(self.bed.helper()), &share, None, &helper);
        share.program.wait_said("Allow? [y/N]", LIMIT);
        let asked = now();
        assert!(holds_for(SETTLE + WATCH, || self.desk.clients() == 1), "no consent, no capture");
        let answered = now();
        share.program.answer("y");
        // Statistics are written twice a second.
        wait_for("pictures", LIMIT, || share.updates().lines().len() > MANY);
        let revoked = self.tenant.revoke(&grant);
        let exit = view.program.wait_exit(LIMIT);
        assert!(exit.said.contains("the grant was revoked"), "{exit:?}");
        assert!(share.program.is_running() && holds_for(WATCH, || share.program.is_running()));
        let rtts = share.updates().lines().into_iter().filter_map(|line| line["rtt_us"].as_u64());
        let rtt_us = rtts.filter(|rtt_us| *rtt_us > 0).min().expect("a measured time");
        Session {
            settled: asked + SETTLE,
            answered,
            revoked: revoked.duration_since(UNIX_EPOCH).unwrap(),
            over: now(),
            rtt_ms: rtt_us as f64 / 1e3,
        }
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock")
}

/// All that the sharer's machine sent.
fn packets(file: &Path, world: &World) -> Vec<Packet> {
    let filter = format!("ip.src == {}", world.bed.sharer().address());
    let lines = packet_fields(file, &filter, &["frame.time_epoch", "frame.len"]);
    let packet = |line: &Vec<String>| Packet {
        at: Duration::from_secs_f64(line[0].parse().expect("seconds")),
        bytes: line[1].parse().expect("bytes"),
    };
    lines.iter().map(packet).collect()
}

/// Draws for as long as `work` takes.
fn drawing<T>(desk: &Desk, work: impl FnOnce() -> T) -> T {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for step in 0.. {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                desk.draw(step);
                std::thread::sleep(PAUSE);
            }
        });
        // Also when the work panics.
        let _stop = Stop(&stop);
        work()
    })
}

fn runs() -> usize {
    let told = std::env::var("FARPANE_RUNS").ok();
    told.map_or(RUNS, |runs| runs.parse().expect("FARPANE_RUNS is a number")).max(1)
}

/// The least of them that is not below so many of a hundred.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

#[test]
fn pictures_go_from_consent_to_revocation_and_not_a_packet_longer() {
    let _turn = alone();
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sharer.pcapng");
    let capture = world.bed.capture(world.bed.sharer(), &file).unwrap();
    let sessions: Vec<Session> =
        drawing(&world.desk, || (0..runs()).map(|_| world.session()).collect());
    capture.stop().unwrap();
    let packets = packets(&file, &world);
    let large = |from: Duration, to: Duration| {
        let within = packets.iter().filter(move |packet| (from..to).contains(&packet.at));
        within.filter(|packet| packet.bytes > SMALL_BYTES)
    };
    let rtt_ms = sessions.iter().map(|session| session.rtt_ms).fold(0.0, f64::max);
    let limit_ms = SILENT_WITHIN_MS + rtt_ms;
    let (mut early, mut late, mut silent_ms) = (Vec::new(), Vec::new(), Vec::new());
    for Session { settled, answered, revoked, over, .. } in &sessions {
        early.extend(large(*settled, *answered).map(|packet| packet.bytes));
        let shown = large(*answered, *revoked).count();
        assert!(shown >= MANY, "{shown} packets are no pictures");
        assert!(large(*revoked - BUSY, *revoked).count() > 0, "nothing was left to be stopped");
        let last = large(*revoked, *over).next_back().map_or(*revoked, |packet| packet.at);
        silent_ms.push((last - *revoked).as_secs_f64() * 1e3);
        let limit = *revoked + Duration::from_secs_f64(limit_ms / 1e3);
        late.extend(large(limit, *over).map(|packet| packet.bytes));
    }
    silent_ms.sort_by(f64::total_cmp);
    let [p50_ms, p99_ms, max_ms] = [50, 99, 100].map(|percent| percentile(&silent_ms, percent));
    let [early_bytes, late_bytes] = [&early, &late].map(|bytes| bytes.iter().sum::<u64>());
    let figures = json!({
        "runs": sessions.len(), "early_packets": early.len(), "early_bytes": early_bytes,
        "late_packets": late.len(), "late_bytes": late_bytes,
        "p50_ms": p50_ms, "p99_ms": p99_ms, "max_ms": max_ms, "rtt_ms": rtt_ms,
    });
    println!("{figures}");
    assert!(early.is_empty(), "before consent: {early:?} bytes");
    assert!(p99_ms <= limit_ms, "pictures for {silent_ms:?} ms after a revocation");
}
