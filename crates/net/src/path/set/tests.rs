//! Two ends and their paths in virtual time.

use std::net::SocketAddr;

use super::*;

const MS: u64 = 1_000;
const DIRECT: Rank = Rank(0);
const UDP: Rank = Rank(1);
const TLS: Rank = Rank(2);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Helper,
    Sharer,
}

/// A path: how long it takes, and whether it carries anything to the helper and to the sharer.
struct Path {
    rank: Rank,
    delay_us: u64,
    down: bool,
    up: bool,
}

enum Packet {
    Told(Message),
    Data(u32),
}

struct World {
    now_us: u64,
    ends: [PathSet; 2],
    paths: Vec<Path>,
    /// Which of an end's ways each path is.
    ways: [Vec<Option<usize>>; 2],
    /// When, to whom, by which path.
    flying: Vec<(u64, End, usize, Packet)>,
    sent: u32,
    /// When the helper had each piece of data first.
    had: Vec<Option<u64>>,
    switches: Vec<(End, Switch)>,
    told: usize,
    every_us: Option<u64>,
}

impl World {
    fn new(paths: &[(Rank, u64)]) -> Self {
        let paths: Vec<_> = paths
            .iter()
            .map(|(rank, delay_ms)| Path {
                rank: *rank,
                delay_us: delay_ms * MS,
                down: true,
                up: true,
            })
            .collect();
        let (first, rtt_us) = (paths[0].rank, 2 * paths[0].delay_us);
        let mut ways = [vec![None; paths.len()], vec![None; paths.len()]];
        (ways[0][0], ways[1][0]) = (Some(0), Some(0));
        let mut world = Self {
            now_us: 0,
            ends: [true, false].map(|is_helper| PathSet::new(is_helper, first, rtt_us, 0)),
            paths,
            ways,
            flying: Vec::new(),
            sent: 0,
            had: Vec::new(),
            switches: Vec::new(),
            told: 0,
            every_us: None,
        };
        for path in 1..world.paths.len() {
            world.ways[0][path] = Some(world.ends[0].add(world.paths[path].rank, 0));
        }
        world
    }

    fn end(&mut self, end: End) -> &mut PathSet {
        &mut self.ends[end as usize]
    }

    fn path_of(&self, end: End, way: usize) -> usize {
        let ways = &self.ways[end as usize];
        ways.iter().position(|known| *known == Some(way)).unwrap()
    }

    fn fly(&mut self, from: End, path: usize, packet: Packet) {
        let (to, passes) = match from {
            End::Helper => (End::Sharer, self.paths[path].up),
            End::Sharer => (End::Helper, self.paths[path].down),
        };
        if passes {
            self.flying.push((self.now_us + self.paths[path].delay_us, to, path, packet));
        }
    }

    fn send_data(&mut self, from: End, number: u32) {
        let now_us = self.now_us;
        self.end(from).handle_sent(now_us);
        let (first, second) = self.end(from).route();
        for way in [Some(first), second].into_iter().flatten() {
            let path = self.path_of(from, way);
            self.fly(from, path, Packet::Data(number));
        }
    }

    fn arrive(&mut self, to: End, path: usize, packet: &Packet) {
        let (now_us, rank) = (self.now_us, self.paths[path].rank);
        let way = match (self.ways[to as usize][path], packet) {
            (Some(way), _) => way,
            (None, Packet::Told(_)) => {
                let way = self.end(to).add(rank, now_us);
                self.ways[to as usize][path] = Some(way);
                way
            }
            (None, Packet::Data(_)) => return,
        };
        let from: SocketAddr = ([192, 0, 2, path as u8], 1).into();
        match packet {
            Packet::Told(message) => self.end(to).handle_message(way, from, message, now_us),
            Packet::Data(number) => {
                self.end(to).handle_heard(way, now_us);
                if to == End::Helper {
                    let is_new = self.had[*number as usize].is_none();
                    self.had[*number as usize].get_or_insert(now_us);
                    if is_new {
                        self.send_data(End::Helper, *number);
                    }
                }
            }
        }
    }

    fn drain(&mut self) {
        for end in [End::Helper, End::Sharer] {
            while let Some((way, message)) = self.end(end).poll_transmit() {
                self.told += 1;
                let path = self.path_of(end, way);
                self.fly(end, path, Packet::Told(message));
            }
            while let Some(switch) = self.end(end).poll_switch() {
                self.switches.push((end, switch));
            }
        }
    }

