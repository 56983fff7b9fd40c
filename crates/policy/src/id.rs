//! The names by which directories know tenants, people, devices and groups.

use std::fmt;
use std::sync::Arc;

use crate::identity::{PublicKey, hex};

/// Longest name in bytes: what OpenID Connect Core 1.0, section 2, allows for `sub`.
pub const MAX_ID_BYTES: usize = 255;
/// Longest name of a tenant in bytes. A GUID has 36.
pub const MAX_TENANT_ID_BYTES: usize = 64;

/// Why a text names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// There is nothing.
    #[error("the identifier is empty; the claim that should hold it is missing")]
    Empty,
    /// No directory gives such names.
    #[error("{bytes} bytes are too long for an identifier (at most {MAX_ID_BYTES})")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// Identifiers are compared byte by byte, so only what has one spelling is allowed.
    #[error("character U+{code:04X} is not allowed in an identifier; use visible ASCII")]
    Character {
        /// The character.
        code: u32,
    },
    /// No tenant is called so.
    #[error("a tenant's id is 1 to {MAX_TENANT_ID_BYTES} lower-case letters, digits and `-`")]
    Tenant,
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident by $check:ident: $form:literal)+) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Takes the directory's own text, compared byte by byte: ", $form, ".")]
            ///
            /// # Errors
            /// It is something else.
            pub fn new(text: &str) -> Result<Self, IdError> {
                $check(text).map(|()| Self(text.into()))
            }

            /// The directory's own text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+ };
}

id! {
    /// A company. A local authority's is 32 hexadecimal digits made of its first key; Entra ID's
    /// is a GUID.
    TenantId by check_tenant: "1 to 64 lower-case letters, digits and `-`"
    /// A person of a tenant.
    SubjectId by check: "1 to 255 visible ASCII characters"
    /// A device.
    DeviceId by check: "1 to 255 visible ASCII characters"
    /// A group of people or devices.
    GroupId by check: "1 to 255 visible ASCII characters"
}

impl TenantId {
    /// The id of the tenant whose authority begins with `key`.
    pub fn of_key(key: &PublicKey) -> Self {
        Self(hex(&key.id()).into())
    }
}

fn check_tenant(text: &str) -> Result<(), IdError> {
    let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    match plain && !text.is_empty() && text.len() <= MAX_TENANT_ID_BYTES {
        true => Ok(()),
        false => Err(IdError::Tenant),
    }
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong { bytes: text.len() });
    }
    match text.chars().find(|c| !c.is_ascii_graphic()) {
        Some(bad) => Err(IdError::Character { code: bad.into() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_spelling() {
        let id = TenantId::new("8f1e-contoso").unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), ("8f1e-contoso", "8f1e-contoso"));
        assert_eq!(format!("{id:?}"), r#""8f1e-contoso""#);
        assert!(DeviceId::new(&"x".repeat(MAX_ID_BYTES)).is_ok());
        assert_eq!(GroupId::new(""), Err(IdError::Empty));
        assert_eq!(SubjectId::new(&"x".repeat(256)), Err(IdError::TooLong { bytes: 256 }));
        for bad in ["a b", "a\n", "é", "a\u{202e}"] {
            assert!(matches!(DeviceId::new(bad), Err(IdError::Character { .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_tenant_is_named_by_small_letters_digits_and_hyphens() {
        for bad in ["", "A", "a b", "ä", &"a".repeat(65), "a\n", "a/b", "a_b"] {
            assert_eq!(TenantId::new(bad), Err(IdError::Tenant), "{bad:?}");
        }
        assert!(TenantId::new(&"a".repeat(64)).is_ok());
    }
}
