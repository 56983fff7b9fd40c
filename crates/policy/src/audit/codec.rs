//! The bytes of fields. One value has one form: numbers are big-endian and of fixed length, texts
//! carry their length in two bytes, what may be absent begins with 0 or 1.

use super::record::RecordError;
use super::text::Text;

#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn number(&mut self, number: u64) {
        self.bytes(&number.to_be_bytes());
    }

    /// A code or a [`Text`]: never longer than two bytes can say.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.bytes(text.as_bytes());
    }

    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        self.bytes(N)?.try_into().map_err(|_| RecordError::Short)
    }

    pub(super) fn byte(&mut self) -> Result<u8, RecordError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn number(&mut self) -> Result<u64, RecordError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn str(&mut self) -> Result<&'a str, RecordError> {
        let length = u16::from_be_bytes(self.array()?);
        str::from_utf8(self.bytes(length.into())?).map_err(|_| RecordError::NotUtf8)
    }

    pub(super) fn text(&mut self) -> Result<Text, RecordError> {
        Ok(Text::new(self.str()?)?)
    }

    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Option<T>, RecordError> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            flag => Err(RecordError::Flag { flag }),
        }
    }

    pub(super) fn end(&self) -> Result<(), RecordError> {
        if self.0.is_empty() { Ok(()) } else { Err(RecordError::Surplus { bytes: self.0.len() }) }
    }
}

/// What a field of an entry can be.
pub(super) trait Field: Sized {
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError>;
}

/// Defines an enum without fields, and the codes of its values.
macro_rules! coded {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $code:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $value,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The code that stands in logs and exports.
            pub fn code(self) -> &'static str {
                match self { $(Self::$value => $code,)+ }
            }
        }

        impl $crate::audit::codec::Field for $name {
            fn write(&self, writer: &mut $crate::audit::codec::Writer) {
                writer.text(self.code());
            }

            fn read(
                reader: &mut $crate::audit::codec::Reader<'_>,
            ) -> Result<Self, $crate::audit::RecordError> {
                match reader.str()? {
                    $($code => Ok(Self::$value),)+
                    code => Err($crate::audit::RecordError::unknown(code)),
                }
            }
        }
    };
}
pub(super) use coded;

/// Defines an enum of what is told, the code of each value, and the bytes of its fields in their
/// order. With `else`, one value more stands for the codes of another such enum.
macro_rules! told {
    (@other $code:ident $reader:ident) => {
        return Err($crate::audit::RecordError::unknown($code))
    };
    (@other $code:ident $reader:ident $rest:ident $rest_type:ident) => {
        Self::$rest($rest_type::read($code, $reader)?)
    };
    (
        $(#[$about:meta])*
        $name:ident $(else $(#[$rest_doc:meta])* $rest:ident($rest_type:ident))? {
            $($(#[$doc:meta])* $value:ident = $code:literal
                $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })?,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* #[doc = concat!("`", $code, "`")]
                $value $({ $($(#[$field_doc])* $field: $type,)+ })?,)+
            $($(#[$rest_doc])* $rest($rest_type),)?
        }

        impl $name {
            /// Every code of its own.
            pub const CODES: &[&str] = &[$($code,)+];

            /// The code that stands in logs and exports.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$value { .. } => $code,)+
                    $(Self::$rest(rest) => rest.code(),)?
                }
            }

            pub(super) fn write(&self, writer: &mut $crate::audit::codec::Writer) {
                match self {
                    $(Self::$value $({ $($field),+ })? => {
                        writer.text($code);
                        $($($crate::audit::codec::Field::write($field, writer);)+)?
                    })+
                    $(Self::$rest(rest) => rest.write(writer),)?
                }
            }

            pub(super) fn read(
                code: &str,
                reader: &mut $crate::audit::codec::Reader<'_>,
            ) -> Result<Self, $crate::audit::RecordError> {
                Ok(match code {
                    $($code => Self::$value $({
                        $($field: $crate::audit::codec::Field::read(reader)?,)+
                    })?,)+
                    code => told!(@other code reader $($rest $rest_type)?),
                })
            }
        }
    };
}
pub(super) use told;
