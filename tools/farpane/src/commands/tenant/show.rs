//! What `farpane tenant show` says.

use super::folder::Folder;
use super::ledger::Entry;
use crate::table::Table;
use anyhow::Result;
use farpane_policy::identity::{CredentialId, RevocationClaims};
use serde_json::json;
use std::fmt::Write;

/// The tenant, as a text for people or as JSON.
pub(crate) fn told(folder: &Folder, as_json: bool, now_s: u64) -> Result<String> {
    let list = folder.revocations()?;
    let state = |entry: &Entry| state(entry, &list, now_s);
    let tenant = folder.tenant();
    if as_json {
        let issued = folder.ledger().entries.iter().map(|entry| {
            json!({
                "id": entry.id, "kind": entry.kind.name(), "subject": entry.subject,
                "issued_s": entry.issued_s, "expires_s": entry.expires_s, "state": state(entry),
            })
        });
        let keys: Vec<_> = tenant.keys().iter().map(ToString::to_string).collect();
        let told = json!({
            "tenant": tenant.id().as_str(), "name": tenant.name(), "keys": keys,
            "revocations": {
                "number": list.number, "expires_s": list.validity.expires_s,
                "fresh": now_s < list.validity.expires_s,
                "revoked": list.revoked.iter().map(ToString::to_string).collect::<Vec<_>>(),
            },
            "issued": issued.collect::<Vec<_>>(),
        });
        return Ok(format!("{told:#}\n"));
    }
    let mut text = format!("tenant       {} ({})\n", tenant.id(), tenant.name());
    for key in tenant.keys() {
        writeln!(text, "key          {key}")?;
    }
    let left = match list.validity.expires_s.checked_sub(now_s) {
        Some(left) if left > 0 => format!("counts for {}", span(left)),
        _ => "has ENDED: `farpane tenant renew` signs it anew".to_owned(),
    };
    let count = list.revoked.len();
    writeln!(text, "revocations  list {}, {count} revoked, {left}", list.number)?;
    if !folder.ledger().entries.is_empty() {
        let mut table = Table::new(["id", "kind", "subject", "state", "ends in"]).left(1).left(2);
        for entry in &folder.ledger().entries {
            let left = entry.expires_s.saturating_sub(now_s);
            table.row([&entry.id, entry.kind.name(), &entry.subject, state(entry), &span(left)]);
        }
        write!(text, "\n{table}")?;
    }
    Ok(text)
}

fn state(entry: &Entry, list: &RevocationClaims, now_s: u64) -> &'static str {
    let id = CredentialId::parse(&entry.id);
    if id.is_some_and(|id| list.revoked.contains(&id)) {
        "revoked"
    } else if now_s >= entry.expires_s {
        "ended"
    } else {
        "valid"
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0 => "-".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
