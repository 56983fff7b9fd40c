//! What the project claims, measured on the machine at hand.

mod bench;
mod c_abi;
mod cargo_test;
mod claim;
mod codec;
mod convergence;
mod cross;
mod damage;
mod demo;
mod fresh;
mod glass;
mod idle;
pub(crate) mod machine;
mod main_job;
mod mutants;
mod of_bench;
mod paths;
mod rate;
mod robustness;
mod sessions;
mod test_programs;

use claim::Claim;
use glass::Row;
use machine::Machine;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask prove main-job                          some twenty minutes; leave the machine alone
  cargo xtask prove main-job --glass DIR --fresh      all there is, about an hour
  cargo xtask prove main-job --only demo --only idle  some parts
  cargo xtask prove main-job --json > proof.json
  cargo xtask prove c-abi                             some ten minutes
  cargo xtask prove codec                             some fifteen minutes
  cargo xtask prove damage                            some ten minutes
  cargo xtask prove paths                             some twenty minutes; needs root
  cargo xtask prove rate                              some six minutes
  cargo xtask prove sessions                          some fifteen minutes; needs root

Ends with status 0 when no claim fails. What cannot be measured here says why and is no pass.")]
pub(crate) struct Arguments {
    /// Which claims
    #[arg(value_enum)]
    topic: Topic,
    /// Print the claims as JSON, for programs
    #[arg(long)]
    json: bool,
    /// Of the main job, measure only this part; may be given several times
    #[arg(long = "only", value_name = "PART", value_enum)]
    only: Vec<main_job::Part>,
    /// Compare with other programs by the bench in this folder, which has a run.sh; needs root
    #[arg(long, value_name = "DIR")]
    glass: Option<PathBuf>,
    /// Also build, show and test a fresh clone
    #[arg(long)]
    fresh: bool,
    /// Measure this release build of farpane instead of building one
    #[arg(long, value_name = "FILE")]
    farpane: Option<PathBuf>,
    /// Of the bench with other programs, only this workload: to see whether it runs at all
    #[arg(long = "workload", value_name = "NAME", hide = true)]
    workloads: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Topic {
    /// A real X display reaches the helper's window exactly, and hostile input breaks nothing
    MainJob,
    /// C programs share and see a screen as Rust programs do, and no call breaks anything
    CAbi,
    /// Films go as video and become exact, over links of all rates, and exact coding beats others'
    Codec,
    /// Sessions go directly and by relays over UDP and TLS, and go on when a path fails
    Paths,
    /// Queues stay short and links full in simulated networks, and hostile reports do no harm
    Rate,
    /// Every kernel and GPUs find the same changes, and moves, faster than others find them
    Damage,
    /// No session does more than its rules allow: machine, model, identities, audit log, the wire
    Sessions,
}

/// Measures and prints; whether no claim fails. A claim that could not be measured says why and
/// counts as no failure.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let findings = match arguments.topic {
        Topic::MainJob => main_job::measure(root, arguments)?,
        Topic::CAbi => c_abi::measure(root)?,
        Topic::Codec => codec::measure(root)?,
        Topic::Paths => paths::measure(root)?,
        Topic::Rate => rate::measure(root)?,
        Topic::Damage => damage::measure(root)?,
        Topic::Sessions => sessions::measure(root)?,
    };
    let proof = Proof { machine: Machine::read(), command: command_line(), findings };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&proof)?);
    } else {
        print!("{}\ncommand  {}\n\n", proof.machine, proof.command);
        if !proof.findings.rows.is_empty() {
            println!("{}", glass::table(&proof.findings.rows));
        }
        print!("{}", claim::table(&proof.findings.claims));
    }
    Ok(!proof.findings.claims.iter().any(Claim::fails))
}

/// What measuring came to.
#[derive(Debug, Default, Serialize)]
struct Findings {
    /// The claims and their verdicts.
    claims: Vec<Claim>,
    /// What the bench with other programs measured.
    rows: Vec<Row>,
}

/// Measures some claims.
type Part = fn(&Path) -> anyhow::Result<Vec<Claim>>;

impl Findings {
    /// Measures part by part. What goes wrong in one is its failure; the others are measured all
    /// the same.
    fn of_parts(root: &Path, parts: &[(&str, Part)]) -> Self {
        let mut findings = Self::default();
        for (name, part) in parts {
            eprintln!("measuring: {name}");
            match part(root) {
                Ok(claims) => findings.claims.extend(claims),
                Err(error) => findings.fail(name, &error),
            }
        }
        findings
    }

    fn fail(&mut self, part: &str, error: &anyhow::Error) {
        let name = format!("{part} can be measured");
        self.claims.push(Claim::measured(name, "yes", format!("{error:#}"), false));
    }
}

#[derive(Serialize)]
struct Proof {
    #[serde(flatten)]
    machine: Machine,
    command: String,
    #[serde(flatten)]
    findings: Findings,
}

/// How this program was called.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    format!("cargo xtask {arguments}")
}
