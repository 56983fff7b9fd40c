//! Rights as bits.

use crate::abi::*;
use crate::boundary::{Failure, Outcome};
use farpane::policy::{Capabilities, Capability, Mode, Rights};

/// What goes beside the screen only where it is asked for.
const EXTRAS: [(u32, Capability); 4] = [
    (FARPANE_SCOPE_CLIPBOARD_IN, Capability::ClipboardIn),
    (FARPANE_SCOPE_CLIPBOARD_OUT, Capability::ClipboardOut),
    (FARPANE_SCOPE_FILE_IN, Capability::FileIn),
    (FARPANE_SCOPE_FILE_OUT, Capability::FileOut),
];
const CONTROL: u32 = FARPANE_SCOPE_VIEW | FARPANE_SCOPE_CONTROL;
const ELEVATED: u32 = CONTROL | FARPANE_SCOPE_ELEVATED;
const UNATTENDED: u32 = FARPANE_SCOPE_VIEW | FARPANE_SCOPE_UNATTENDED;

/// What these bits allow; no bits are FARPANE_SCOPE_VIEW.
pub(crate) fn rights(scopes: u32) -> Outcome<Rights> {
    let extra_bits = EXTRAS.iter().fold(0, |bits, (bit, _)| bits | bit);
    if scopes & !(ELEVATED | UNATTENDED | extra_bits) != 0 {
        let text = format!("scopes {scopes:#x} hold bits that this version does not know");
        return Err(Failure::new(FARPANE_ERR_UNSUPPORTED, text));
    }
    let mode = match scopes & !extra_bits {
        0 | FARPANE_SCOPE_VIEW => Mode::View,
        CONTROL => Mode::Control,
        ELEVATED => Mode::Elevated,
        UNATTENDED => Mode::Unattended,
        _ => return Err(Failure::argument(format!("scopes {scopes:#x} lack what they need"))),
    };
    let extras = EXTRAS.iter().filter(|(bit, _)| scopes & bit != 0).map(|(_, extra)| *extra);
    let extras = Capabilities::of(&extras.collect::<Vec<_>>());
    if !extras.is_subset(mode.most()) {
        let text = "clipboards and files need FARPANE_SCOPE_VIEW and FARPANE_SCOPE_CONTROL";
        return Err(Failure::argument(text));
    }
    Ok(Rights::with(mode, extras))
}

/// What bits that are not 0 allow at most, and whether also where nobody is.
pub(crate) fn limit(scopes: u32) -> Outcome<(Capabilities, bool)> {
    let unattended = scopes & FARPANE_SCOPE_UNATTENDED != 0;
    let rights = rights(scopes & !FARPANE_SCOPE_UNATTENDED)?;
    Ok((rights.capabilities(), unattended))
}

/// The bits of rights.
pub(crate) fn bits(rights: Rights) -> u32 {
    let held = |(_, extra): &&(u32, Capability)| rights.capabilities().contains(*extra);
    EXTRAS.iter().filter(held).fold(of_mode(rights.mode()), |bits, (bit, _)| bits | bit)
}

/// The bits of a mode alone.
pub(crate) fn of_mode(mode: Mode) -> u32 {
    match mode {
        Mode::View => FARPANE_SCOPE_VIEW,
        Mode::Control => CONTROL,
        Mode::Elevated => ELEVATED,
        Mode::Unattended => UNATTENDED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_rights_and_back_or_refused() {
        let (mut valid, mut wrong) = (0, 0);
        for scopes in 1..512 {
            match rights(scopes) {
                Ok(rights) => {
                    assert_eq!(bits(rights), scopes);
                    valid += 1;
                }
                Err(failure) => {
                    let unknown = scopes & 256 != 0;
                    let code = if unknown { FARPANE_ERR_UNSUPPORTED } else { FARPANE_ERR_ARGUMENT };
                    assert_eq!(failure.code, code, "{scopes:#x}");
                    wrong += 1;
                }
            }
        }
        // View, unattended, and 16 sets of extras with each of control and elevation.
        assert_eq!((valid, wrong), (2 + 2 * 16, 511 - 34));
        assert_eq!(rights(0).unwrap(), rights(FARPANE_SCOPE_VIEW).unwrap());
    }
}
