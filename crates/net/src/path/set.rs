//! Which of several paths one session goes by, seen from one of its ends; without sockets.
//!
//! After each `handle_*` call drain [`PathSet::poll_transmit`] and [`PathSet::poll_switch`], and
//! call [`PathSet::handle_timeout`] at the time that [`PathSet::poll_timeout`] gives.
//!
//! What is sent and not answered for [`QUIET_US`] is asked for with a ping. A ping that is not
//! answered either is *doubt*: from then on all goes by a second path as well, and if the first
//! stays silent, the second takes over in a new *epoch*. The other end follows the higher epoch;
//! of two choices in one epoch the helper's holds. Better paths are tried all the time and taken
//! back once they have answered three times in a row.

use std::collections::VecDeque;
use std::fmt;

use super::message::{MAX_CANDIDATES, Message};

/// Silence after which the path that is in use is asked. An idle session is asked once, after its
/// last packet.
const QUIET_US: u64 = 100_000;
/// Packets that make a silence.
const FEW_PACKETS: u32 = 3;
/// The helper's silence after the last packet that came. Longer, so that usually only one end asks.
const HEARD_LAST_US: u64 = 130_000;
/// An answer may take a round trip, a quarter of one, and this long.
const ANSWER_US: u64 = 40_000;
/// The round trip assumed before the first answer.
const FIRST_RTT_US: u64 = 100_000;
/// From doubt to the switch.
const COMMIT_US: u64 = 180_000;
/// Between pings in doubt.
const DOUBT_PING_US: u64 = 40_000;
/// A path in doubt without any second one is asked less and less, down to this often.
const MAX_DOUBT_PING_US: u64 = 1_000_000;
/// Between pings that announce a new epoch, until one is answered.
const ANNOUNCE_US: u64 = 50_000;
/// A path that waits is kept open: mappings of UDP live 30 s at the least (RFC 4787 demands 2
/// minutes, and is not obeyed).
const KEEP_US: u64 = 15_000_000;
/// A new path that has not answered yet is asked again soon: the other end may not know it yet.
const FIRST_US: u64 = 100_000;
/// A better path that answers is asked this often, one that does not ever more rarely.
const BETTER_US: u64 = 500_000;
const MAX_BETTER_US: u64 = 4_000_000;
/// Answers in a row after which a better path is taken.
const BETTER_ANSWERS: u32 = 3;
/// Pings of one path whose answers are waited for, and for how long: late ones tell how late.
const MAX_ASKED: usize = 32;
const FORGET_US: u64 = 2_000_000;
/// Pings without an answer after which a path counts as dead until it answers again.
const DEAD_PINGS: u32 = 3;
/// Paths known at most; beyond it the one that was heard least lately goes. From each of four
/// relays to each of the other end's four, as many as an invitation carries, and as many without
/// relays as are told at once.
pub(crate) const MAX_WAYS: usize = 16 + MAX_CANDIDATES;

/// How good a path is; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(pub(crate) u8);

/// Why a session goes by another path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwitchReason {
    /// Nothing came by the old one any more.
    Silence,
    /// The relay of the old one is gone.
    RelayLost,
    /// A better one works.
    Better,
    /// The other side decided.
    Peer,
}

impl fmt::Display for SwitchReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silence => "nothing came by the old path any more",
            Self::RelayLost => "the old relay is gone",
            Self::Better => "a better path works",
            Self::Peer => "the other side chose it",
        })
    }
}

/// A change of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) epoch: u32,
    pub(crate) reason: SwitchReason,
}

#[derive(Clone, Debug)]
struct Way {
    rank: Rank,
    /// Whether it has answered a ping, so that whoever is there wants what is sent.
    is_valid: bool,
    /// Whether there is still something to send by.
    exists: bool,
    rtt_us: Option<u64>,
    heard_us: u64,
    /// The pings that wait for their answers, and when they were sent.
    asked: VecDeque<(u32, u64)>,
    /// The last ping whose answer was found to be late.
    judged: u32,
    next_ask_us: Option<u64>,
    unanswered: u32,
    answers: u32,
}

