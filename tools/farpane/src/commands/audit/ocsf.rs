//! Records as events of the Open Cybersecurity Schema Framework (schema.ocsf.io), version 1.8.0.
//!
//! A session's begin and end are Authentication, what was allowed in it is Authorize Session,
//! files are File Hosting Activity, other features API Activity, and what the log tells of itself
//! Event Log Activity.

use super::rfc_3339;
use farpane::policy::audit::{Action, Entry, Feature, Mode, Outcome, Party, Record, Role};
use serde_json::{Value, json};

const VERSION: &str = "1.8.0";
/// OCSF's `Other`: the activity's name then says what it is.
const OTHER: u64 = 99;

/// A class of events, and its category.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Class {
    category: (u64, &'static str),
    class: (u64, &'static str),
}

const AUTHENTICATION: Class = Class { category: IAM, class: (3002, "Authentication") };
const AUTHORIZE: Class = Class { category: IAM, class: (3003, "Authorize Session") };
const API: Class = Class { category: APPLICATION, class: (6003, "API Activity") };
const FILE: Class = Class { category: APPLICATION, class: (6006, "File Hosting Activity") };
const LOG: Class = Class { category: (1, "System Activity"), class: (1008, "Event Log Activity") };
const IAM: (u64, &str) = (3, "Identity & Access Management");
const APPLICATION: (u64, &str) = (6, "Application Activity");

/// The event of a record.
pub(super) fn event(record: &Record) -> Value {
    let entry = &record.entry;
    let code = entry.action.code();
    let (class, activity) = class(&entry.action);
    let activity_name = activity.1.unwrap_or(code);
    let mut event = json!({
        "category_uid": class.category.0, "category_name": class.category.1,
        "class_uid": class.class.0, "class_name": class.class.1,
        "activity_id": activity.0, "activity_name": activity_name,
        "type_uid": class.class.0 * 100 + activity.0,
        "type_name": format!("{}: {activity_name}", class.class.1),
        "time": entry.time_us / 1_000,
        "message": message(entry),
        "metadata": metadata(record),
        "actor": { "user": user(&entry.actor) },
        "src_endpoint": endpoint(&entry.actor),
    });
    let more = [severity(entry), status(entry), of_class(class, record), parties(entry)];
    if let Some(event) = event.as_object_mut() {
        for part in more {
            if let Value::Object(part) = part {
                event.extend(part);
            }
        }
    }
    event
}

/// The class, and the activity's number with its name in the schema.
fn class(action: &Action) -> (Class, (u64, Option<&'static str>)) {
    let other = (OTHER, None);
    let assign = (1, Some("Assign Privileges"));
    match action {
        Action::SessionRequested { .. } => (AUTHENTICATION, (6, Some("Preauth"))),
        Action::SessionAuthorised { .. } => (AUTHENTICATION, (1, Some("Logon"))),
        Action::Ended { .. } => (AUTHENTICATION, (2, Some("Logoff"))),
        Action::Suspended { .. } | Action::Resumed => (AUTHENTICATION, other),
        Action::ConsentGiven { .. } | Action::ModeChanged { .. } | Action::ElevationBegun => {
            (AUTHORIZE, assign)
        }
        Action::FeatureUsed(Feature::FileIn { .. }) => (FILE, (1, Some("Upload"))),
        Action::FeatureUsed(Feature::FileOut { .. }) => (FILE, (2, Some("Download"))),
        Action::FeatureUsed(_) => (API, other),
        Action::LogOpened => (LOG, (6, Some("Start"))),
        Action::LogDropped { .. } => (LOG, (2, Some("Delete"))),
        Action::LogCut { .. } => (LOG, other),
        _ => (AUTHORIZE, other),
    }
}

fn metadata(record: &Record) -> Value {
    let entry = &record.entry;
    let mut metadata = json!({
        "version": VERSION,
        "product": {
            "name": "Farpane", "vendor_name": "Farpane", "version": env!("CARGO_PKG_VERSION"),
        },
        "log_name": "farpane audit", "log_provider": record.log.to_string(),
        "uid": format!("{}-{}", record.log, record.sequence),
        "sequence": record.sequence,
        "event_code": entry.action.code(),
        "original_time": rfc_3339(entry.time_us),
    });
    if entry.device.is_some() {
        // The profile that `device` is of, in classes that do not have it themselves.
        metadata["profiles"] = json!(["host"]);
    }
    if !entry.actor.tenant.as_str().is_empty() {
        metadata["tenant_uid"] = json!(entry.actor.tenant.as_str());
    }
    metadata
}

fn severity(entry: &Entry) -> Value {
    let (id, name) = match (entry.outcome, &entry.action) {
        (Outcome::Failure, _) | (_, Action::LogCut { .. }) => (3, "Medium"),
        (Outcome::Denied, _) | (_, Action::ElevationBegun | Action::Revoked { .. }) => (2, "Low"),
        _ => (1, "Informational"),
    };
    json!({ "severity_id": id, "severity": name })
}

fn status(entry: &Entry) -> Value {
    let (id, name) = match entry.outcome {
        Outcome::Success => (1, "Success"),
        _ => (2, "Failure"),
    };
    let detail = reason(&entry.action).unwrap_or(entry.outcome.code());
    json!({
        "status_id": id, "status": name,
        "status_code": entry.outcome.code(), "status_detail": detail,
    })
}

/// What a class requires besides.
fn of_class(class: Class, record: &Record) -> Value {
    let entry = &record.entry;
    let mut part = match (class, &entry.action) {
        (
            FILE,
            Action::FeatureUsed(Feature::FileIn { name, bytes } | Feature::FileOut { name, bytes }),
        ) => {
            // 1: a regular file.
            json!({ "file": { "name": name.as_str(), "size": bytes, "type_id": 1 } })
        }
        (API, _) => json!({ "api": { "operation": entry.action.code() } }),
        (LOG, _) => json!({ "log_name": "farpane audit" }),
        (AUTHORIZE, action) => json!({ "privileges": privileges(action) }),
        // 10: remote interactive.
        (_, _) => {
            json!({ "is_remote": true, "logon_type_id": 10, "service": { "name": "farpane" } })
        }
    };
    if class == AUTHENTICATION || class == AUTHORIZE {
        part["user"] = user(helper(entry));
        if let Some(id) = entry.session {
            part["session"] = json!({ "uid": hex(&id), "is_remote": true });
        }
    }
    if class == LOG && entry.device.is_none() {
        // 0: unknown. The log is all that is known of it.
        part["device"] = json!({ "type_id": 0, "uid": record.log.to_string() });
    }
    part["unmapped"] = unmapped(record);
    part
}

fn parties(entry: &Entry) -> Value {
    let mut part = json!({});
    if let Some(device) = &entry.device {
        let mut about = endpoint(device);
        about["type_id"] = json!(0);
        part["device"] = about;
    }
    if let Some(to) = entry.device.as_ref().or(entry.target.as_ref()) {
        part["dst_endpoint"] = endpoint(to);
    }
    part
}

/// What the schema has no place for.
fn unmapped(record: &Record) -> Value {
    let entry = &record.entry;
    let mut part = json!({ "hash": hex(&record.hash), "role": entry.actor.role.code() });
    if let Some(target) = &entry.target {
        part["target"] = user(target);
        part["target_role"] = json!(target.role.code());
    }
    if let Some(id) = entry.session {
        part["session"] = json!(hex(&id));
    }
    match &entry.action {
        Action::ModeChanged { from, to } => {
            part["from"] = json!(from.code());
            part["to"] = json!(to.code());
        }
        Action::ConsentGiven { in_advance, .. } => part["in_advance"] = json!(in_advance),
        Action::FeatureUsed(Feature::ClipboardIn { bytes } | Feature::ClipboardOut { bytes })
        | Action::LogCut { bytes } => part["bytes"] = json!(bytes),
        Action::LogDropped { first_kept } => part["first_kept"] = json!(first_kept),
        _ => {}
    }
    part
}

/// Whose session it is.
fn helper(entry: &Entry) -> &Party {
    let is_helper = |party: &&Party| party.role == Role::Helper;
    let target = entry.target.as_ref();
    Some(&entry.actor).filter(is_helper).or(target.filter(is_helper)).unwrap_or(&entry.actor)
}

fn user(party: &Party) -> Value {
    let (type_id, kind) = match party.role {
        Role::Helper | Role::Sharer => (1, "User"),
        Role::System => (3, "System"),
        _ => (OTHER, party.role.code()),
    };
    let mut user = json!({ "type_id": type_id, "type": kind, "name": name(party) });
    if !party.subject.as_str().is_empty() {
        user["uid"] = json!(party.subject.as_str());
    }
    if !party.tenant.as_str().is_empty() {
        user["org"] = json!({ "uid": party.tenant.as_str() });
    }
    user
}

fn endpoint(party: &Party) -> Value {
    let mut endpoint = json!({ "name": name(party) });
    if !party.subject.as_str().is_empty() {
        endpoint["uid"] = json!(party.subject.as_str());
    }
    endpoint
}

/// The schema wants one.
fn name(party: &Party) -> &str {
    let known = [party.name.as_str(), party.subject.as_str()];
    known.into_iter().find(|text| !text.is_empty()).unwrap_or(party.role.code())
}

fn privileges(action: &Action) -> Vec<&str> {
    match action {
        Action::ConsentAsked { mode }
        | Action::ConsentGiven { mode, .. }
        | Action::ConsentDenied { mode }
        | Action::ConsentTimedOut { mode }
        | Action::ModeChanged { to: mode, .. } => vec![mode.code()],
        Action::ElevationBegun | Action::ElevationEnded { .. } => vec![Mode::Elevated.code()],
        Action::SettingsRefused { setting } => vec![setting.as_str()],
        _ => vec![Mode::None.code()],
    }
}

fn reason(action: &Action) -> Option<&str> {
    match action {
        Action::SessionAuthorised { reason }
        | Action::ComplianceShown { reason }
        | Action::ElevationEnded { reason }
        | Action::Suspended { reason }
        | Action::Revoked { reason }
        | Action::Ended { reason } => Some(reason.as_str()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn message(entry: &Entry) -> String {
    let (who, code, outcome) = (name(&entry.actor), entry.action.code(), entry.outcome.code());
    match &entry.target {
        Some(target) => format!("{who}, {}: {code}, {outcome}", name(target)),
        None => format!("{who}: {code}, {outcome}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
