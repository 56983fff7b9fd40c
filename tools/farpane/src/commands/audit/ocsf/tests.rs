use super::*;
use farpane::policy::audit::{LogId, Text};
use farpane::policy::{EndReason, Posture, RequestId, Source};

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn party(role: Role, name: &str) -> Party {
    Party { role, tenant: text("contoso"), subject: text("oid-1"), name: text(name) }
}

fn record(action: Action) -> Record {
    let entry = Entry {
        time_us: 1_769_846_400_123_456,
        session: Some([7; 16]),
        actor: party(Role::Helper, "Ada"),
        target: Some(party(Role::Sharer, "Grace")),
        device: Some(party(Role::Device, "PC-17")),
        action,
        outcome: Outcome::Success,
    };
    let (previous, hash, signature) = ([0; 32], [0xab; 32], [0; 64]);
    Record { previous, log: LogId([1; 16]), sequence: 5, entry, hash, signature }
}

/// One of each, with the class and the activity that it has.
fn all() -> Vec<(Action, u64, u64)> {
    let (request, rights, bytes) = (RequestId(1), Rights::of(Mode::View), 3);
    let name = || text("notes.txt");
    let allowed = Capabilities::of(&[Capability::View]);
    let authorised = (State::Authenticated, State::Authorised);
    vec![
        (Action::SessionRequested { invitation: [1; 16], rights }, 3002, 6),
        (Action::SessionAuthorised { reason: text("granted") }, 3002, 1),
        (Action::SessionMoved { from: authorised.0, to: authorised.1 }, 3002, 1),
        (Action::SessionMoved { from: State::Idle, to: State::Requested }, 3002, 99),
        (Action::ComplianceSeen { posture: Posture::Unknown }, 3003, 99),
        (Action::ConsentAsked { request, rights }, 3003, 99),
        (Action::ConsentGiven { request, rights, span_us: Some(5) }, 3003, 1),
        (Action::ConsentDenied { request }, 3003, 99),
        (Action::ConsentTimedOut { request }, 3003, 99),
        (Action::ConsentWithdrawn { request }, 3003, 99),
        (Action::ConsentInAdvance { invitation: [1; 16] }, 3003, 1),
        (Action::ConsentUnattended { grant: [1; 16] }, 3003, 1),
        (Action::ModeChanged { from: None, to: Some(rights) }, 3003, 1),
        (Action::ModeChanged { from: Some(rights), to: None }, 3003, 99),
        (Action::RightsAsked { rights }, 3003, 99),
        (Action::RightsRefused { rights }, 3003, 99),
        (Action::RightsLowered, 3003, 99),
        (Action::SourceLimited { source: Source::Tenant, allowed }, 3003, 99),
        (Action::SourceLimited { source: Source::Lease, allowed: Capabilities::NONE }, 3003, 99),
        (Action::ElevationBegun, 3003, 1),
        (Action::ElevationEnded, 3003, 99),
        (Action::FeatureUsed(Feature::Used { capability: Capability::Chat }), 6003, 99),
        (Action::FeatureUsed(Feature::ClipboardIn { bytes }), 6003, 99),
        (Action::FeatureUsed(Feature::ClipboardOut { bytes }), 6003, 99),
        (Action::FeatureUsed(Feature::FileIn { name: name(), bytes }), 6006, 1),
        (Action::FeatureUsed(Feature::FileOut { name: name(), bytes }), 6006, 2),
        (Action::SessionHeld, 3002, 99),
        (Action::SessionReleased, 3002, 99),
        (Action::Suspended, 3002, 99),
        (Action::Resumed, 3002, 99),
        (Action::IndicatorShown, 3002, 99),
        (Action::PromptOpened, 3002, 99),
        (Action::PromptClosed, 3002, 99),
        (Action::Revoked { reason: text("left the company") }, 3003, 99),
        (ended(), 3002, 2),
        (Action::SettingsRefused { setting: text("chat-blocked") }, 3003, 99),
        (Action::LogOpened, 1008, 6),
        (Action::LogCut { bytes }, 1008, 99),
        (Action::LogDropped { first_kept: 2 }, 1008, 2),
    ]
}

fn ended() -> Action {
    let used = Capabilities::of(&[Capability::View, Capability::Chat]);
    Action::Ended { reason: EndReason::SharerEnded, lasted_us: 61_000_000, used }
}

#[test]
fn no_action_is_forgotten() {
    let mut codes: Vec<_> = all().iter().map(|(action, ..)| action.code()).collect();
    let mut every = [Action::CODES, Feature::CODES].concat();
    codes.sort_unstable();
    codes.dedup();
    every.sort_unstable();
    assert_eq!(codes, every);
}

