//! Random desktops over hostile links end with equal pictures, at a bounded cost.

use super::bench::Bench;
use super::cargo_test;
use super::claim::Claim;

const MAX_RATIO: f64 = 3.0;

/// Runs the tests in virtual time and reads their figures.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Claim>> {
    let arguments = ["-p", "farpane", "--lib", "convergence::"];
    let tests = cargo_test::run(&bench.root, &bench.farpane, &arguments)?;
    let (passed, failed) = tests.count(&["thousand_desktops"]);
    let equal = passed == 1 && failed == 0;
    let measured = if equal { "all 1,000 equal" } else { "not all equal" };
    let name = "1,000 desktops with loss up to 30 %, reordering and blackouts end equal";
    let mut claims = vec![Claim::measured(name, "all", measured, equal)];
    let name = "bytes at 10 % loss, of those without loss";
    let target = format!("<= {MAX_RATIO:.1}");
    claims.push(match ratio(&tests.text) {
        Some(ratio) => Claim::measured(name, target, format!("{ratio:.2}"), ratio <= MAX_RATIO),
        None => Claim::measured(name, target, "the test told none", false),
    });
    let (passed, failed) = tests.count(&["convergence"]);
    let measured = format!("{passed} passed, {failed} failed");
    let name = "convergence tests";
    claims.push(Claim::measured(name, "all pass", measured, tests.ok && passed > 0));
    Ok(claims)
}

/// The figure behind the word `ratio`.
fn ratio(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains("ratio "))?;
    line.rsplit_once("ratio ")?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_found_in_what_the_test_prints() {
        let text = "---- a stdout ----\nlossless 100 bytes, 10 % loss 131 bytes, ratio 1.31\n";
        assert_eq!(ratio(text), Some(1.31));
        assert_eq!(ratio("no figure"), None);
        assert_eq!(ratio("ratio ?"), None);
    }
}
