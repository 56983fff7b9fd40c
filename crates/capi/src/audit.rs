//! Audit logs.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, run};
use crate::handle::Table;
use crate::memory;
use farpane::audit::{Audit, AuditLog, AuditOptions};
use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

/// All logs that are open.
static AUDITS: Table<Audit> = Table::new(4, 64);
/// The longest path.
pub(crate) const MAX_PATH_BYTES: usize = 4_096;

/// The log of this name; one that keeps nothing for no name.
pub(crate) fn get(name: *const farpane_audit) -> Outcome<Audit> {
    if name.is_null() {
        return Ok(Audit::default());
    }
    let audit = AUDITS.get(name as usize).ok_or_else(|| Failure::handle("audit log"))?;
    Ok(Audit::clone(&audit))
}

/// Opens the audit log in `folder`, which is made if it is not there, and stores it in `out`; NULL
/// there when it fails. Any number of sessions may write to it. Records are kept for 30 days;
/// `farpane audit verify` checks them. It is closed by farpane_audit_unref, once no session uses it
/// any more.
///
/// Any thread; reads and writes the disk. Errors: FARPANE_ERR_ARGUMENT, FARPANE_ERR_LIMIT above 64
/// logs, FARPANE_ERR_SYSTEM when another program writes it, others have access to it, it is
/// damaged, or the disk is full.
///
/// # Safety
/// `folder` is NULL or readable for `folder_len` bytes; `out` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_audit_open(
    folder: *const c_char,
    folder_len: usize,
    out: *mut *mut farpane_audit,
) -> farpane_result {
    run(|| {
        // SAFETY: the caller's promise.
        let folder = unsafe {
            memory::put("audit log", out, std::ptr::null_mut())?;
            path("folder", folder, folder_len)?
        };
        let log = AuditLog::open(folder, &AuditOptions::default()).map_err(Failure::system)?;
        let name = AUDITS.insert(Arc::new(Audit::new(log)));
        let name = name.ok_or_else(|| Failure::new(FARPANE_ERR_LIMIT, "too many audit logs"))?;
        // SAFETY: as above.
        unsafe { memory::put("audit log", out, name as *mut farpane_audit)? };
        Ok(FARPANE_OK)
    })
}

/// Releases an audit log. Sessions that use it go on writing to it.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_audit_unref(audit: *mut farpane_audit) -> farpane_result {
    run(|| {
        let released = AUDITS.release(audit as usize);
        released.map(|_| FARPANE_OK).ok_or_else(|| Failure::handle("audit log"))
    })
}

/// Reads a path.
///
/// # Safety
/// `at` is NULL or readable for `bytes`.
pub(crate) unsafe fn path<'a>(what: &str, at: *const c_char, bytes: usize) -> Outcome<&'a Path> {
    // SAFETY: the caller's promise.
    let text = unsafe { memory::text(what, at, bytes, MAX_PATH_BYTES)? };
    let text = text.filter(|text| !text.is_empty() && !text.contains('\0'));
    text.map(Path::new).ok_or_else(|| Failure::argument(format!("the {what} is no path")))
}
