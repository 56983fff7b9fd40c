//! `farpane doctor`.

mod report;

use super::relay;
use crate::interrupt::Interrupt;
use anyhow::{Context, Result, ensure};
use farpane::net::doctor::{Check, DEFAULT_LIMIT, Report, examine};
use farpane::net::{Cancel, NetThread, NetThreadError, RelayUrl};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What the system's programs exit with after wrong usage.
const USAGE: u8 = 2;
/// Limits that make sense, in seconds: less is shorter than some round trips need, and nothing
/// takes longer.
const LIMITS_S: std::ops::RangeInclusive<f64> = 1.0..=120.0;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane doctor --relay @relays.txt            one address a line, # begins a remark
  farpane doctor --relay @relays.txt --json     for scripts
  farpane doctor --relay 'turn:USER:PASSWORD@relay.example' \\
                 --relay 'turns:USER:PASSWORD@relay.example?pin=PIN'

Run it in the sharer's network and in the helper's. The PIN is the SHA-256 of the key in the relay's
certificate; docs/network.md says how to compute it, and what to do about each answer.

Exit status: 0 when a session is possible by at least one relay, 1 when not, 2 for wrong usage.")]
pub(crate) struct Args {
    /// A relay's address, or @FILE with one a line: others on this machine see the passwords of
    /// addresses on the command line.
    #[arg(long, value_name = "URL")]
    relay: Vec<String>,
    /// Write JSON to standard output, in place of the table.
    #[arg(long)]
    json: bool,
    /// What all checks together may take, from 1 to 120; those that are not done by then have
    /// failed.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_LIMIT.as_secs_f64())]
    timeout: f64,
}

/// Examines the ways to the relays and prints what it found.
///
/// # Errors
/// It was cancelled, or the system gives no thread.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let (relays, limit) = match (relays(&args.relay), limit(args.timeout)) {
        (Ok(relays), Ok(limit)) => (relays, limit),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("farpane: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let report = examine_here(relays, limit)?;
    match args.json {
        true => println!("{:#}", report::json(&report)),
        false => print!("{}", report::text(&report)),
    }
    let is_possible = report.is_session_possible();
    Ok(if is_possible { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn relays(given: &[String]) -> Result<Vec<RelayUrl>> {
    let relays = relay::urls(given)?;
    ensure!(
        !relays.is_empty(),
        "without a relay there is nothing that could be checked: give --relay URL, or --relay \
         @FILE with one address a line (farpane doctor --help has examples)"
    );
    Ok(relays)
}

fn limit(seconds: f64) -> Result<Duration> {
    let (least, most) = (LIMITS_S.start(), LIMITS_S.end());
    ensure!(
        LIMITS_S.contains(&seconds),
        "--timeout {seconds}: give a number of seconds from {least} to {most}"
    );
    Ok(Duration::from_secs_f64(seconds))
}

fn examine_here(relays: Vec<RelayUrl>, limit: Duration) -> Result<Report> {
    let net = NetThread::start()?;
    let cancel = Cancel::default();
    let on_interrupt = cancel.clone();
    let _interrupt = Interrupt::listen(move || on_interrupt.cancel())?;
    let progress = std::io::stderr().is_terminal();
    let told = move |about: &str, check: &Check| {
        if progress {
            tell(&format!("{about}: {}: {}", check.subject, check.verdict));
        }
    };
    let done = net.run_unless(&cancel, async move { examine(&relays, limit, told).await });
    if progress {
        tell("");
    }
    match done {
        Ok(report) => {
            // Its drop would wait for a DNS server that does not answer, as long as the system
            // does. All allocations have been given back.
            std::mem::forget(net);
            Ok(report)
        }
        Err(NetThreadError::Cancelled) => anyhow::bail!("cancelled before the checks were done"),
        Err(error) => Err(error).context("the checks did not end"),
    }
}

/// Writes over the terminal's last line.
fn tell(line: &str) {
    /// To the line's start, and clear it.
    const CLEAR: &str = "\r\x1b[K";
    /// So that it does not wrap on most terminals.
    const COLUMNS: usize = 79;
    let line: String = line.chars().take(COLUMNS).collect();
    let mut out = std::io::stderr().lock();
    // A terminal that is gone needs no progress.
    let _ = write!(out, "{CLEAR}{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_relay_or_with_a_strange_limit_it_says_what_to_give() {
        let error = relays(&[]).unwrap_err().to_string();
        assert!(error.contains("nothing that could be checked"), "{error}");
        assert_eq!(relays(&["turn:a.example".to_owned()]).unwrap().len(), 1);
        assert_eq!(limit(2.5).unwrap(), Duration::from_millis(2_500));
        for seconds in [0.0, -1.0, 121.0, f64::NAN, f64::INFINITY] {
            assert!(limit(seconds).is_err());
        }
    }
}
