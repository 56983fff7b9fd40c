//! One file a command.

pub(crate) mod audit;
pub(crate) mod demo;
pub(crate) mod doctor;
mod member;
pub(crate) mod probe;
pub(crate) mod record;
mod relay;
pub(crate) mod replay;
mod rights;
pub(crate) mod share;
pub(crate) mod tenant;
pub(crate) mod view;

use std::time::{Duration, Instant};

/// When `--for SECONDS` ends the command.
fn deadline(seconds: Option<f64>) -> anyhow::Result<Option<Instant>> {
    let Some(seconds) = seconds else { return Ok(None) };
    let span = Duration::try_from_secs_f64(seconds)
        .map_err(|_| anyhow::anyhow!("--for {seconds}: give a number of seconds, 0 or more"))?;
    Ok(Instant::now().checked_add(span))
}

/// Whether it has passed.
fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|at| Instant::now() >= at)
}
