use super::*;
use farpane::policy::audit::{LogId, Text};

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
    let reason = || text("sharer-ended");
    let (mode, name) = (Mode::View, || text("notes.txt"));
    let bytes = 3;
    vec![
        (Action::SessionRequested { mode }, 3002, 6),
        (Action::SessionAuthorised { reason: reason() }, 3002, 1),
        (Action::ComplianceShown { reason: reason() }, 3003, 99),
        (Action::ComplianceAcknowledged, 3003, 99),
        (Action::ConsentAsked { mode }, 3003, 99),
        (Action::ConsentGiven { mode, in_advance: true }, 3003, 1),
        (Action::ConsentDenied { mode }, 3003, 99),
        (Action::ConsentTimedOut { mode }, 3003, 99),
        (Action::ModeChanged { from: mode, to: Mode::Control }, 3003, 1),
        (Action::ElevationBegun, 3003, 1),
        (Action::ElevationEnded { reason: reason() }, 3003, 99),
        (Action::FeatureUsed(Feature::Chat), 6003, 99),
        (Action::FeatureUsed(Feature::Audio), 6003, 99),
        (Action::FeatureUsed(Feature::ClipboardIn { bytes }), 6003, 99),
        (Action::FeatureUsed(Feature::ClipboardOut { bytes }), 6003, 99),
        (Action::FeatureUsed(Feature::FileIn { name: name(), bytes }), 6006, 1),
        (Action::FeatureUsed(Feature::FileOut { name: name(), bytes }), 6006, 2),
        (Action::Suspended { reason: reason() }, 3002, 99),
        (Action::Resumed, 3002, 99),
        (Action::Revoked { reason: reason() }, 3003, 99),
        (Action::Ended { reason: reason() }, 3002, 2),
        (Action::SettingsRefused { setting: text("chat-blocked") }, 3003, 99),
        (Action::LogOpened, 1008, 6),
        (Action::LogCut { bytes }, 1008, 99),
        (Action::LogDropped { first_kept: 2 }, 1008, 2),
    ]
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
    let mut record = record(Action::ModeChanged { from: Mode::View, to: Mode::Control });
    record.entry.outcome = Outcome::Denied;
    let event = event(&record);
    assert_eq!(event["message"], "Ada, Grace: mode.changed, denied");
    assert_eq!(event["user"]["name"], "Ada");
    assert_eq!(event["user"]["org"]["uid"], "contoso");
    assert_eq!(event["dst_endpoint"]["name"], "PC-17");
    assert_eq!(event["unmapped"]["target"]["name"], "Grace");
    assert_eq!(
        (&event["unmapped"]["from"], &event["unmapped"]["to"]),
        (&json!("view"), &json!("control"))
    );
    assert_eq!((event["status_id"].as_u64(), event["severity_id"].as_u64()), (Some(2), Some(2)));
    assert_eq!(event["session"]["uid"], "07".repeat(16));
}
