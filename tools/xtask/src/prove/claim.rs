//! Claims, and the table that shows them.

use serde::Serialize;
use std::fmt;

/// Something the project says about itself, and what a measurement says to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Claim {
    /// What is claimed.
    pub(super) name: String,
    /// The figure to reach, with its unit.
    pub(super) target: String,
    /// The figure that came, with its unit; empty when none did.
    pub(super) measured: String,
    /// Whether the claim holds.
    pub(super) verdict: Verdict,
}

/// Whether a claim holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It does.
    Pass,
    /// It does not.
    Fail,
    /// Nobody can tell here, for this reason.
    NotMeasured(String),
}

impl Claim {
    /// A claim that was measured.
    pub(super) fn measured(
        name: impl Into<String>,
        target: impl Into<String>,
        measured: impl Into<String>,
        holds: bool,
    ) -> Self {
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        Self { name: name.into(), target: target.into(), measured: measured.into(), verdict }
    }

    /// A claim that could not be measured because of `reason`.
    pub(super) fn not_measured(
        name: impl Into<String>,
        target: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let verdict = Verdict::NotMeasured(reason.into());
        Self { name: name.into(), target: target.into(), measured: String::new(), verdict }
    }

    /// Whether it was measured and does not hold.
    pub(super) fn fails(&self) -> bool {
        self.verdict == Verdict::Fail
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Fail => f.write_str("FAIL"),
            Self::NotMeasured(reason) => write!(f, "not measured: {reason}"),
        }
    }
}

/// The claims in aligned columns under a heading, with their sum below.
pub(super) fn table(claims: &[Claim]) -> String {
    let heading = ["claim", "target", "measured", "verdict"].map(str::to_owned);
    let rows = claims.iter().map(|claim| {
        // An error may have many lines; JSON has all of them.
        let measured = claim.measured.lines().next().unwrap_or("-");
        [claim.name.clone(), claim.target.clone(), measured.to_owned(), claim.verdict.to_string()]
    });
    let rows: Vec<_> = [heading].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [name, target, measured] = [0, 1, 2].map(|column| width(column).unwrap_or(0));
    let lines =
        rows.iter().map(|[a, b, c, d]| format!("{a:<name$}  {b:<target$}  {c:<measured$}  {d}\n"));
    lines.collect::<String>() + &sum(claims)
}

fn sum(claims: &[Claim]) -> String {
    let count =
        |wanted: fn(&Verdict) -> bool| claims.iter().filter(|claim| wanted(&claim.verdict)).count();
    let pass = count(|verdict| *verdict == Verdict::Pass);
    let fail = count(|verdict| *verdict == Verdict::Fail);
    let unknown = count(|verdict| matches!(verdict, Verdict::NotMeasured(_)));
    format!("\n{pass} claims hold, {fail} fail, {unknown} not measured\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_summed() {
        let claims = [
            Claim::measured("exact", "100 %", "100 %", true),
            Claim::measured("delay p50", "<= 5 ms", "6.1 ms", false),
            Claim::not_measured("on a GPU", "<= 1 ms", "no GPU"),
        ];
        let expected = "\
claim      target   measured  verdict
exact      100 %    100 %     pass
delay p50  <= 5 ms  6.1 ms    FAIL
on a GPU   <= 1 ms  -         not measured: no GPU

1 claims hold, 1 fail, 1 not measured
";
        assert_eq!(table(&claims), expected);
        assert_eq!(claims.map(|claim| claim.fails()), [false, true, false]);
    }

    #[test]
    fn programs_can_read_claims() {
        let claim = Claim::not_measured("a", "b", "c");
        let json = serde_json::to_value(&claim).unwrap();
        assert_eq!(json["verdict"]["not_measured"], "c");
        assert_eq!(serde_json::to_value(Verdict::Pass).unwrap(), "pass");
    }
}
