//! Congestion control in simulated networks.
#![forbid(unsafe_code)]

use anyhow::Context;
use clap::Parser;
use farpane_netlab::case::{self, Algorithm, Case};
use farpane_netlab::gate::{Gate, gates};
use farpane_netlab::measure::{self, Outcome, Point};
use farpane_netlab::{picture, report, wall};
use rayon::prelude::*;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const EXAMPLES: &str = "\
Examples:
  netlab                                   all cases, all algorithms; some 4 minutes
  netlab --case 5.1 --own --series         one case in steps of half a second
  netlab --docs docs                       write docs/netlab.md and its pictures
  netlab --wall                            three cases on the wall clock as well
  netlab --pictures target/netlab          a picture of every case

Ends with status 1 when a floor does not hold.";

/// Runs congestion control in simulated networks
#[derive(Parser)]
#[command(name = "netlab", version, after_help = EXAMPLES)]
struct Arguments {
    /// Only this case; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Only the one that the gates are for
    #[arg(long)]
    own: bool,
    /// Where chance comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print what happened in each half second
    #[arg(long)]
    series: bool,
    /// Compare three cases with the wall clock, through linkemu; takes a minute
    #[arg(long, conflicts_with_all = ["cases", "docs", "pictures"])]
    wall: bool,
    /// Print the gates as JSON, a line each, for programs
    #[arg(long)]
    claims: bool,
    /// Write the page and its pictures into this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["cases", "own"])]
    docs: Option<PathBuf>,
    /// Draw every case into this folder
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

/// The cases whose pictures are on the page.
const SHOWN: [&str; 2] = ["5.1", "cellular 1"];

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("netlab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all floors hold.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    if arguments.wall {
        return run_on_the_wall(arguments);
    }
    let begun = Instant::now();
    let outcomes = outcomes(arguments)?;
    let gates = gates(&outcomes);
    print!("{}", report::outcomes(&outcomes));
    if arguments.series {
        outcomes.iter().for_each(print_series);
    }
    println!("\n{}", report::gates(&gates));
    // Not on the page: it is the same on every machine.
    eprintln!("{} runs in {:.1} s", outcomes.len(), begun.elapsed().as_secs_f64());
    if arguments.claims {
        for gate in &gates {
            println!("{}", serde_json::to_string(&Claim::new(gate))?);
        }
    }
    if let Some(folder) = &arguments.pictures {
        for name in case::all().iter().map(|case| case.name) {
            draw(&outcomes, name, folder)?;
        }
    }
    if let Some(folder) = &arguments.docs {
        write_page(&outcomes, &gates, arguments.seed, folder)?;
    }
    // Who reads claims judges them.
    Ok(arguments.claims || gates.iter().all(Gate::holds))
}

/// Whether the wall clock confirms what is simulated.
fn run_on_the_wall(arguments: &Arguments) -> anyhow::Result<bool> {
    let comparisons = wall::compare(arguments.seed)?;
    println!(
        "case      use: simulated, real    delay p95 ms: simulated, real    emulator late, p99"
    );
    for c in &comparisons {
        let [used, really] = c.used.map(|used| used * 100.0);
        let [delay, real] = c.delay_ms;
        let late = c.lateness.percentile(99.0).as_micros();
        println!(
            "{:10} {used:12.1} % {really:6.1} % {delay:23.1} {real:6.1} {late:18} us  {}",
            c.name,
            match c.confirms() {
                None => "void: the machine did not keep up",
                Some(true) => "confirmed",
                Some(false) => "NOT CONFIRMED",
            }
        );
        if arguments.claims {
            println!("{}", serde_json::to_string(&Claim::of_comparison(c))?);
        }
    }
    let all = comparisons.iter().all(|c| c.confirms() == Some(true));
    Ok(arguments.claims || all)
}

