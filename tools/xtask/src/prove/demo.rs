//! The demonstration shows real applications and ends with equal pictures.

use super::bench::{Bench, missing};
use super::claim::Claim;
use crate::command::{Finished, command, limited};
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(90);
const SCENES: [&str; 4] = ["a scrolling terminal", "typing", "a dragged window", "nothing"];

/// Runs `farpane demo`.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Claim>> {
    let name = "demo: three scenes end identical";
    let target = format!("identical, status 0, < {} s", LONGEST.as_secs());
    if let Some(reason) = missing(&["Xvfb", "xterm", "xdotool", "openbox"]) {
        return Ok(vec![Claim::not_measured(name, target, reason)]);
    }
    let folder = tempfile::tempdir()?;
    let demo = command(folder.path(), &bench.farpane.to_string_lossy(), ["demo"]);
    let start = Instant::now();
    let finished = limited(&demo, LONGEST)?;
    let took = start.elapsed();
    eprint!("{}", finished.stdout);
    let (measured, holds) = judge(&finished, took);
    if !holds {
        eprint!("{}", finished.stderr);
    }
    Ok(vec![Claim::measured(name, target, measured, holds)])
}

/// What a demonstration came to, and whether that is what is claimed.
pub(super) fn judge(finished: &Finished, took: Duration) -> (String, bool) {
    let lines = || finished.stdout.lines();
    let identical = lines().any(|line| line == "identical: yes");
    let shown = |scene: &&&str| lines().any(|line| line.starts_with(**scene));
    let scenes = SCENES.iter().filter(shown).count();
    let picture = if identical { "identical" } else { "not identical" };
    let status = match (finished.ok, finished.timed_out) {
        (true, _) => "status 0".to_owned(),
        (_, true) => "stopped".to_owned(),
        _ => format!("failed ({})", finished.stderr.lines().last().unwrap_or("in silence")),
    };
    let seconds = took.as_secs_f64();
    let measured = format!("{picture}, {status}, {seconds:.0} s, {scenes} rows");
    (measured, identical && finished.ok && scenes == SCENES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(ok: bool, stdout: &str) -> Finished {
        Finished { ok, timed_out: false, stdout: stdout.to_owned(), stderr: String::new() }
    }

    #[test]
    fn equal_pictures_with_all_rows_and_a_good_end_hold() {
        let table = "a scrolling terminal 1\ntyping 1\na dragged window 1\nnothing 0\n";
        let good = format!("{table}\nidentical: yes\n");
        let took = Duration::from_secs(25);
        let expected = ("identical, status 0, 25 s, 4 rows".to_owned(), true);
        assert_eq!(judge(&finished(true, &good), took), expected);
        assert!(!judge(&finished(false, &good), took).1);
        assert!(!judge(&finished(true, "identical: yes\n"), took).1);
        assert!(!judge(&finished(true, &format!("{table}\nidentical: no\n")), took).1);
    }
}
