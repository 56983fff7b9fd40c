//! JSON that has one meaning: no name twice, and not deep.

use super::error::JsonError;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;

/// Deepest nesting. Key sets need three levels, ID tokens two.
pub(super) const MAX_DEPTH: usize = 8;

/// Reads one object.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let reason = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0, reason: &reason }.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(JsonError::NotObject),
        Err(_) => Err(reason.take().unwrap_or(JsonError::Syntax)),
    }
}

/// Builds a value and stops at the first thing that is refused.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    reason: &'a RefCell<Option<JsonError>>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep { most: MAX_DEPTH }));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: Error>(self, reason: JsonError) -> E {
        *self.reason.borrow_mut() = Some(reason);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(self.refuse(JsonError::Duplicate { name }));
            }
            let value = access.next_value_seed(inner)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_as_others_read_them() {
        let text = br#" {"a":[1,-2,3.5,null,true,"x"],"b":{"c":{}},"\u0064":"\ud83d\ude00"} "#;
        let expected: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(Value::Object(object(text).unwrap()), expected);
    }

    #[test]
    fn names_that_are_there_twice_are_found_at_every_level_and_in_any_spelling() {
        let texts = [r#"{"a":1,"a":1}"#, r#"{"b":{"a":1,"a":2}}"#, r#"{"b":[{"a":1,"\u0061":2}]}"#];
        for text in texts {
            let duplicate = JsonError::Duplicate { name: "a".into() };
            assert_eq!(object(text.as_bytes()), Err(duplicate), "{text}");
        }
    }

    #[test]
    fn what_is_deep_or_broken_or_no_object_is_named() {
        let deep =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(object(deep(7).as_bytes()).is_ok());
        let error = JsonError::TooDeep { most: 8 };
        for levels in [8, 100, 5000, 100_000] {
            assert_eq!(object(deep(levels).as_bytes()), Err(error.clone()), "{levels}");
        }
        for text in ["[]", "1", "\"a\"", "null"] {
            assert_eq!(object(text.as_bytes()), Err(JsonError::NotObject), "{text}");
        }
        for text in ["", "{", "{}}", "{} x", "{'a':1}", "{\"a\":}", "{\"a\":01}", "\u{feff}{}"] {
            assert_eq!(object(text.as_bytes()), Err(JsonError::Syntax), "{text}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), Err(JsonError::Syntax));
    }
}