fn outcomes(arguments: &Arguments) -> anyhow::Result<Vec<Outcome>> {
    let all = case::all();
    for name in &arguments.cases {
        let known = all.iter().map(|case| case.name).collect::<Vec<_>>();
        anyhow::ensure!(known.contains(&name.as_str()), "no case {name}: there are {known:?}");
    }
    let is_wanted = |case: &Case| {
        arguments.cases.is_empty() || arguments.cases.iter().any(|name| name == case.name)
    };
    let algorithms = if arguments.own { &Algorithm::ALL[..1] } else { &Algorithm::ALL[..] };
    let runs: Vec<(&Case, Algorithm)> = all
        .iter()
        .filter(|case| is_wanted(case))
        .flat_map(|case| algorithms.iter().map(move |algorithm| (case, *algorithm)))
        .filter(|(case, algorithm)| *algorithm == Algorithm::Scream || !case.is_of_sessions())
        .collect();
    runs.into_par_iter().map(|(case, a)| measure::run(case, a, arguments.seed)).collect()
}

fn draw(outcomes: &[Outcome], case: &str, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let shown = [Algorithm::Scream, Algorithm::Gcc, Algorithm::Cubic];
    let of_case: Vec<&Outcome> =
        outcomes.iter().filter(|o| o.case == case && shown.contains(&o.algorithm)).collect();
    if of_case.is_empty() {
        return Ok(None);
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let file = folder.join(format!("{}.svg", case.replace(' ', "-")));
    picture::draw(&of_case, &file)?;
    Ok(Some(file))
}

fn write_page(
    outcomes: &[Outcome],
    gates: &[Gate],
    seed: u64,
    folder: &Path,
) -> anyhow::Result<()> {
    let mut pictures = Vec::new();
    for case in SHOWN {
        if let Some(file) = draw(outcomes, case, &folder.join("netlab"))? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            pictures.push((format!("case {case}"), format!("netlab/{name}")));
        }
    }
    let file = folder.join("netlab.md");
    std::fs::write(&file, report::page(outcomes, gates, seed, &pictures))
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("written: {}", file.display());
    Ok(())
}

/// A gate, as `cargo xtask prove` reads it.
#[derive(Serialize)]
struct Claim {
    claim: String,
    target: String,
    measured: String,
    /// `None`: it could not be measured.
    holds: Option<bool>,
}

impl Claim {
    fn new(gate: &Gate) -> Self {
        let [floor, goal, measured] = gate.texts();
        let reached = if gate.is_reached() { "goal reached" } else { "goal missed" };
        let holds = Some(gate.holds());
        let target = format!("{floor}, goal {goal}");
        Self { claim: gate.name.clone(), target, measured: format!("{measured}, {reached}"), holds }
    }

    fn of_comparison(c: &wall::Comparison) -> Self {
        let ([used, really], [delay, real]) = (c.used.map(|used| used * 100.0), c.delay_ms);
        let late = c.lateness.percentile(99.0).as_micros();
        let holds = c.confirms();
        let measured = match holds {
            None => format!("void: packets left {late} us late at p99"),
            Some(_) => format!(
                "use {used:.1} and {really:.1} %, delay p95 {delay:.1} and {real:.1} ms, \
                 {late} us late"
            ),
        };
        let claim = format!("the wall clock confirms the simulation: {}", c.name);
        Self { claim, target: "within 15 %".to_owned(), measured, holds }
    }
}

fn print_series(outcome: &Outcome) {
    println!("\n{} {}", outcome.case, outcome.algorithm.name());
    println!("    at s  link kbit/s  flows (targets); longest wait ms (estimates); lost");
    for points in outcome.series.chunks(5) {
        let Some(last) = points.last() else { continue };
        let mean = |value: &dyn Fn(&Point) -> f64| {
            points.iter().map(value).sum::<f64>() / points.len() as f64
        };
        let flows: Vec<String> = (0..last.rates.len())
            .map(|f| format!("{:.0} ({:.0})", mean(&|p| p.rates[f]) / 1e3, last.targets[f] / 1e3))
            .collect();
        let estimates: Vec<String> =
            last.estimates.iter().map(|wait| format!("{:.0}", *wait as f64 / 1e6)).collect();
        println!(
            "  {:6.1}  {:11.0}  {}; {:.0} ({}); {}",
            last.at as f64 / 1e9,
            mean(&|p| p.capacity) / 1e3,
            flows.join(" "),
            points.iter().map(|p| p.queued).max().unwrap_or(0) as f64 / 1e6,
            estimates.join(" "),
            points.iter().map(|p| p.lost).sum::<u64>(),
        );
    }
}
