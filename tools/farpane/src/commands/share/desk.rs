//! The sharer's terminal: questions, answers, the indicator, and what helpers send.

use super::super::relay;
use super::super::rights::in_words;
use super::Args;
use crate::files::{self, Exchange};
use crate::terminal::{Lines, harmless};
use anyhow::{Context, Result, bail};
use farpane::policy::{Answer, ConsentRequest, Mode, Rights};
use farpane::{Secret, Sharer, SharerEvent, Unsent};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const HELP: &str = "\
lines answer the question that waits (y or n); else they are messages to the helpers, or commands:
  /view          take mouse and keyboard back
  /hold, /go     nothing moves; it goes on
  /send FILE     offer a file
  /copy TEXT     send a text to the helpers' clipboards
  /prompt        a prompt for an administrator is open here: helpers' input rests
  /prompt-done   it is closed
  /end           end all sessions";

pub(super) struct Desk {
    helpers: BTreeSet<u64>,
    waiting: Vec<(u64, Rights)>,
    lines: Option<Lines>,
    /// Called for every line.
    wake: Arc<dyn Fn() + Send + Sync>,
    files: Exchange,
    on_credentials: Option<PathBuf>,
}

impl Desk {
    pub(super) fn new(args: &Args, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Self> {
        Ok(Self {
            helpers: BTreeSet::new(),
            waiting: Vec::new(),
            lines: None,
            wake,
            files: Exchange::new(args.files.as_deref())?,
            on_credentials: args.on_credentials.clone(),
        })
    }

    pub(super) fn handle(&mut self, sharer: &Sharer, event: SharerEvent) -> Result<()> {
        match event {
            SharerEvent::ConsentRequested { helper, request } => self.ask(helper, &request)?,
            SharerEvent::QuestionWithdrawn { helper } => {
                self.waiting.retain(|(id, _)| *id != helper);
            }
            SharerEvent::ComplianceWarning { helper, posture } => {
                eprintln!("! this device is {} (its tenant's rules)", posture.name());
                sharer.acknowledge_compliance(helper);
            }
            SharerEvent::ShowIndicator { helper, peer, mode } => {
                self.helpers.insert(helper);
                let (name, key) = (peer.display_name(), peer.key_fingerprint());
                let does = match mode {
                    Mode::View | Mode::Unattended => "SEES THIS SCREEN",
                    _ => "CONTROLS THIS MACHINE",
                };
                eprintln!("● {name} (key {key}) {does}. Ctrl-C ends it.");
                self.read_lines()?;
                sharer.acknowledge_indicator();
            }
            SharerEvent::PathChanged { helper, switch } => {
                eprintln!("helper {helper} is reached {}", relay::told(&switch));
            }
            SharerEvent::Left { helper, reason } => {
                self.waiting.retain(|(id, _)| *id != helper);
                self.helpers.remove(&helper);
                eprintln!("○ helper {helper} is gone: {reason}");
            }
            SharerEvent::Refused { helper, reason } => {
                eprintln!("farpane: helper {helper} was not let in: {reason}");
            }
            SharerEvent::ScreenLost { reason } => {
                eprintln!("farpane: the display is gone ({reason}); waiting for it to come back");
            }
            SharerEvent::SourceEnded => {
                eprintln!("the recording has ended; its last picture stays")
            }
            SharerEvent::Stopped { failed: true } => bail!("the sharing thread has failed"),
            SharerEvent::Failed { reason } => bail!("the screen cannot be shared: {reason}"),
            SharerEvent::InputFailed { reason, .. } => {
                eprintln!("farpane: input cannot be applied: {reason}");
            }
            other => self.handle_channel(sharer, other)?,
        }
        Ok(())
    }

    fn handle_channel(&mut self, sharer: &Sharer, event: SharerEvent) -> Result<()> {
        match event {
            SharerEvent::Chat { helper, text } => println!("helper {helper}: {}", harmless(&text)),
            SharerEvent::Clipboard { helper, text } => {
                println!("the clipboard of helper {helper}: {}", harmless(&text));
            }
            SharerEvent::File { helper, event } => {
                let who = format!("helper {helper}");
                let answer = |file, to| sharer.answer_file(helper, file, to);
                self.files.handle(&who, helper, event, answer);
            }
            SharerEvent::Credentials { helper, secret } => {
                eprintln!("helper {helper} answers the prompt");
                if let Some(command) = &self.on_credentials {
                    hand_over(command, &secret)?;
                }
            }
            SharerEvent::SignOut { helper } => {
                eprintln!("elevation of helper {helper} has ended: sign the administrator out");
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(&mut self, helper: u64, request: &ConsentRequest) -> Result<()> {
        // What was typed before cannot be meant for it.
        while self.lines.as_ref().and_then(Lines::next).is_some() {}
        let (name, key) = (request.peer.display_name(), request.peer.key_fingerprint());
        let what = in_words(request.rights);
        let known = match request.peer.is_verified() {
            true => "known to the tenant",
            false => "not verified",
        };
        let more = [request.peer.job_title(), request.peer.company()];
        let more: String = more.into_iter().flatten().map(|text| format!(", {text}")).collect();
        if request.posture.needs_warning() {
            eprintln!("! this device is {} (its tenant's rules)", request.posture.name());
        }
        eprintln!("? \"{name}\"{more} ({known}, key {key}) asks to {what}. Allow? [y/N]");
        self.waiting.push((helper, request.rights));
        self.read_lines()
    }

    fn read_lines(&mut self) -> Result<()> {
        if self.lines.is_none() {
            let wake = Arc::clone(&self.wake);
            self.lines = Some(Lines::listen(move || wake())?);
        }
        Ok(())
    }

    /// Does what the lines say that have come.
    pub(super) fn listen(&mut self, sharer: &Sharer) -> Result<()> {
        while let Some(line) = self.lines.as_ref().and_then(Lines::next) {
            let line = line.trim();
            if !self.waiting.is_empty() && !line.starts_with('/') {
                let (helper, rights) = self.waiting.remove(0);
                let yes = matches!(line, "y" | "Y" | "yes");
                sharer.answer(helper, if yes { Answer::Allow(rights) } else { Answer::Deny });
            } else {
                self.command(sharer, line);
            }
        }
        Ok(())
    }

    fn command(&mut self, sharer: &Sharer, line: &str) {
        let helpers = self.helpers.iter().copied();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" => {}
            "/view" => helpers.for_each(|helper| sharer.lower(helper, Rights::of(Mode::View))),
            "/hold" => helpers.for_each(|helper| sharer.hold(helper, true)),
            "/go" => helpers.for_each(|helper| sharer.hold(helper, false)),
            "/prompt" => sharer.prompt_opened(),
            "/prompt-done" => sharer.prompt_closed(),
            "/end" => helpers.for_each(|helper| sharer.end(helper)),
            "/copy" => helpers.for_each(|helper| {
                told(helper, sharer.send_clipboard(helper, rest));
            }),
            "/send" => helpers.for_each(|helper| {
                let offered = files::offer(Path::new(rest), |name, bytes, file| {
                    sharer.offer_file(helper, name, bytes, file)
                });
                if let Err(error) = offered {
                    eprintln!("farpane: {error:#}");
                }
            }),
            _ if word.starts_with('/') => eprintln!("{HELP}"),
            _ => helpers.for_each(|helper| told(helper, sharer.send_chat(helper, line))),
        }
    }

    pub(super) fn tick(&self, sharer: &Sharer) {
        if !self.helpers.is_empty() {
            sharer.acknowledge_indicator();
        }
    }
}

fn told(helper: u64, sent: Result<(), Unsent>) {
    if let Err(error) = sent {
        eprintln!("farpane: helper {helper} was not sent that: {error}");
    }
}

/// Gives an administrator's name and password to a program that enters them.
fn hand_over(command: &Path, secret: &Secret) -> Result<()> {
    let child = Command::new(command).stdin(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run {}", command.display()))?;
    if let Some(mut to) = child.stdin.take() {
        for part in [secret.name(), "\n", secret.password(), "\n"] {
            to.write_all(part.as_bytes()).context("the program takes no credentials")?;
        }
    }
    child.wait().context("waiting for the program")?;
    Ok(())
}