impl Way {
    fn new(rank: Rank, is_valid: bool, now_us: u64) -> Self {
        Self {
            rank,
            is_valid,
            exists: true,
            rtt_us: None,
            heard_us: now_us,
            asked: VecDeque::new(),
            judged: 0,
            next_ask_us: None,
            unanswered: 0,
            answers: 0,
        }
    }

    /// When the answer to the first ping that is not judged is late.
    fn late_us(&self) -> Option<u64> {
        let waiting = self.asked.iter().find(|(id, _)| *id > self.judged);
        waiting.map(|(_, at_us)| at_us + self.answer_us())
    }

    fn is_asked(&self) -> bool {
        self.late_us().is_some()
    }

    fn is_alive(&self) -> bool {
        self.exists && self.is_valid && self.unanswered < DEAD_PINGS
    }

    fn answer_us(&self) -> u64 {
        let rtt_us = self.rtt_us.unwrap_or(FIRST_RTT_US);
        rtt_us * 5 / 4 + ANSWER_US
    }
}

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayState {
    pub(crate) rtt_us: Option<u64>,
    pub(crate) is_active: bool,
    pub(crate) is_alive: bool,
}

/// Nothing comes by the path in use.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    since_us: u64,
    next_ask_us: u64,
    asked: u32,
}

/// The paths of one session.
#[derive(Debug)]
pub(crate) struct PathSet {
    is_helper: bool,
    ways: Vec<Way>,
    active: usize,
    epoch: u32,
    /// The highest epoch that the other side is known to know.
    peer_epoch: u32,
    announce_us: Option<u64>,
    /// Since when what was sent is not answered, and how many packets that is.
    waiting: Option<(u64, u32)>,
    /// When the helper asks after the last packet that came, and how many came.
    check: Option<(u64, u32)>,
    doubt: Option<Doubt>,
    /// A way the other side wants to use and that must answer first.
    wanted: Option<(usize, u32)>,
    next_id: u32,
    out: VecDeque<(usize, Message)>,
    switches: VecDeque<Switch>,
}

impl PathSet {
    /// The session goes by one path, which has just worked, with this round-trip time.
    pub(crate) fn new(is_helper: bool, rank: Rank, rtt_us: u64, now_us: u64) -> Self {
        Self {
            is_helper,
            ways: vec![Way { rtt_us: Some(rtt_us), ..Way::new(rank, true, now_us) }],
            active: 0,
            epoch: 0,
            peer_epoch: 0,
            announce_us: None,
            waiting: None,
            check: None,
            doubt: None,
            wanted: None,
            next_id: 0,
            out: VecDeque::new(),
            switches: VecDeque::new(),
        }
    }

    /// Another path; it is asked at once. Gives its index, which may be that of one that is gone.
    pub(crate) fn add(&mut self, rank: Rank, now_us: u64) -> usize {
        let way = Way::new(rank, false, now_us);
        let index = if self.ways.len() < MAX_WAYS {
            self.ways.push(way);
            self.ways.len() - 1
        } else {
            let others = (0..MAX_WAYS).filter(|i| *i != self.active);
            let oldest = others.min_by_key(|i| (self.ways[*i].is_alive(), self.ways[*i].heard_us));
            let index = oldest.unwrap_or(0);
            self.ways[index] = way;
            self.wanted = self.wanted.filter(|(wanted, _)| *wanted != index);
            self.out.retain(|(to, _)| *to != index);
            index
        };
        self.ask(index, now_us);
        index
    }

    /// A path is as good as this.
    pub(crate) fn set_rank(&mut self, way: usize, rank: Rank) {
        self.ways[way].rank = rank;
    }

    /// A path is gone for good.
    pub(crate) fn remove(&mut self, ways: &[usize], now_us: u64) {
        ways.iter().for_each(|way| self.ways[*way].exists = false);
        if ways.contains(&self.active)
            && let Some(second) = self.second()
        {
            self.switch(second, SwitchReason::RelayLost, now_us);
        }
    }

