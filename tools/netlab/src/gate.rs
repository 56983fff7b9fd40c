//! The figures to reach.

use crate::case::Algorithm;
use crate::measure::{Outcome, ms};

/// A figure, what it must reach and what it should.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What is measured.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// What it must reach; none where only the goal is set.
    pub floor: Option<f64>,
    /// What it should reach. Below the floor, or alone and `least` is false: less is better.
    pub goal: f64,
    /// Whether more is better.
    pub more: bool,
    /// What came.
    pub measured: f64,
}

impl Gate {
    fn more(name: String, unit: &'static str, bounds: [f64; 2], measured: f64) -> Self {
        Self { name, unit, floor: Some(bounds[0]), goal: bounds[1], more: true, measured }
    }

    fn less(name: String, unit: &'static str, bounds: [f64; 2], measured: f64) -> Self {
        Self { name, unit, floor: Some(bounds[0]), goal: bounds[1], more: false, measured }
    }

    fn reaches(&self, bound: f64) -> bool {
        if self.more { self.measured >= bound } else { self.measured <= bound }
    }

    /// Whether the floor holds.
    pub fn holds(&self) -> bool {
        self.floor.is_none_or(|floor| self.reaches(floor))
    }

    /// Whether the goal is reached.
    pub fn is_reached(&self) -> bool {
        self.reaches(self.goal)
    }

    /// The figures as text: floor, goal, measured.
    pub fn texts(&self) -> [String; 3] {
        let sign = if self.more { ">=" } else { "<=" };
        let text = |value: f64| match self.unit {
            "" => format!("{value:.3}"),
            unit => format!("{value:.1} {unit}"),
        };
        let floor = self.floor.map_or("-".to_owned(), |floor| format!("{sign} {}", text(floor)));
        [floor, format!("{sign} {}", text(self.goal)), text(self.measured)]
    }
}

/// The cases whose use and waits have bounds of their own.
const CLEAN: [&str; 4] = ["5.1", "5.2", "5.3", "5.8"];
/// Those where CUBIC's waits are the measure.
const AGAINST_CUBIC: [&str; 3] = ["5.1", "5.2", "5.8"];

/// All gates of the controller of SCReAMv2's class among `outcomes`. What was not run has none.
pub fn gates(outcomes: &[Outcome]) -> Vec<Gate> {
    let find = |case: &str, algorithm| {
        outcomes.iter().find(|o| o.case == case && o.algorithm == algorithm)
    };
    let own = |case: &str| find(case, Algorithm::Scream);
    let mut gates = Vec::new();
    for outcome in CLEAN.iter().filter_map(|case| own(case)) {
        gates.extend(clean(outcome));
    }
    for (case, what) in [("5.4", "one after the other"), ("5.5", "round trips of 20 to 300 ms")] {
        let fairness = own(case).map(|outcome| outcome.fairness);
        gates.extend(fairness.map(|jain| {
            Gate::more(format!("{case}: fairness (Jain), {what}"), "", [0.85, 0.95], jain)
        }));
    }
    gates.extend(own("5.6").map(|outcome| {
        let fair = outcome.rates.iter().sum::<f64>() / outcome.rates.len() as f64;
        let share = outcome.rates[0] / fair * 100.0;
        Gate::more("5.6: of a fair share beside CUBIC".to_owned(), "%", [25.0, 50.0], share)
    }));
    gates.extend(cellular(outcomes));
    if let Some(outcome) = own("DualPI2") {
        let name = |what: &str| format!("DualPI2, 50 Mbit/s, 25 ms: {what}");
        let used = outcome.utilisation * 100.0;
        gates.push(Gate::more(name("use"), "%", [75.0, 88.0], used));
        gates.push(Gate::less(name("queue p95"), "ms", [15.0, 8.0], outcome.queue_ms()[1]));
    }
    gates.extend(screens(outcomes));
    gates.extend(own("input").and_then(|outcome| outcome.input).map(|wait| {
        let name = "input on a full link, p99 above the propagation".to_owned();
        Gate::less(name, "ms", [40.0, 20.0], ms(wait))
    }));
    for case in AGAINST_CUBIC {
        let both = own(case).zip(find(case, Algorithm::Cubic));
        gates.extend(both.into_iter().flat_map(|(own, cubic)| against(own, cubic)));
    }
    gates
}