    fn run_for(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now_us += MS;
            let now_us = self.now_us;
            let (due, flying) = std::mem::take(&mut self.flying)
                .into_iter()
                .partition(|(at_us, ..)| *at_us <= now_us);
            self.flying = flying;
            let due: Vec<_> = due;
            for (_, to, path, packet) in &due {
                self.arrive(*to, *path, packet);
            }
            for end in [End::Helper, End::Sharer] {
                if self.end(end).poll_timeout().is_some_and(|at| at <= now_us) {
                    self.end(end).handle_timeout(now_us);
                    let again = self.end(end).poll_timeout();
                    assert!(again.is_none_or(|at| at > now_us), "{end:?} would spin at {now_us}");
                }
            }
            if self.every_us.is_some_and(|every| now_us.is_multiple_of(every)) {
                self.had.push(None);
                self.sent += 1;
                self.send_data(End::Sharer, self.sent - 1);
            }
            self.drain();
        }
    }

    /// The longest time without new data at the helper since `from_us`.
    fn gap_ms(&self, from_us: u64) -> u64 {
        let mut times: Vec<_> =
            self.had.iter().flatten().copied().filter(|t| *t >= from_us).collect();
        times.sort_unstable();
        let first = times.first().map_or(u64::MAX, |first| first - from_us);
        times.windows(2).map(|pair| pair[1] - pair[0]).chain([first]).max().unwrap() / MS
    }

    fn active(&mut self) -> [usize; 2] {
        [End::Helper, End::Sharer].map(|end| {
            let way = self.end(end).route().0;
            self.path_of(end, way)
        })
    }

    fn film(paths: &[(Rank, u64)]) -> Self {
        let mut world = Self::new(paths);
        world.every_us = Some(33 * MS);
        world.run_for(2_000);
        assert_eq!(world.active(), [0, 0]);
        world
    }

    fn set(&mut self, path: usize, down: bool, up: bool) {
        (self.paths[path].down, self.paths[path].up) = (down, up);
    }
}

#[test]
fn udp_that_is_blocked_is_left_within_450_ms_whichever_way_it_is_blocked() {
    let mut worst = 0;
    for (direct_ms, tls_ms) in [(1, 1), (20, 25), (40, 60), (100, 110)] {
        for (down, up) in [(false, false), (false, true), (true, false)] {
            for start_ms in 0..40 {
                let mut world = World::film(&[(UDP, direct_ms), (TLS, tls_ms)]);
                world.run_for(start_ms);
                world.set(0, down, up);
                let from_us = world.now_us;
                world.run_for(3_000);
                assert_eq!(world.active(), [1, 1], "{direct_ms} ms, {down} {up}");
                let gap_ms = world.gap_ms(from_us);
                let bound_ms = 350 + 2 * direct_ms + tls_ms;
                assert!(gap_ms <= bound_ms, "{direct_ms} ms, {down} {up}: {gap_ms} ms");
                worst = worst.max(gap_ms);
            }
        }
    }
    assert!(worst > 100, "{worst} ms: the paths were never cut");
}

#[test]
fn a_path_that_works_is_never_left() {
    for delay_ms in [0, 10, 50, 150, 300] {
        let mut world = World::film(&[(DIRECT, delay_ms), (TLS, 5)]);
        world.run_for(60_000);
        assert_eq!(world.switches, [], "{delay_ms} ms");
    }
}

#[test]
fn a_delay_that_jumps_by_200_ms_is_no_silence() {
    let mut world = World::film(&[(UDP, 10), (TLS, 20)]);
    world.paths[0].delay_us += 100 * MS;
    world.run_for(3_000);
    assert_eq!(world.switches, []);
    assert_eq!(world.ends[1].route(), (0, None), "nothing goes twice any more");
}

