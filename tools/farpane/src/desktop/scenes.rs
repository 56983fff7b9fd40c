//! What happens in each scene.

use super::process::{Process, Tool, input};
use super::{Desktop, Progress, XDOTOOL, XTERM, manager};
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long an application may take to show its window.
const WINDOW_WAIT: Duration = Duration::from_secs(15);

/// How often a window is searched for.
const SEARCHES: u32 = 5;

/// What xdotool may take for a question or a click.
const TOOL_WAIT: Duration = Duration::from_secs(5);

/// Characters typed in a second.
const TYPING_RATE: f64 = 12.0;

/// What xdotool is told for [`TYPING_RATE`]: it pauses half of it after each press and half after
/// each release, but means the character, so that a character takes one half more or less than
/// said. Measured: 162 gives 12 characters a second.
const TYPING_DELAY_MS: &str = "162";

/// Steps of a dragged window in a second.
const DRAG_RATE: f64 = 60.0;

/// The pause that makes [`DRAG_RATE`] together with the step itself.
const DRAG_PAUSE_S: f64 = 0.0155;

/// How far above an application's own pixels the middle of its title bar is.
const TITLE_BAR_PX: i32 = 10;

/// Longer than any scene, for what only has to stay.
const PROSE: &str = "The screen is synchronised, not streamed: every tile of the copy is exact, \
lossy or stale, and the sharer knows which. Nothing moves, nothing wakes up; a caret costs \
microseconds, not a frame. Text is always exact, in the first frame.";

/// Four lines at a time, with a pause of what is left of 40 ms.
const SCROLL_SCRIPT: &str = r#"
i=0
while :; do
  for j in 1 2 3 4; do
    i=$((i + 1))
    printf 'line %06d  /usr/share/doc/package-%d/changelog.gz  %d bytes, checked\n' \
      $i $((i * 7919 % 9973)) $((i * 104729 % 1000003))
  done
  sleep 0.035
done"#;

