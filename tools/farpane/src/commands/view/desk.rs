//! The helper's terminal: what the sharer says and sends, and what the helper does beside looking.

use super::super::relay;
use super::super::rights::in_words;
use super::Args;
use crate::files::{self, Exchange};
use crate::terminal::{Lines, harmless, set_echo};
use anyhow::Result;
use farpane::net::PathState;
use farpane::policy::{Capability, Mode, Rights};
use farpane::{Helper, HelperEvent, Secret};
use std::path::Path;
use zeroize::Zeroizing;

const HELP: &str = "\
lines are messages to the sharer, or commands:
  /view, /control, /elevate   ask for other rights; fewer are there at once
  /hold, /go                  nothing moves; it goes on
  /send FILE                  offer a file
  /copy TEXT                  send a text to the sharer's clipboard
  /end                        leave";

/// What the next line is.
enum Expect {
    /// A message or a command.
    Anything,
    /// An administrator's name.
    Name,
    /// The password that goes with it.
    Password(Zeroizing<String>),
}

pub(super) struct Desk {
    lines: Option<Lines>,
    files: Exchange,
    expect: Expect,
    /// Whether the helper was asked for credentials.
    prompted: bool,
}

impl Desk {
    pub(super) fn new(args: &Args, wake: impl Fn() + Send + 'static) -> Result<Self> {
        Ok(Self {
            lines: args.chat.then(|| Lines::listen(wake)).transpose()?,
            files: Exchange::new(args.files.as_deref())?,
            expect: Expect::Anything,
            prompted: false,
        })
    }

    pub(super) fn handle(&mut self, helper: &Helper, event: HelperEvent) -> Result<()> {
        match event {
            HelperEvent::SharerVerified(sharer) => {
                eprintln!("the sharer is {}, on {}", sharer.peer.display_name(), sharer.device);
            }
            HelperEvent::ConsentPending => eprintln!("waiting for the sharer's consent"),
            HelperEvent::Granted(rights) => {
                eprintln!("connected {}; you may {}", by_path(helper), in_words(rights));
            }
            HelperEvent::Refused => eprintln!("the sharer does not allow that"),
            HelperEvent::Suspended => eprintln!("the session rests"),
            HelperEvent::Resumed => eprintln!("the session goes on"),
            HelperEvent::ComplianceWarning(posture) => {
                eprintln!("! the sharer's device is {} (its tenant's rules)", posture.name());
                helper.acknowledge_compliance()?;
            }
            HelperEvent::Prompt { open } => self.prompt(helper, open),
            HelperEvent::Chat { text } => println!("sharer: {}", harmless(&text)),
            HelperEvent::Clipboard { text } => {
                println!("the sharer's clipboard: {}", harmless(&text))
            }
            HelperEvent::File(event) => {
                let answer = |file, to| helper.answer_file(file, to);
                self.files.handle("the sharer", 0, event, answer);
            }
            _ => {}
        }
        Ok(())
    }

    /// The sharer's machine asks for an administrator, or no longer does.
    fn prompt(&mut self, helper: &Helper, open: bool) {
        let may = helper.rights().is_some_and(|r| r.capabilities().contains(Capability::Elevate));
        if !open {
            if std::mem::take(&mut self.prompted) {
                set_echo(true);
                eprintln!("the prompt is closed");
            }
            self.expect = Expect::Anything;
        } else if may && self.lines.is_some() {
            eprintln!("? the sharer's machine asks for an administrator's name:");
            self.expect = Expect::Name;
            self.prompted = true;
        }
    }

    /// Does what the lines say that have come.
    pub(super) fn listen(&mut self, helper: &Helper) -> Result<()> {
        while let Some(line) = self.lines.as_ref().and_then(Lines::next) {
            match std::mem::replace(&mut self.expect, Expect::Anything) {
                Expect::Anything => self.command(helper, line.trim()),
                Expect::Name => {
                    eprintln!("? password:");
                    set_echo(false);
                    self.expect = Expect::Password(line);
                }
                Expect::Password(name) => {
                    set_echo(true);
                    let secret = Secret::new(&name, &line)?;
                    match helper.send_credentials(&secret) {
                        Ok(()) => eprintln!("sent"),
                        Err(error) => eprintln!("farpane: {error}"),
                    }
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, helper: &Helper, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let done = match word {
            "" => Ok(()),
            "/view" => helper.ask(Rights::of(Mode::View)),
            "/control" => helper.ask(Rights::of(Mode::Control)),
            "/elevate" => helper.ask(Rights::of(Mode::Elevated)),
            "/hold" => helper.hold(true),
            "/go" => helper.hold(false),
            "/copy" => helper.send_clipboard(rest),
            "/send" => {
                let offer = |name: &str, bytes, file| helper.offer_file(name, bytes, file);
                if let Err(error) = files::offer(Path::new(rest), offer) {
                    eprintln!("farpane: {error:#}");
                }
                Ok(())
            }
            "/end" => {
                helper.end("the helper left");
                Ok(())
            }
            _ if word.starts_with('/') => {
                eprintln!("{HELP}");
                Ok(())
            }
            _ => helper.send_chat(line),
        };
        if let Err(error) = done {
            eprintln!("farpane: {error}");
        }
    }
}

/// How the session goes now.
fn by_path(helper: &Helper) -> &'static str {
    let paths = helper.paths();
    let active = paths.iter().find(|path| path.state == PathState::Active);
    active.map_or("directly", |path| relay::by(path.kind))
}
