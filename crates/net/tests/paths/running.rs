//! A session whose network fails while a film is shown.

use std::time::{Duration, Instant};

use farpane_net::PathKind;
use farpane_net::SwitchReason::{self, Better};
use farpane_netbed::Fault;

use crate::film::Film;
use crate::session::Session;

/// Longest time without a picture.
pub(crate) const GAP: Duration = Duration::from_secs(1);
/// For paths to be there before the fault, and to be the same at both ends after it.
pub(crate) const CALM: Duration = Duration::from_secs(1);
/// For the best path to be in use at the beginning.
const BEST_LIMIT: Duration = Duration::from_secs(4);
/// For a better path to be taken back.
const RETURN_LIMIT: Duration = Duration::from_secs(12);

/// A session whose film has run for a while.
pub(crate) struct Running {
    pub(crate) session: Session,
    pub(crate) film: Film,
    changes: [usize; 2],
    pub(crate) since: Instant,
}

impl Running {
    /// Once it goes by these kinds of paths at the helper and at the sharer.
    pub(crate) fn begin(session: Session, kinds: [PathKind; 2]) -> Self {
        let mut film = session.film();
        film.watch(CALM);
        let is_best = film.watch_until(BEST_LIMIT, || session.kinds() == kinds);
        assert!(is_best, "{}", session.told());
        let changes = session.changes();
        Self { session, film, changes, since: Instant::now() }
    }

    /// From here on the gap and the changes count.
    pub(crate) fn mark(&mut self) {
        (self.changes, self.since) = (self.session.changes(), Instant::now());
    }

    /// Why the path was changed since the mark.
    pub(crate) fn reasons(&self) -> Vec<SwitchReason> {
        self.session.reasons(self.changes)
    }

    /// The session goes on by these kinds of paths at the helper and at the sharer, for this
    /// reason.
    pub(crate) fn goes_on(&mut self, kinds: [PathKind; 2], reasons: &[SwitchReason]) {
        let session = &self.session;
        self.film.watch_until(GAP * 2, || session.kinds() == kinds);
        self.film.watch(CALM);
        let gap = self.film.gap(self.since);
        println!("  gap {gap:?}\n{}", session.told());
        assert_eq!(session.kinds(), kinds, "{}", session.told());
        assert!(session.agrees(), "{}", session.told());
        assert!(gap < GAP, "{gap:?}");
        let (given, later): (Vec<_>, Vec<_>) =
            self.reasons().into_iter().partition(|reason| reasons.contains(reason));
        assert!(!given.is_empty(), "{}", session.told());
        // What was taken at once may not have been the best that is left.
        assert!(later.iter().all(|reason| *reason == Better), "{}", session.told());
    }

    /// Once the fault is repaired, the session returns and loses no frame.
    pub(crate) fn returns(&mut self, fault: Vec<Fault>, kinds: [PathKind; 2]) {
        self.mark();
        let first = self.film.next();
        fault.into_iter().for_each(|fault| fault.undo().unwrap());
        let session = &self.session;
        assert!(
            self.film.watch_until(RETURN_LIMIT, || session.kinds() == kinds && session.is_agreed()),
            "{}",
            session.told()
        );
        println!("  returned after {:?}", self.since.elapsed());
        self.film.watch(CALM);
        assert_eq!(session.kinds(), kinds, "{}", session.told());
        assert!(session.agrees(), "{}", session.told());
        let reasons = session.reasons(self.changes);
        assert!(reasons.iter().all(|reason| *reason == Better), "{}", session.told());
        let missing = self.film.missing(first);
        assert!(missing.is_empty(), "{missing:?} of {first} to {}", self.film.next());
    }

    pub(crate) fn ends(self) {
        self.film.end();
        self.session.control_passes();
    }
}