/// A terminal that stays open until this is dropped.
pub(crate) struct StillTerminal(#[expect(dead_code, reason = "kept for its drop")] Process);

impl Desktop {
    /// A terminal that prints numbered lines, about 100 a second.
    ///
    /// # Errors
    /// As [`Desktop::run`].
    pub(crate) fn scroll_terminal(
        &mut self,
        time: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let (mut terminal, _) = self.terminal("scroll", "120x40+80+60", SCROLL_SCRIPT)?;
        let ended = terminal.watch(time, progress)?;
        ensure!(!ended, "the terminal closed before its time");
        Ok(())
    }

    /// Prose typed into a terminal at about 12 characters a second.
    ///
    /// # Errors
    /// As [`Desktop::run`].
    pub(crate) fn type_text(&mut self, time: Duration, progress: &mut Progress<'_>) -> Result<()> {
        let (_terminal, window) =
            self.terminal("typing", "100x30+120+80", "exec cat > /dev/null")?;
        self.xdotool(&["mousemove", "--window", &window, "60", "60", "windowfocus", &window])?
            .output_within(TOOL_WAIT)?;
        let count = (time.as_secs_f64() * TYPING_RATE) as usize;
        let mut typing = self.command(&["type", "--delay", TYPING_DELAY_MS, "--file", "-"]);
        typing.stdin(input(&prose(count))?);
        let mut typing = XDOTOOL.spawn(typing)?;
        // To the end, so that no key stays pressed; only a broken display takes twice as long.
        typing.watch(time * 2 + TOOL_WAIT, &mut |passed| progress(passed.min(time)))?;
        Ok(())
    }

    /// Opens a terminal full of text that stays as it is until the result is dropped.
    ///
    /// # Errors
    /// As [`Desktop::run`].
    pub(crate) fn open_text(&mut self) -> Result<StillTerminal> {
        let script = format!("for i in 1 2 3 4 5 6 7 8 9; do echo '{PROSE}'; done; exec cat");
        let (terminal, _) = self.terminal("text", "100x40+140+90", &script)?;
        Ok(StillTerminal(terminal))
    }

    /// A terminal full of text, dragged by its title bar along loops.
    ///
    /// # Errors
    /// As [`Desktop::run`].
    pub(crate) fn drag_window(
        &mut self,
        time: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        ensure!(
            manager::is_managed(&self.display)?,
            "no window has a title bar without a window manager; install the Debian package \
             openbox and start it"
        );
        let script = format!("for i in 1 2 3 4 5 6 7 8 9; do echo '{PROSE}'; done; exec cat");
        let (_terminal, window) = self.terminal("drag", "80x24+200+120", &script)?;
        let geometry =
            self.xdotool(&["getwindowgeometry", "--shell", &window])?.output_within(TOOL_WAIT)?;
        let [x, y, width] = ["X", "Y", "WIDTH"].map(|name| {
            let value = geometry.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|v| v.parse::<i32>().ok())
        });
        let at = |v: Option<i32>| v.with_context(|| format!("xdotool told no place: {geometry}"));
        let start = (at(x)? + at(width)? / 2, at(y)? - TITLE_BAR_PX);
        let mut drag = self.command(&["-"]);
        drag.stdin(input(&drag_script(start, time))?);
        let mut drag = XDOTOOL.spawn(drag)?;
        let watched = drag.watch(time * 2 + TOOL_WAIT, &mut |passed| progress(passed.min(time)));
        if !matches!(watched, Ok(true)) {
            drop(drag);
            self.xdotool(&["mouseup", "1"])?.output_within(TOOL_WAIT)?;
        }
        watched.map(|_| ())
    }

    /// Starts a terminal that runs `script`; gives it and its window when that is to be seen.
    fn terminal(&self, name: &str, geometry: &str, script: &str) -> Result<(Process, String)> {
        ensure_installed(&[XTERM, XDOTOOL])?;
        let title = format!("farpane-{name}-{}", std::process::id());
        let mut xterm = XTERM.command(&self.display);
        xterm.args(["-geometry", geometry, "-title", &title, "-e", "sh", "-c", script]);
        let mut xterm = XTERM.spawn(xterm)?;
        let window = self.find_window(&format!("^{title}$"))?;
        ensure!(xterm.is_running()?, "the terminal closed at once");
        Ok((xterm, window))
    }

    /// Waits for a window. The search fails when a window goes away while it walks them all, so
    /// it is repeated.
    fn find_window(&self, pattern: &str) -> Result<String> {
        let mut last = None;
        for _ in 0..SEARCHES {
            let search = ["search", "--sync", "--onlyvisible", "--name", pattern];
            match self.xdotool(&search)?.output_within(WINDOW_WAIT) {
                Ok(found) if !found.trim().is_empty() => {
                    return Ok(found.lines().next().unwrap_or_default().to_owned());
                }
                Ok(_) => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("xdotool found none")))
            .context("the terminal shows no window")
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<Process> {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped());
        XDOTOOL.spawn(command)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = XDOTOOL.command(&self.display);
        command.args(arguments);
        command
    }
}

fn ensure_installed(tools: &[Tool]) -> Result<()> {
    for tool in tools {
        ensure!(
            tool.is_installed(),
            "{} is not installed; install the Debian package {}",
            tool.program,
            tool.package
        );
    }
    Ok(())
}

/// So many characters of prose, in lines that fit a terminal's line buffer.
fn prose(count: usize) -> String {
    const LINE: usize = 72;
    let endless = PROSE.chars().chain(" ".chars()).cycle();
    endless
        .take(count)
        .enumerate()
        .map(|(i, c)| if (i + 1) % LINE == 0 { '\n' } else { c })
        .collect()
}

fn drag_script((x, y): (i32, i32), time: Duration) -> String {
    let mut script = format!("mousemove {x} {y}\nsleep 0.1\nmousedown 1\n");
    let steps = (time.as_secs_f64() * DRAG_RATE) as u32;
    for step in 0..steps {
        let t = f64::from(step) / DRAG_RATE;
        let (dx, dy) = (120.0 * (t * 1.3).sin(), 40.0 - 40.0 * (t * 2.0).cos());
        let (x, y) = (x + dx as i32, y + dy as i32);
        let _ = writeln!(script, "mousemove {x} {y}\nsleep {DRAG_PAUSE_S}");
    }
    script + "mouseup 1\n"
}
