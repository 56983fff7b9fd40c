//! Each situation with each event: where it leads and what is done, or that nothing changes.

use super::*;
use crate::Notice;
use std::fmt::Write;

/// `situation | event | next state | effects | facts | what is open`, for each pair that fits;
/// every other pair is refused. `FARPANE_BLESS=1` writes what the machine does into the file, to be
/// read before it is kept.
const TABLE: &str = include_str!("table.txt");

#[test]
fn each_event_in_each_situation_does_what_the_table_says_or_nothing() {
    let (mut found, mut cells, mut refused) = (String::new(), 0, 0);
    for (situation, machine) in situations() {
        for (name, event) in events() {
            cells += 1;
            let next = step(&machine, &event, machine.now_us);
            if !next.accepted {
                assert_eq!(next.machine, machine, "{situation} | {name}");
                assert!(next.effects.is_empty() && next.audit.is_empty());
                refused += 1;
                continue;
            }
            writeln!(found, "{situation} | {name} | {}", line(&next)).unwrap();
        }
    }
    if std::env::var_os("FARPANE_BLESS").is_some() {
        std::fs::write("src/machine/tests/table.txt", &found).unwrap();
    }
    for (found, expected) in found.lines().zip(TABLE.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), TABLE.lines().count());
    assert_eq!(cells, situations().len() * events().len());
    assert_eq!(cells, refused + TABLE.lines().count());
}

#[test]
fn every_state_is_in_the_table() {
    let mut names: Vec<&str> =
        situations().iter().map(|(_, machine)| machine.state().name()).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 14, "{names:?}");
}

fn line(next: &Step) -> String {
    let effects: Vec<String> = next.effects.iter().map(effect).collect();
    let facts: Vec<String> = next.audit.iter().map(|entry| fact(&entry.fact)).collect();
    let state = match next.machine.state() {
        State::Ended(reason) => format!("ended({reason:?})"),
        state => state.name().to_owned(),
    };
    let columns = [state, effects.join(" "), facts.join(" "), open(next.machine.open())];
    columns.map(|column| if column.is_empty() { "-".to_owned() } else { column }).join(" | ")
}

fn open(open: Open) -> String {
    let mut words = Vec::new();
    words.extend(open.capture.map(|epoch| format!("capture@{epoch}")));
    words.extend(open.input.map(|(epoch, reach)| format!("{reach:?}@{epoch}")));
    words.extend(open.channels.iter().map(|channel| channel.name().to_owned()));
    words.join(" ")
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::ShowCompliance(posture) => format!("ShowCompliance({})", posture.name()),
        Effect::AskSharer(request) => format!("AskSharer({}: {})", request.id.0, request.rights),
        Effect::WithdrawQuestion(id) => format!("WithdrawQuestion({})", id.0),
        Effect::ShowIndicator(_, mode) => format!("ShowIndicator({mode})"),
        Effect::TellHelper(Notice::Granted(rights)) => format!("Tell(Granted {rights})"),
        Effect::TellHelper(notice) => format!("Tell({notice:?})"),
        Effect::StopChannels(channels) => format!("StopChannels({})", names(*channels)),
        Effect::RenewLease(id) => format!("RenewLease({})", id.0),
        Effect::Close(_) | Effect::End(_) => format!("{effect:?}"),
        Effect::StopInput | Effect::StopCapture | Effect::SignOut => format!("{effect:?}"),
        Effect::HidePrompts | Effect::WipeKeys => format!("{effect:?}"),
        Effect::StartCapture(_) | Effect::StartInput(_) | Effect::StartChannels(_) => {
            panic!("only a session makes tokens")
        }
    }
}

fn fact(fact: &Fact) -> String {
    let rights = |rights: Option<Rights>| rights.map_or("-".to_owned(), |r| r.to_string());
    match fact {
        Fact::Moved { from, to } => format!("{}->{}", from.name(), to.name()),
        Fact::Requested { rights, .. } => format!("Requested({rights})"),
        Fact::ComplianceSeen { by, posture } => format!("Seen({}, {})", by.name(), posture.name()),
        Fact::Asked { request, rights } => format!("Asked({}: {rights})", request.0),
        Fact::Allowed { request, rights, span_us } => {
            format!("Allowed({}: {rights} {span_us:?})", request.0)
        }
        Fact::Denied { request } => format!("Denied({})", request.0),
        Fact::Unanswered { request } => format!("Unanswered({})", request.0),
        Fact::Withdrawn { request } => format!("Withdrawn({})", request.0),
        Fact::ConsentInAdvance { .. } => "ConsentInAdvance".to_owned(),
        Fact::UnattendedGrant { .. } => "UnattendedGrant".to_owned(),
        Fact::RightsChanged { from, to } => format!("Rights({}=>{})", rights(*from), rights(*to)),
        Fact::Refused { rights } => format!("Refused({rights})"),
        Fact::Lowered { by } => format!("Lowered({})", by.name()),
        Fact::Elevation { began } => format!("Elevation({began})"),
        Fact::Held { by } => format!("Held({})", by.name()),
        Fact::Released { by } => format!("Released({})", by.name()),
        Fact::IndicatorShown => "IndicatorShown".to_owned(),
        Fact::Prompt { opened } => format!("Prompt({opened})"),
        Fact::Limited { source, to } => format!("Limited({}: {})", source.name(), names(*to)),
        Fact::Used { capability } => format!("Used({})", capability.name()),
        Fact::Ended { reason, lasted_us, used } => {
            format!("Ended({reason:?}, {lasted_us} us, {})", names(*used))
        }
    }
}

fn names(set: Capabilities) -> String {
    match set {
        Capabilities::NONE => "none".to_owned(),
        Capabilities::ALL => "all".to_owned(),
        some => some.iter().map(Capability::name).collect::<Vec<_>>().join(","),
    }
}
