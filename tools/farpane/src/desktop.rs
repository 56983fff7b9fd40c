//! Real applications on an X display, for demonstrations and tests.

mod manager;
mod process;
mod scenes;

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use farpane_capture::Xvfb;
use farpane_frame::Size;
use process::{Process, Tool};
use std::ops::ControlFlow;
use std::time::Duration;

/// Bits of colour of a display that is started here: what almost every real one has.
const DEPTH: u8 = 24;

/// What scenes need: a program and the Debian package that has it.
const XTERM: Tool = Tool { program: "xterm", package: "xterm" };
const XDOTOOL: Tool = Tool { program: "xdotool", package: "xdotool" };
const OPENBOX: Tool = Tool { program: "openbox", package: "openbox" };

/// Something to see on a desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Scene {
    /// A terminal prints about 100 numbered lines a second.
    ScrollTerminal,
    /// Text is typed into a terminal, about 12 characters a second.
    TypeText,
    /// A terminal full of text is dragged by its title bar, 60 steps a second.
    DragWindow,
}

impl Scene {
    /// All scenes.
    pub(crate) const ALL: [Self; 3] = [Self::ScrollTerminal, Self::TypeText, Self::DragWindow];

    /// What is to be seen, in a few words.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::ScrollTerminal => "a scrolling terminal",
            Self::TypeText => "typing",
            Self::DragWindow => "a dragged window",
        }
    }
}

/// Hears several times a second how long a scene has been running, and may end it early.
pub(crate) type Progress<'a> = dyn FnMut(Duration) -> ControlFlow<()> + 'a;

/// A display with applications on it. Whatever it started ends when it is dropped.
pub(crate) struct Desktop {
    // Dropped first to last: applications before the manager before the display.
    manager: Option<Process>,
    display: String,
    _xvfb: Option<Xvfb>,
}

impl Desktop {
    /// Starts a display of `size`, with the window manager openbox when it is installed.
    ///
    /// # Errors
    /// Xvfb is missing or does not start.
    pub(crate) fn start(size: Size) -> Result<Self> {
        let xvfb = Xvfb::start(size, DEPTH)
            .context("cannot start a display; install the Debian package xvfb")?;
        let mut desktop =
            Self { manager: None, display: xvfb.display().to_owned(), _xvfb: Some(xvfb) };
        if OPENBOX.is_installed() {
            desktop.start_manager()?;
        }
        Ok(desktop)
    }

    /// Uses a display that is there, as `:0`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(crate) fn on(display: &str) -> Result<Self> {
        manager::connect(display)?;
        Ok(Self { manager: None, display: display.to_owned(), _xvfb: None })
    }

    /// The display's name, as `:99`.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// Shows `scene` for `time`, then takes it away again.
    ///
    /// # Errors
    /// A program is missing (the Debian package to install is named) or fails; dragging needs a
    /// window manager.
    pub(crate) fn run(
        &mut self,
        scene: Scene,
        time: Duration,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        match scene {
            Scene::ScrollTerminal => self.scroll_terminal(time, progress),
            Scene::TypeText => self.type_text(time, progress),
            Scene::DragWindow => self.drag_window(time, progress),
        }
        .with_context(|| format!("the scene \"{}\" on {}", scene.title(), self.display))
    }

    fn start_manager(&mut self) -> Result<()> {
        let mut openbox = OPENBOX.command(&self.display);
        openbox.arg("--sm-disable");
        self.manager = Some(OPENBOX.spawn(openbox)?);
        manager::wait_until_managed(&self.display)
    }
}
