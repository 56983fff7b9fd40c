//! Private X servers without a screen, for tests, benches and demonstrations.

use farpane_frame::Size;
use rustix::process::{Pid, Signal};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a server may take to end by itself.
const POLITE: Duration = Duration::from_secs(2);

/// A running Xvfb. It is killed and reaped when this is dropped, and dies with this process
/// however that ends. It accepts local connections only and keeps its state when its last client
/// leaves.
#[derive(Debug)]
pub struct Xvfb {
    display: String,
    pid: u32,
    /// Dropped first, which tells the guard to end the server.
    alive: Option<mpsc::Sender<()>>,
    guard: Option<JoinHandle<()>>,
}

/// Why there is no Xvfb.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XvfbError {
    /// The program is not installed.
    #[error("Xvfb is not installed; install it (Debian: apt-get install xvfb)")]
    Missing,
    /// The system refused to start it.
    #[error("cannot start Xvfb: {0}")]
    Start(#[from] io::Error),
    /// It ended before it was ready.
    #[error("Xvfb ended with {status} before it was ready: {said}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// What it wrote.
        said: String,
    },
}

impl Xvfb {
    /// Starts a server with one screen of `size` and `depth` (16, 24 or 30) on a free display,
    /// and waits until it accepts connections.
    ///
    /// # Errors
    /// When Xvfb is not installed, cannot be started, or ends at once (no free display, a depth
    /// it does not know).
    pub fn start(size: Size, depth: u8) -> Result<Self, XvfbError> {
        Self::launch(None, size, depth)
    }

    /// As [`Xvfb::start`], on the given display (as `:81`): for a server that comes back.
    ///
    /// # Errors
    /// As there; also when the display is taken.
    pub fn start_on(display: &str, size: Size, depth: u8) -> Result<Self, XvfbError> {
        Self::launch(Some(display), size, depth)
    }

    /// The display's name, as `:81`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    fn launch(display: Option<&str>, size: Size, depth: u8) -> Result<Self, XvfbError> {
        let mut command = Command::new("Xvfb");
        command
            .args(display)
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0"])
            .arg(format!("{}x{}x{depth}", size.width_px, size.height_px))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // SAFETY: between fork and exec the closure makes one system call, which is
        // async-signal-safe, and allocates nothing.
        unsafe {
            command.pre_exec(|| {
                let signal = Some(Signal::KILL);
                Ok(rustix::process::set_parent_process_death_signal(signal)?)
            });
        }
        let (ready, is_ready) = mpsc::channel();
        let (alive, until_dropped) = mpsc::channel();
        // The death signal is sent when the thread that started the server ends, so a thread of
        // its own starts it and lives as long as it does.
        let guard = std::thread::Builder::new().name("xvfb".into()).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let missing = error.kind() == io::ErrorKind::NotFound;
                    let error = if missing { XvfbError::Missing } else { XvfbError::Start(error) };
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            let started = wait_until_ready(&mut child);
            if ready.send(started.map(|display| (display, child.id()))).is_ok() {
                // Nothing is ever sent: this returns when the other end is dropped.
                let _ = until_dropped.recv();
            }
            end(&mut child);
        })?;
        let gone = || io::Error::other("the thread that starts it ended");
        let (display, pid) = is_ready.recv().map_err(|_| gone())??;
        Ok(Self { display, pid, alive: Some(alive), guard: Some(guard) })
    }
}

/// Ends the server so that it takes its socket away, by force when it does not end.
fn end(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, Signal::TERM);
    }
    let deadline = Instant::now() + POLITE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    let _ = child.wait();
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(guard) = self.guard.take() {
            let _ = guard.join();
        }
    }
}

/// Reads the display's number, which the server writes once it accepts connections.
fn wait_until_ready(child: &mut Child) -> Result<String, XvfbError> {
    let (stdout, stderr): (Option<ChildStdout>, Option<ChildStderr>) =
        (child.stdout.take(), child.stderr.take());
    let mut number = String::new();
    if let Some(stdout) = stdout {
        BufReader::new(stdout.take(16)).read_line(&mut number)?;
    }
    if let Ok(number) = number.trim().parse::<u32>() {
        drain(stderr)?;
        return Ok(format!(":{number}"));
    }
    let mut said = String::new();
    if let Some(mut stderr) = stderr {
        stderr.by_ref().take(4096).read_to_string(&mut said)?;
    }
    let status = child.wait().unwrap_or(ExitStatus::from_raw(0));
    Err(XvfbError::Ended { status, said: said.trim().replace('\n', "; ") })
}

/// Keeps reading what the server writes, so that a full pipe never stops it.
fn drain(stderr: Option<ChildStderr>) -> io::Result<()> {
    if let Some(mut stderr) = stderr {
        std::thread::Builder::new().name("xvfb-log".into()).spawn(move || {
            let _ = io::copy(&mut stderr, &mut io::sink());
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_server_is_dead_and_reaped() {
        let server = Xvfb::start(Size::new(320, 200), 24).unwrap();
        let proc = format!("/proc/{}", server.pid());
        assert!(std::path::Path::new(&proc).exists());
        drop(server);
        assert!(!std::path::Path::new(&proc).exists());
    }

    #[test]
    fn a_refused_screen_says_why() {
        let error = Xvfb::start(Size::new(320, 200), 77).unwrap_err();
        assert!(matches!(error, XvfbError::Ended { .. }), "{error}");
    }

    #[test]
    fn the_server_outlives_the_thread_that_asked_for_it() {
        let server = std::thread::spawn(|| Xvfb::start(Size::new(320, 200), 24).unwrap());
        let server = server.join().unwrap();
        assert!(x11rb::connect(Some(server.display())).is_ok());
    }
}
