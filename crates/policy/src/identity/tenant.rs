//! Tenants: one company, with the keys of its authority. All who meet in a session are of one.

use super::key::{KeyError, PublicKey};
use super::{hex, hex_decode};
use crate::consent::check_shown;
use crate::{IdError, PeerError, TenantId};

/// Most keys that an authority may have at once: the present one, and some to change over.
pub const MAX_AUTHORITY_KEYS: usize = 4;

/// Why a tenant cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantError {
    /// Not an id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A name that must not be shown.
    #[error("the tenant's name cannot be shown: {0}")]
    Name(#[from] PeerError),
    /// No key, too many, or one twice.
    #[error("a tenant has 1 to {MAX_AUTHORITY_KEYS} different authority keys, not {count}")]
    Keys {
        /// How many there are.
        count: usize,
    },
    /// A key that cannot be used.
    #[error("an authority's key is wrong: {0}")]
    Key(#[from] KeyError),
    /// Not the text of a tenant.
    #[error("not a tenant file: {reason}")]
    Form {
        /// What is wrong.
        reason: String,
    },
}

/// A tenant as its devices know it: public, but whoever changes it decides who is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    id: TenantId,
    name: String,
    keys: Vec<PublicKey>,
}

impl Tenant {
    /// A tenant whose credentials are signed by any of `keys`.
    ///
    /// # Errors
    /// The name must not be shown, or the number of keys is wrong.
    pub fn new(id: TenantId, name: &str, keys: &[PublicKey]) -> Result<Self, TenantError> {
        check_shown(name)?;
        let count = keys.len();
        let twice = (1..count).any(|at| keys[..at].contains(&keys[at]));
        if count == 0 || count > MAX_AUTHORITY_KEYS || twice {
            return Err(TenantError::Keys { count });
        }
        Ok(Self { id, name: name.to_owned(), keys: keys.to_vec() })
    }

    /// Its id.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// Its name, fit to be shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its authority's keys, the newest first.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    pub(crate) fn key(&self, id: &[u8]) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    /// As JSON, for devices to be given.
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|key| hex(key.as_bytes())).collect();
        let tenant =
            serde_json::json!({ "tenant": self.id.as_str(), "name": self.name, "keys": keys });
        format!("{tenant:#}\n")
    }

    /// Reads what [`Tenant::to_json`] writes.
    ///
    /// # Errors
    /// It is something else, or no such tenant can be.
    pub fn from_json(text: &str) -> Result<Self, TenantError> {
        let wrong = |reason: &str| TenantError::Form { reason: reason.to_owned() };
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        let field = |name: &str| {
            let text = value.get(name).and_then(serde_json::Value::as_str);
            text.ok_or_else(|| wrong(&format!("`{name}` is missing")))
        };
        let keys = value.get("keys").and_then(serde_json::Value::as_array);
        let keys = keys.ok_or_else(|| wrong("`keys` is missing"))?.iter().map(|key| {
            let bytes = key.as_str().and_then(hex_decode);
            let bytes = bytes.ok_or_else(|| wrong("a key is 64 hexadecimal digits"))?;
            Ok(PublicKey::from_bytes(bytes)?)
        });
        let keys = keys.collect::<Result<Vec<_>, TenantError>>()?;
        Self::new(TenantId::new(field("tenant")?)?, field("name")?, &keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KeyPair;

    fn keys(count: u8) -> Vec<PublicKey> {
        (1..=count).map(|n| KeyPair::from_seed(&[n; 32]).unwrap().public_key()).collect()
    }

    #[test]
    fn tenants_come_back_from_their_text() {
        let keys = keys(4);
        let tenant = Tenant::new(TenantId::of_key(&keys[0]), "Contoso Ltd", &keys).unwrap();
        assert_eq!((tenant.name(), tenant.keys()), ("Contoso Ltd", &keys[..]));
        assert_eq!(Tenant::from_json(&tenant.to_json()), Ok(tenant));
        let longest = "a".repeat(64);
        assert_eq!(TenantId::new(&longest).unwrap().as_str(), longest);
    }

    #[test]
    fn wrong_tenants_are_refused_with_the_reason() {
        let id = TenantId::new("a").unwrap();
        let make = |name: &str, keys: &[PublicKey]| Tenant::new(id.clone(), name, keys);
        assert_eq!(make("x", &[]), Err(TenantError::Keys { count: 0 }));
        assert_eq!(make("x", &keys(5)), Err(TenantError::Keys { count: 5 }));
        let key = keys(1)[0];
        assert_eq!(make("x", &[key, key]), Err(TenantError::Keys { count: 2 }));
        let deceptive = PeerError::Deceptive { code: 0x202e };
        assert_eq!(make("a\u{202e}b", &[key]), Err(TenantError::Name(deceptive)));
        for text in ["", "[]", "{}", r#"{"tenant":"a","name":"x","keys":["00"]}"#] {
            assert!(matches!(Tenant::from_json(text), Err(TenantError::Form { .. })), "{text}");
        }
        let capital = r#"{"tenant":"A","name":"x","keys":[]}"#;
        assert_eq!(Tenant::from_json(capital), Err(TenantError::Id(IdError::Tenant)));
        let zero = format!(r#"{{"tenant":"a","name":"x","keys":["{}"]}}"#, "0".repeat(64));
        assert_eq!(Tenant::from_json(&zero), Err(TenantError::Key(KeyError::SmallOrder)));
    }
}
