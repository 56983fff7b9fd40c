//! Claims by label: read once each, and none may be left over.

use coset::cbor::Value;

use super::error::CredentialError;
use crate::IdError;
use crate::consent::check_shown;

/// Longest text of a claim in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 128;

/// The claims of a credential, taken out one by one.
pub(crate) struct Claims(Vec<(Value, Value)>);

impl Claims {
    /// Reads a map; `claim` is its name where it lies within another.
    pub(crate) fn read(value: Value, claim: &'static str) -> Result<Self, CredentialError> {
        match value {
            Value::Map(map) => Ok(Self(map)),
            _ => Err(CredentialError::Type { claim, expected: "a map" }),
        }
    }

    /// Takes a claim, if it is there.
    pub(crate) fn take_if(&mut self, label: i64) -> Option<Value> {
        let at = self.0.iter().position(|(key, _)| *key == Value::from(label))?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn take(
        &mut self,
        label: i64,
        claim: &'static str,
    ) -> Result<Value, CredentialError> {
        self.take_if(label).ok_or(CredentialError::Missing { claim })
    }

    pub(crate) fn number(
        &mut self,
        label: i64,
        claim: &'static str,
    ) -> Result<u64, CredentialError> {
        let wrong = CredentialError::Type { claim, expected: "a whole number from 0 on" };
        let Value::Integer(number) = self.take(label, claim)? else { return Err(wrong) };
        u64::try_from(number).map_err(|_| wrong)
    }

    pub(crate) fn flag(
        &mut self,
        label: i64,
        claim: &'static str,
    ) -> Result<bool, CredentialError> {
        match self.take(label, claim)? {
            Value::Bool(flag) => Ok(flag),
            _ => Err(CredentialError::Type { claim, expected: "true or false" }),
        }
    }

    pub(crate) fn bytes<const N: usize>(
        &mut self,
        label: i64,
        claim: &'static str,
        expected: &'static str,
    ) -> Result<[u8; N], CredentialError> {
        fixed(self.take(label, claim)?, claim, expected)
    }

    pub(crate) fn text(
        &mut self,
        label: i64,
        claim: &'static str,
        rule: Text,
    ) -> Result<String, CredentialError> {
        text(self.take(label, claim)?, claim, rule)
    }

    /// A directory's name, of at most 128 characters.
    pub(crate) fn id<T>(
        &mut self,
        label: i64,
        claim: &'static str,
        new: fn(&str) -> Result<T, IdError>,
    ) -> Result<T, CredentialError> {
        identifier(&self.text(label, claim, Text::Identifier)?, claim, new)
    }

    pub(crate) fn text_if(
        &mut self,
        label: i64,
        claim: &'static str,
        rule: Text,
    ) -> Result<Option<String>, CredentialError> {
        self.take_if(label).map(|value| text(value, claim, rule)).transpose()
    }

    pub(crate) fn list(
        &mut self,
        label: i64,
        claim: &'static str,
    ) -> Result<Vec<Value>, CredentialError> {
        match self.take(label, claim)? {
            Value::Array(list) => Ok(list),
            _ => Err(CredentialError::Type { claim, expected: "a list" }),
        }
    }

    /// A set of texts, in ascending order.
    pub(crate) fn texts(
        &mut self,
        label: i64,
        claim: &'static str,
        rule: Text,
    ) -> Result<Vec<String>, CredentialError> {
        self.list(label, claim)?.into_iter().map(|value| text(value, claim, rule)).collect()
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<(), CredentialError> {
        match self.0.first() {
            None => Ok(()),
            Some((Value::Integer(label), _)) => {
                let label = i128::from(*label).to_string();
                Err(CredentialError::UnknownClaim { label })
            }
            Some((label, _)) => Err(CredentialError::UnknownClaim { label: format!("{label:?}") }),
        }
    }
}

/// What a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Visible ASCII, for programs.
    Identifier,
    /// What people are shown.
    Shown,
}

impl Text {
    pub(crate) fn check(self, text: &str, claim: &'static str) -> Result<(), CredentialError> {
        match self {
            Self::Shown => {
                check_shown(text).map_err(|source| CredentialError::Shown { claim, source })
            }
            Self::Identifier => {
                length(claim, text.chars().count(), 1, MAX_TEXT_CHARS)?;
                match text.chars().find(|c| !c.is_ascii_graphic()) {
                    Some(bad) => Err(CredentialError::Identifier { claim, code: bad.into() }),
                    None => Ok(()),
                }
            }
        }
    }
}

pub(crate) fn text(
    value: Value,
    claim: &'static str,
    rule: Text,
) -> Result<String, CredentialError> {
    let Value::Text(text) = value else {
        return Err(CredentialError::Type { claim, expected: "text" });
    };
    rule.check(&text, claim)?;
    Ok(text)
}

/// A directory's name, by its own constructor `new`.
pub(crate) fn identifier<T>(
    text: &str,
    claim: &'static str,
    new: fn(&str) -> Result<T, IdError>,
) -> Result<T, CredentialError> {
    Text::Identifier.check(text, claim)?;
    new(text).map_err(|_| CredentialError::Type { claim, expected: "an identifier" })
}

pub(crate) fn fixed<const N: usize>(
    value: Value,
    claim: &'static str,
    expected: &'static str,
) -> Result<[u8; N], CredentialError> {
    let wrong = CredentialError::Type { claim, expected };
    let Value::Bytes(bytes) = value else { return Err(wrong) };
    bytes.try_into().map_err(|_| wrong)
}

pub(crate) fn length(
    claim: &'static str,
    count: usize,
    least: usize,
    most: usize,
) -> Result<(), CredentialError> {
    if (least..=most).contains(&count) {
        Ok(())
    } else {
        Err(CredentialError::Length { claim, count, least, most })
    }
}

/// Checks that `set` has so many elements, in ascending order and each once.
pub(crate) fn set<T: Ord>(
    claim: &'static str,
    set: &[T],
    least: usize,
    most: usize,
) -> Result<(), CredentialError> {
    length(claim, set.len(), least, most)?;
    if set.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(CredentialError::Unordered { claim }) }
}

/// Claims to be signed, in the order of their encoded labels.
#[derive(Default)]
pub(crate) struct ClaimsWriter(Vec<(i64, Value)>);

impl ClaimsWriter {
    #[must_use]
    pub(crate) fn with(mut self, label: i64, value: impl Into<Value>) -> Self {
        self.0.push((label, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn with_if(self, label: i64, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(label, value),
            None => self,
        }
    }

    #[must_use]
    pub(crate) fn with_texts<'a>(
        self,
        label: i64,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.with(label, Value::Array(texts.into_iter().map(Value::from).collect()))
    }

    /// The map. Of integer labels the encoded order is 0, 1, 2, ... -1, -2, ...
    pub(crate) fn finish(mut self) -> Value {
        self.0.sort_by_key(|(label, _)| (*label < 0, label.unsigned_abs()));
        Value::Map(self.0.into_iter().map(|(label, value)| (label.into(), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_written_in_the_order_of_their_encoded_labels() {
        let labels = [-65_537, 2, -1, 24, 0, -2, 1];
        let writer =
            labels.iter().fold(ClaimsWriter::default(), |writer, label| writer.with(*label, true));
        let Value::Map(map) = writer.finish() else { panic!("a map") };
        let written: Vec<Value> = map.into_iter().map(|(label, _)| label).collect();
        assert_eq!(written, [0, 1, 2, 24, -1, -2, -65_537].map(Value::from));
    }
}
