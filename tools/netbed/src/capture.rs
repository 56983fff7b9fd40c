//! Packets written to a file.

use crate::bed::Bed;
use crate::program::Program;
use crate::run::need;
use crate::space::Space;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

/// What it runs, with the Debian package.
const TOOLS: [(&str, &str); 1] = [("dumpcap", "tshark")];
/// For it to have opened the device.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// What dumpcap prints when it has opened the device and the file.
const READY: &str = "File: ";

/// dumpcap reads what the kernel holds four times a second, and not when it is told to end.
const SETTLE: Duration = Duration::from_millis(500);

/// A recording of packets, until it is stopped or dropped.
#[must_use = "it stops when this is dropped"]
pub struct Capture {
    program: Program,
}

impl Capture {
    /// Stops it after half a second, and then the file is whole and has all that had passed when
    /// this was called. Dropping it does as well, without a word if that fails.
    ///
    /// # Errors
    /// dumpcap does not end within 5 s, and was killed.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        if self.program.ended() {
            return Ok(());
        }
        std::thread::sleep(SETTLE);
        self.program.stop(Signal::INT)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

impl Bed {
    /// From now on, when this returns, the packets in a space are written to a file, in the format
    /// pcapng: of a machine's one device, or of all devices of a router or `public`.
    ///
    /// # Errors
    /// dumpcap is not installed, or cannot write the file.
    pub fn capture(&self, space: &Space, path: &Path) -> anyhow::Result<Capture> {
        need(&TOOLS)?;
        let mut command = space.command("dumpcap");
        command.args(["-q", "-i", space.device(), "-w"]).arg(path);
        let log = self.new_folder("capture")?.join("log");
        let mut program = Program::start(command, log.clone())?;
        let ready = || std::fs::read_to_string(&log).is_ok_and(|log| log.contains(READY));
        program.wait_ready(READY_LIMIT, ready)?;
        Ok(Capture { program })
    }
}
