//! Writing down what the benches say.

use crate::command::{command, output};
use crate::prove::command_line;
use crate::prove::machine::Machine;
use anyhow::{Context, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The benches with tables, and what those are about.
const BENCHES: [(&str, &str); 4] = [
    ("damage", "Comparing, merging and finding moves"),
    ("codec", "Encoding and decoding"),
    ("links", "Films, text and switches over links of given rates"),
    ("pipeline", "Capture, packets and the whole way"),
];

/// Where to write.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench-results                  replaces benches/RESULTS.md
  cargo xtask bench-results --out mine.md

Takes a few minutes; other programs at work spoil the figures.")]
pub(crate) struct Arguments {
    /// The file to write, from the root of the repository
    #[arg(long, value_name = "FILE.md", default_value = "benches/RESULTS.md")]
    out: PathBuf,
}

/// Runs every bench once and writes its tables.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut text = format!(
        "# What the benches measured\n\nOne run; `{}` writes this file. Each figure is the \
         fastest of several runs unless a percentile is named;\ntargets are in parentheses.\n\n\
         ```\n{}\n```\n",
        command_line(),
        Machine::read()
    );
    for (bench, title) in BENCHES {
        eprintln!("measuring: {bench}");
        // Tables are measured all the same; only criterion's own measurements are cut short.
        let arguments = ["bench", "-p", "farpane-benches", "--bench", bench, "--", "--test"];
        let table = table(&output(command(root, "cargo", arguments))?);
        ensure!(!table.is_empty(), "the bench `{bench}` printed no table");
        println!("{table}");
        text += &format!(
            "\n## {title}\n`cargo bench -p farpane-benches --bench {bench}`\n\n```\n{table}\n```\n"
        );
    }
    let out = root.join(&arguments.out);
    fs::write(&out, text).with_context(|| format!("cannot write {}", out.display()))?;
    println!("written: {}", out.display());
    Ok(true)
}

/// What the bench itself printed, without what criterion says.
fn table(stdout: &str) -> String {
    let of_criterion =
        |line: &str| line.starts_with("Testing ") || line == "Success" || line.contains("Gnuplot");
    let lines: Vec<_> =
        stdout.lines().filter(|line| !of_criterion(line)).map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_is_kept() {
        let stdout = "case  time\na  1 us  \n\nb  2 us\nTesting damage/static\nSuccess\n\n";
        assert_eq!(table(stdout), "case  time\na  1 us\n\nb  2 us");
    }
}
