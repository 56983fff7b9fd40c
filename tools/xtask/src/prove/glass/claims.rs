//! What the rows are to show.

use super::runs::{Key, NoRow, Runs};
use super::{EXACT, OURS, QUICK, Row, SLOW_RATE};
use crate::prove::claim::Claim;

/// Of the other program's delay.
const MAX_DELAY: f64 = 0.5;
/// CPU seconds of both sides in a run where only a small square changes.
const MAX_IDLE_CPU_S: f64 = 0.15;
/// Frames shown of those drawn.
const MIN_FRAMES: f64 = 0.95;
/// Over the slow link.
const MAX_SLOW_P50_MS: f64 = 15.0;
const MAX_SLOW_P95_MS: f64 = 60.0;

/// Of the exact program's bytes; `None` where nothing is claimed.
fn max_bytes(workload: &str) -> Option<f64> {
    match workload {
        "typing" | "scroll" | "drag" => Some(0.2),
        "slides" => Some(0.9),
        _ => None,
    }
}

/// All claims about `workloads`, and about `slow` ones over the slow link.
pub(super) fn judge(runs: &Runs, workloads: &[&'static str], slow: &[&'static str]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for workload in workloads {
        let judge = Judge { runs, workload, rate: None };
        claims.extend([judge.exact(), judge.missed()]);
        claims.extend(["p50_ms", "p95_ms"].map(|column| judge.delay(column)));
        claims.push(judge.cpu());
        claims.extend(judge.frames());
        claims.extend(max_bytes(workload).map(|most| judge.bytes(most)));
    }
    for workload in slow {
        let judge = Judge { runs, workload, rate: Some(SLOW_RATE) };
        claims.push(judge.at_most("p50_ms", MAX_SLOW_P50_MS));
        claims.push(judge.at_most("p95_ms", MAX_SLOW_P95_MS));
        claims.push(judge.missed());
    }
    claims
}

/// Judges one workload.
struct Judge<'a> {
    runs: &'a Runs,
    workload: &'static str,
    rate: Option<&'static str>,
}

impl Judge<'_> {
    fn exact(&self) -> Claim {
        self.claim("exact pixels", "100 %".to_owned(), || {
            let exact = number(self.ours()?, "exact_pct")?;
            let decibel = self.ours()?.text("psnr_db");
            Ok((format!("{exact:.3} % (PSNR {decibel} dB)"), exact >= 100.0))
        })
    }

    fn missed(&self) -> Claim {
        self.claim("changes missed", "0".to_owned(), || {
            let (missed, of) = (number(self.ours()?, "missed")?, self.ours()?.text("toggles"));
            Ok((format!("{missed} of {of}"), missed == 0.0))
        })
    }

    fn at_most(&self, column: &str, most: f64) -> Claim {
        self.claim(delay_name(column), format!("<= {most} ms"), || {
            let delay = number(self.ours()?, column)?;
            Ok((format!("{delay} ms"), delay <= most))
        })
    }

    fn delay(&self, column: &str) -> Claim {
        self.claim(delay_name(column), format!("<= {MAX_DELAY} of {QUICK}'s"), || {
            let [ours, theirs] = self.both(QUICK, |row| number(row, column))?;
            Ok((format!("{ours} of {theirs} ms"), ours <= MAX_DELAY * theirs))
        })
    }

    fn cpu(&self) -> Claim {
        let both_sides = |row: &Row| Ok(number(row, "cpu_server")? + number(row, "cpu_viewer")?);
        let name = "CPU of both sides";
        if self.workload == "idle" {
            return self.claim(name, format!("<= {MAX_IDLE_CPU_S} s"), || {
                let used = both_sides(self.ours()?)?;
                Ok((format!("{used:.2} s"), hundredths(used) <= hundredths(MAX_IDLE_CPU_S)))
            });
        }
        self.claim(name, format!("<= {EXACT}'s"), || {
            let [ours, theirs] = self.both(EXACT, both_sides)?;
            let holds = hundredths(ours) <= hundredths(theirs);
            Ok((format!("{ours:.2} of {theirs:.2} s"), holds))
        })
    }

    fn bytes(&self, most: f64) -> Claim {
        self.claim("bytes down", format!("<= {most} of {EXACT}'s"), || {
            let [ours, theirs] = self.both(EXACT, |row| number(row, "mb_down"))?;
            Ok((format!("{ours} of {theirs} MB"), ours <= most * theirs))
        })
    }

    /// Nothing when the workload has no frames that could be counted.
    fn frames(&self) -> Option<Claim> {
        let counted = self.ours().is_ok_and(|row| row.number("frames_drawn").is_some());
        counted.then(|| {
            self.claim("frames shown of those drawn", format!(">= {MIN_FRAMES}"), || {
                let row = self.ours()?;
                let (shown, drawn) = (number(row, "frames_shown")?, number(row, "frames_drawn")?);
                Ok((format!("{shown} of {drawn}"), drawn > 0.0 && shown >= MIN_FRAMES * drawn))
            })
        })
    }

    fn ours(&self) -> Result<&Row, NoRow> {
        self.row(OURS)
    }

    fn row(&self, peer: &'static str) -> Result<&Row, NoRow> {
        self.runs.row(Key::new(peer, self.workload, self.rate))
    }

    /// Our figure and another program's. When the other one failed there is nothing to compare
    /// with.
    fn both(
        &self,
        peer: &'static str,
        figure: impl Fn(&Row) -> Result<f64, NoRow>,
    ) -> Result<[f64; 2], NoRow> {
        let ours = figure(self.ours()?)?;
        let theirs = self.row(peer).and_then(&figure).map_err(|no_row| match no_row {
            NoRow::Failed(reason) | NoRow::NotRun(reason) => {
                NoRow::NotRun(format!("{peer}: {reason}"))
            }
        })?;
        Ok([ours, theirs])
    }

    fn claim(
        &self,
        what: &str,
        target: String,
        measure: impl Fn() -> Result<(String, bool), NoRow>,
    ) -> Claim {
        let at = self.rate.map_or(String::new(), |rate| format!(" at {rate}"));
        let name = format!("{}{at}: {what}", self.workload);
        match measure() {
            Ok((measured, holds)) => Claim::measured(name, target, measured, holds),
            Err(NoRow::Failed(reason)) => Claim::measured(name, target, reason, false),
            Err(NoRow::NotRun(reason)) => Claim::not_measured(name, target, reason),
        }
    }
}