    /// A path that was gone or dead may lead somewhere again.
    pub(crate) fn restore(&mut self, way: usize, now_us: u64) {
        let was_there = std::mem::replace(&mut self.ways[way].exists, true);
        if !was_there || !self.ways[way].is_alive() {
            self.ask(way, now_us);
        }
    }

    /// Whether nothing comes by any path.
    pub(crate) fn is_lost(&self, now_us: u64) -> bool {
        let is_old = |doubt: Doubt| now_us >= doubt.since_us + COMMIT_US;
        self.doubt.is_some_and(is_old) && self.second().is_none()
    }

    /// The path in use, and one by which all goes as well.
    pub(crate) fn route(&self) -> (usize, Option<usize>) {
        let second = self.doubt.and_then(|_| self.second());
        (self.active, second)
    }

    /// Asks at once whether the path in use works.
    pub(crate) fn check(&mut self, now_us: u64) {
        if !self.is_unsure() {
            self.ask(self.active, now_us);
        }
    }

    /// Whether it is open which path works: an answer is waited for.
    pub(crate) fn is_unsure(&self) -> bool {
        self.doubt.is_some() || self.ways[self.active].is_asked()
    }

    /// What is known of a path.
    pub(crate) fn way(&self, way: usize) -> WayState {
        let Way { rtt_us, .. } = self.ways[way];
        let is_active = way == self.active;
        WayState { rtt_us, is_active, is_alive: self.ways[way].is_alive() }
    }

    /// A packet of the session went out.
    pub(crate) fn handle_sent(&mut self, now_us: u64) {
        let (since_us, packets) = self.waiting.unwrap_or((now_us, 0));
        self.waiting = Some((since_us, packets.saturating_add(1)));
    }

    /// A packet of the session came by a path. It is not authenticated here, so it ends no doubt.
    pub(crate) fn handle_heard(&mut self, way: usize, now_us: u64) {
        self.ways[way].heard_us = now_us;
        if way == self.active && self.doubt.is_none() && !self.ways[way].is_asked() {
            self.waiting = None;
            let packets = self.check.map_or(0, |(_, packets)| packets);
            let check = (now_us + HEARD_LAST_US, packets.saturating_add(1));
            self.check = self.is_helper.then_some(check);
        }
    }

    /// A message of the other end came by a path; `from` is where it came from.
    pub(crate) fn handle_message(
        &mut self,
        way: usize,
        from: std::net::SocketAddr,
        message: &Message,
        now_us: u64,
    ) {
        self.ways[way].heard_us = now_us;
        match *message {
            Message::Ping { id, epoch, active, doubt } => {
                let pong = Message::Pong { id, epoch: self.epoch.max(epoch), seen: from };
                self.out.push_back((way, pong));
                self.peer_epoch = self.peer_epoch.max(epoch);
                self.check = None;
                if self.doubt.is_none() && self.ways[way].is_valid {
                    self.ways[way].unanswered = 0;
                }
                if active {
                    self.follow(way, epoch, now_us);
                }
                if !self.ways[way].is_valid && !self.ways[way].is_asked() {
                    self.ask(way, now_us);
                }
                if doubt && way != self.active {
                    self.doubt_now(now_us);
                }
            }
            Message::Pong { id, epoch, .. } => {
                self.peer_epoch = self.peer_epoch.max(epoch);
                self.handle_answer(way, id, now_us);
            }
            Message::Candidates { .. } | Message::Known { .. } => {}
        }
    }

    /// Lets time pass.
    pub(crate) fn handle_timeout(&mut self, now_us: u64) {
        for way in 0..self.ways.len() {
            self.judge(way, now_us);
        }
        if self.quiet_us().is_some_and(|at| now_us >= at) {
            self.check = None;
            self.ask(self.active, now_us);
        }
        self.handle_doubt(now_us);
        if self.announce_us.is_some_and(|at| now_us >= at) {
            self.announce(now_us);
        }
        for way in 0..self.ways.len() {
            if self.ways[way].next_ask_us.is_some_and(|at| now_us >= at) {
                self.ask(way, now_us);
            }
        }
    }

