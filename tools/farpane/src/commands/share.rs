//! `farpane share`.

mod desk;

use super::member::MemberArgs;
use super::rights::{Channel, Help, rights};
use super::{deadline, is_over, probe, relay};
use crate::bell::Bell;
use crate::interrupt::Interrupt;
use crate::stats::StatsFile;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use desk::Desk;
use farpane::capture::SourceSpec;
use farpane::damage::{PROCESSOR_VARIABLE, Processor};
use farpane::net::{NetConfig, RelayState};
use farpane::policy::Side;
use farpane::{CodecChoice, InputTarget, Sharer, SharerEvent, SharerOptions};
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an invitation lets a helper in.
const INVITATION_VALID: Duration = Duration::from_secs(600);
/// How long a consent in advance counts: a helper whose connection was lost may come back with
/// the same key as long as the session may last.
const CONSENT_VALID: Duration = Duration::from_secs(8 * 3_600);
/// How often the indicator is acknowledged, statistics are written and signals are seen.
const TICK: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane share --invite ada.invite                 share this display, ask before each helper
  farpane share --invite ada.invite --consent auto  consent in advance, to viewing only
  farpane share --invite t.invite --source pattern:scroll --listen 127.0.0.1:0 --consent auto
  farpane share --invite ada.invite --allow control --channels clipboard-in,file-out
                                                    mouse and keyboard, too, if you say yes
  farpane share --invite ada.invite --code          an invitation that may travel openly, and a code
  farpane share --invite ada.invite --relay turn:ada:secret@relay.example
                                                    be reached through a relay, too")]
pub(crate) struct Args {
    /// Where to write the invitation; give that file to the helper over a safe way.
    #[arg(long, value_name = "FILE")]
    invite: PathBuf,
    /// Leave the secret out of the invitation, and show a code of 8 characters that lets its holder
    /// in: tell it to the helper by telephone, not with the file. Five wrong codes end it.
    #[arg(long)]
    code: bool,
    /// What to share: x11[:DISPLAY], xcap, replay:FILE or pattern:NAME.
    #[arg(long, default_value = "x11")]
    source: String,
    /// The one monitor to share; all of them when absent.
    #[arg(long, value_name = "NAME")]
    monitor: Option<String>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:0")]
    listen: SocketAddr,
    /// A relay for helpers who cannot come directly: turn:USER:PASSWORD@HOST over UDP,
    /// turns:USER:PASSWORD@HOST?pin=PIN over TLS, or @FILE with one of them a line, which keeps
    /// passwords out of the list of processes. The helper gets them with the invitation.
    #[arg(long, value_name = "URL")]
    relay: Vec<String>,
    /// Ask for each helper, or consent now: to viewing only, for this invitation only.
    #[arg(long, value_enum, default_value_t = Consent::Ask)]
    consent: Consent,
    /// What a helper may be allowed at most. Each helper is asked for all the same.
    #[arg(long, value_enum, default_value_t = Help::View)]
    allow: Help,
    /// What may go beside the screen where a helper asks for it, one by one: needs --allow control.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CHANNEL")]
    channels: Vec<Channel>,
    /// Take files that helpers send into this folder; without it none is taken.
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    /// Run this when an administrator's name and password come from a helper, and give both to its
    /// standard input, one a line.
    #[arg(long, value_name = "COMMAND")]
    on_credentials: Option<PathBuf>,
    #[command(flatten)]
    member: MemberArgs,
    /// Write one JSON line for every update.
    #[arg(long, value_name = "FILE.jsonl")]
    stats: Option<PathBuf>,
    /// End after this time.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<f64>,
    /// The name that helpers see.
    #[arg(long, default_value = "sharer")]
    name: String,
    /// Who compares frames: auto (whichever is faster here), cpu or gpu. FARPANE_DAMAGE_PROCESSOR
    /// says it when this is absent.
    #[arg(long, value_name = "PROCESSOR")]
    processor: Option<Processor>,
    /// How films are sent: auto (as video when both sides can), tiles (exactly), h264, or av1
    /// (better on slow links, many times the work, in regions of at most 1280x720).
    #[arg(long, value_name = "CODEC", default_value_t = CodecChoice::Auto)]
    codec: CodecChoice,
    /// Send what moved as pixels: only to measure what moves save.
    #[arg(long, hide = true)]
    no_moves: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Consent {
    /// Ask on the terminal.
    Ask,
    /// Consent in advance.
    Auto,
}

/// What does not go together.
fn check(args: &Args) -> Result<()> {
    let (view, source) = (args.allow == Help::View, &args.source);
    if view && !args.channels.is_empty() {
        bail!("--channels: whoever only views moves no clipboard and no file; use --allow control");
    }
    if !view && SourceSpec::display(source).is_none() {
        bail!("--allow control: {source} takes no input; share an X display, or use --allow view");
    }
    if !args.codec.is_available() {
        bail!("--codec {0}: this build encodes no {0} here; use --codec auto", args.codec);
    }
    Ok(())
}

/// Shares until the time is over, the sharer ends it or the screen cannot be shared.
///
/// # Errors
/// Options this version cannot honour, an address in use, an unwritable file, a lost screen.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    check(args)?;
    if args.consent == Consent::Ask && !std::io::stdin().is_terminal() {
        eprintln!("farpane: no terminal: answers are read from standard input, one a line");
    }
    let deadline = deadline(args.seconds)?;
    let bell = Arc::new(Bell::default());
    let ringing = Arc::clone(&bell);
    let ring: Arc<dyn Fn() + Send + Sync> = Arc::new(move || ringing.ring());
    let ringing = Arc::clone(&ring);
    let interrupt = Interrupt::listen(move || ringing())?;
    let mut stats = args.stats.as_deref().map(StatsFile::create).transpose()?;
    let sharer = Arc::new(start(args, Arc::clone(&ring))?);
    let watched = Arc::downgrade(&sharer);
    args.member.watch_revocations(move |list| match watched.upgrade() {
        Some(sharer) => Ok(sharer.handle_revocations(list)?),
        None => Ok(()),
    })?;
    invite(args, &sharer)?;
    let mut desk = Desk::new(args, ring)?;
    let mut tick = Instant::now();
    while !is_over(deadline) && !interrupt.is_set() {
        let left = deadline.map_or(TICK, |at| at.saturating_duration_since(Instant::now()));
        bell.wait(TICK.saturating_sub(tick.elapsed()).min(left));
        while let Some(event) = sharer.next_event(Duration::ZERO) {
            if let (SharerEvent::PathChanged { helper, switch }, Some(stats)) = (&event, &mut stats)
            {
                stats.switch("share", Some(*helper), switch);
            }
            desk.handle(&sharer, event)?;
        }
        desk.listen(&sharer)?;
        if tick.elapsed() >= TICK {
            tick = Instant::now();
            desk.tick(&sharer);
            write_records(&sharer, stats.as_mut());
        }
    }
    write_records(&sharer, stats.as_mut());
    eprintln!("sharing has ended");
    Ok(ExitCode::SUCCESS)
}

