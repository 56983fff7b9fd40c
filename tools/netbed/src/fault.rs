//! What goes wrong in a network, and is repaired.

use crate::bed::Bed;
use crate::config::{Layout, Side};
use crate::plan::MACHINE_DEVICE;
use crate::router::Router;
use crate::run::run;
use crate::space::Space;
use anyhow::ensure;
use std::process::Command;

/// Packets of this many bytes, or bursts of this many milliseconds, pass a slow link at once.
const BURST_BYTES: u64 = 3_028;
const BURST_MS: u64 = 2;
/// How long a packet waits in a slow link before it is lost.
const QUEUE_MS: u32 = 200;
/// The neighbours' addresses are found out all the same: a cut or a firewall far away would not
/// make the own system say that a host cannot be reached.
const NEIGHBOURS: &str = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept";

/// Something wrong with a network, until it is undone or dropped.
#[must_use = "it is repaired when this is dropped"]
pub struct Fault {
    undo: Vec<Command>,
}

impl Fault {
    /// Repairs it; dropping it does as well, without a word if that fails.
    ///
    /// # Errors
    /// The bed is no more.
    pub fn undo(mut self) -> anyhow::Result<()> {
        std::mem::take(&mut self.undo).into_iter().try_for_each(|command| run(command).map(drop))
    }

    /// Leaves it for the rest of the bed's life.
    pub fn keep(mut self) {
        self.undo.clear();
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        for command in self.undo.drain(..) {
            let _ = run(command);
        }
    }
}

impl Bed {
    /// From now on the side's router drops all UDP of the side, also of flows that are there; what
    /// stays in the private network passes.
    ///
    /// # Errors
    /// As every fault: only if the system's tools fail.
    pub fn block_udp(&self, side: Side) -> anyhow::Result<Fault> {
        self.forward_rules(side, &["meta l4proto udp".to_owned()])
    }

    /// From now on the side's router drops what is from or for these ports outside, also of flows
    /// that are there.
    ///
    /// # Errors
    /// There are no ports, or the system's tools fail.
    pub fn block_ports(&self, side: Side, udp: &[u16], tcp: &[u16]) -> anyhow::Result<Fault> {
        ensure!(!udp.is_empty() || !tcp.is_empty(), "no ports to block");
        let mut rules = Vec::new();
        for (protocol, ports) in [("udp", udp), ("tcp", tcp)] {
            if ports.is_empty() {
                continue;
            }
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            let ports = ports.join(", ");
            rules.push(format!("iifname \"{}\" {protocol} dport {{ {ports} }}", Router::IN));
            rules.push(format!("iifname \"{}\" {protocol} sport {{ {ports} }}", Router::OUT));
        }
        self.forward_rules(side, &rules)
    }

    /// From now on no packet passes between the side's machine and its router, or another machine
    /// in its network. Nobody is told: the machine's link stays up.
    ///
    /// # Errors
    /// The system's tools fail.
    pub fn cut(&self, side: Side) -> anyhow::Result<Fault> {
        let port = side.name();
        let chain = |hook: &str| {
            format!(
                "chain {hook} {{ type filter hook {hook} device \"{port}\" priority 0;\n\
                 {NEIGHBOURS}\nether type {{ ip, ip6 }} drop\n}}"
            )
        };
        self.table(self.router(side), "netdev", &(chain("ingress") + "\n" + &chain("egress")))
    }

    /// From now on no packet passes between the machines but through a relay.
    ///
    /// # Errors
    /// The system's tools fail.
    pub fn cut_direct(&self) -> anyhow::Result<Fault> {
        // In either layout it is one bridge that passes between ports only what is direct.
        let space = match self.layout() {
            Layout::TwoNats => self.public(),
            Layout::OneLan => self.router(Side::Sharer),
        };
        let chain = format!(
            "chain forward {{ type filter hook forward priority 0;\n{NEIGHBOURS}\n\
             ether type {{ ip, ip6 }} drop\n}}"
        );
        self.table(space, "bridge", &chain)
    }

    /// The side's NAT forgets all its mappings, of both machines where it is the NAT of both: the
    /// next packet of a flow gets another outside port, and answers to the old one are dropped.
    /// Cannot be undone; doing it again changes the ports again.
    ///
    /// # Errors
    /// There is no NAT, over IPv6, or the system's tools fail.
    pub fn remap(&self, side: Side) -> anyhow::Result<()> {
        self.plan.router(side).remap()
    }

    /// From now on the side's link carries no more than this in either direction, with queues of
    /// 200 ms. In [`Layout::OneLan`] the way out of the machine is limited in the machine.
    ///
    /// # Errors
    /// The rate is 0, the side has such a limit already, or the system's tools fail.
    pub fn rate(&self, side: Side, bits_per_s: u64) -> anyhow::Result<Fault> {
        ensure!(bits_per_s > 0, "a link needs a rate above 0 bit/s: `cut` stops all");
        let up = match self.layout() {
            Layout::TwoNats => (self.router(side), Router::OUT),
            Layout::OneLan => (self.machine(side), MACHINE_DEVICE),
        };
        let mut fault = Fault { undo: Vec::new() };
        let rate = format!("{bits_per_s}bit");
        let burst = (bits_per_s * BURST_MS / 8_000).max(BURST_BYTES).to_string();
        let latency = format!("{QUEUE_MS}ms");
        for (space, device) in [(self.router(side), side.name()), up] {
            let limit = ["root", "tbf", "rate", &rate, "burst", &burst, "latency", &latency];
            let mut add = space.command("tc");
            add.args(["qdisc", "add", "dev", device]).args(limit);
            run(add)?;
            let mut undo = space.command("tc");
            undo.args(["qdisc", "del", "dev", device, "root"]);
            fault.undo.push(undo);
        }
        Ok(fault)
    }

    /// Drops what the side's router forwards and what one of the conditions holds for.
    fn forward_rules(&self, side: Side, conditions: &[String]) -> anyhow::Result<Fault> {
        let address = self.machine(side).address();
        let ip = if address.is_ipv4() { "ip" } else { "ip6" };
        let mut rules = String::new();
        for condition in conditions {
            for end in ["saddr", "daddr"] {
                rules += &format!("{ip} {end} {address} {condition} drop\n");
            }
        }
        // Before the router's own rules, and after addresses were translated back.
        let chain = format!("chain forward {{ type filter hook forward priority -10;\n{rules} }}");
        self.table(self.router(side), "inet", &chain)
    }

    /// A fault that is a table of rules of its own, so that its undoing touches no other.
    pub(crate) fn table(&self, space: &Space, family: &str, chains: &str) -> anyhow::Result<Fault> {
        let name = format!("fault-{}", self.number());
        space.nft(&format!("table {family} {name} {{\n{chains}\n}}"))?;
        let mut undo = space.command("nft");
        undo.args(["delete", "table", family, &name]);
        Ok(Fault { undo: vec![undo] })
    }

    fn layout(&self) -> Layout {
        if self.plan.routers.len() == 1 { Layout::OneLan } else { Layout::TwoNats }
    }
}