#[test]
fn what_belongs_to_an_action_is_told() {
    let told = |action| event(&record(action))["unmapped"].clone();
    let rights = Rights::with(Mode::Control, Capabilities::of(&[Capability::FileIn]));
    let change = event(&record(Action::ModeChanged { from: None, to: Some(rights) }));
    assert_eq!(change["privileges"], json!(["control", "file-in"]));
    let changed = &change["unmapped"];
    assert_eq!(changed["from"]["mode"], "none");
    let all = json!(["view", "point", "control", "chat", "file-in"]);
    assert_eq!((&changed["to"]["mode"], &changed["to"]["capabilities"]), (&json!("control"), &all));
    let used = Action::FeatureUsed(Feature::Used { capability: Capability::Audio });
    assert_eq!(told(used)["capability"], "audio");
    let (source, allowed) = (Source::Device, Capabilities::of(&[Capability::View]));
    let limited = told(Action::SourceLimited { source, allowed });
    assert_eq!((&limited["source"], &limited["allowed"]), (&json!("device"), &json!(["view"])));
    assert_eq!(told(Action::ConsentUnattended { grant: [9; 16] })["grant"], "09".repeat(16));
    let ended = event(&record(ended()));
    assert_eq!(
        (ended["duration"].as_u64(), &ended["status_detail"]),
        (Some(61_000), &json!("sharer-ended"))
    );
    assert_eq!(ended["unmapped"]["used"], json!(["view", "chat"]));
    let moved =
        Action::SessionMoved { from: State::Ending, to: State::Ended(EndReason::LeaseLost) };
    let moved = event(&record(moved));
    assert_eq!(
        (&moved["unmapped"]["to"], &moved["status_detail"]),
        (&json!("ended"), &json!("lease-lost"))
    );
}

/// What version 1.8.0 requires of every event, and of the classes in use.
const OF_ALL: [&str; 9] = [
    "/category_uid",
    "/class_uid",
    "/activity_id",
    "/type_uid",
    "/severity_id",
    "/time",
    "/metadata/version",
    "/metadata/product/vendor_name",
    "/metadata/product/name",
];
const OF_CLASS: [(u64, &[&str]); 5] = [
    (3002, &["/user/type_id", "/user/name", "/service/name", "/dst_endpoint/name"]),
    (3003, &["/user/type_id", "/user/name", "/privileges/0"]),
    (6003, &["/actor/user/name", "/api/operation", "/src_endpoint/name"]),
    (6006, &["/actor/user/name", "/file/name", "/file/type_id", "/src_endpoint/name"]),
    (1008, &["/actor/user/name", "/device/type_id", "/log_name"]),
];

#[test]
fn every_record_is_an_event_of_the_right_shape() {
    for (action, class, activity) in all() {
        let code = action.code();
        let event = event(&record(action));
        let number = |at: &str| event.pointer(at).and_then(Value::as_u64);
        assert_eq!(number("/class_uid"), Some(class), "{code}");
        assert_eq!(number("/activity_id"), Some(activity), "{code}");
        assert_eq!(number("/category_uid"), Some(class / 1_000), "{code}");
        assert_eq!(number("/type_uid"), Some(class * 100 + activity), "{code}");
        assert_eq!(number("/time"), Some(1_769_846_400_123), "{code}");
        assert_eq!(event["metadata"]["version"], "1.8.0");
        assert_eq!(event["metadata"]["event_code"], code);
        assert_eq!(event["metadata"]["original_time"], "2026-01-31T08:00:00.123456Z");
        let of_class = OF_CLASS.iter().find(|(of, _)| *of == class).unwrap().1;
        for at in OF_ALL.iter().chain(of_class) {
            assert!(event.pointer(at).is_some_and(|v| !v.is_null()), "{code} has no {at}");
        }
        if activity == 99 {
            assert_eq!(event["activity_name"], code);
        }
    }
}

#[test]
fn what_is_not_known_is_left_out_and_what_is_required_stands_there() {
    for (action, class, _) in all() {
        let mut record = record(action);
        record.entry.actor = Party::system();
        (record.entry.session, record.entry.target, record.entry.device) = (None, None, None);
        let event = event(&record);
        let of_class = OF_CLASS.iter().find(|(of, _)| *of == class).unwrap().1;
        let of_class = of_class.iter().filter(|at| **at != "/dst_endpoint/name");
        for at in OF_ALL.iter().chain(of_class) {
            assert!(event.pointer(at).is_some(), "{at}");
        }
        assert!(event["metadata"].get("tenant_uid").is_none());
        assert!(event.get("dst_endpoint").is_none());
    }
}

#[test]
fn who_whom_where_and_what_came_of_it_are_told() {
    let [from, to] = [Mode::View, Mode::Control].map(|mode| Some(Rights::of(mode)));
    let mut record = record(Action::ModeChanged { from, to });
    record.entry.outcome = Outcome::Denied;
    let event = event(&record);
    assert_eq!(event["message"], "Ada, Grace: mode.changed, denied");
    assert_eq!(event["user"]["name"], "Ada");
    assert_eq!(event["user"]["org"]["uid"], "contoso");
    assert_eq!(event["dst_endpoint"]["name"], "PC-17");
    assert_eq!(event["unmapped"]["target"]["name"], "Grace");
    let modes = ["from", "to"].map(|at| &event["unmapped"][at]["mode"]);
    assert_eq!(modes, [&json!("view"), &json!("control")]);
    assert_eq!((event["status_id"].as_u64(), event["severity_id"].as_u64()), (Some(2), Some(2)));
    assert_eq!(event["session"]["uid"], "07".repeat(16));
}
