//! Trying a backend out where it can do no harm: in a process of its own.
//!
//! A library does not know which program to start. The app gives a command, for example itself
//! with a hidden argument, and that process calls [`child_main`] and ends with what it returns.

mod trial;

use super::Backend;
use crate::video::{VideoDecoder, VideoError};
use farpane_frame::Size;
use std::fmt;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a probe may take, unless the app says otherwise. Sound drivers take 0.2 to 1 s.
pub const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// A probe ends itself after this time, should the app no longer be there to end it.
const ORPHAN_LIMIT: Duration = Duration::from_secs(60);

/// The size of a probe's pictures, for the decoder. Small, so that it is fast, and not so small
/// that drivers refuse it. Its sides are multiples of 64 pixels, the largest blocks of encoders.
pub const PROBE_SIZE: Size = Size::new(320, 192);

/// The verdict's line begins with this; drivers print to the same place.
const MARK: &str = "farpane-probe";
/// The end of the output that is looked at. The verdict is printed last.
const TAIL_BYTES: usize = 8 << 10;
/// The longest text of a verdict.
const TEXT_CHARS: usize = 200;
/// How often a process is looked after. It starts in a few of these.
const POLL: Duration = Duration::from_millis(5);
/// How long the end of a process, or of its output, is awaited when it is due.
const GRACE: Duration = Duration::from_millis(200);

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Pictures came out as they went in.
    Works {
        /// The driver's name and version, for people.
        driver: String,
    },
    /// There is no such driver or device, or its pictures are wrong.
    Fails {
        /// Why, for people.
        reason: String,
    },
    /// The driver did not come to an end in time.
    Hung,
    /// The driver took the process with it.
    Crashed {
        /// How the process ended, for people.
        status: String,
    },
    /// There was no probe, or it was given up: nothing is known of the driver.
    NotRun {
        /// Why, for people.
        reason: String,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Works { driver } => write!(f, "works, with {driver}"),
            Verdict::Fails { reason } => write!(f, "fails: {reason}"),
            Verdict::Hung => f.write_str("hung"),
            Verdict::Crashed { status } => write!(f, "crashed: {status}"),
            Verdict::NotRun { reason } => write!(f, "was not tried: {reason}"),
        }
    }
}

/// The app's side of a probe.
#[derive(Clone, Copy, Debug)]
pub struct Probe;

impl Probe {
    /// Starts `command`, whose process calls [`child_main`], and waits for its verdict, at most
    /// `limit` (and 0.4 s for it to end). Call it on a thread that may wait.
    ///
    /// The process gets no input, and what it writes to its standard error is dropped. Of its
    /// output the last 8 KiB count. At the limit it is killed; a process that a driver keeps even
    /// then is left behind.
    pub fn run(command: Command, limit: Duration) -> Verdict {
        Self::run_until(command, limit, || false)
    }

    /// As [`Probe::run`], but gives the probe up and kills its process as soon as `stopped`, which
    /// is asked every 5 ms.
    pub fn run_until(mut command: Command, limit: Duration, stopped: impl Fn() -> bool) -> Verdict {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let began = Instant::now();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return not_run(&format!("the probe could not be started: {error}")),
        };
        let tail = Tail::of(&mut child);
        while began.elapsed() < limit {
            match child.try_wait() {
                Ok(Some(status)) => return judge(status, &tail.take()),
                Ok(None) if stopped() => {
                    end(child);
                    return not_run("the probe was given up");
                }
                Ok(None) => thread::sleep(POLL.min(limit)),
                Err(error) => return fails(&format!("the probe could not be watched: {error}")),
            }
        }
        end(child);
        Verdict::Hung
    }
}

/// The other side of a probe: encodes pictures of [`PROBE_SIZE`] with `backend`, decodes them with
/// `decoder`, compares them, and prints the verdict on the standard output; without a decoder the
/// backend fails. The process ends with what this returns, or by itself after a minute.
pub fn child_main(
    backend: Backend,
    decoder: Result<Box<dyn VideoDecoder>, VideoError>,
) -> ExitCode {
    end_after(ORPHAN_LIMIT);
    let tried = decoder.map_err(|error| error.to_string()).and_then(|mut decoder| {
        trial::run(|size, rate| backend.open_described(size, rate), decoder.as_mut())
    });
    let (line, code) = match tried {
        Ok(driver) => (format!("{MARK} works {}", one_line(&driver)), ExitCode::SUCCESS),
        Err(reason) => (format!("{MARK} fails {}", one_line(&reason)), ExitCode::FAILURE),
    };
    // A driver may have left half a line.
    let printed = writeln!(std::io::stdout(), "\n{line}");
    if printed.is_ok() { code } else { ExitCode::FAILURE }
}

/// Ends this process when the time is over, whatever hangs in it.
fn end_after(limit: Duration) {
    let end = move || {
        thread::sleep(limit);
        // Not `exit`, which runs what drivers have left to be run.
        std::process::abort();
    };
    // Without the thread only the app ends it.
    let _ = thread::Builder::new().name("farpane-probe".into()).spawn(end);
}

/// Text in one line, of bounded length, without control characters.
pub(super) fn one_line(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let bounded: String = visible.take(TEXT_CHARS).collect();
    bounded.trim().to_string()
}

fn fails(reason: &str) -> Verdict {
    Verdict::Fails { reason: one_line(reason) }
}

fn not_run(reason: &str) -> Verdict {
    Verdict::NotRun { reason: one_line(reason) }
}

fn judge(status: ExitStatus, output: &str) -> Verdict {
    let crashed = Verdict::Crashed { status: one_line(&status.to_string()) };
    let said = output.lines().rev().find_map(|line| line.strip_prefix(MARK)?.strip_prefix(' '));
    match (said.and_then(|said| said.split_once(' ')), status.code()) {
        (Some(("works", driver)), Some(0)) => Verdict::Works { driver: one_line(driver) },
        (Some(("fails", reason)), Some(_)) => fails(reason),
        (_, Some(0)) => fails("the probe gave no verdict"),
        _ => crashed,
    }
}

/// The end of what a process prints.
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Closed at the end of the output.
    open: Receiver<()>,
}

impl Tail {
    /// Reads all that the process prints. What a driver has started in turn may hold the pipe open
    /// for longer, so nobody waits for the thread.
    fn of(child: &mut Child) -> Self {
        let (close, open) = sync_channel(0);
        let tail = Self { bytes: Arc::default(), open };
        let Some(mut stdout) = child.stdout.take() else { return tail };
        let bytes = tail.bytes.clone();
        let read = move || {
            let mut chunk = [0; 4096];
            while let Ok(len @ 1..) = stdout.read(&mut chunk) {
                let mut tail = bytes.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend_from_slice(&chunk[..len]);
                let old = tail.len().saturating_sub(TAIL_BYTES);
                tail.drain(..old);
            }
            drop(close);
        };
        // Without the thread there is no output, and so no verdict.
        let _ = thread::Builder::new().name("farpane-probe".into()).spawn(read);
        tail
    }

    /// What the process, which has ended, has printed last.
    fn take(&self) -> String {
        let _ = self.open.recv_timeout(GRACE);
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Kills a process. One that waits inside a driver does not end before the driver lets it: then a
/// thread is left behind that takes its status.
fn end(mut child: Child) {
    let _ = child.kill();
    let began = Instant::now();
    while began.elapsed() < GRACE {
        match child.try_wait() {
            Ok(None) => thread::sleep(POLL),
            _ => return,
        }
    }
    let _ = thread::Builder::new().name("farpane-probe".into()).spawn(move || child.wait());
}

#[cfg(test)]
mod tests;