    /// When to call [`PathSet::handle_timeout`] next.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        let ways = self.ways.iter().flat_map(|way| [way.late_us(), way.next_ask_us]);
        let doubt = self.doubt.map(|doubt| {
            let commit_us = doubt.since_us + COMMIT_US;
            let is_to_come = doubt.next_ask_us > commit_us || self.second().is_none();
            if is_to_come { doubt.next_ask_us } else { doubt.next_ask_us.min(commit_us) }
        });
        ways.chain([self.quiet_us(), doubt, self.announce_us]).flatten().min()
    }

    /// A message, and the path that it is to go by.
    pub(crate) fn poll_transmit(&mut self) -> Option<(usize, Message)> {
        self.out.pop_front()
    }

    /// A change of the path that has just been made.
    pub(crate) fn poll_switch(&mut self) -> Option<Switch> {
        self.switches.pop_front()
    }

    /// When the path in use has been silent for so long that it is asked. Few packets may be
    /// answers that none is due to: a keep-alive and its acknowledgement.
    fn quiet_us(&self) -> Option<u64> {
        if self.doubt.is_some() || self.ways[self.active].is_asked() {
            return None;
        }
        let waiting = self.waiting.filter(|(_, packets)| *packets >= FEW_PACKETS);
        let check = self.check.filter(|(_, packets)| *packets >= FEW_PACKETS);
        let waiting_us = waiting.map(|(since_us, _)| since_us + QUIET_US);
        [waiting_us, check.map(|(at_us, _)| at_us)].into_iter().flatten().min()
    }

    fn ask(&mut self, way: usize, now_us: u64) {
        if !self.ways[way].exists {
            self.ways[way].next_ask_us = None;
            return;
        }
        self.next_id = self.next_id.wrapping_add(1);
        let asked = &mut self.ways[way].asked;
        asked.push_back((self.next_id, now_us));
        if asked.len() > MAX_ASKED {
            asked.pop_front();
        }
        self.ways[way].next_ask_us = None;
        let active = way == self.active;
        let (id, epoch, doubt) = (self.next_id, self.epoch, self.doubt.is_some());
        self.out.push_back((way, Message::Ping { id, epoch, active, doubt }));
    }

    /// Plans when a path that is not in use is asked next. The helper leads.
    fn plan(&mut self, way: usize, now_us: u64) {
        let active_rank = self.ways[self.active].rank;
        let this = &mut self.ways[way];
        let wait_us = match (way == self.active, self.is_helper, this.rank < active_rank) {
            (true, ..) => None,
            // The other end's pings keep it open; without them it is not worth it.
            (_, false, _) => (!this.is_valid && this.unanswered < DEAD_PINGS).then_some(FIRST_US),
            (_, true, _) if !this.is_valid && this.unanswered < DEAD_PINGS => Some(FIRST_US),
            (_, true, true) => {
                let doubled = this.unanswered.saturating_sub(DEAD_PINGS).min(6);
                Some((BETTER_US << doubled).min(MAX_BETTER_US))
            }
            (_, true, false) if this.unanswered == 0 => Some(KEEP_US),
            (_, true, false) if this.unanswered < DEAD_PINGS => Some(BETTER_US),
            (_, true, false) => Some(MAX_BETTER_US),
        };
        this.next_ask_us = wait_us.map(|wait| now_us + wait).filter(|_| this.exists);
    }

    /// Finds out whether answers are late.
    fn judge(&mut self, way: usize, now_us: u64) {
        let this = &mut self.ways[way];
        while this.asked.pop_front_if(|(_, at_us)| now_us >= *at_us + FORGET_US).is_some() {}
        let answer_us = this.answer_us();
        let late = this.asked.iter().rev().find(|(_, at_us)| now_us >= at_us + answer_us);
        let Some((id, _)) = late.filter(|(id, _)| *id > this.judged) else { return };
        this.judged = *id;
        this.unanswered = this.unanswered.saturating_add(1);
        this.answers = 0;
        if way == self.active {
            self.doubt_now(now_us);
        } else {
            self.plan(way, now_us);
        }
    }

    fn handle_answer(&mut self, way: usize, id: u32, now_us: u64) {
        let this = &mut self.ways[way];
        let Some(at) = this.asked.iter().position(|(asked, _)| *asked == id) else { return };
        let (_, at_us) = this.asked[at];
        this.asked.drain(..=at);
        let rtt_us = now_us.saturating_sub(at_us);
        this.rtt_us = Some(this.rtt_us.map_or(rtt_us, |old| (old * 3 + rtt_us) / 4));
        this.is_valid = true;
        this.unanswered = 0;
        this.answers = this.answers.saturating_add(1);
        if let Some((_, epoch)) = self.wanted.take_if(|(wanted, _)| *wanted == way) {
            self.follow(way, epoch, now_us);
        }
        if way == self.active {
            self.doubt = None;
            self.waiting = None;
        } else if self.is_helper
            && self.doubt.is_none()
            && self.ways[way].rank < self.ways[self.active].rank
            && self.ways[way].answers >= BETTER_ANSWERS
        {
            self.switch(way, SwitchReason::Better, now_us);
        }
        self.plan(way, now_us);
    }

    /// The other end sends by this way.
    fn follow(&mut self, way: usize, epoch: u32, now_us: u64) {
        let is_newer = epoch > self.epoch || (epoch == self.epoch && !self.is_helper);
        if !is_newer || (way == self.active && epoch == self.epoch) {
            return;
        }
        if !self.ways[way].is_valid {
            self.wanted = Some((way, epoch));
            if !self.ways[way].is_asked() {
                self.ask(way, now_us);
            }
            return;
        }
        self.epoch = epoch;
        if way != self.active {
            self.go(way, SwitchReason::Peer, now_us);
        }
    }

    fn switch(&mut self, to: usize, reason: SwitchReason, now_us: u64) {
        self.epoch += 1;
        self.go(to, reason, now_us);
        self.announce(now_us);
    }

    fn go(&mut self, to: usize, reason: SwitchReason, now_us: u64) {
        let from = std::mem::replace(&mut self.active, to);
        self.switches.push_back(Switch { from, to, epoch: self.epoch, reason });
        (self.doubt, self.waiting, self.check) = (None, None, None);
        self.ways[to].next_ask_us = None;
        self.ways[from].answers = 0;
        for way in 0..self.ways.len() {
            self.plan(way, now_us);
        }
    }

    /// Tells the new epoch by its path until the other end knows it.
    fn announce(&mut self, now_us: u64) {
        self.announce_us = (self.peer_epoch < self.epoch).then_some(now_us + ANNOUNCE_US);
        if self.announce_us.is_some() {
            self.ask(self.active, now_us);
        }
    }

    fn doubt_now(&mut self, now_us: u64) {
        if self.doubt.is_none() {
            self.doubt = Some(Doubt { since_us: now_us, next_ask_us: now_us, asked: 0 });
        }
    }

    fn handle_doubt(&mut self, now_us: u64) {
        let Some(Doubt { since_us, next_ask_us, asked }) = self.doubt else { return };
        if now_us >= since_us + COMMIT_US
            && let Some(second) = self.second().filter(|way| self.ways[*way].answers > 0)
            && self.ways[second].heard_us >= since_us
        {
            self.switch(second, SwitchReason::Silence, now_us);
            return;
        }
        if now_us < next_ask_us {
            return;
        }
        let others = self.second().is_some();
        let doubled = if others { 0 } else { asked.saturating_sub(4).min(6) };
        let wait_us = (DOUBT_PING_US << doubled).min(MAX_DOUBT_PING_US);
        self.doubt = Some(Doubt { since_us, next_ask_us: now_us + wait_us, asked: asked + 1 });
        for way in 0..self.ways.len() {
            if self.ways[way].exists && (way == self.active || self.ways[way].is_valid) {
                self.ask(way, now_us);
            }
        }
    }

    /// The best path beside the one in use.
    fn second(&self) -> Option<usize> {
        let others = (0..self.ways.len()).filter(|way| *way != self.active);
        let alive = others.filter(|way| self.ways[*way].is_alive());
        alive.min_by_key(|way| (self.ways[*way].rank, self.ways[*way].rtt_us))
    }
}

#[cfg(test)]
mod tests;
