//! `farpane view`.

mod desk;
mod viewer;

use super::member::MemberArgs;
use super::rights::{Channel, Help, rights};
use crate::interrupt::Interrupt;
use anyhow::{Context, Result};
use desk::Desk;
use farpane::HelperOptions;
use farpane::net::{Identity, Invitation, PairingCode};
use farpane::policy::Side;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use viewer::{Outcome, Viewer, Waker};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane view --invite ada.invite                       in a window of the screen's size
  farpane view --invite ada.invite --fullscreen          F11 or Escape leaves full screen
  farpane view --invite ada.invite --ask control --chat  mouse, keyboard and messages, if allowed
  farpane view --invite ada.invite --headless --for 5 --snapshot screen.png")]
pub(crate) struct Args {
    /// The invitation that the sharer wrote.
    #[arg(long, value_name = "FILE")]
    invite: PathBuf,
    /// The pairing code that the sharer tells, for an invitation that has no secret of its own.
    /// Without it the terminal asks, which keeps it out of the list of processes.
    #[arg(long, value_name = "CODE")]
    code: Option<PairingCode>,
    /// Fill the display; pixel (0,0) of the screen lies at (0,0), unscaled.
    #[arg(long, conflicts_with = "headless")]
    fullscreen: bool,
    /// Show no window.
    #[arg(long)]
    headless: bool,
    /// Write the last picture at the end.
    #[arg(long, value_name = "FILE.png")]
    snapshot: Option<PathBuf>,
    /// Write one JSON line for every update.
    #[arg(long, value_name = "FILE.jsonl")]
    stats: Option<PathBuf>,
    /// End after this time.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<f64>,
    /// What to ask the sharer for: to see the screen, to use mouse and keyboard (in the window;
    /// Ctrl+Alt+Shift+Escape ends that), or to answer prompts for an administrator, too.
    #[arg(long, value_enum, default_value_t = Help::View)]
    ask: Help,
    /// What else to ask for, one by one: needs --ask control.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CHANNEL")]
    channels: Vec<Channel>,
    /// Read standard input: lines are messages to the sharer, or commands; /help lists them.
    #[arg(long)]
    chat: bool,
    /// Take files that the sharer sends into this folder; without it none is taken.
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    #[command(flatten)]
    member: MemberArgs,
    /// The name that the sharer sees; a member of a tenant shows the one of its grant instead.
    #[arg(long, default_value = "helper")]
    name: String,
}

/// Shows until the time is over, the window is closed or the session ends.
///
/// # Errors
/// A bad invitation, a sharer that cannot be reached or refuses, a display that cannot be opened.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let invitation = with_code(Invitation::load(&args.invite)?, args.code.as_ref())?;
    let identity = Identity::generate()?;
    let waker = Arc::new(Waker::default());
    let interrupt = Interrupt::listen({
        let waker = Arc::clone(&waker);
        move || waker.ring()
    })?;
    let desk = Desk::new(args, {
        let waker = Arc::clone(&waker);
        move || waker.ring()
    })?;
    let mut viewer = Viewer::new(args, Arc::clone(&waker), interrupt, desk)?;
    let membership = args.member.membership(Side::Helper)?;
    if let Some(membership) = membership.clone() {
        args.member.watch_revocations(move |list| Ok(membership.handle_revocations(list)?))?;
    }
    let options = HelperOptions {
        name: args.name.clone(),
        rights: rights(args.ask, &args.channels),
        membership,
        audit: args.member.audit()?,
        on_change: Arc::new(move || waker.ring()),
        ..HelperOptions::default()
    };
    let outcome = viewer.take_part(&invitation, &identity, &options)?;
    if let Outcome::Ended(reason) | Outcome::Lost(reason) = &outcome {
        eprintln!("the session has ended: {reason}");
    }
    viewer.finish()?;
    let failed = match outcome {
        Outcome::Closed => false,
        Outcome::Ended(_) => !viewer.seen,
        Outcome::Lost(_) => true,
    };
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The invitation with its code, which the terminal is asked for where it was not given.
fn with_code(invitation: Invitation, given: Option<&PairingCode>) -> Result<Invitation> {
    if !invitation.needs_code() {
        return Ok(invitation);
    }
    if let Some(code) = given {
        return Ok(invitation.with_code(code.clone()));
    }
    eprintln!("? The pairing code, as the sharer tells it:");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("reading the pairing code")?;
    Ok(invitation.with_code(line.parse()?))
}
