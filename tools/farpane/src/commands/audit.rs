//! `farpane audit`: looks at audit logs and hands them on.

mod export;
mod ocsf;
mod verify;

use anyhow::Result;
use clap::Subcommand;
use farpane::audit::AuditReader;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the system's programs exit with after wrong usage; here also when there is nothing that
/// could be looked at.
const USAGE: u8 = 2;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says whether an audit log is whole, and if not, what was done to it.
    Verify(verify::Args),
    /// Writes an audit log as JSON lines, for a system that collects such events.
    Export(export::Args),
}

/// Runs the command that was given.
///
/// # Errors
/// Standard output is gone.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Verify(args) => verify::run(args),
        Command::Export(args) => export::run(args),
    }
}

/// Says why nothing was looked at.
fn usage(error: &anyhow::Error) -> ExitCode {
    eprintln!("farpane: {error:#}");
    ExitCode::from(USAGE)
}

/// How far a long log has been read, on a terminal.
struct Progress {
    total_bytes: u64,
    told: Instant,
    is_shown: bool,
    has_told: bool,
}

/// Between two lines of progress; a log that takes less shows none.
const PAUSE: Duration = Duration::from_millis(250);

impl Progress {
    fn new(reader: &AuditReader) -> Self {
        let is_shown = std::io::stderr().is_terminal();
        let total_bytes = reader.total_bytes();
        Self { total_bytes, told: Instant::now(), is_shown, has_told: false }
    }

    fn tell(&mut self, done_bytes: u64) {
        if !self.is_shown || self.told.elapsed() < PAUSE {
            return;
        }
        self.told = Instant::now();
        self.has_told = true;
        let percent = done_bytes.saturating_mul(100) / self.total_bytes.max(1);
        eprint!("\r\x1b[K{percent} % of {:.1} MB", self.total_bytes as f64 / 1e6);
        let _ = std::io::stderr().flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.has_told {
            eprint!("\r\x1b[K");
        }
    }
}

/// Microseconds since 1970 (UTC) as RFC 3339.
fn rfc_3339(time_us: u64) -> String {
    /// The last second of the year 9999, the last that has a form.
    const LAST_US: u64 = 253_402_300_799_999_999;
    let since = Duration::from_micros(time_us.min(LAST_US));
    humantime::format_rfc3339_micros(UNIX_EPOCH + since).to_string()
}

/// RFC 3339, or a date, as microseconds since 1970 (UTC).
fn time_us(text: &str) -> Result<u64> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let time: SystemTime = humantime::parse_rfc3339(&whole).map_err(|_| {
        anyhow::anyhow!("`{text}` is no time: give one such as 2026-01-31 or 2026-01-31T08:00:00Z")
    })?;
    let since = time.duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_micros())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_and_wrong_ones_say_what_to_give() {
        for time in ["2026-01-31T08:00:00.123456Z", "1970-01-01T00:00:00.000000Z"] {
            assert_eq!(rfc_3339(time_us(time).unwrap()), time);
        }
        assert_eq!(time_us("2026-01-31").unwrap() % (24 * 3600 * 1_000_000), 0);
        assert!(rfc_3339(u64::MAX).starts_with("9999-12-31"));
        for bad in ["", "yesterday", "2026-13-01", "31.01.2026", "2026-01-31T08:00:00+25:00"] {
            assert!(time_us(bad).unwrap_err().to_string().contains("2026-01-31"), "{bad}");
        }
    }
}