/// A figure; a row without it is a failed run.
fn number(row: &Row, column: &str) -> Result<f64, NoRow> {
    row.number(column).ok_or_else(|| NoRow::Failed(format!("no {column} in the row")))
}

/// CPU times come in hundredths of a second; their sums are not exact.
fn hundredths(seconds: f64) -> i64 {
    (seconds * 100.0).round() as i64
}

fn delay_name(column: &str) -> &'static str {
    if column == "p50_ms" { "delay p50" } else { "delay p95" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: &str) -> Result<Row, NoRow> {
        Ok(Row::parse(words).unwrap())
    }

    const TYPING: &str = "toggles=48 missed=0 p50_ms=1.9 p95_ms=6.9 mb_down=0.451 cpu_server=1.23 \
                          cpu_viewer=0.71 exact_pct=100.000 psnr_db=99.00";

    fn verdicts(runs: &Runs, workload: &'static str) -> Vec<String> {
        let claims = judge(runs, &[workload], &[]);
        claims.iter().map(|c| format!("{}={}", c.name, c.verdict)).collect()
    }

    #[test]
    fn a_workload_is_compared_with_both_programs() {
        let runs = Runs::of([
            (Key::new(OURS, "typing", None), row(TYPING)),
            (Key::new(QUICK, "typing", None), row("p50_ms=3.8 p95_ms=13.7")),
            (Key::new(EXACT, "typing", None), row("cpu_server=1.0 cpu_viewer=0.94 mb_down=9.645")),
        ]);
        assert_eq!(
            verdicts(&runs, "typing"),
            [
                "typing: exact pixels=pass",
                "typing: changes missed=pass",
                "typing: delay p50=pass",
                "typing: delay p95=FAIL",
                "typing: CPU of both sides=pass",
                "typing: bytes down=pass",
            ]
        );
    }

    #[test]
    fn our_failure_fails_and_theirs_leaves_nothing_to_compare_with() {
        let failed = || Err(NoRow::Failed("no viewer".to_owned()));
        let runs = Runs::of([(Key::new(OURS, "slides", None), failed())]);
        assert!(judge(&runs, &["slides"], &[]).iter().all(Claim::fails));
        let runs = Runs::of([
            (Key::new(OURS, "typing", None), row(TYPING)),
            (Key::new(QUICK, "typing", None), failed()),
        ]);
        let verdicts = verdicts(&runs, "typing");
        assert_eq!(verdicts[2], "typing: delay p50=not measured: tigervnc: no viewer");
        assert_eq!(verdicts[5], "typing: bytes down=not measured: tigervnc-lossless: not run");
    }

    #[test]
    fn frames_are_judged_where_they_were_counted() {
        let words = format!("{TYPING} frames_drawn=100 frames_shown=94");
        let runs = Runs::of([(Key::new(OURS, "scroll", None), row(&words))]);
        let verdicts = verdicts(&runs, "scroll");
        assert!(verdicts.contains(&"scroll: frames shown of those drawn=FAIL".to_owned()));
    }

    #[test]
    fn the_slow_link_has_its_own_limits() {
        let key = Key::new(OURS, "typing", Some(SLOW_RATE));
        let runs = Runs::of([(key, row("p50_ms=15.0 p95_ms=60.1 missed=1 toggles=48"))]);
        let claims = judge(&runs, &[], &["typing"]);
        let fails: Vec<_> = claims.iter().map(Claim::fails).collect();
        assert_eq!(fails, [false, true, true]);
        assert_eq!(claims[0].name, "typing at 10mbit: delay p50");
    }

    #[test]
    fn without_the_bench_nothing_passes() {
        let claims = judge(&Runs::without("pass --glass DIR"), &["idle", "slides"], &["typing"]);
        assert_eq!(claims.len(), 5 + 6 + 3);
        assert!(claims.iter().all(|c| c.verdict.to_string().contains("pass --glass DIR")));
    }
}
