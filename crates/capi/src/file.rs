//! Files in both directions.

use crate::abi::*;
use crate::audit::path;
use crate::boundary::{Failure, Outcome, on_session};
use crate::event::{self, Told};
use crate::memory;
use crate::session::{Live, Session};
use farpane::{ArrivingFile, FileEvent, FileId, FileProblem, MAX_FILES, open_file};
use std::collections::BTreeMap;
use std::ffi::c_char;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files that come to this side: those that were offered and wait for an answer, and those that are
/// on their way, by the helper (0 at a helper) and the file's number.
#[derive(Default)]
pub(crate) struct Arrivals(Mutex<BTreeMap<(u64, u32), Arrival>>);

enum Arrival {
    Offered(String),
    Coming(ArrivingFile),
}

impl Arrivals {
    fn all(&self) -> MutexGuard<'_, BTreeMap<(u64, u32), Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the app is about to be told of a file, and tells it.
    pub(crate) fn note(&self, id: u64, event: FileEvent) -> Option<Told> {
        let about = |kind, file: FileId, bytes, text| {
            let (file, outgoing) = (file.number, file.outgoing.into());
            Told::saying(farpane_event { id, file, outgoing, bytes, ..event::new(kind) }, text)
        };
        Some(match event {
            FileEvent::Offered { file, name, bytes } => {
                self.offered(id, file.number, name.clone());
                about(FARPANE_EVENT_FILE_OFFERED, file, bytes, name)
            }
            FileEvent::Done { file, bytes } => match self.finish(id, file) {
                Ok(path) => about(FARPANE_EVENT_FILE_DONE, file, bytes, path),
                Err(error) => about(FARPANE_EVENT_FILE_STOPPED, file, 0, error.to_string()),
            },
            FileEvent::Stopped { file, reason } => {
                if !file.outgoing {
                    self.all().remove(&(id, file.number));
                }
                about(FARPANE_EVENT_FILE_STOPPED, file, 0, reason)
            }
            _ => return None,
        })
    }

    /// Of events that were missed, files may be left of which nobody will hear again.
    fn offered(&self, id: u64, file: u32, name: String) {
        let mut all = self.all();
        let first = all.range((id, 0)..=(id, u32::MAX)).next().map(|(key, _)| *key);
        if let Some(first) = first
            && all.range((id, 0)..=(id, u32::MAX)).count() >= MAX_FILES
        {
            all.remove(&first);
        }
        all.insert((id, file), Arrival::Offered(name));
    }

    /// The path of a file that has come; nothing of one that has gone.
    fn finish(&self, id: u64, file: FileId) -> std::io::Result<String> {
        let arrival = match file.outgoing {
            true => None,
            false => self.all().remove(&(id, file.number)),
        };
        let Some(Arrival::Coming(arriving)) = arrival else { return Ok(String::new()) };
        Ok(arriving.finish()?.to_string_lossy().into_owned())
    }

    /// The other side is gone, and with it what it offered.
    pub(crate) fn forget(&self, id: u64) {
        self.all().retain(|(from, _), _| *from != id);
    }

    /// Everybody is gone.
    pub(crate) fn clear(&self) {
        self.all().clear();
    }
}

/// Offers the file at `path` under its own name: to the helper `id`, which needs
/// FARPANE_SCOPE_FILE_OUT, or to the sharer with `id` 0, FARPANE_SCOPE_FILE_IN. The number by which
/// events name it goes to `file`. It is read by a thread of the library once it is wanted:
/// FARPANE_EVENT_FILE_DONE or FARPANE_EVENT_FILE_STOPPED follows.
///
/// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_PERMITTED when the session does not
/// allow it now, FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_SYSTEM when the
/// file cannot be read, FARPANE_ERR_LIMIT above 8 files at once, FARPANE_ERR_ARGUMENT also for a
/// name that the other side would refuse, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
///
/// # Safety
/// `path` is NULL or readable for `path_len` bytes, `file` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_file_offer(
    session: *mut farpane_session,
    id: u64,
    path: *const c_char,
    path_len: usize,
    file: *mut u32,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let path = unsafe {
            memory::put("file", file, 0)?;
            self::path("path", path, path_len)?
        };
        let (name, bytes, content) = open_file(path).map_err(Failure::system)?;
        let offered = session.with_live(id, |live| {
            let offered = match live {
                Live::Sharer(sharer) => sharer.offer_file(id, &name, bytes, content),
                Live::Helper(helper) => helper.offer_file(&name, bytes, content),
            };
            offered.map_err(|error| problem(&error))
        })?;
        // SAFETY: as above.
        unsafe { memory::put("file", file, offered.number)? };
        Ok(FARPANE_OK)
    })
}

