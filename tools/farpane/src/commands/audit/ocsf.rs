//! Records as events of the Open Cybersecurity Schema Framework (schema.ocsf.io), version 1.8.0.
//!
//! A session's begin and end are Authentication, what was allowed in it is Authorize Session,
//! files are File Hosting Activity, other features API Activity, and what the log tells of itself
//! Event Log Activity.

use super::rfc_3339;
use farpane::policy::audit::{Action, Entry, Feature, Outcome, Party, Record, Role, end_code};
use farpane::policy::{Capabilities, Capability, Mode, Rights, State};
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
        Action::SessionAuthorised { .. } | Action::SessionMoved { to: State::Authorised, .. } => {
            (AUTHENTICATION, (1, Some("Logon")))
        }
        Action::Ended { .. } => (AUTHENTICATION, (2, Some("Logoff"))),
        Action::SessionMoved { .. }
        | Action::SessionHeld
        | Action::SessionReleased
        | Action::Suspended
        | Action::Resumed
        | Action::IndicatorShown
        | Action::PromptOpened
        | Action::PromptClosed => (AUTHENTICATION, other),
        Action::ConsentGiven { .. }
        | Action::ConsentInAdvance { .. }
        | Action::ConsentUnattended { .. }
        | Action::ModeChanged { to: Some(_), .. }
        | Action::ElevationBegun => (AUTHORIZE, assign),
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
    let of_note = matches!(
        entry.action,
        Action::ElevationBegun | Action::ConsentUnattended { .. } | Action::Revoked { .. }
    );
    let (id, name) = match (entry.outcome, &entry.action) {
        (Outcome::Failure, _) | (_, Action::LogCut { .. }) => (3, "Medium"),
        (Outcome::Denied, _) => (2, "Low"),
        _ if of_note => (2, "Low"),
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
    if let Action::Ended { lasted_us, .. } = &entry.action {
        part["duration"] = json!(lasted_us / 1_000);
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
    if let (Value::Object(part), Value::Object(more)) = (&mut part, details(&entry.action)) {
        part.extend(more);
    }
    part
}

/// What belongs to an action besides its code.
fn details(action: &Action) -> Value {
    let of_rights = |rights: &Option<Rights>| match rights {
        None => json!({ "mode": "none", "capabilities": [] }),
        Some(rights) => json!({
            "mode": rights.mode().name(), "capabilities": names(rights.capabilities()),
        }),
    };
    match action {
        Action::SessionRequested { invitation, rights } => {
            json!({ "invitation": hex(invitation), "rights": of_rights(&Some(*rights)) })
        }
        Action::SessionMoved { from, to } => json!({ "from": from.name(), "to": to.name() }),
        Action::ComplianceSeen { posture } => json!({ "posture": posture.name() }),
        Action::ConsentAsked { request, rights } => {
            json!({ "request": request.0, "rights": of_rights(&Some(*rights)) })
        }
        Action::ConsentGiven { request, rights, span_us } => json!({
            "request": request.0, "rights": of_rights(&Some(*rights)), "span_us": span_us,
        }),
        Action::ConsentDenied { request }
        | Action::ConsentTimedOut { request }
        | Action::ConsentWithdrawn { request } => json!({ "request": request.0 }),
        Action::ConsentInAdvance { invitation } => json!({ "invitation": hex(invitation) }),
        Action::ConsentUnattended { grant } => json!({ "grant": hex(grant) }),
        Action::ModeChanged { from, to } => {
            json!({ "from": of_rights(from), "to": of_rights(to) })
        }
        Action::RightsAsked { rights } | Action::RightsRefused { rights } => {
            json!({ "rights": of_rights(&Some(*rights)) })
        }
        Action::SourceLimited { source, allowed } => {
            json!({ "source": source.name(), "allowed": names(*allowed) })
        }
        Action::FeatureUsed(Feature::Used { capability }) => {
            json!({ "capability": capability.name() })
        }
        Action::Ended { used, .. } => json!({ "used": names(*used) }),
        Action::FeatureUsed(Feature::ClipboardIn { bytes } | Feature::ClipboardOut { bytes })
        | Action::LogCut { bytes } => json!({ "bytes": bytes }),
        Action::LogDropped { first_kept } => json!({ "first_kept": first_kept }),
        _ => json!({}),
    }
}

fn names(set: Capabilities) -> Vec<&'static str> {
    set.iter().map(Capability::name).collect()
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
    const NONE: &str = "none";
    match action {
        Action::ConsentAsked { rights, .. }
        | Action::ConsentGiven { rights, .. }
        | Action::RightsAsked { rights }
        | Action::RightsRefused { rights }
        | Action::ModeChanged { to: Some(rights), .. } => {
            let extras = rights.capabilities().without(rights.mode().usual());
            [vec![rights.mode().name()], names(extras)].concat()
        }
        Action::SourceLimited { allowed, .. } if !allowed.is_empty() => names(*allowed),
        Action::ConsentInAdvance { .. } => vec![Mode::View.name()],
        Action::ConsentUnattended { .. } => vec![Mode::Unattended.name()],
        Action::ElevationBegun | Action::ElevationEnded => vec![Mode::Elevated.name()],
        Action::SettingsRefused { setting } => vec![setting.as_str()],
        _ => vec![NONE],
    }
}

fn reason(action: &Action) -> Option<&str> {
    match action {
        Action::Ended { reason, .. } | Action::SessionMoved { to: State::Ended(reason), .. } => {
            Some(end_code(*reason))
        }
        Action::SessionAuthorised { reason } | Action::Revoked { reason } => {
            Some(reason.as_str()).filter(|text| !text.is_empty())
        }
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
