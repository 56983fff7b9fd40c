//! Reading and writing the caller's memory.

use crate::abi::{FARPANE_ERR_BUFFER, FARPANE_ERR_UNSUPPORTED};
use crate::boundary::{Failure, Outcome};
use std::ffi::c_char;

/// No structure is ever larger: a size above is a mistake, not a newer version.
const MAX_STRUCT_BYTES: usize = 4096;

/// A structure that begins with its size and is valid with all bytes 0.
///
/// # Safety
/// The type is `repr(C)`, begins with a `u32` size and takes every bit pattern.
pub(crate) unsafe trait Sized32: Copy {
    /// Bytes of its first version, below which no caller can be.
    const FIRST_BYTES: usize;
}

/// Reads an input structure of the caller's version: what it does not have yet is 0, what this
/// library does not know yet must be 0.
///
/// # Safety
/// `from` is NULL, or readable for as many bytes as its first four say.
pub(crate) unsafe fn read<T: Sized32>(from: *const T) -> Outcome<T> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { size::<T>(from)? };
    let known = bytes.min(size_of::<T>());
    // SAFETY: as above.
    let given = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), bytes) };
    if given[known..].iter().any(|byte| *byte != 0) {
        return Err(Failure::new(
            FARPANE_ERR_UNSUPPORTED,
            "the structure uses fields that this version of the library does not know",
        ));
    }
    // SAFETY: all bytes 0 are a value of every such type, and so is what is copied over them.
    unsafe {
        let mut value: T = std::mem::zeroed();
        std::ptr::copy_nonoverlapping(given.as_ptr(), (&raw mut value).cast::<u8>(), known);
        Ok(value)
    }
}

/// Writes an output structure as far as the caller's version goes; its size stays.
///
/// # Safety
/// `to` is NULL, or writable for as many bytes as its first four say.
pub(crate) unsafe fn write<T: Sized32>(to: *mut T, value: &T) -> Outcome {
    // SAFETY: the caller's promise.
    let bytes = unsafe { size::<T>(to)? };
    let head = size_of::<u32>();
    let known = bytes.min(size_of::<T>());
    // SAFETY: as above; the first four bytes are left alone.
    unsafe {
        let (from, to) = (std::ptr::from_ref(value).cast::<u8>(), to.cast::<u8>());
        std::ptr::copy_nonoverlapping(from.add(head), to.add(head), known - head);
        to.add(known).write_bytes(0, bytes - known);
    }
    Ok(())
}

/// Whether `to` can take an output structure, before anything is taken that would be lost.
///
/// # Safety
/// As [`write`].
pub(crate) unsafe fn check_out<T: Sized32>(to: *mut T) -> Outcome {
    // SAFETY: the caller's promise.
    unsafe { size::<T>(to).map(|_| ()) }
}

/// # Safety
/// `at` is NULL or has four readable bytes.
unsafe fn size<T: Sized32>(at: *const T) -> Outcome<usize> {
    if at.is_null() {
        return Err(Failure::argument("the structure is NULL"));
    }
    // SAFETY: the caller's promise; the caller's memory need not be aligned.
    let bytes = unsafe { at.cast::<u32>().read_unaligned() } as usize;
    if !(T::FIRST_BYTES..=MAX_STRUCT_BYTES).contains(&bytes) {
        let text = format!("struct_size is {bytes}: begin with the structure's _INIT");
        return Err(Failure::argument(text));
    }
    Ok(bytes)
}

/// Reads a text; `None` when it is NULL and has no bytes.
///
/// # Safety
/// `at` is NULL or readable for `bytes` bytes.
pub(crate) unsafe fn text<'a>(
    what: &str,
    at: *const c_char,
    bytes: usize,
    max_bytes: usize,
) -> Outcome<Option<&'a str>> {
    // SAFETY: the caller's promise.
    let Some(bytes) = (unsafe { slice(what, at.cast::<u8>(), bytes, max_bytes)? }) else {
        return Ok(None);
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Failure::argument(format!("the {what} is not UTF-8"))),
    }
}