/// Writes the invitation.
fn invite(args: &Args, sharer: &Sharer) -> Result<()> {
    let addresses = addresses(sharer.local_address());
    let (invitation, code) = match args.code {
        true => {
            let (invitation, code) = sharer.invite_with_code(addresses, INVITATION_VALID)?;
            (invitation, Some(code))
        }
        false => (sharer.invite(addresses, INVITATION_VALID)?, None),
    };
    tell_relays(sharer);
    if args.consent == Consent::Auto {
        sharer.consent_in_advance(&invitation, CONSENT_VALID);
    }
    let saved = invitation.save(&args.invite);
    saved.with_context(|| format!("cannot write the invitation {}", args.invite.display()))?;
    eprintln!(
        "invitation for one helper, valid 10 minutes: {} (listening on {})",
        args.invite.display(),
        sharer.local_address()
    );
    if let Some(code) = code {
        eprintln!("pairing code, to be told to the helper: {}", code.to_text().as_str());
    }
    Ok(())
}

fn start(args: &Args, on_event: Arc<dyn Fn() + Send + Sync>) -> Result<Sharer> {
    let source = SourceSpec::parse(&args.source, args.monitor.as_deref())?;
    let hardware = probe::options().unwrap_or_else(|error| {
        eprintln!("farpane: films are encoded in software: {error:#}");
        None
    });
    let net = NetConfig { relays: relay::urls(&args.relay)?, ..NetConfig::default() };
    let options = SharerOptions {
        net,
        on_event,
        hardware,
        listen: args.listen,
        name: args.name.clone(),
        find_moves: !args.no_moves,
        codec: args.codec,
        allow: rights(args.allow, &args.channels).capabilities(),
        input: input_target(&args.source, args.monitor.as_deref()),
        membership: args.member.membership(Side::Sharer)?,
        audit: args.member.audit()?,
        processor: args.processor.map_or_else(processor_of_environment, Ok)?,
        ..SharerOptions::new(move || source.open())
    };
    Sharer::start(options).with_context(|| format!("cannot share on {}", args.listen))
}

/// Input goes to the display that is shared.
fn input_target(source: &str, monitor: Option<&str>) -> InputTarget {
    let Some(display) = SourceSpec::display(source) else { return InputTarget::None };
    InputTarget::X11 { display, monitor: monitor.map(str::to_owned) }
}

fn tell_relays(sharer: &Sharer) {
    for (url, state) in sharer.relays() {
        match state {
            RelayState::Open(address) => eprintln!("relay {url}: open, {address}"),
            RelayState::Failed(error) => eprintln!("farpane: relay {url}: {error}"),
            _ => eprintln!("relay {url}: no answer yet; helpers cannot come by it now"),
        }
    }
}

fn processor_of_environment() -> Result<Processor> {
    let asked = Processor::forced().with_context(|| format!("in {PROCESSOR_VARIABLE}"))?;
    Ok(asked.unwrap_or_default())
}

fn write_records(sharer: &Sharer, stats: Option<&mut StatsFile>) {
    if let Some(stats) = stats {
        std::iter::from_fn(|| sharer.try_record()).for_each(|record| stats.share(&record));
        stats.flush();
    }
}

/// Where a helper can find this machine.
fn addresses(local: SocketAddr) -> Vec<String> {
    if !local.ip().is_unspecified() {
        return vec![local.to_string()];
    }
    // Connecting a UDP socket sends nothing; it asks which address would be used.
    let outward = |to: &str| -> Option<IpAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    let mut ips: Vec<IpAddr> = outward("192.0.2.1:9").into_iter().collect();
    if local.is_ipv6() {
        ips.push(IpAddr::V6(Ipv6Addr::LOCALHOST));
    }
    ips.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    ips.iter().map(|ip| SocketAddr::new(*ip, local.port()).to_string()).collect()
}
