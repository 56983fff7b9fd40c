//! Congestion control in simulated networks.
#![forbid(unsafe_code)]

use clap::Parser;
use farpane_netlab::case::{self, Algorithm};
use farpane_netlab::measure;

#[derive(Parser)]
#[command(name = "netlab", about = "Runs congestion control in simulated networks")]
struct Arguments {
    /// Only cases of these names
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Where chance comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print what happened in each half second
    #[arg(long)]
    series: bool,
    /// Only the product's own
    #[arg(long)]
    own: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    println!("case  algorithm        use    p50 ms    p95 ms    max ms   loss  rates kbit/s");
    for case in case::all() {
        if !arguments.cases.is_empty() && !arguments.cases.iter().any(|name| name == case.name) {
            continue;
        }
        println!("{} {}", case.name, case.title);
        for algorithm in Algorithm::ALL {
            if arguments.own && algorithm != Algorithm::Farpane {
                continue;
            }
            let begun = std::time::Instant::now();
            let outcome = measure::run(&case, algorithm, arguments.seed)?;
            let [p50, p95, max] = outcome.queue_ms();
            let rates: Vec<_> = outcome.rates.iter().map(|r| format!("{:.0}", r / 1e3)).collect();
            println!(
                "      {:14} {:5.1}% {p50:9.1} {p95:9.1} {max:9.1} {:5.2}%  {} jain {:.3} ({:.1} s)",
                algorithm.name(),
                outcome.utilisation * 100.0,
                outcome.loss * 100.0,
                rates.join(" "),
                measure::jain(&outcome.rates),
                begun.elapsed().as_secs_f64(),
            );
            if arguments.series {
                print_series(&outcome);
            }
        }
    }
    Ok(())
}

fn print_series(outcome: &measure::Outcome) {
    println!("       at s  kbit/s link, flows (targets); longest wait ms (estimates)");
    for points in outcome.series.chunks(5) {
        let Some(last) = points.last() else { continue };
        let mean = |value: &dyn Fn(&measure::Point) -> f64| {
            points.iter().map(value).sum::<f64>() / points.len() as f64
        };
        let capacity = mean(&|p| p.capacity) / 1e3;
        let flows: Vec<String> = (0..last.rates.len())
            .map(|f| format!("{:.0} ({:.0})", mean(&|p| p.rates[f]) / 1e3, last.targets[f] / 1e3))
            .collect();
        let wait = points.iter().map(|p| p.queued).max().unwrap_or(0) as f64 / 1e6;
        let estimates: Vec<String> =
            last.estimates.iter().map(|e| format!("{:.0}", *e as f64 / 1e6)).collect();
        println!(
            "     {:6.1}  {capacity:.0}  {}  {wait:.0} ({})",
            last.at as f64 / 1e9,
            flows.join(" "),
            estimates.join(" "),
        );
    }
}
