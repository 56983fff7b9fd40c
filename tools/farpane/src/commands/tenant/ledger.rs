//! What was issued, one JSON object a line. It is for people and for the length of revocation
//! lists; nothing is accepted or refused because of it.

use super::files;
use anyhow::{Context, Result};
use farpane_policy::identity::CredentialId;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What kind of credential it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Device,
    Grant,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Grant => "grant",
        }
    }
}

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// The device's id or the person's.
    pub(crate) subject: String,
    /// In seconds since 1970.
    pub(crate) issued_s: u64,
    /// In seconds since 1970.
    pub(crate) expires_s: u64,
}

/// All credentials, in the order in which they were issued.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    pub(crate) entries: Vec<Entry>,
}

impl Ledger {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let unread = || format!("cannot read {}", path.display());
        let text = std::fs::read_to_string(path).with_context(unread)?;
        let lines = (1..).zip(text.lines()).map(|(line, text)| {
            serde_json::from_str(text).with_context(|| format!("{}, line {line}", path.display()))
        });
        Ok(Self { path: path.to_owned(), entries: lines.collect::<Result<_>>()? })
    }

    pub(crate) fn find(&self, id: CredentialId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id.to_string())
    }

    pub(crate) fn add(&mut self, entry: Entry) -> Result<()> {
        self.entries.push(entry);
        let mut text = String::new();
        for entry in &self.entries {
            text += &serde_json::to_string(entry)?;
            text.push('\n');
        }
        files::replace(&self.path, text.as_bytes(), files::SECRET)
    }
}
