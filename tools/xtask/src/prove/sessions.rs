//! Sessions: what the rules forbid does not happen, in the machine, in its model, and on the wire.

use super::cargo_test::{Tests, number_before};
use super::claim::Claim;
use super::test_programs::{Name, Programs};
use super::{Findings, Part, mutants};
use crate::command::{command, limited};
use anyhow::Context;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// What must hold, by the numbers in the names of its tests.
const INVARIANTS: usize = 16;
/// Cases that must be refused, over all classes, at the least.
const MIN_CASES: usize = 600;
/// States of the model, at the least.
const MIN_STATES: usize = 1_000_000;
/// For compiling and exploring the model on a slow machine.
const MODEL_LIMIT: Duration = Duration::from_secs(3_600);
/// Sessions that are recorded on the wire.
const RUNS: &str = "50";
/// From a revocation to the last packet with pictures, beside the round-trip time.
const MAX_SILENT_MS: f64 = 100.0;

/// Measures every claim.
pub(super) fn measure(root: &Path) -> anyhow::Result<Findings> {
    let parts: [(&str, Part); 4] = [
        ("rules", rules),
        ("model", model),
        ("mutants", mutants::measure),
        ("real sessions", real),
    ];
    Ok(Findings::of_parts(root, &parts))
}

fn all_pass(name: &str, (passed, failed): (usize, usize)) -> Claim {
    let measured = match passed + failed {
        0 => "no test ran".to_owned(),
        _ => format!("{passed} passed, {failed} failed"),
    };
    Claim::measured(name, "all pass", measured, passed > 0 && failed == 0)
}

const POLICY: Name = ("crates/policy", "farpane_policy");
const END_TO_END: Name = ("tests", "end_to_end");

/// What the tests of the crates say.
fn rules(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let programs = Programs::build(root)?;
    let chosen: [(Name, &str); 12] = [
        (POLICY, ""),
        (("crates/policy", "model"), ""),
        (("crates/policy", "oidc_provider"), ""),
        (("crates/proto", "farpane_proto"), "control::"),
        (("crates/input", "farpane_input"), ""),
        (("crates/input", "display"), ""),
        (("crates/net", "transport"), ""),
        (("crates/farpane", "farpane"), "channel:: audit::"),
        (("crates/farpane", "provider"), ""),
        (("crates/capi", "tenant"), ""),
        (("crates/capi", "channels"), ""),
        (END_TO_END, "audit:: channels::"),
    ];
    let all = chosen.map(|(name, filter)| programs.run(name, filter, |_| {}));
    let all = all.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let mut claims = invariants(&all[0]);
    claims.push(table(root, &all[0])?);
    claims.extend(refused(&all));
    claims.extend(tampering(&all));
    let sum = all.iter().fold((0, 0), |(passed, failed), tests| {
        (passed + tests.passed.len(), failed + tests.failed.len())
    });
    let what = "tests of policy, protocol, input, transport, channels, audit, C ABI";
    let mut claim = all_pass(what, sum);
    if !all.iter().all(|tests| tests.ok) {
        claim = Claim::measured(claim.name, claim.target, claim.measured + ", not all ran", false);
    }
    claims.push(claim);
    Ok(claims)
}

/// Each of what must hold by the test that is named after it.
fn invariants(policy: &Tests) -> Vec<Claim> {
    let claim = |number: usize| {
        let word = format!("::invariant_{number:02}_");
        let (passed, failed) = policy.count(&[&word]);
        let mut names = policy.passed.iter().chain(&policy.failed);
        let name = names.find_map(|name| Some(name.split_once(&word)?.1.replace('_', " ")));
        let name = format!("{number:>2} {}", name.as_deref().unwrap_or("(no test of this number)"));
        let measured = match (passed, failed) {
            (0, 0) => "did not run",
            (_, 0) => "passed",
            _ => "failed",
        };
        Claim::measured(name, "its test passes", measured, (passed, failed) == (1, 0))
    };
    (1..=INVARIANTS).map(claim).collect()
}