fn clean(outcome: &Outcome) -> Vec<Gate> {
    let name = |what: &str| format!("{}: {what}", outcome.case);
    let mut gates = vec![
        Gate::more(name("use"), "%", [85.0, 92.0], outcome.utilisation * 100.0),
        Gate::less(name("queue p95"), "ms", [80.0, 60.0], outcome.queue_ms()[1]),
    ];
    let goal =
        |name, unit, goal, more, measured| Gate { name, unit, floor: None, goal, more, measured };
    gates.extend(
        outcome
            .after_drops
            .map(|wait| goal(name("queue p95, 1 s after a drop"), "ms", 60.0, false, ms(wait))),
    );
    gates.extend(
        outcome
            .after_rises
            .map(|used| goal(name("use, 5 s after a rise"), "%", 90.0, true, used * 100.0)),
    );
    gates
}

fn cellular(outcomes: &[Outcome]) -> Vec<Gate> {
    let own: Vec<&Outcome> = outcomes
        .iter()
        .filter(|o| o.case.starts_with("cellular") && o.algorithm == Algorithm::Scream)
        .collect();
    if own.is_empty() {
        return Vec::new();
    }
    let used = own.iter().map(|o| o.utilisation * 100.0).fold(f64::INFINITY, f64::min);
    let queue = own.iter().map(|o| o.queue_ms()[1]).fold(0.0, f64::max);
    let name = |what: &str| format!("cellular, the worst of {}: {what}", own.len());
    vec![
        Gate::more(name("use"), "%", [80.0, 90.0], used),
        Gate::less(name("queue p95"), "ms", [100.0, 75.0], queue),
    ]
}

/// Recorded desktops: what is late, what losses cost, and how soon a blackout is over.
fn screens(outcomes: &[Outcome]) -> Vec<Gate> {
    let find = |case: &str| outcomes.iter().find(|o| o.case == case);
    let mut gates = Vec::new();
    for case in ["desk, loss", "desk, bursts"] {
        let Some((outcome, sight)) = find(case).and_then(|o| Some((o, o.screen?))) else {
            continue;
        };
        let name = |what: &str| format!("{}: {what}", outcome.title);
        let late = name("tiles later than the round trip and 20 ms");
        gates.push(Gate::less(late, "%", [1.0, 0.3], sight.late * 100.0));
        if let Some(whole) = find("desk") {
            let more = (outcome.bytes as f64 / whole.bytes as f64 - 1.0) * 100.0;
            gates.push(Gate::less(name("more bytes"), "%", [15.0, 8.0], more));
        }
    }
    let dark = find("desk, blackouts").and_then(|o| Some((o, o.screen?.after_blackouts?)));
    gates.extend(dark.map(|(outcome, [_, longest])| {
        let name = format!("{}: until the picture is current", outcome.title);
        // The round trip is 50 ms, a frame 33 ms.
        Gate::less(name, "ms", [150.0, 117.0], ms(longest))
    }));
    gates
}

/// "p95 queue delay at most a third of quinn CUBIC's at no less than 90 % of its utilisation".
fn against(own: &Outcome, cubic: &Outcome) -> Vec<Gate> {
    let name = |what: &str| format!("{}: {what} of quinn CUBIC's", own.case);
    let queue = own.queue_ms()[1] / cubic.queue_ms()[1] * 100.0;
    let used = own.utilisation / cubic.utilisation * 100.0;
    vec![
        Gate::less(name("queue p95"), "%", [100.0 / 3.0, 100.0 / 3.0], queue),
        Gate::more(name("use"), "%", [90.0, 90.0], used),
    ]
}
