//! The writer of a log.

use super::folder::Folder;
use super::heads::Heads;
use super::segment::Appender;
use super::{AuditError, key, names, recover};
use farpane_policy::audit::{
    Action, AuditKey, Chain, CrossSignedHead, Entry, HeadError, Outcome, Party, Retention, Segment,
    SignedHead,
};
use rustix::fs::OFlags;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a log is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditOptions {
    /// For how long, and in what portions. Default 30 days.
    pub retention: Retention,
}

/// An audit log that is open for writing.
///
/// [`AuditLog::append`] returns once the record is durable; only then may what it tells happen.
/// When it fails, the session must end; [`AuditLog::append_end`] still has room for the record
/// that says so. An append costs one `write` and one `fdatasync`; docs/audit.md has the measured
/// time. It blocks, so call it where that is no harm.
#[derive(Debug)]
pub struct AuditLog {
    folder: Folder,
    chain: Chain,
    segments: Vec<Segment>,
    segment: Appender,
    heads: Heads,
    retention: Retention,
    state: State,
    /// Held as long as the log is open.
    _lock: File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// There was no room: only ends are taken.
    Ending,
    /// Nobody knows what is on the disk: nothing is taken.
    Ended,
}

impl AuditLog {
    /// Opens the log in a folder, with a new key if there is none, and takes over what a crash
    /// left: an unfinished last record is cut off, and the cut recorded. Records that are older
    /// than they are kept are dropped, and that is recorded too.
    ///
    /// # Errors
    /// Somebody else writes it, the disk is full, others have access, or the log is damaged.
    pub fn open(folder: &Path, options: &AuditOptions) -> Result<Self, AuditError> {
        Self::open_at(folder, options, wall_clock_us())
    }

    /// The same at a time that the caller gives: microseconds since 1970 (UTC).
    ///
    /// # Errors
    /// As for [`AuditLog::open`].
    pub fn open_at(folder: &Path, options: &AuditOptions, now_us: u64) -> Result<Self, AuditError> {
        let folder = Folder::create(folder)?;
        folder.check_private()?;
        let lock = lock(&folder)?;
        let signer = key::load_or_create(&folder)?;
        let key = signer.key();
        let mut segments = recover::segments(&folder, key)?;
        let retention = options.retention;
        let first_kept = segments.first().map_or(1, |segment| segment.first_sequence);
        let oldest_us = now_us.saturating_sub(retention.keep_us);
        let heads = Heads::open(&folder, key, first_kept, oldest_us)?;
        let mut torn_bytes = 0;
        let (chain, segment) = match segments.last() {
            None => (Chain::begin(signer), None),
            Some(last) => {
                let end = recover::end(&folder, key, last.first_sequence)?;
                torn_bytes = end.torn_bytes;
                let chain = Chain::resume(signer, end.sequence, end.hash, end.time_us);
                let name = names::segment(last.first_sequence);
                let file = folder.file(&name, OFlags::RDWR)?;
                (chain, Some(Appender::new(file, folder.path_of(&name), end.bytes)))
            }
        };
        check_heads(&folder, &chain, &heads)?;
        let segment = match segment {
            Some(segment) => segment,
            None => begin_segment(&folder, &chain, now_us, &mut segments)?,
        };
        let state = State::Open;
        let mut log =
            Self { folder, chain, segments, segment, heads, retention, state, _lock: lock };
        log.record_cut(torn_bytes, now_us)?;
        log.append(&own(Action::LogOpened, now_us))?;
        log.drop_expired(now_us)?;
        Ok(log)
    }

