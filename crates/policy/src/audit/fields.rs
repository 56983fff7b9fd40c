//! What of a session stands in records, as bytes: names as texts, sets as two bytes.

use super::codec::{Field, Reader, Writer};
use super::record::RecordError;
use super::text::Text;
use crate::capability::{Capabilities, Capability};
use crate::consent::RequestId;
use crate::device::Posture;
use crate::rights::{Mode, Rights};
use crate::sources::Source;
use crate::state::{EndReason, State};

/// The states whose names say everything.
const STATES: [State; 13] = [
    State::Idle,
    State::Requested,
    State::Paired,
    State::Authenticated,
    State::Authorised,
    State::ComplianceShown,
    State::ConsentPending,
    State::ActiveView,
    State::ActiveControl,
    State::ActiveElevated,
    State::ActiveUnattended,
    State::Suspended,
    State::Ending,
];
const POSTURES: [Posture; 3] = [Posture::Compliant, Posture::NotCompliant, Posture::Unknown];
/// The name of the one state that has a reason.
const ENDED: &str = "ended";

impl Field for u64 {
    fn write(&self, writer: &mut Writer) {
        writer.number(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        reader.number()
    }
}

impl Field for [u8; 16] {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        reader.array()
    }
}

impl Field for Text {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.as_str());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        reader.text()
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, writer: &mut Writer) {
        writer.optional(self.as_ref(), |writer, value| value.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        reader.optional(T::read)
    }
}

impl Field for RequestId {
    fn write(&self, writer: &mut Writer) {
        writer.number(self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        reader.number().map(Self)
    }
}

impl Field for Capability {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.name());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        named(reader.str()?, &Self::ALL, Self::name)
    }
}

impl Field for Source {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.name());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        named(reader.str()?, &Self::ALL, Self::name)
    }
}

impl Field for Posture {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.name());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        named(reader.str()?, &POSTURES, Self::name)
    }
}

impl Field for Capabilities {
    fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.bits().to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let bits = u16::from_be_bytes(reader.array()?);
        let set = Self::from_bits(bits);
        if set.bits() == bits { Ok(set) } else { Err(RecordError::Capabilities { bits }) }
    }
}

impl Field for Rights {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.mode().name());
        self.capabilities().write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        let mode = named(reader.str()?, &Mode::ALL, Mode::name)?;
        let set = Capabilities::read(reader)?;
        let fits = |rights: &Self| rights.mode() == mode && rights.capabilities() == set;
        let rights = Self::with(mode, Capabilities::ALL).within(set).filter(fits);
        rights.ok_or(RecordError::Rights { mode, bits: set.bits() })
    }
}

impl Field for State {
    fn write(&self, writer: &mut Writer) {
        writer.text(self.name());
        if let Self::Ended(reason) = self {
            reason.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        match reader.str()? {
            ENDED => EndReason::read(reader).map(Self::Ended),
            code => named(code, &STATES, Self::name),
        }
    }
}

impl Field for EndReason {
    fn write(&self, writer: &mut Writer) {
        writer.text(end_code(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        named(reader.str()?, &Self::ALL, end_code)
    }
}

/// The code that stands in logs and exports for why a session is over.
pub fn end_code(reason: EndReason) -> &'static str {
    match reason {
        EndReason::SharerEnded => "sharer-ended",
        EndReason::HelperEnded => "helper-ended",
        EndReason::ConsentDenied => "consent-denied",
        EndReason::ConsentTimeout => "consent-timeout",
        EndReason::Expired => "expired",
        EndReason::ConnectionLost => "connection-lost",
        EndReason::IndicatorLost => "indicator-lost",
        EndReason::NotPermitted => "not-permitted",
        EndReason::Error => "error",
        EndReason::PairingFailed => "pairing-failed",
        EndReason::WrongConnection => "wrong-connection",
        EndReason::DifferentTenant => "different-tenant",
        EndReason::TenantDisabled => "tenant-disabled",
        EndReason::VersionTooOld => "version-too-old",
        EndReason::NotEnrolled => "not-enrolled",
        EndReason::OutOfScope => "out-of-scope",
        EndReason::SetupTimeout => "setup-timeout",
        EndReason::LeaseLost => "lease-lost",
        EndReason::Revoked => "revoked",
        EndReason::AuditFailed => "audit-failed",
    }
}

/// The one of `all` that `code` names.
fn named<T: Copy>(
    code: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, RecordError> {
    let known = all.iter().find(|value| name(**value) == code);
    known.copied().ok_or_else(|| RecordError::unknown(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Field + PartialEq + std::fmt::Debug>(value: T) -> Vec<u8> {
        let mut writer = Writer::default();
        value.write(&mut writer);
        let mut reader = Reader(&writer.0);
        assert_eq!(T::read(&mut reader), Ok(value));
        assert_eq!(reader.end(), Ok(()));
        writer.0
    }

    #[test]
    fn every_state_and_every_reason_has_its_own_bytes() {
        let ended = EndReason::ALL.map(State::Ended);
        let mut bytes: Vec<_> = STATES.into_iter().chain(ended).map(round_trip).collect();
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), STATES.len() + EndReason::ALL.len());
    }

    #[test]
    fn sets_and_rights_come_back_and_those_that_cannot_be_are_refused() {
        let mut refused = 0;
        for bits in 0..=u16::MAX {
            let set = Capabilities::from_bits(bits);
            if set.bits() != bits {
                let read = Capabilities::read(&mut Reader(&bits.to_be_bytes()));
                assert_eq!(read, Err(RecordError::Capabilities { bits }));
                refused += 1;
                continue;
            }
            round_trip(set);
            for mode in Mode::ALL {
                let mut bytes = Writer::default();
                bytes.text(mode.name());
                set.write(&mut bytes);
                let fits = mode.needs().is_subset(set) && set.is_subset(mode.most());
                match Rights::read(&mut Reader(&bytes.0)) {
                    Ok(rights) => assert_eq!((fits, round_trip(rights)), (true, bytes.0)),
                    Err(error) => {
                        assert_eq!((fits, error), (false, RecordError::Rights { mode, bits }));
                        refused += 1;
                    }
                }
            }
        }
        println!("audit: {refused} negative cases: rights");
    }
}