/// The state machine against its table.
fn table(root: &Path, policy: &Tests) -> anyhow::Result<Claim> {
    const TESTS: [&str; 2] = [
        "table::each_event_in_each_situation_does_what_the_table_says",
        "table::every_state_is_in_the_table",
    ];
    let path = root.join("crates/policy/src/machine/tests/table.txt");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (passed, failed) = policy.count(&TESTS);
    Ok(Claim::measured(
        "every event in every situation does what the table says, or nothing",
        "all pass",
        format!("{passed} passed, {failed} failed; {} pairs do something", text.lines().count()),
        (passed, failed) == (TESTS.len(), 0),
    ))
}

/// A class of what must be refused: its name, how lines begin that count its cases, and words in
/// the names of tests that are a case each.
type Class = (&'static str, &'static [&'static str], &'static [&'static str]);

const CLASSES: [Class; 7] = [
    ("grants", &["negative cases: grants: "], &[]),
    ("tokens and JWKS", &["negative cases: tokens and JWKS: "], &[]),
    (
        "handshake",
        &["negative cases: handshake: ", "negative cases: admission, "],
        &[
            "join::a_sharer_with_another_key",
            "join::an_unknown_invitation",
            "join::an_expired_invitation",
            "join::a_withdrawn_invitation",
            "join::an_ended_session",
            "pairing::five_wrong_codes",
            "pairing::a_code_for_another",
            "ends::a_helper_that_never_confirms",
            "ends::a_helper_without_a_key",
        ],
    ),
    ("input", &["negative cases, class input: "], &[]),
    ("channels", &["control messages: ", "channels: "], &[]),
    ("audit", &["audit: "], &[]),
    (
        "limits",
        &["limits: "],
        &[
            "carry::a_control_message_over_the_limit",
            "carry::a_blob_over_the_receivers_limit",
            "ends::before_the_confirmation_there_is_one_stream",
            "ends::a_long_or_senseless_hello",
            "ends::only_so_many_may_be_pending",
            "link::messages_over_the_limit",
            "bounds::a_flood_reaches_the_display_only_up_to_the_bound",
            "refused::a_press_beyond_what_hands_hold",
        ],
    ),
];

/// How many cases of each class were tried. That each is refused, its test asserts.
fn refused(all: &[Tests]) -> Vec<Claim> {
    let mut total = 0;
    let mut claims = Vec::new();
    for (name, beginnings, words) in CLASSES {
        let lines = all.iter().flat_map(|tests| tests.text.lines());
        let printed: usize = lines.filter_map(|line| cases(line, beginnings)).sum();
        let (named, failed) = all.iter().fold((0, 0), |(named, failed), tests| {
            let (passed, other) = tests.count(words);
            (named + passed, failed + other)
        });
        let cases = printed + named;
        total += cases;
        let holds = printed + named > 0 && named == words.len() && failed == 0;
        let claim = format!("refused, class {name}");
        claims.push(Claim::measured(claim, "told", format!("{cases} cases"), holds));
    }
    let holds = total >= MIN_CASES && all.iter().all(|tests| tests.failed.is_empty());
    let measured = format!("{total} cases");
    let target = format!(">= {MIN_CASES} cases");
    claims.push(Claim::measured("refused, all classes", target, measured, holds));
    claims
}

/// The number in a line that begins so: right behind, or at its end behind what it is of.
fn cases(line: &str, beginnings: &[&str]) -> Option<usize> {
    let rest = beginnings.iter().find_map(|beginning| line.strip_prefix(beginning))?;
    let first = rest.split(' ').next()?.parse().ok();
    first.or_else(|| rest.rsplit_once(": ")?.1.parse().ok())
}

/// What is done to an audit log, and words in the names of the tests that do it.
const TAMPERING: [(&str, &[&str]); 7] = [
    ("changed", &["every_changed_byte_of_a_record_is_found", "a_changed_record_is_named"]),
    ("removed", &["a_removed_record_is_named"]),
    ("reordered", &["reordered_and_repeated_records_are_named"]),
    ("forged", &["a_forged_record_is_named"]),
    ("truncated", &["a_log_that_was_cut_is_found_by_the_heads"]),
    ("forked", &["a_log_that_was_written_anew_by_its_own_key_is_forked"]),
    (
        "all of these, by the program and in files",
        &["every_kind_of_tampering_is_found_and_named", "a_log_that_was_cut_and_goes_on_is_found"],
    ),
];

fn tampering(all: &[Tests]) -> Vec<Claim> {
    let claim = |(what, words): &(&str, &[&str])| {
        let count = all.iter().fold((0, 0), |(passed, failed), tests| {
            let (more, other) = tests.count(words);
            (passed + more, failed + other)
        });
        all_pass(&format!("audit verify finds: {what}"), count)
    };
    TAMPERING.iter().map(claim).collect()
}

/// All that two ends, a broker and a revoker can do, explored.
fn model(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let run = ["run", "--quiet", "--release", "-p", "farpane-policy", "--example", "model"];
    let finished = limited(&command(root, "cargo", run), MODEL_LIMIT)?;
    eprint!("{}{}", finished.stdout, finished.stderr);
    Ok(judge_model(&finished.stdout, finished.ok))
}

fn judge_model(text: &str, ok: bool) -> Vec<Claim> {
    let states = number_before(text, " distinct states");
    let hold = number_before(text, " properties hold");
    let broken = number_before(text, " do not");
    let unreached = text.lines().filter(|line| line.starts_with("never reached: ")).count();
    let measured = format!("{hold} hold, {broken} do not, {unreached} never reached");
    vec![
        Claim::measured(
            "states of the model that were explored",
            format!(">= {MIN_STATES}"),
            states.to_string(),
            states >= MIN_STATES,
        ),
        Claim::measured(
            "properties of the model in every state",
            "no counterexample",
            measured,
            ok && hold > 0 && (broken, unreached) == (0, 0),
        ),
    ]
}

/// What the test of the wire prints.
#[derive(Deserialize)]
struct Wire {
    runs: usize,
    early_packets: usize,
    early_bytes: u64,
    late_packets: usize,
    late_bytes: u64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    rtt_ms: f64,
}

/// Programs, displays and networks.
fn real(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let programs = Programs::build(root)?;
    let of = |module: &str| programs.run(END_TO_END, module, |_| {});
    let wire = programs.run(END_TO_END, "wire::", |run| {
        run.env("FARPANE_RUNS", RUNS);
    })?;
    let mut claims = judge_wire(&wire)?;
    let control = of("control::")?;
    let name = "a_modified_helper_changes_nothing_on_a_view_only_display";
    let sent = number_before(&control.text, " events of a modified helper");
    let count = control.count(&[name]);
    claims.push(Claim::measured(
        "events of every kind by a modified helper change nothing on a view-only display",
        ">= 1000",
        format!("{sent}"),
        sent >= 1_000 && count == (1, 0),
    ));
    let elevation = of("elevation::")?;
    let name = "a_password_is_found_nowhere_afterwards";
    claims.push(all_pass("a password is found nowhere afterwards", elevation.count(&[name])));
    let tenant = of("tenant::")?;
    for (name, tests) in [
        ("control, end to end", control),
        ("elevation, end to end", elevation),
        ("members of a tenant and all others, end to end", tenant),
    ] {
        claims.push(all_pass(name, (tests.passed.len(), tests.failed.len())));
    }
    Ok(claims)
}

fn judge_wire(tests: &Tests) -> anyhow::Result<Vec<Claim>> {
    let line = tests.text.lines().find(|line| line.starts_with('{') && line.contains("p99_ms"));
    let line = line.context("the test of the wire printed no figures; it failed before")?;
    let wire: Wire = serde_json::from_str(line)?;
    let bytes = |bytes: u64, packets: usize| {
        format!("{bytes} bytes in {packets} packets, {} sessions", wire.runs)
    };
    let measured = format!(
        "p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms, RTT {:.2} ms",
        wire.p50_ms, wire.p99_ms, wire.max_ms, wire.rtt_ms
    );
    Ok(vec![
        Claim::measured(
            "media on the wire before consent",
            "0 bytes",
            bytes(wire.early_bytes, wire.early_packets),
            wire.early_packets == 0,
        ),
        Claim::measured(
            "media on the wire more than 100 ms and an RTT after a revocation",
            "0 bytes",
            bytes(wire.late_bytes, wire.late_packets),
            wire.late_packets == 0,
        ),
        Claim::measured(
            format!("from a revocation to the last media, p99 of {}", wire.runs),
            format!("<= {MAX_SILENT_MS:.0} ms + RTT"),
            measured,
            wire.p99_ms <= MAX_SILENT_MS + wire.rtt_ms,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(passed: &[&str], failed: &[&str], text: &str) -> Tests {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Tests { passed: own(passed), failed: own(failed), ok: true, text: text.to_owned() }
    }

    #[test]
    fn an_invariant_without_a_test_fails() {
        let passed = ["machine::tests::invariants::invariant_02_input_is_applied_only_in_control"];
        let claims = invariants(&tests(&passed, &["a::invariant_03_rights_never_grow"], ""));
        assert_eq!(claims.len(), INVARIANTS);
        assert_eq!(claims[1].name, " 2 input is applied only in control");
        let measured: Vec<_> = claims[..3].iter().map(|claim| claim.measured.as_str()).collect();
        assert_eq!(measured, ["did not run", "passed", "failed"]);
        assert_eq!(claims.iter().filter(|claim| claim.fails()).count(), INVARIANTS - 1);
    }

    #[test]
    fn cases_are_counted_by_class() {
        let text = "negative cases: grants: 300\nnegative cases: admission, tokens: 200\n\
                    negative cases, class input: 99 refused of 99\naudit: 7 negative cases: heads\n\
                    control messages: 9 invalid ones refused\nchannels: 1 secret refused\n\
                    running 5 tests\n";
        let claims = refused(&[tests(&[], &[], text)]);
        let measured: Vec<_> = claims.iter().map(|claim| claim.measured.as_str()).collect();
        let expected = [300, 0, 200, 99, 10, 7, 0, 616].map(|cases| format!("{cases} cases"));
        assert_eq!(measured, expected);
        // A class without a case, or without one of its tests, is no pass.
        let fails: Vec<_> = claims.iter().map(Claim::fails).collect();
        assert_eq!(fails, [false, true, true, false, false, false, true, false]);
    }

    #[test]
    fn the_model_needs_its_states_and_no_counterexample() {
        let good = "1234567 distinct states, 8000000 transitions, 9 steps deep, 1.0 s\n\
                    21 properties hold, 0 do not\n";
        assert!(judge_model(good, true).iter().all(|claim| !claim.fails()));
        assert!(judge_model(good, false)[1].fails());
        assert!(judge_model(&good.replace(", 0", ", 1"), true)[1].fails());
        assert!(judge_model(&good.replace("1234567", "999999"), true)[0].fails());
        let unreached = format!("never reached: elevation\n{good}");
        assert!(judge_model(&unreached, true)[1].fails());
    }

    #[test]
    fn the_wire_is_judged_by_what_its_test_prints() {
        let line = r#"{"runs":50,"early_packets":0,"early_bytes":0,"late_packets":0,
            "late_bytes":0,"p50_ms":1.5,"p99_ms":100.2,"max_ms":120.0,"rtt_ms":0.25}"#;
        let line = line.replace(char::is_whitespace, "");
        let claims = judge_wire(&tests(&["wire::a"], &[], &line)).unwrap();
        assert_eq!(claims[0].measured, "0 bytes in 0 packets, 50 sessions");
        assert!(claims.iter().all(|claim| !claim.fails()));
        let slow =
            line.replace("100.2", "100.3").replace("\"early_packets\":0", "\"early_packets\":1");
        let claims = judge_wire(&tests(&[], &["wire::a"], &slow)).unwrap();
        assert_eq!(claims.iter().map(Claim::fails).collect::<Vec<_>>(), [true, false, true]);
        assert!(judge_wire(&tests(&[], &["wire::a"], "")).is_err());
    }
}