    /// The log's key, by which others know the log.
    pub fn key(&self) -> AuditKey {
        self.chain.key()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The head of the last record. It is not stored; [`AuditLog::seal`] does that.
    pub fn head(&self) -> SignedHead {
        self.chain.head()
    }

    /// Appends a record and returns its head once the record is durable. The entry's own time
    /// decides about new segments and about what is old.
    ///
    /// # Errors
    /// It is not recorded: what it tells must not happen, and the session must end.
    pub fn append(&mut self, entry: &Entry) -> Result<SignedHead, AuditError> {
        if self.state != State::Open {
            return Err(AuditError::Ended { path: self.folder.path().to_owned() });
        }
        let begun_us = self.segments.last().map_or(0, |segment| segment.begun_us);
        if self.retention.is_full(self.segment.bytes(), begun_us, entry.time_us) {
            self.rotate(entry.time_us)?;
        }
        self.store(entry, Appender::append)
    }

    /// The same for the record that a session has ended: it has room where the disk is full, for
    /// some 20 records. After an error on the disk it fails too.
    ///
    /// # Errors
    /// It is not recorded. The session ends all the same.
    pub fn append_end(&mut self, entry: &Entry) -> Result<SignedHead, AuditError> {
        if self.state == State::Ended {
            return Err(AuditError::Ended { path: self.folder.path().to_owned() });
        }
        self.store(entry, Appender::append_from_reserve)
    }

    /// Stores the head of the last record, durably, for the peer to sign: after it, a log that
    /// ends earlier is known to be cut.
    ///
    /// # Errors
    /// It could not be written.
    pub fn seal(&mut self) -> Result<SignedHead, AuditError> {
        let head = self.chain.head();
        self.heads.seal(head, &self.folder)?;
        Ok(head)
    }

    /// Signs a peer's head, and stores it: this end answers for having seen it.
    ///
    /// # Errors
    /// It is not signed by the peer's own key, or is of a history before or beside the one that
    /// was seen last; or it could not be stored.
    pub fn countersign(&mut self, head: &SignedHead) -> Result<CrossSignedHead, AuditError> {
        self.heads.check_peer(head)?;
        let cross = head.cross_sign(self.chain.signer());
        self.heads.witnessed(&cross, &self.folder)?;
        Ok(cross)
    }

    /// Takes the peer's signature of a head of this log, and stores it.
    ///
    /// # Errors
    /// The head is not this log's, or `peer` did not sign it; or it could not be stored.
    pub fn accept(&mut self, cross: &CrossSignedHead, peer: AuditKey) -> Result<(), AuditError> {
        let head = &cross.head;
        if head.key != self.chain.key() {
            return Err(HeadError::OtherLog { log: head.key.log_id() }.into());
        }
        cross.check()?;
        let sequence = head.sequence;
        if cross.by != peer {
            return Err(HeadError::WrongCrossSignature { sequence, by: peer }.into());
        }
        if sequence > self.chain.sequence() {
            return Err(HeadError::Forked { sequence }.into());
        }
        self.heads.confirmed(cross, &self.folder)
    }

    fn store(
        &mut self,
        entry: &Entry,
        append: impl FnOnce(&mut Appender, &[u8]) -> Result<(), AuditError>,
    ) -> Result<SignedHead, AuditError> {
        let pending = self.chain.prepare(entry);
        match append(&mut self.segment, pending.bytes()) {
            Ok(()) => Ok(self.chain.advance(pending)),
            Err(error) => {
                self.state = match error {
                    AuditError::Full { .. } => State::Ending,
                    _ => State::Ended,
                };
                Err(error)
            }
        }
    }

    fn rotate(&mut self, now_us: u64) -> Result<(), AuditError> {
        if self.segments.len() >= self.retention.max_segments {
            self.state = State::Ending;
            return Err(AuditError::Limit { path: self.path().to_owned(), what: "segments" });
        }
        let begun = begin_segment(&self.folder, &self.chain, now_us, &mut self.segments);
        match begun {
            Ok(segment) => {
                self.segment.close();
                self.segment = segment;
                self.drop_expired(now_us)
            }
            Err(error) => {
                self.state = State::Ending;
                Err(error)
            }
        }
    }

    /// Cuts off an unfinished record. That it was cut is known to the disk before it is, so that
    /// no crash can keep it from being recorded.
    fn record_cut(&mut self, torn_bytes: u64, now_us: u64) -> Result<(), AuditError> {
        if torn_bytes > 0 {
            self.folder.write(names::CUT, torn_bytes.to_string().as_bytes())?;
            self.segment.cut()?;
        }
        let Some(bytes) = self.folder.read(names::CUT, 20)? else { return Ok(()) };
        let bytes = str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        self.append_end(&own(Action::LogCut { bytes }, now_us))?;
        self.folder.remove(names::CUT)?;
        self.folder.sync()
    }

    /// Drops what is older than it is kept: first that is recorded, then done.
    fn drop_expired(&mut self, now_us: u64) -> Result<(), AuditError> {
        let expired = self.retention.expired(&self.segments, now_us);
        let Some(first_kept) = self.segments.get(expired).map(|segment| segment.first_sequence)
        else {
            return Ok(());
        };
        if expired == 0 {
            return Ok(());
        }
        self.store(&own(Action::LogDropped { first_kept }, now_us), Appender::append)?;
        for segment in self.segments.drain(..expired) {
            self.folder.remove(&names::segment(segment.first_sequence))?;
        }
        self.folder.sync()?;
        let oldest_us = now_us.saturating_sub(self.retention.keep_us);
        self.heads = Heads::open(&self.folder, self.chain.key(), first_kept, oldest_us)?;
        Ok(())
    }
}

impl Drop for AuditLog {
    /// Stores the last head, so that a log that is cut later is known to be.
    fn drop(&mut self) {
        let head = self.chain.head();
        if self.state != State::Ended && self.heads.own() != Some(head) {
            // Who closes a log on a full disk loses this and no record.
            let _ = self.heads.seal(head, &self.folder);
        }
    }
}

/// What the log tells of itself.
fn own(action: Action, time_us: u64) -> Entry {
    let (session, target, device) = (None, None, None);
    let (actor, outcome) = (Party::system(), Outcome::Success);
    Entry { time_us, session, actor, target, device, action, outcome }
}

/// Microseconds since 1970 (UTC).
pub(super) fn wall_clock_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Holds the lock, and says in it who does.
fn lock(folder: &Folder) -> Result<File, AuditError> {
    let path = folder.path_of(names::LOCK);
    let mut file = folder.file(names::LOCK, OFlags::RDWR | OFlags::CREATE)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let _ = (&mut file).take(20).read_to_string(&mut owner);
            let known = !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit());
            let owner = if known { format!("process {owner}") } else { "another program".into() };
            return Err(AuditError::Busy { path: folder.path().to_owned(), owner });
        }
        Err(TryLockError::Error(error)) => return Err(AuditError::io("lock", &path, error)),
    }
    // For people only: without room for it the lock holds all the same.
    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

