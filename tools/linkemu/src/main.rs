//! A link between two programs, in real time.
#![forbid(unsafe_code)]

use anyhow::Context;
use clap::Parser;
use farpane_linkemu::{Lateness, MAX_LATENESS, Path, TcpProxy, UdpProxy};
use farpane_linksim::{Jitter, LinkConfig, Loss, MS, QueueKind, Rate};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  linkemu --listen 127.0.0.1:5000 --to 127.0.0.1:4000 --down 10 --up 5 --delay-ms 25
  linkemu --listen 127.0.0.1:5000 --to 127.0.0.1:4000 --down-trace cellular.trace --loss 2
  linkemu --tcp --listen 127.0.0.1:5443 --to 127.0.0.1:443 --down 3 --for 60

Exit codes: 0 all well, 1 failed, 3 the machine did not keep up: what was measured is void.";

/// Passes UDP or TCP on, as a link of this rate, delay and loss would
#[derive(Parser)]
#[command(name = "linkemu", version, after_help = EXAMPLES)]
struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Where to pass everything on to
    #[arg(long, value_name = "ADDR:PORT")]
    to: SocketAddr,
    /// Rate towards --to in Mbit/s; without it nothing waits
    #[arg(long, value_name = "MBIT")]
    up: Option<f64>,
    /// Rate back in Mbit/s
    #[arg(long, value_name = "MBIT")]
    down: Option<f64>,
    /// Rate towards --to from a file in mahimahi's format: a line with the milliseconds of each
    /// 1,500 bytes
    #[arg(long, value_name = "FILE", conflicts_with = "up")]
    up_trace: Option<PathBuf>,
    /// Rate back from such a file
    #[arg(long, value_name = "FILE", conflicts_with = "down")]
    down_trace: Option<PathBuf>,
    /// From one side to the other, each way
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay_ms: u64,
    /// The most jitter, each way; datagrams keep their order
    #[arg(long, value_name = "MS", default_value_t = 0)]
    jitter_ms: u64,
    /// How long the last in a queue may have to wait
    #[arg(long, value_name = "MS", default_value_t = 300)]
    queue_ms: u64,
    /// Datagrams of a hundred that are lost, each way
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    loss: f64,
    /// Where chance comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// TCP in place of UDP
    #[arg(long)]
    tcp: bool,
    /// End after so many seconds; without it, with the program
    #[arg(long = "for", value_name = "SECONDS")]
    duration_s: Option<f64>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(lateness) if lateness.is_valid() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(3),
        Err(error) => {
            eprintln!("linkemu: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Lateness> {
    let path = Path {
        up: link(arguments, arguments.up, arguments.up_trace.as_ref(), 0)?,
        down: link(arguments, arguments.down, arguments.down_trace.as_ref(), 1)?,
    };
    let (listen, to) = (arguments.listen, arguments.to);
    let (name, proxy) = match arguments.tcp {
        true => ("TCP", TcpProxy::start(listen, to, path)?),
        false => ("UDP", UdpProxy::start(listen, to, path)?),
    };
    println!("{name} {} to {to}", proxy.address());
    wait(arguments.duration_s);
    let lateness = proxy.stop();
    let [p50, p99] = [50.0, 99.0].map(|percent| lateness.percentile(percent).as_secs_f64() * 1e6);
    println!(
        "{} packets, late by {p50:.0} us at the median, {p99:.0} us at p99: {}",
        lateness.packets(),
        match lateness.is_valid() {
            true => "valid".to_owned(),
            false => format!("void, above {} us", MAX_LATENESS.as_micros()),
        }
    );
    Ok(lateness)
}

fn link(
    arguments: &Arguments,
    mbit: Option<f64>,
    trace: Option<&PathBuf>,
    way: u64,
) -> anyhow::Result<LinkConfig> {
    let rate = match (mbit, trace) {
        (_, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Rate::from_mahimahi(&text).with_context(|| format!("{}", file.display()))?
        }
        (Some(mbit), None) => {
            anyhow::ensure!(mbit > 0.0 && mbit <= 100_000.0, "{mbit} Mbit/s is no rate");
            Rate::constant((mbit * 1e6) as u64)
        }
        (None, None) => Rate::Unlimited,
    };
    let loss = arguments.loss;
    anyhow::ensure!((0.0..=100.0).contains(&loss), "{loss} % is no share of datagrams");
    Ok(LinkConfig {
        rate,
        queue: QueueKind::DropTailTime { time: arguments.queue_ms * MS },
        propagation: arguments.delay_ms * MS,
        jitter: Jitter::in_order(arguments.jitter_ms * MS),
        loss: Loss::Random(loss / 100.0),
        seed: arguments.seed * 2 + way,
        ..LinkConfig::default()
    })
}

fn wait(duration_s: Option<f64>) {
    match duration_s {
        Some(seconds) => std::thread::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 1e6))),
        None => loop {
            std::thread::park();
        },
    }
}
