//! `farpane audit export`.

use super::{Progress, ocsf, time_us, usage};
use anyhow::{Context, Result};
use farpane::audit::AuditReader;
use farpane::policy::audit::{Finding, Observation, Record, Trust};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane audit export /var/lib/farpane/audit --ocsf > events.jsonl
  farpane audit export ours --ocsf --since 2026-01-31
  farpane audit export ours --ocsf --since 2026-01-31T08:00:00Z | gzip > events.jsonl.gz

One JSON object a line, each an event of OCSF 1.8.0; docs/audit.md has the classes. Only records
that are whole and signed by the log's key are written. What is wrong with others goes to standard
error; `farpane audit verify` says more.

Exit status: 0 when the log is whole, 1 when it is not or could not be written, 2 for wrong usage or
when there is no log that could be read.")]
pub(crate) struct Args {
    /// The folder with the log.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Events of the Open Cybersecurity Schema Framework, as JSON lines on standard output.
    #[arg(long, required = true)]
    ocsf: bool,
    /// Only records from this time on, by their own clock: a date or RFC 3339.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

/// Writes the records of a log to standard output.
///
/// # Errors
/// Standard output takes no more.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    debug_assert!(args.ocsf, "there is no other form yet, and the parser requires this one");
    let since = args.since.as_deref().map_or(Ok(0), time_us);
    let opened = since.and_then(|since| {
        let reader = AuditReader::open(&args.folder)
            .with_context(|| format!("cannot export {}", args.folder.display()))?;
        Ok((since, reader))
    });
    match opened {
        Ok((since, reader)) => export(&reader, since),
        Err(error) => Ok(usage(&error)),
    }
}

fn export(reader: &AuditReader, since_us: u64) -> Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut written = Ok(());
    let mut progress = Progress::new(reader);
    let observe = |observation| match observation {
        Observation::Record(record) if record.entry.time_us >= since_us && written.is_ok() => {
            written = write(&mut out, &record);
        }
        Observation::Finding(finding) => warn(&finding),
        Observation::Record(_) | Observation::Note(_) => {}
    };
    let report = reader.verify(Trust::default(), &[], true, observe, |done| progress.tell(done))?;
    match written.and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        result => result.context("cannot write the events")?,
    }
    Ok(if report.findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write(out: &mut impl Write, record: &Record) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, &ocsf::event(record))?;
    out.write_all(b"\n")
}

fn warn(finding: &Finding) {
    eprintln!("farpane: {finding}");
}
