//! The `farpane` program as a process.

use crate::wait_for;
use farpane_netbed::Space;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Most of what a program may say before a test gives up on it.
const MAX_SAID_BYTES: usize = 1 << 20;

/// A running `farpane`. It is killed and reaped when this is dropped.
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    title: String,
}

/// How a program ended.
#[derive(Debug)]
pub struct Exit {
    /// With what.
    pub status: ExitStatus,
    /// All it wrote, both streams.
    pub said: String,
    /// How long the end was waited for.
    pub after: Duration,
}

impl Program {
    /// Starts `farpane` with these arguments; `display` becomes its `DISPLAY`.
    ///
    /// # Panics
    /// When the program has not been built.
    pub fn start<S: AsRef<str>>(args: &[S], display: Option<&str>) -> Self {
        Self::spawn(Command::new(binary()), args, display)
    }

    /// As [`Program::start`], in a network of its own, or in this one.
    ///
    /// # Panics
    /// As there.
    pub fn start_in<S: AsRef<str>>(
        space: Option<&Space>,
        args: &[S],
        display: Option<&str>,
    ) -> Self {
        match space {
            Some(space) => Self::spawn(space.command(binary()), args, display),
            None => Self::start(args, display),
        }
    }

    fn spawn<S: AsRef<str>>(mut command: Command, args: &[S], display: Option<&str>) -> Self {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        command
            .args(&args)
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(display) = display {
            command.env("DISPLAY", display);
        }
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let said = Arc::new(Mutex::new(String::new()));
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(listen(stdout, &said));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(listen(stderr, &said));
        }
        let stdin = child.stdin.take();
        Self { child, stdin, said, readers, title: format!("farpane {}", args.join(" ")) }
    }

    /// Starts `farpane` and waits for its end.
    ///
    /// # Panics
    /// When it has not been built, or does not end within `limit`.
    pub fn run<S: AsRef<str>>(args: &[S], display: Option<&str>, limit: Duration) -> Exit {
        Self::start(args, display).wait_exit(limit)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far, both streams.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has written `text`.
    ///
    /// # Panics
    /// When it has not within `limit`.
    pub fn wait_said(&self, text: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        while !self.said().contains(text) {
            let title = &self.title;
            let said = self.said();
            assert!(
                Instant::now() < deadline,
                "{title} did not say {text:?} within {limit:?}; it said:\n{said}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Writes one line to its standard input.
    ///
    /// # Panics
    /// When it reads no more.
    pub fn answer(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        writeln!(stdin, "{line}").expect("the program reads its standard input");
    }

    /// Writes one line to its standard input, if it still reads any.
    pub fn answer_if_open(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = writeln!(stdin, "{line}");
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has been reaped already.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process number"), signal).expect("the process is ours");
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end within `limit`.
    pub fn wait_exit(mut self, limit: Duration) -> Exit {
        let begun = Instant::now();
        let what = format!("the end of {}", self.title);
        let mut status = None;
        wait_for(&what, limit, || {
            status = self.child.try_wait().expect("a child can be waited for");
            status.is_some()
        });
        let after = begun.elapsed();
        self.readers.drain(..).for_each(|reader| {
            let _ = reader.join();
        });
        Exit { status: status.expect("it has ended"), said: self.said(), after }
    }
}

impl Exit {
    /// Whether it reported an error, as opposed to success, a panic or a signal.
    pub fn is_error(&self) -> bool {
        self.status.code() == Some(1)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}---", self.title, self.said());
        }
    }
}

fn listen(stream: impl Read + Send + 'static, said: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() < MAX_SAID_BYTES {
                said.push_str(&line);
                said.push('\n');
            }
        }
    })
}

/// The program: what `FARPANE_BIN` names, else the one built beside this test.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("FARPANE_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("the test's own path");
    // target/PROFILE/deps/TEST
    let profile = test.ancestors().nth(2).expect("a folder above deps");
    let path = profile.join("farpane");
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build -p farpane-cli`, or name it in FARPANE_BIN",
        path.display()
    );
    path
}
