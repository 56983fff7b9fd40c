//! A C sharer shows a real X display to helpers in C, C++ and Python.

use super::compile;
use super::install::Installed;
use anyhow::{Context, bail, ensure};
use farpane_capture::{CaptureEvent, CaptureSource, X11Options, X11Source, Xvfb};
use farpane_frame::Size;
use std::ffi::OsString;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The size of the display.
const SIZE: Size = Size::new(640, 480);
/// Only a hang reaches it; valgrind is twenty times as slow as the processor.
const LIMIT: Duration = Duration::from_secs(90);

/// What watches the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Nothing.
    None,
    /// Errors of memory and leaks, by the compiler.
    AddressSanitizer,
    /// The same, by simulation.
    Valgrind,
}

impl Tool {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::AddressSanitizer => &["-fsanitize=address,undefined", "-fno-sanitize-recover"],
            Self::None | Self::Valgrind => &["-O1"],
        }
    }

    /// How long the helper watches.
    fn seconds(self) -> &'static str {
        if self == Self::Valgrind { "15" } else { "3" }
    }

    fn command(self, root: &Path, program: &Path) -> Command {
        if self != Self::Valgrind {
            return Command::new(program);
        }
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--leak-check=full", "--error-exitcode=9"]);
        // What is only possibly lost is still known to its owner by an inner pointer.
        valgrind.args(["--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]);
        let known = root.join("crates/capi/tests/valgrind.supp");
        let mut option = OsString::from("--suppressions=");
        option.push(known);
        valgrind.arg(option).arg(program);
        valgrind
    }
}

/// The example programs, compiled.
pub(crate) struct Programs {
    folder: tempfile::TempDir,
    libraries: PathBuf,
    root: PathBuf,
    tool: Tool,
}

impl Programs {
    pub(crate) fn compile(root: &Path, installed: &Installed, tool: Tool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        for name in ["sharer", "helper"] {
            let program = folder.path().join(name);
            compile::example(root, installed, &format!("c/{name}.c"), &program, tool.flags())?;
        }
        let libraries = installed.libraries();
        Ok(Self { folder, libraries, root: root.to_owned(), tool })
    }

    /// Starts `program` in the folder.
    fn start(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<Running> {
        let mut command = self.tool.command(&self.root, program);
        command.args(arguments).current_dir(self.folder.path()).env_remove("DISPLAY");
        command.env("LD_LIBRARY_PATH", &self.libraries).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Running { name: program.display().to_string(), child: Some(child) })
    }

    /// Runs `program` in the folder and returns what it printed.
    fn run(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<String> {
        self.start(program, arguments)?.finish()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A program, killed when it is dropped.
struct Running {
    name: String,
    child: Option<Child>,
}

impl Running {
    /// Waits until it ends well, and returns what it printed.
    fn finish(mut self) -> anyhow::Result<String> {
        let deadline = Instant::now() + LIMIT;
        let mut child = self.child.take().context("it runs")?;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                let _ = child.kill();
                bail!("{} did not end: {}", self.name, said(&child.wait_with_output()?));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{} failed: {}", self.name, said(&output));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// A display with a terminal full of text.
pub(crate) struct Desk {
    display: Xvfb,
    _terminal: Running,
}

impl Desk {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let display = Xvfb::start(SIZE, 24)?;
        let mut terminal = Command::new("xterm");
        terminal.args(["-geometry", "90x30+20+20", "-e", "seq 1 500; exec sleep 1000"]);
        terminal.env("DISPLAY", display.display()).stdin(Stdio::null());
        terminal.stdout(Stdio::null()).stderr(Stdio::null());
        let child = terminal.spawn().context("cannot start xterm")?;
        let terminal = Running { name: "xterm".to_owned(), child: Some(child) };
        let desk = Self { display, _terminal: terminal };
        let deadline = Instant::now() + LIMIT;
        while desk.pixels()?.iter().all(|byte| *byte == 0) {
            ensure!(Instant::now() < deadline, "the terminal draws nothing");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(desk)
    }

    /// Red, green and blue of every pixel, captured anew.
    fn pixels(&self) -> anyhow::Result<Vec<u8>> {
        let display = Some(self.display.display().to_owned());
        let mut source = X11Source::open(X11Options { display, ..X11Options::default() })?;
        loop {
            if let CaptureEvent::Frame(frame) = source.next(LIMIT)? {
                let view = frame.pixels.view();
                let rows = (0..view.size().height_px).flat_map(|y| view.row(y).chunks_exact(4));
                return Ok(rows.flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect());
            }
        }
    }
}

/// Compiles the examples for `tool`, shares a display, and compares what the helper saw. Returns
/// after how many milliseconds it had its first frame.
pub(crate) fn run(root: &Path, installed: &Installed, tool: Tool) -> anyhow::Result<f64> {
    let programs = Programs::compile(root, installed, tool)?;
    let desk = Desk::start()?;
    let (first_ms, seen) = share(&programs, &desk, &["--seconds", tool.seconds()])?;
    let there = desk.pixels()?;
    let wrong = seen.chunks(3).zip(there.chunks(3)).filter(|(a, b)| a != b).count();
    ensure!(seen.len() == there.len(), "the helper saw {} bytes of {}", seen.len(), there.len());
    ensure!(wrong == 0, "{wrong} pixels differ");
    Ok(first_ms)
}

/// Lets helpers in C++ and Python watch a display, and compares what they saw.
pub(crate) fn other_languages(root: &Path, installed: &Installed) -> anyhow::Result<()> {
    let programs = Programs::compile(root, installed, Tool::None)?;
    let cpp = programs.file("helper-cpp");
    compile::example(root, installed, "cpp/helper.cpp", &cpp, &[])?;
    let desk = Desk::start()?;
    let there = desk.pixels()?;
    let said = session(&programs, &desk, || programs.run(&cpp, &["invitation"]))?;
    let [r, g, b] = [there[0], there[1], there[2]];
    let corner = format!("first pixel {r} {g} {b}\n");
    let size = format!("{}x{}, first frame after ", SIZE.width_px, SIZE.height_px);
    ensure!(said.starts_with(&size) && said.ends_with(&corner), "C++ saw {said:?}");
    let python = root.join("crates/capi/examples/python/helper.py");
    session(&programs, &desk, || programs.run(&python, &["invitation", "seen.png"]))?;
    let file = BufReader::new(File::open(programs.file("seen.png"))?);
    let mut image = png::Decoder::new(file).read_info()?;
    let mut seen = vec![0; image.output_buffer_size().context("the picture is too large")?];
    image.next_frame(&mut seen)?;
    ensure!(seen == there, "Python saw another screen");
    Ok(())
}

/// One session with the C helper. Returns after how many milliseconds it had its first frame,
/// and the pixels of its last.
pub(crate) fn share(
    programs: &Programs,
    desk: &Desk,
    limit: &[&str],
) -> anyhow::Result<(f64, Vec<u8>)> {
    let mut arguments = vec!["invitation", "--headless", "--dump", "seen.ppm"];
    arguments.extend(limit);
    let helper = programs.file("helper");
    let said = session(programs, desk, || programs.run(&helper, &arguments))?;
    let first = said.lines().find_map(|line| {
        line.strip_prefix("first frame after ")?.strip_suffix(" ms")?.parse::<f64>().ok()
    });
    let first = first.with_context(|| format!("no first frame in {said:?}"))?;
    let ppm = std::fs::read(programs.file("seen.ppm"))?;
    let header = format!("P6\n{} {}\n255\n", SIZE.width_px, SIZE.height_px);
    let pixels = ppm.strip_prefix(header.as_bytes()).context("the dump has another size")?;
    Ok((first, pixels.to_vec()))
}

/// Shares the display while `helper` watches, who finds the file `invitation`.
fn session<T>(
    programs: &Programs,
    desk: &Desk,
    helper: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let display = desk.display.display();
    let invitation = programs.file("invitation");
    let _ = std::fs::remove_file(&invitation);
    let source = format!("x11:{display}");
    let sharing = ["invitation", "--yes", "--seconds", "60", "--source", &source];
    let sharer = programs.start(&programs.file("sharer"), &sharing)?;
    let deadline = Instant::now() + LIMIT;
    while !invitation.exists() {
        ensure!(Instant::now() < deadline, "there is no invitation");
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = helper()?;
    terminate(&sharer)?;
    sharer.finish()?;
    Ok(seen)
}

fn terminate(running: &Running) -> anyhow::Result<()> {
    let child = running.child.as_ref().context("it runs")?;
    let pid = rustix::process::Pid::from_child(child);
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
}
