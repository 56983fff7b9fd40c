//! The machine that a measurement was made on.

use crate::command::{command, output};
use serde::Serialize;
use std::path::Path;
use std::{fmt, fs, thread};

/// What a reader must know of a machine to compare its figures with another's.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The processor's model.
    cpu: String,
    /// Cores this program may use.
    cores: usize,
    /// The operating system's name and release.
    kernel: String,
    /// The compiler.
    rustc: String,
    /// When, in UTC.
    date: String,
}

impl Machine {
    /// The machine this runs on, now.
    pub(crate) fn read() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: cpu_model(&cpuinfo).unwrap_or("unknown").to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: line_of("uname", &["-sr"]),
            rustc: line_of("rustc", &["--version"]),
            date: line_of("date", &["--utc", "+%Y-%m-%d %H:%M UTC"]),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine  {}, {} cores", self.cpu, self.cores)?;
        writeln!(f, "system   {}, {}", self.kernel, self.rustc)?;
        write!(f, "date     {}", self.date)
    }
}

fn cpu_model(cpuinfo: &str) -> Option<&str> {
    cpuinfo.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1))
}

fn line_of(program: &str, arguments: &[&str]) -> String {
    output(command(Path::new("."), program, arguments))
        .map_or_else(|_| "unknown".to_owned(), |line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu\n";
        assert_eq!(cpu_model(text), Some("Some CPU @ 2.00GHz"));
        assert_eq!(cpu_model(""), None);
    }

    #[test]
    fn a_machine_tells_of_itself() {
        let machine = Machine::read();
        assert!(machine.cores > 0);
        assert!(machine.kernel.starts_with("Linux "));
        assert!(machine.date.ends_with("UTC"));
    }
}
