//! Lines of standard input. One of them may be a password, so none stays in memory.

use anyhow::{Context, Result};
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::sync::mpsc::{Receiver, Sender, channel};
use zeroize::Zeroizing;

/// The longest line in bytes: a chat message and a word before it. What is longer is cut.
const MAX_LINE_BYTES: usize = 4_200;

/// Lines as they come, read on a thread of their own.
pub(crate) struct Lines(Receiver<Zeroizing<String>>);

impl Lines {
    /// Begins to read; `wake` is called, on another thread, for every line.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn listen(wake: impl Fn() + Send + 'static) -> Result<Self> {
        let (sender, lines) = channel();
        std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || read(&sender, &wake))
            .context("cannot start a thread")?;
        Ok(Self(lines))
    }

    /// The next line that is there.
    pub(crate) fn next(&self) -> Option<Zeroizing<String>> {
        self.0.try_recv().ok()
    }
}

fn read(sender: &Sender<Zeroizing<String>>, wake: &dyn Fn()) {
    while let Some(line) = read_line() {
        if sender.send(line).is_err() {
            return;
        }
        wake();
    }
}

/// One line, byte by byte: a buffered reader would keep what it has read.
fn read_line() -> Option<Zeroizing<String>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE_BYTES));
    let mut byte = Zeroizing::new([0]);
    loop {
        match rustix::io::read(stdin(), &mut *byte) {
            Ok(0) if line.is_empty() => return None,
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) if line.len() < MAX_LINE_BYTES => line.push(byte[0]),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    match String::from_utf8(std::mem::take(&mut *line)) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Some(Zeroizing::default())
        }
    }
}

/// What somebody else wrote, so that no terminal takes it for orders.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && !"\n\t".contains(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Whether the terminal shows what is typed; where there is none, nothing is changed.
pub(crate) fn set_echo(on: bool) {
    if let Ok(mut modes) = tcgetattr(stdin()) {
        modes.local_modes.set(LocalModes::ECHO, on);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
    }
}
