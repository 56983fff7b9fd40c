//! `farpane audit verify`.

use super::{Progress, rfc_3339, usage};
use crate::table::Table;
use anyhow::{Context, Result};
use farpane::audit::AuditReader;
use farpane::policy::audit::{AuditKey, Finding, Note, Observation, Report, Trust};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Most findings, and most notes, that are listed; all are counted.
const MAX_LISTED: usize = 1_000;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane audit verify /var/lib/farpane/audit
  farpane audit verify ours --key KEY --heads theirs/heads    what the peer keeps of this log
  farpane audit verify ours --peer-key KEY --json             for scripts

It finds records that were changed, removed, reordered, repeated or forged, a log that was cut or
forked, and wrong cross-signatures. Give --key: without it a log that was written anew with another
key passes. docs/audit.md says what a whole log proves and what it cannot.

Exit status: 0 when the log is whole, 1 when something was found, 2 for wrong usage or when there is
no log that could be read.")]
pub(crate) struct Args {
    /// The folder with the log.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The key that the log must be of: 64 hexadecimal digits.
    #[arg(long, value_name = "KEY")]
    key: Option<AuditKey>,
    /// A key that a peer may have signed with; may be given several times. Then cross-signatures
    /// by others are findings.
    #[arg(long, value_name = "KEY")]
    peer_key: Vec<AuditKey>,
    /// Heads of this log that are kept elsewhere: the file `heads` of a peer's log; may be given
    /// several times.
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What was found, as far as it is listed.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    notes: Vec<Note>,
    all_notes: usize,
}

/// Verifies a log and prints what it found.
///
/// # Errors
/// None that is not an exit status.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let (report, found) = match verify(args) {
        Ok(verified) => verified,
        Err(error) => return Ok(usage(&error)),
    };
    match args.json {
        true => println!("{:#}", as_json(&report, &found)),
        false => print!("{}", as_text(&args.folder.display().to_string(), &report, &found)),
    }
    Ok(if report.findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verify(args: &Args) -> Result<(Report, Found)> {
    let context = || format!("cannot verify {}", args.folder.display());
    let reader = AuditReader::open(&args.folder).with_context(context)?;
    let trust = Trust { key: args.key, peers: args.peer_key.clone(), is_written: false };
    let mut found = Found::default();
    let mut progress = Progress::new(&reader);
    let observe = |observation| found.add(observation);
    let report = reader
        .verify(trust, &args.heads, false, observe, |done| progress.tell(done))
        .with_context(context)?;
    Ok((report, found))
}

impl Found {
    fn add(&mut self, observation: Observation) {
        match observation {
            Observation::Finding(finding) if self.findings.len() < MAX_LISTED => {
                self.findings.push(finding);
            }
            Observation::Note(note) => {
                self.all_notes += 1;
                if self.notes.len() < MAX_LISTED {
                    self.notes.push(note);
                }
            }
            Observation::Finding(_) | Observation::Record(_) => {}
        }
    }
}

fn as_text(title: &str, r: &Report, found: &Found) -> String {
    let mut table = Table::new([title.to_owned(), String::new()]).left(1);
    let key = r.key.map_or_else(|| "none".to_owned(), |key| key.to_string());
    table.row(["key".to_owned(), key]);
    if let Some(key) = r.key {
        table.row(["log".to_owned(), key.log_id().to_string()]);
    }
    let of = format!("{}, numbers {} to {}", r.records, r.first, r.last);
    table.row(["records".to_owned(), of]);
    if r.records > 0 {
        let from_to = format!("{} to {}", rfc_3339(r.begun_us), rfc_3339(r.ended_us));
        table.row(["times".to_owned(), from_to]);
    }
    table.row(["segments".to_owned(), r.segments.to_string()]);
    let confirmed = match r.confirmed {
        0 => "nothing".to_owned(),
        n => format!("up to record {n}"),
    };
    table.row(["confirmed by peers".to_owned(), confirmed]);
    for finding in &found.findings {
        table.row(["FINDING".to_owned(), finding.to_string()]);
    }
    for note in &found.notes {
        table.row(["note".to_owned(), note.to_string()]);
    }
    let left_out = r.findings as usize - found.findings.len() + found.all_notes - found.notes.len();
    if left_out > 0 {
        table.row(["not listed".to_owned(), format!("{left_out} more")]);
    }
    let verdict = match r.findings {
        0 => "The log is whole.".to_owned(),
        n => format!("The log is NOT whole: {n} findings."),
    };
    format!("{table}\n{verdict}\n")
}

fn as_json(r: &Report, found: &Found) -> Value {
    let findings: Vec<_> = found.findings.iter().map(finding).collect();
    let notes: Vec<_> = found.notes.iter().map(note).collect();
    let time = |us: u64| (r.records > 0).then(|| rfc_3339(us));
    json!({
        "whole": r.findings == 0,
        "key": r.key.map(|key| key.to_string()),
        "log": r.key.map(|key| key.log_id().to_string()),
        "records": r.records, "first": r.first, "last": r.last,
        "begun": time(r.begun_us), "ended": time(r.ended_us),
        "segments": r.segments, "heads": r.heads, "confirmed": r.confirmed,
        "findings_count": r.findings, "findings": findings,
        "notes_count": found.all_notes, "notes": notes,
    })
}

fn finding(finding: &Finding) -> Value {
    let (code, sequence) = (finding.code(), finding.sequence());
    json!({ "code": code, "sequence": sequence, "message": finding.to_string() })
}

fn note(note: &Note) -> Value {
    json!({ "code": note.code(), "message": note.to_string() })
}