fn problem(error: &FileProblem) -> Failure {
    let code = match error {
        FileProblem::Name(_) => FARPANE_ERR_ARGUMENT,
        FileProblem::TooMany => FARPANE_ERR_LIMIT,
        FileProblem::NotAllowed => FARPANE_ERR_NOT_PERMITTED,
        _ => FARPANE_ERR_STATE,
    };
    Failure::new(code, error.to_string())
}

/// Takes the file `file` of FARPANE_EVENT_FILE_OFFERED into the folder `folder`, which has to be
/// there. It is written by a thread of the library under another, hidden name; when all of it is
/// there it gets the name with which it was offered, or one like it where there is such a file
/// already: the path is the text of FARPANE_EVENT_FILE_DONE. Take the events of the session: the
/// file gets its name when that one is taken.
///
/// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_FOUND when no such file waits for
/// an answer, FARPANE_ERR_SYSTEM when the folder takes no file, FARPANE_ERR_HANDLE,
/// FARPANE_ERR_STATE, FARPANE_ERR_ARGUMENT.
///
/// # Safety
/// `folder` is NULL or readable for `folder_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_file_accept(
    session: *mut farpane_session,
    id: u64,
    file: u32,
    folder: *const c_char,
    folder_len: usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let folder = unsafe { self::path("folder", folder, folder_len)? };
        let mut arrivals = session.arrivals().all();
        let Some(Arrival::Offered(name)) = arrivals.get(&(id, file)) else {
            return Err(unknown(file));
        };
        let (arriving, to) = ArrivingFile::create(folder, name).map_err(Failure::system)?;
        answer(session, id, file, Some(to))?;
        arrivals.insert((id, file), Arrival::Coming(arriving));
        Ok(FARPANE_OK)
    })
}

fn unknown(file: u32) -> Failure {
    Failure::new(FARPANE_ERR_NOT_FOUND, format!("no file {file} waits for an answer"))
}

fn answer(session: &Session, id: u64, number: u32, to: Option<File>) -> Outcome {
    let file = FileId { outgoing: false, number };
    let to = to.map(|to| Box::new(to) as Box<dyn Write + Send>);
    session.with_live(id, |live| {
        match live {
            Live::Sharer(sharer) => sharer.answer_file(id, file, to),
            Live::Helper(helper) => helper.answer_file(file, to),
        }
        Ok(())
    })
}

/// Gives up a file, or says that one that was offered is not wanted. `outgoing` is 1 for a file
/// that this side offered. FARPANE_EVENT_FILE_STOPPED follows at the other side, and at this
/// one too where the file was under way.
///
/// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
/// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_file_stop(
    session: *mut farpane_session,
    id: u64,
    file: u32,
    outgoing: u32,
) -> farpane_result {
    on_session(session, |session| {
        let named = FileId { outgoing: outgoing != 0, number: file };
        let mut arrivals = session.arrivals().all();
        let is_offered = matches!(arrivals.get(&(id, file)), Some(Arrival::Offered(_)));
        if is_offered && !named.outgoing {
            answer(session, id, file, None)?;
            arrivals.remove(&(id, file));
            return Ok(FARPANE_OK);
        }
        drop(arrivals);
        session.with_live(id, |live| {
            match live {
                Live::Sharer(sharer) => sharer.stop_file(id, named),
                Live::Helper(helper) => helper.stop_file(named),
            }
            Ok(FARPANE_OK)
        })
    })
}
