//! What was found, as a table for people and as JSON.

use crate::table::{Table, ms};
use farpane::net::doctor::{Check, RelayReport, Report};
use serde_json::{Value, json};
use std::fmt::Write;

/// For people: a table for each relay and for the network, and what to do.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    for relay in &report.relays {
        let verdict = if relay.is_usable() { "usable" } else { "of no use" };
        let _ = writeln!(text, "{}: {verdict}\n\n{}", relay.relay, table(&relay.checks));
    }
    let _ = writeln!(text, "this network\n\n{}", table(&report.network));
    let _ = writeln!(text, "not checked");
    for what in &report.unchecked {
        let _ = writeln!(text, "- {what}");
    }
    let advice = advice(report);
    if !advice.is_empty() {
        let _ = writeln!(text, "\nwhat to do");
    }
    for (number, (about, advice)) in (1..).zip(advice) {
        let _ = writeln!(text, "{number}. {about}: {advice}");
    }
    let usable = report.relays.iter().filter(|relay| relay.is_usable());
    let usable: Vec<_> = usable.map(|relay| relay.transport.to_string()).collect();
    let _ = match usable.is_empty() {
        true => writeln!(text, "\nNo session is possible by these relays."),
        false => writeln!(
            text,
            "\nA session is possible by a relay over {}.",
            usable.join(" and by one over ")
        ),
    };
    text
}

/// For scripts. Names and units stay; there may be more names later.
pub(super) fn json(report: &Report) -> Value {
    json!({
        "session_possible": report.is_session_possible(),
        "took_us": us(report.took),
        "relays": report.relays.iter().map(relay_json).collect::<Vec<_>>(),
        "network": report.network.iter().map(check_json).collect::<Vec<_>>(),
        "unchecked": report.unchecked,
    })
}

fn table(checks: &[Check]) -> Table {
    let mut table = Table::new(["check", "result", "ms", "measured"]).left(1).left(3);
    for check in checks {
        let time = check.time.map_or(String::new(), |time| ms(us(time)));
        let (subject, verdict) = (check.subject.to_string(), check.verdict.to_string());
        table.row([subject, verdict, time, check.measured.clone()]);
    }
    table
}

/// Each advice once, with whom it is about.
fn advice(report: &Report) -> Vec<(&str, &str)> {
    let relays = report.relays.iter().flat_map(|relay| {
        let place = relay.relay.split('?').next().unwrap_or_default();
        relay.checks.iter().map(move |check| (place, check))
    });
    let network = report.network.iter().map(|check| ("this network", check));
    let mut found = Vec::new();
    for (about, check) in relays.chain(network) {
        let advice = check.advice.as_deref().map(|advice| (about, advice));
        found.extend(advice.filter(|advice| !found.contains(advice)));
    }
    found
}

fn relay_json(relay: &RelayReport) -> Value {
    json!({
        "relay": relay.relay,
        "transport": relay.transport.to_string(),
        "usable": relay.is_usable(),
        "checks": relay.checks.iter().map(check_json).collect::<Vec<_>>(),
    })
}

fn check_json(check: &Check) -> Value {
    json!({
        "check": check.subject.id(),
        "port": check.subject.port(),
        "verdict": check.verdict.to_string(),
        "time_us": check.time.map(us),
        "measured": check.measured,
        "advice": check.advice,
    })
}

fn us(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane::net::NetThread;
    use farpane::net::doctor::examine;
    use std::time::Duration;

    #[test]
    fn both_forms_tell_the_same_and_no_password() {
        let net = NetThread::start().unwrap();
        // The port of RFC 863 has no relay.
        let relays = ["turn:u:secret@127.0.0.1:9".parse().unwrap()];
        let limit = Duration::from_secs(1);
        let report = net.run(async move { examine(&relays, limit, |_, _| {}).await }).unwrap();
        let (text, json) = (text(&report), json(&report));
        assert!(!format!("{text}{json}").contains("secret"));
        assert!(text.contains("turn:127.0.0.1:9: of no use"), "{text}");
        assert!(text.contains("outbound UDP to 127.0.0.1 port 9"), "{text}");
        assert!(text.ends_with("No session is possible by these relays.\n"), "{text}");
        assert_eq!(json["session_possible"], false);
        let check = &json["relays"][0]["checks"][1];
        assert_eq!((&check["check"], &check["port"]), (&json!("udp-port"), &json!(9)));
        assert_eq!(check["verdict"], "failed");
    }
}
