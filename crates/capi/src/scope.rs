//! Modes as bits.

use crate::abi::*;
use crate::boundary::{Failure, Outcome};
use farpane::policy::Mode;

/// What these bits allow; no bits are FARPANE_SCOPE_VIEW.
pub(crate) fn mode(scopes: u32) -> Outcome<Mode> {
    const VIEW_AND_CONTROL: u32 = FARPANE_SCOPE_VIEW | FARPANE_SCOPE_CONTROL;
    match scopes {
        0 | FARPANE_SCOPE_VIEW => Ok(Mode::View),
        VIEW_AND_CONTROL => Ok(Mode::Control),
        other if other & !VIEW_AND_CONTROL != 0 => {
            let text = format!("scopes {other:#x} hold bits that this version does not know");
            Err(Failure::new(FARPANE_ERR_UNSUPPORTED, text))
        }
        _ => Err(Failure::argument("without FARPANE_SCOPE_VIEW there is nothing to grant")),
    }
}

/// What a mode allows.
pub(crate) fn bits(mode: Mode) -> u32 {
    match mode {
        Mode::View | Mode::Unattended => FARPANE_SCOPE_VIEW,
        Mode::Control | Mode::Elevated => FARPANE_SCOPE_VIEW | FARPANE_SCOPE_CONTROL,
    }
}
