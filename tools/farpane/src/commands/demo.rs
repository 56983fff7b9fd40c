//! `farpane demo`: the main job in one command.

use crate::desktop::{Desktop, Scene};
use crate::interrupt::Interrupt;
use crate::snapshot;
use crate::table::{Percentiles, Table, ms};
use anyhow::{Context, Result, bail};
use farpane::capture::{CaptureEvent, CaptureSource, SourceSpec, X11Options, X11Source};
use farpane::frame::{FrameBuf, PixelFormat, Size};
use farpane::net::Identity;
use farpane::{
    Helper, HelperOptions, Picture, ShareRecord, Sharer, SharerEvent, SharerOptions, ViewRecord,
};
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The display that is started when none is named.
const SIZE: Size = Size::new(1920, 1080);
/// How long the pictures may take to become equal once the applications are still.
const SETTLE: Duration = Duration::from_secs(10);
/// How long a new terminal may take to show its text.
const SHOW_UP: Duration = Duration::from_secs(1);
/// How often the indicator is acknowledged.
const INDICATOR: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane demo                    on a display of its own (needs xvfb, xterm, xdotool, openbox)
  farpane demo --display :0       on your display: windows open, move and close by themselves

Ends with a table, both pictures side by side in a PNG, and `identical: yes` or `no`.")]
pub(crate) struct Args {
    /// The display to share; one is started when absent.
    #[arg(long, value_name = "DISPLAY")]
    display: Option<String>,
    /// How long each of the three scenes lasts.
    #[arg(long, value_name = "SECONDS", default_value_t = 6.0)]
    scene: f64,
    /// Where to put the picture of both sides.
    #[arg(long, value_name = "FILE.png", default_value = "farpane-demo.png")]
    snapshot: PathBuf,
}