/// Reads an array; `None` when it is NULL and has no elements.
///
/// # Safety
/// `at` is NULL or readable for `count` elements.
pub(crate) unsafe fn slice<'a, T>(
    what: &str,
    at: *const T,
    count: usize,
    max_count: usize,
) -> Outcome<Option<&'a [T]>> {
    if at.is_null() {
        let missing = || Failure::argument(format!("the {what} is NULL but has a length"));
        return if count == 0 { Ok(None) } else { Err(missing()) };
    }
    if !at.is_aligned() {
        return Err(Failure::argument(format!("the {what} is not aligned")));
    }
    if count > max_count {
        let text = format!("the {what} has a length of {count}, at most {max_count}");
        return Err(Failure::argument(text));
    }
    // SAFETY: the caller's promise.
    Ok(Some(unsafe { std::slice::from_raw_parts(at, count) }))
}

/// Writes one value out.
///
/// # Safety
/// `to` is NULL or writable.
pub(crate) unsafe fn put<T>(what: &str, to: *mut T, value: T) -> Outcome {
    if to.is_null() {
        return Err(Failure::argument(format!("the place for the {what} is NULL")));
    }
    // SAFETY: the caller's promise; the caller's memory need not be aligned.
    unsafe { to.write_unaligned(value) };
    Ok(())
}

/// Copies a text out with a NUL behind it, and its bytes without the NUL into `len`.
///
/// # Safety
/// `to` is NULL or writable for `capacity` bytes, `len` is NULL or writable.
pub(crate) unsafe fn put_text(
    text: &str,
    to: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> Outcome {
    // SAFETY: the caller's promise.
    unsafe { put("length", len, text.len())? };
    if to.is_null() || capacity <= text.len() {
        let needed = text.len() + 1;
        return Err(Failure::new(FARPANE_ERR_BUFFER, format!("{needed} bytes are needed")));
    }
    // SAFETY: the caller's promise, and it fits.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast::<c_char>(), to, text.len());
        to.add(text.len()).write(0);
    }
    Ok(())
}

/// A text in a fixed array with a NUL behind it, cut at a character if it is too long.
pub(crate) fn fixed<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    let end = text.floor_char_boundary(N - 1);
    // A NUL inside would hide the rest, so nothing may stand behind one.
    let text = text[..end].split('\0').next().unwrap_or_default();
    for (to, from) in array.iter_mut().zip(text.bytes()) {
        *to = from as c_char;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Newer {
        struct_size: u32,
        a: u32,
        b: u64,
    }

    // SAFETY: `repr(C)`, begins with a size, only integers.
    unsafe impl Sized32 for Newer {
        const FIRST_BYTES: usize = 8;
    }

    #[test]
    fn older_callers_are_filled_up_and_newer_ones_may_only_add_zeros() {
        let mut raw = [0u32; 8];
        (raw[0], raw[1], raw[2]) = (8, 7, 99);
        // SAFETY: 32 bytes are there.
        let read = |raw: &[u32; 8]| unsafe { read(raw.as_ptr().cast::<Newer>()) };
        assert_eq!(read(&raw).unwrap(), Newer { struct_size: 8, a: 7, b: 0 });
        raw[0] = 32;
        assert_eq!(read(&raw).unwrap().b, 99);
        raw[7] = 1;
        assert_eq!(read(&raw).unwrap_err().code, FARPANE_ERR_UNSUPPORTED);
        for wrong in [0, 7, 4097, u32::MAX] {
            raw[0] = wrong;
            assert!(read(&raw).is_err(), "{wrong}");
        }
    }

    #[test]
    fn output_ends_where_the_callers_version_does() {
        let mut raw = [0xffu8; 24];
        raw[..4].copy_from_slice(&8u32.to_le_bytes());
        let value = Newer { struct_size: 1, a: 2, b: 3 };
        // SAFETY: 24 bytes are there.
        unsafe { write(raw.as_mut_ptr().cast::<Newer>(), &value).unwrap() };
        assert_eq!(raw[..8], [8, 0, 0, 0, 2, 0, 0, 0]);
        assert!(raw[8..].iter().all(|byte| *byte == 0xff));
        raw[0] = 24;
        // SAFETY: as above.
        unsafe { write(raw.as_mut_ptr().cast::<Newer>(), &value).unwrap() };
        assert_eq!(raw[8..], [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn texts_are_cut_at_a_character() {
        let bytes = |text: &str| fixed::<6>(text).map(|c| c as u8);
        assert_eq!(bytes("grün"), *b"gr\xc3\xbcn\0");
        assert_eq!(bytes("grüün"), *b"gr\xc3\xbc\0\0");
        assert_eq!(bytes("a\0b"), *b"a\0\0\0\0\0");
    }
}