#[test]
fn the_better_path_is_taken_back_once_it_works_again_and_nothing_is_lost() {
    let mut world = World::film(&[(UDP, 10), (TLS, 20)]);
    world.set(0, false, false);
    world.run_for(10_000);
    assert_eq!(world.active(), [1, 1]);
    let (from, from_us) = (world.sent as usize, world.now_us);
    world.set(0, true, true);
    world.run_for(8_000);
    assert_eq!(world.active(), [0, 0]);
    let reasons: Vec<_> = world.switches.iter().map(|(_, switch)| switch.reason).collect();
    assert!(reasons.contains(&SwitchReason::Better), "{reasons:?}");
    world.run_for(100);
    assert!(world.had[from..world.sent as usize - 4].iter().all(Option::is_some));
    assert!(world.gap_ms(from_us) <= 60);
}

#[test]
fn a_helper_whose_address_changes_is_found_again() {
    let mut moved = World::film(&[(DIRECT, 10)]);
    moved.set(0, false, false);
    let from_us = moved.now_us;
    moved.paths.push(Path { rank: DIRECT, delay_us: 10 * MS, down: true, up: true });
    // What is one way to the helper comes to the sharer from elsewhere.
    moved.ways = [vec![None, Some(0)], vec![Some(0), None]];
    moved.run_for(3_000);
    assert_eq!(moved.active(), [1, 1]);
    assert!(moved.gap_ms(from_us) <= 450, "{} ms", moved.gap_ms(from_us));
}

#[test]
fn a_relay_that_is_gone_is_left_at_once() {
    let mut world = World::film(&[(UDP, 10), (TLS, 20)]);
    world.set(0, false, false);
    let now_us = world.now_us;
    world.ends[0].remove(&[0], now_us);
    world.run_for(40);
    assert_eq!(world.active(), [1, 1]);
    assert_eq!(world.switches[0].1.reason, SwitchReason::RelayLost);
}

#[test]
fn without_a_second_path_the_only_one_is_kept_and_asked_ever_less() {
    let mut world = World::film(&[(DIRECT, 10)]);
    world.set(0, false, false);
    world.run_for(10_000);
    let told = world.told;
    world.run_for(60_000);
    assert!(world.told - told <= 130, "{} in a minute", world.told - told);
    world.set(0, true, true);
    world.run_for(2_000);
    assert_eq!(world.ends[1].route(), (0, None));
    assert_eq!(world.switches, []);
}

#[test]
fn an_idle_session_only_keeps_its_paths_open() {
    let mut world = World::new(&[(DIRECT, 10), (UDP, 20), (TLS, 20)]);
    world.run_for(2_000);
    let told = world.told;
    world.run_for(60_000);
    let told = world.told - told;
    assert!((8..=20).contains(&told), "{told} messages in a minute");
}

#[test]
fn of_two_choices_in_one_epoch_the_helpers_holds() {
    let mut world = World::film(&[(UDP, 10), (TLS, 30), (TLS, 30)]);
    world.set(0, false, false);
    let now_us = world.now_us;
    let (helpers, sharers) = (world.ways[0][1].unwrap(), world.ways[1][2].unwrap());
    world.ends[0].switch(helpers, SwitchReason::Silence, now_us);
    world.ends[1].switch(sharers, SwitchReason::Silence, now_us);
    world.run_for(2_000);
    assert_eq!(world.active(), [1, 1]);
    assert_eq!(world.ends[0].epoch, world.ends[1].epoch);
}

#[test]
fn an_address_that_never_answered_is_never_sent_to() {
    let mut world = World::film(&[(UDP, 10), (TLS, 20)]);
    // A ping of the helper's, diverted: it claims to be the path in use.
    let now_us = world.now_us;
    let strange = world.ends[1].add(DIRECT, now_us);
    let ping = Message::Ping { id: 9, epoch: 7, active: true, doubt: true };
    let from = "198.51.100.1:9".parse().unwrap();
    world.ends[1].handle_message(strange, from, &ping, now_us);
    for step in 0..100 {
        world.ends[1].handle_timeout(now_us + step * 20 * MS);
        let (first, second) = world.ends[1].route();
        assert!(first != strange && second != Some(strange));
    }
}

#[test]
fn what_is_known_of_paths_is_bounded() {
    let mut set = PathSet::new(false, UDP, 0, 0);
    for step in 0..10_000 {
        set.add(Rank((step % 3) as u8), step);
        assert!(set.ways.len() <= MAX_WAYS);
        while set.poll_transmit().is_some() {}
    }
    assert_eq!(set.route().0, 0, "the one in use is never forgotten");
}