/// A log that ends before its own stored head was cut.
fn check_heads(folder: &Folder, chain: &Chain, heads: &Heads) -> Result<(), AuditError> {
    let Some(own) = heads.own() else { return Ok(()) };
    let (last, confirmed) = (chain.sequence(), own.sequence);
    let reason = if confirmed > last {
        format!("it ends with record {last}, but its own head confirms record {confirmed}")
    } else if confirmed == last && own.hash != chain.head().hash {
        format!("record {last} is not the one that its own head confirms")
    } else {
        return Ok(());
    };
    Err(AuditError::Damaged { path: folder.path().to_owned(), reason })
}

/// A new segment whose first record is the chain's next one.
fn begin_segment(
    folder: &Folder,
    chain: &Chain,
    begun_us: u64,
    segments: &mut Vec<Segment>,
) -> Result<Appender, AuditError> {
    let first_sequence = chain.sequence() + 1;
    let name = names::segment(first_sequence);
    let anchor = chain.anchor(begun_us);
    let file = folder.write(&name, &anchor)?;
    // A segment without records, which only a crash leaves, is written anew.
    segments.retain(|segment| segment.first_sequence != first_sequence);
    segments.push(Segment { first_sequence, begun_us });
    Ok(Appender::new(file, folder.path_of(&name), anchor.len() as u64))
}

#[cfg(test)]
impl AuditLog {
    /// Puts a file in the segment's place that takes nothing.
    pub(super) fn break_segment(&mut self, file: File, path: std::path::PathBuf, bytes: u64) {
        self.segment = Appender::new(file, path, bytes);
    }
}
