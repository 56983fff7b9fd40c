//! The main job: a real X display reaches the helper's window exactly and at once, and nothing a
//! peer sends breaks either side.

use super::bench::Bench;
use super::claim::Claim;
use super::{Arguments, Findings, convergence, demo, fresh, glass, idle, robustness};
use crate::fuzz;
use std::path::Path;

/// How long each fuzz target looks for an input that breaks it.
const FUZZ_SECONDS: u64 = 60;

/// A part of the main job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Part {
    /// The demonstration
    Demo,
    /// Random desktops over hostile links, in virtual time
    Convergence,
    /// What a still desktop costs
    Idle,
    /// Delay, bytes, CPU and exactness beside other programs; needs --glass
    Glass,
    /// Killed processes, resizes, full disks, leaks
    Robustness,
    /// Hostile input
    Fuzz,
    /// A fresh clone; needs --fresh
    Fresh,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Demo,
        Self::Convergence,
        Self::Idle,
        Self::Glass,
        Self::Robustness,
        Self::Fuzz,
        Self::Fresh,
    ];
}

/// Measures every claim of the main job, one part after the other. What goes wrong in a part is
/// a failure of that part; the others are measured all the same.
pub(super) fn measure(root: &Path, arguments: &Arguments) -> anyhow::Result<Findings> {
    let bench = Bench::prepare(root, arguments.farpane.as_deref())?;
    let mut findings = Findings::default();
    for part in Part::ALL {
        if !arguments.only.is_empty() && !arguments.only.contains(&part) {
            continue;
        }
        eprintln!("measuring: {part:?}");
        if let Err(error) = measure_part(part, &bench, arguments, &mut findings) {
            findings.fail(&format!("{part:?}").to_lowercase(), &error);
        }
    }
    Ok(findings)
}

fn measure_part(
    part: Part,
    bench: &Bench,
    arguments: &Arguments,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let claims = match part {
        Part::Demo => demo::measure(bench)?,
        Part::Convergence => convergence::measure(bench)?,
        Part::Idle => idle::measure(bench)?,
        Part::Glass => {
            let directory = arguments.glass.as_deref();
            glass::measure(bench, directory, &arguments.workloads, &mut findings.rows)?
        }
        Part::Robustness => robustness::measure(bench)?,
        Part::Fuzz => hostile_input(&bench.root)?,
        Part::Fresh => fresh::measure(bench, arguments.fresh)?,
    };
    findings.claims.extend(claims);
    Ok(())
}

/// No input makes a decoder crash, hang or take memory without bound.
fn hostile_input(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let built = fuzz::build(root)?;
    let claims = fuzz::targets(root)?.into_iter().map(|target| {
        let name = format!("hostile `{target}` input breaks nothing");
        let goal = format!("nothing found in {FUZZ_SECONDS} s");
        if !built {
            let measured = "the fuzz targets do not compile";
            return Ok(Claim::measured(name, goal, measured, false));
        }
        eprintln!("fuzzing {target} for {FUZZ_SECONDS} s");
        let run = fuzz::fuzz_one(root, &target, FUZZ_SECONDS)?;
        eprint!("{}", run.log);
        let found = if run.clean { "nothing found" } else { "found an input" };
        let measured = match run.executions {
            Some(count) => format!("{found} in {count}"),
            None => "libFuzzer did not finish".to_owned(),
        };
        Ok(Claim::measured(name, goal, measured, run.clean))
    });
    claims.collect()
}
