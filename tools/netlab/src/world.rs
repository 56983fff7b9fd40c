//! A network of one narrow link in each direction, and the flows that share it.

use crate::desk::Seen;
use crate::flow::{Flow, Look};
use crate::quic::{End, HEADER_BYTES, Outgoing};
use farpane_linksim::{Link, LinkConfig, LinkStats, MS, Ns, Packet};

/// How often flows are looked at.
pub(crate) const LOOK_EVERY: Ns = 100 * MS;
/// Steps without time passing after which a run is a bug.
const MAX_IDLE_STEPS: u32 = 1_000_000;

/// Where a packet is going.
struct Envelope {
    flow: usize,
    to: End,
    data: Vec<u8>,
}

/// A packet that came out of the shared link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// When it came out, without the propagation.
    pub(crate) at: Ns,
    /// Whose it is.
    pub(crate) flow: usize,
    /// Towards the end that the first flow's helper is at.
    pub(crate) forward: bool,
    /// Size on the link.
    pub(crate) bytes: u32,
    /// How long it waited.
    pub(crate) queued: Ns,
}

/// A flow at its place in the network.
pub(crate) struct Placed {
    /// What it does; made when its time has come.
    pub(crate) flow: Box<dyn FnOnce(Ns) -> anyhow::Result<Box<dyn Flow>>>,
    /// When it begins.
    pub(crate) start: Ns,
    /// Whether its data goes the other way.
    pub(crate) is_reverse: bool,
    /// Its own part of the path, each way, without the shared link.
    pub(crate) access: LinkConfig,
}

enum State {
    Waiting(Option<Placed>),
    Running(Box<dyn Flow>),
}

/// A network in virtual time.
pub(crate) struct World {
    now: Ns,
    /// The shared links: forward, backward.
    shared: [Link<Envelope>; 2],
    /// Each flow's own links, forward and backward.
    access: Vec<[Link<Envelope>; 2]>,
    is_reverse: Vec<bool>,
    flows: Vec<State>,
    /// What passed the shared links, in order.
    pub(crate) passages: Vec<Passage>,
    /// What each flow had to say, every [`LOOK_EVERY`].
    pub(crate) looks: Vec<Vec<Look>>,
    /// What the forward link had done by then.
    pub(crate) links: Vec<LinkStats>,
}

impl World {
    /// A network at rest.
    pub(crate) fn new(shared: [LinkConfig; 2], flows: Vec<Placed>) -> Self {
        let access = flows.iter().enumerate().map(|(i, flow)| {
            let link = |way: u64| {
                let seed =
                    flow.access.seed.wrapping_mul(0x9e37_79b9).wrapping_add(i as u64 * 2 + way);
                Link::new(LinkConfig { seed, ..flow.access.clone() })
            };
            [link(0), link(1)]
        });
        Self {
            now: 0,
            shared: shared.map(Link::new),
            access: access.collect(),
            is_reverse: flows.iter().map(|flow| flow.is_reverse).collect(),
            looks: vec![Vec::new(); flows.len()],
            flows: flows.into_iter().map(|flow| State::Waiting(Some(flow))).collect(),
            passages: Vec::new(),
            links: Vec::new(),
        }
    }

    /// The shared link in one direction.
    pub(crate) fn shared_stats(&self, forward: bool) -> LinkStats {
        self.shared[usize::from(!forward)].stats()
    }

    /// What became of the changes of a flow's screen.
    pub(crate) fn seen(&self, flow: usize) -> Option<&Seen> {
        match &self.flows[flow] {
            State::Waiting(_) => None,
            State::Running(running) => running.seen(),
        }
    }

    /// How long a flow's input was on its way.
    pub(crate) fn input_delays(&self, flow: usize) -> &[Ns] {
        match &self.flows[flow] {
            State::Waiting(_) => &[],
            State::Running(running) => running.input_delays(),
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// A flow cannot begin.
    pub(crate) fn run_until(&mut self, end: Ns) -> anyhow::Result<()> {
        let mut next_look = LOOK_EVERY;
        let mut idle = 0;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            while next_look <= at {
                self.look(next_look);
                next_look += LOOK_EVERY;
            }
            idle = if at > self.now { 0 } else { idle + 1 };
            anyhow::ensure!(idle < MAX_IDLE_STEPS, "time stands still at {} ns", self.now);
            self.now = self.now.max(at);
            self.step()?;
        }
        while next_look <= end {
            self.look(next_look);
            next_look += LOOK_EVERY;
        }
        Ok(())
    }

    fn next_event(&mut self) -> Option<Ns> {
        let links = self.shared.iter().chain(self.access.iter().flatten());
        let links = links.filter_map(Link::next_event).min();
        let flows = self.flows.iter_mut().filter_map(|flow| match flow {
            State::Waiting(placed) => placed.as_ref().map(|placed| placed.start),
            State::Running(flow) => flow.poll_timeout(),
        });
        flows.chain(links).min()
    }

    fn step(&mut self) -> anyhow::Result<()> {
        let now = self.now;
        for way in 0..2 {
            while let Some(delivered) = self.shared[way].poll(now) {
                let bytes = delivered.packet.bytes;
                let (queued, flow, forward) =
                    (delivered.queued, delivered.packet.payload.flow, way == 0);
                self.passages.push(Passage { at: now, flow, forward, bytes, queued });
                self.access[flow][way].send(now, delivered.packet);
            }
        }
        for flow in 0..self.flows.len() {
            for way in 0..2 {
                while let Some(delivered) = self.access[flow][way].poll(now) {
                    let Packet { ecn, payload, .. } = delivered.packet;
                    if let State::Running(running) = &mut self.flows[flow] {
                        running.handle(now, payload.to, &payload.data, ecn);
                    }
                }
            }
            self.time_out(flow)?;
            self.transmit(flow);
        }
        Ok(())
    }

    fn time_out(&mut self, flow: usize) -> anyhow::Result<()> {
        match &mut self.flows[flow] {
            State::Waiting(placed) => {
                if let Some(placed) = placed.take_if(|placed| placed.start <= self.now) {
                    self.flows[flow] = State::Running((placed.flow)(self.now)?);
                }
            }
            State::Running(running) => {
                if running.poll_timeout().is_some_and(|at| at <= self.now) {
                    running.handle_timeout(self.now);
                }
            }
        }
        Ok(())
    }

    fn transmit(&mut self, flow: usize) {
        let State::Running(running) = &mut self.flows[flow] else { return };
        while let Some((from, Outgoing { data, ecn })) = running.poll_transmit() {
            let to = if from == End::Sharer { End::Helper } else { End::Sharer };
            // The sharer's data goes forward unless the flow is turned round.
            let way = usize::from((to == End::Sharer) != self.is_reverse[flow]);
            let bytes = data.len() as u32 + HEADER_BYTES;
            let payload = Envelope { flow, to, data };
            self.shared[way].send(self.now, Packet { bytes, ecn, payload });
        }
    }

    fn look(&mut self, at: Ns) {
        self.links.push(self.shared[0].stats());
        for (looks, flow) in self.looks.iter_mut().zip(&self.flows) {
            looks.push(match flow {
                State::Waiting(_) => Look::default(),
                State::Running(flow) => flow.look(at),
            });
        }
    }
}