/// Shows three scenes to a helper in this process, over QUIC on loopback.
///
/// # Errors
/// No display, missing applications, or no session.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let span = Duration::try_from_secs_f64(args.scene)
        .with_context(|| format!("--scene {}: give a number of seconds", args.scene))?;
    let interrupt = Interrupt::listen(|| {})?;
    let mut desktop = match &args.display {
        Some(display) => Desktop::on(display)?,
        None => Desktop::start(SIZE)?,
    };
    eprintln!("sharing {} over QUIC on loopback", desktop.display());
    let session = Session::start(desktop.display())?;
    let mut table = Table::new([
        "scene",
        "updates",
        "shown",
        "p50 ms",
        "p95 ms",
        "max ms",
        "KB",
        "CPU ms",
        "% of a core",
    ]);
    for scene in Scene::ALL {
        let part = session.measure(|| play(&mut desktop, scene, span, &interrupt))?;
        if interrupt.is_set() {
            bail!("interrupted");
        }
        table.row(part.cells(scene.title()));
    }
    let display = desktop.display().to_owned();
    let _text = desktop.open_text()?;
    still(SHOW_UP, &interrupt)?;
    let part = session.measure(|| still(span / 2, &interrupt))?;
    table.row(part.cells("nothing"));
    let (identical, real, shown) = session.compare(&display)?;
    snapshot::write_side_by_side(&args.snapshot, &real.view(), &shown.pixels.view())?;
    println!("{table}");
    println!("delay: from the display's notice of a change to the helper's composed picture");
    println!("picture of both sides: {}", args.snapshot.display());
    println!("identical: {}", if identical { "yes" } else { "no" });
    Ok(if identical { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn play(desktop: &mut Desktop, scene: Scene, span: Duration, interrupt: &Interrupt) -> Result<()> {
    let progress = std::io::stderr().is_terminal();
    if !progress {
        eprintln!("{} for {:.0} s", scene.title(), span.as_secs_f64());
    }
    desktop.run(scene, span, &mut |at| {
        if progress {
            let (at, of) = (at.as_secs_f64(), span.as_secs_f64());
            eprint!("\r{}: {at:.0} of {of:.0} s   ", scene.title());
        }
        if interrupt.is_set() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if progress {
        eprintln!();
    }
    Ok(())
}

fn still(span: Duration, interrupt: &Interrupt) -> Result<()> {
    let until = Instant::now() + span;
    while Instant::now() < until && !interrupt.is_set() {
        std::thread::sleep(Duration::from_millis(50).min(until - Instant::now()));
    }
    Ok(())
}

/// A sharer and a helper in this process.
struct Session {
    sharer: Arc<Sharer>,
    helper: Helper,
    changes: Receiver<()>,
    indicator: Option<std::thread::JoinHandle<Result<()>>>,
    stop: Arc<std::sync::atomic::AtomicBool>,
}

/// What one scene came to.
struct Part {
    delays: Option<Percentiles>,
    updates: usize,
    shown: usize,
    bytes: u64,
    cpu: Duration,
    wall: Duration,
}

impl Part {
    fn cells(&self, title: &str) -> Vec<String> {
        let delay = |of: fn(&Percentiles) -> u64| {
            self.delays.as_ref().map_or("-".to_owned(), |delays| ms(of(delays)))
        };
        vec![
            title.to_owned(),
            self.updates.to_string(),
            self.shown.to_string(),
            delay(|d| d.p50_us),
            delay(|d| d.p95_us),
            delay(|d| d.max_us),
            format!("{:.1}", self.bytes as f64 / 1e3),
            format!("{:.0}", self.cpu.as_secs_f64() * 1e3),
            format!("{:.1}", 100.0 * self.cpu.as_secs_f64() / self.wall.as_secs_f64()),
        ]
    }
}

impl Session {
    fn start(display: &str) -> Result<Self> {
        let source = SourceSpec::parse(&format!("x11:{display}"), None)?;
        let sharer = Arc::new(Sharer::start(SharerOptions {
            listen: "127.0.0.1:0".parse()?,
            name: "demo sharer".to_owned(),
            ..SharerOptions::new(move || source.open())
        })?);
        let valid = Duration::from_secs(60);
        let invitation = sharer.invite(vec![sharer.local_address().to_string()], valid)?;
        sharer.consent_in_advance(&invitation, valid);
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let indicator = std::thread::spawn({
            let (sharer, stop) = (Arc::clone(&sharer), Arc::clone(&stop));
            move || indicate(&sharer, &stop)
        });
        let (ring, changes) = channel();
        let options = HelperOptions {
            name: "demo helper".to_owned(),
            on_change: Arc::new(move || {
                let _ = ring.send(());
            }),
            ..HelperOptions::default()
        };
        let helper = Helper::connect(&invitation, &Identity::generate()?, options)?;
        Ok(Self { sharer, helper, changes, indicator: Some(indicator), stop })
    }

    /// Runs a scene and counts what it cost and how long its changes took.
    fn measure(&self, scene: impl FnOnce() -> Result<()>) -> Result<Part> {
        std::iter::from_fn(|| self.sharer.try_record()).for_each(drop);
        std::iter::from_fn(|| self.helper.try_record()).for_each(drop);
        let (cpu, begun) = (cpu_time(), Instant::now());
        scene()?;
        let (cpu, wall) = (cpu_time().saturating_sub(cpu), begun.elapsed());
        let sent: Vec<ShareRecord> = std::iter::from_fn(|| self.sharer.try_record()).collect();
        let seen: Vec<ViewRecord> = std::iter::from_fn(|| self.helper.try_record()).collect();
        let noticed: HashMap<u64, u64> = sent.iter().map(|r| (r.update, r.notice_us)).collect();
        let delay = |r: &ViewRecord| Some(r.composed_us.saturating_sub(*noticed.get(&r.update)?));
        Ok(Part {
            delays: Percentiles::of(seen.iter().filter_map(delay).collect()),
            updates: sent.len(),
            shown: seen.len(),
            bytes: sent.iter().map(|r| r.bytes).sum(),
            cpu,
            wall,
        })
    }

    /// Waits until the helper's picture equals the display, or gives up.
    fn compare(&self, display: &str) -> Result<(bool, FrameBuf, Picture)> {
        let until = Instant::now() + SETTLE;
        let mut shown = None;
        loop {
            shown = self.helper.take_picture().or(shown);
            let real = grab(display)?;
            let left = until.saturating_duration_since(Instant::now());
            if let Some(picture) = shown.take() {
                let identical = picture.pixels.view().same_rgb(&real.view());
                if identical || left.is_zero() {
                    return Ok((identical, real, picture));
                }
                shown = Some(picture);
            }
            match self.changes.recv_timeout(left.min(Duration::from_millis(200))) {
                Err(RecvTimeoutError::Disconnected) => bail!("the helper's session is over"),
                _ if left.is_zero() => bail!("no picture reached the helper"),
                _ => {}
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::SeqCst);
        self.helper.end("the demo is over");
        if let Some(indicator) = self.indicator.take()
            && let Ok(Err(error)) = indicator.join()
        {
            eprintln!("farpane: {error:#}");
        }
    }
}

/// The sharer's indicator: says that the screen is shared, and keeps saying so.
fn indicate(sharer: &Sharer, stop: &std::sync::atomic::AtomicBool) -> Result<()> {
    while !stop.load(std::sync::atomic::Ordering::SeqCst) {
        match sharer.next_event(INDICATOR) {
            Some(SharerEvent::ShowIndicator { peer, .. }) => {
                eprintln!("● {} sees the display", peer.display_name());
            }
            Some(SharerEvent::Failed { reason }) => bail!("the screen cannot be shared: {reason}"),
            Some(SharerEvent::Stopped { .. }) => bail!("the sharing thread has failed"),
            _ => {}
        }
        sharer.acknowledge_indicator();
    }
    Ok(())
}

/// The display as an independent look finds it.
fn grab(display: &str) -> Result<FrameBuf> {
    let options = X11Options { display: Some(display.to_owned()), ..X11Options::default() };
    let mut source = X11Source::open(options)?;
    loop {
        if let CaptureEvent::Frame(frame) = source.next(Duration::from_secs(5))? {
            let view = frame.pixels.view();
            let mut copy = FrameBuf::new(view.size(), PixelFormat::Bgrx)?;
            copy.copy_from(&view, view.size().rect());
            return Ok(copy);
        }
    }
}

/// User and system time of this process: both sides of the session.
fn cpu_time() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
