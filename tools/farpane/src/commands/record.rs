//! `farpane record-trace`.

use super::{deadline, is_over};
use crate::interrupt::Interrupt;
use anyhow::{Context, Result, bail};
use farpane::capture::{
    CaptureEvent, CaptureSource, Damage, Frame, SourceSpec, TraceWriter, monotonic_us,
};
use farpane::frame::{FrameBuf, Rect};
use farpane_damage::{Changes, Differ, Kernel, MergeParams, merge};
use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How often signals, the clock and the progress line are looked at.
const TICK: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane record-trace --out desk.trace --for 20          this display for 20 seconds
  farpane record-trace --out p.trace --source x11::81     another display, until Ctrl-C

A trace holds every pixel that was on the screen: treat it as you treat a screenshot.")]
pub(crate) struct Args {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What to record: x11[:DISPLAY], xcap or pattern:NAME.
    #[arg(long, default_value = "x11")]
    source: String,
    /// The one monitor to record; all of them when absent.
    #[arg(long, value_name = "NAME")]
    monitor: Option<String>,
    /// End after this time.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<f64>,
}

/// Records until the time is over or Ctrl-C.
///
/// # Errors
/// The screen cannot be captured, or the file cannot be written.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let deadline = deadline(args.seconds)?;
    let mut source = SourceSpec::parse(&args.source, args.monitor.as_deref())?.open()?;
    let waker = source.waker();
    let interrupt = Interrupt::listen(move || waker.ring())?;
    let file =
        File::create(&args.out).with_context(|| format!("cannot write {}", args.out.display()))?;
    let mut recorder = Recorder::new(TraceWriter::new(BufWriter::new(file))?);
    let progress = std::io::stderr().is_terminal();
    while !is_over(deadline) && !interrupt.is_set() {
        if !recorder.take(&mut *source, &args.out)? {
            break;
        }
        if progress {
            eprint!("\r{} frames", recorder.frames);
        }
    }
    let frames = recorder.frames;
    recorder.writer.finish().with_context(|| format!("cannot write {}", args.out.display()))?;
    if progress {
        eprint!("\r");
    }
    let bytes = std::fs::metadata(&args.out).map_or(0, |m| m.len());
    eprintln!("{frames} frames, {bytes} bytes in {}", args.out.display());
    Ok(ExitCode::SUCCESS)
}

struct Recorder {
    writer: TraceWriter<BufWriter<File>>,
    picture: Option<(u32, FrameBuf)>,
    differ: Differ,
    changes: Changes,
    rects: Vec<Rect>,
    start_us: u64,
    frames: u64,
}

impl Recorder {
    fn new(writer: TraceWriter<BufWriter<File>>) -> Self {
        Self {
            writer,
            picture: None,
            differ: Differ::new(Kernel::detect()),
            changes: Changes::new(),
            rects: Vec::new(),
            start_us: monotonic_us(),
            frames: 0,
        }
    }

    /// Records what the source has; false when it has ended.
    fn take(&mut self, source: &mut dyn CaptureSource, out: &Path) -> Result<bool> {
        let unwritten = || format!("cannot write {}", out.display());
        match source.next(TICK)? {
            CaptureEvent::Frame(frame) => self.frame(&frame).with_context(unwritten)?,
            CaptureEvent::Cursor(update) => {
                let time_us = monotonic_us() - self.start_us;
                self.writer.write_cursor(time_us, &update).with_context(unwritten)?;
            }
            CaptureEvent::Lost(reason) => bail!("the display is gone: {reason}"),
            CaptureEvent::Ended => return Ok(false),
            _ => {}
        }
        Ok(true)
    }

    fn frame(&mut self, frame: &Frame) -> Result<()> {
        let view = frame.pixels.view();
        let time_us = frame.capture_us.saturating_sub(self.start_us);
        let known = self.picture.as_mut().filter(|(generation, picture)| {
            *generation == frame.generation && picture.size() == view.size()
        });
        self.rects.clear();
        match known {
            Some((_, picture)) => {
                let whole = [view.size().rect()];
                let within = match &frame.damage {
                    Damage::Exact(region) | Damage::Hint(region) => region.rects(),
                    Damage::Unknown => &whole,
                };
                self.differ.update(picture, &view, within, &mut self.changes)?;
                merge(&self.changes, &MergeParams::default(), &mut self.rects);
            }
            None => {
                let mut picture = FrameBuf::new(view.size(), view.format())?;
                picture.copy_from(&view, view.size().rect());
                self.rects.push(view.size().rect());
                self.picture = Some((frame.generation, picture));
            }
        }
        let Some((_, picture)) = self.picture.as_ref().filter(|_| !self.rects.is_empty()) else {
            return Ok(());
        };
        self.frames += 1;
        self.writer.write_frame(time_us, frame.generation, &picture.view(), &self.rects)?;
        Ok(())
    }
}
