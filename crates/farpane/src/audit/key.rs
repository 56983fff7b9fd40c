//! The file with the log's secret key.

use super::folder::{Folder, mode};
use super::{AuditError, names};
use farpane_policy::audit::Signer;
use ring::rand::{SecureRandom, SystemRandom};
use rustix::fs::OFlags;
use std::fmt::Write;

/// 64 hexadecimal digits and the line's end.
const KEY_FILE_BYTES: u64 = 65;
/// Bits by which others may read or change a file.
const OTHERS: u32 = 0o077;

/// The key of the log in this folder. It is made if there is none, and no segment of a log whose
/// key is gone.
pub(super) fn load_or_create(folder: &Folder) -> Result<Signer, AuditError> {
    let path = folder.path_of(names::KEY);
    let Some(file) = folder.file_if_any(names::KEY, OFlags::RDONLY)? else {
        if folder.segments()?.is_empty() {
            return create(folder);
        }
        return Err(AuditError::Damaged { path, reason: "the log's key is gone".to_owned() });
    };
    let mode = mode(&file).map_err(|e| AuditError::io("look at", &path, e))?;
    if mode & OTHERS != 0 {
        return Err(AuditError::Exposed { path, mode });
    }
    let text = folder.read(names::KEY, KEY_FILE_BYTES)?.unwrap_or_default();
    let seed = str::from_utf8(&text).ok().and_then(|text| seed(text.trim_end()));
    let signer = seed.and_then(|seed| Signer::from_seed(&seed).ok());
    signer.ok_or(AuditError::Key { path })
}

fn create(folder: &Folder) -> Result<Signer, AuditError> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| AuditError::NoRandomness)?;
    let mut text = String::with_capacity(KEY_FILE_BYTES as usize);
    for byte in seed {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    let path = folder.path_of(names::KEY);
    let signer = Signer::from_seed(&seed).map_err(|_| AuditError::Key { path })?;
    folder.write(names::KEY, text.as_bytes())?;
    Ok(signer)
}

fn seed(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
    bytes.try_into().ok().filter(|_| digits.len() == 64)
}
