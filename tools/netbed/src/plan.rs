//! Which namespaces there are, which addresses they have, and how they are connected.

use crate::config::{Config, Family, Layout, Nat, Side};
use crate::router::Router;
use crate::space::Space;
use anyhow::ensure;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The device of a machine.
pub(crate) const MACHINE_DEVICE: &str = "eth0";
/// The bridge in `public` that all are connected to.
pub(crate) const PUBLIC_BRIDGE: &str = "net";
/// Devices with this name take packets of all devices.
const EVERY_DEVICE: &str = "any";
/// The last part of the first relay's address; lower ones are the routers' and the bridge's.
const FIRST_RELAY: u8 = 10;
/// The last part of the last relay's address, as far as IPv4 has them.
const LAST_RELAY: u8 = 254;

/// The spaces of a bed, which need not be there yet.
pub(crate) struct Plan {
    pub(crate) family: Family,
    pub(crate) public: Space,
    /// One for each side, or one for both.
    pub(crate) routers: Vec<Router>,
    /// By [`Side::index`].
    pub(crate) machines: [Space; 2],
}

impl Plan {
    pub(crate) fn new(config: &Config, tag: &str) -> Self {
        let family = config.family;
        let space =
            |role: &str, address, device| Space::new(format!("{tag}-{role}"), address, device);
        let router = |role: &str, network: u8, nat: Nat, sides: &'static [Side]| {
            let outside = public_address(family, network + 1);
            let nat = (family == Family::V4).then_some(nat);
            Router::new(space(role, outside, EVERY_DEVICE), network, nat, sides)
        };
        let machine = |side: Side, network, host| {
            space(side.name(), private_address(family, network, host), MACHINE_DEVICE)
        };
        let (routers, machines) = match config.layout {
            Layout::TwoNats => (
                vec![
                    router("sharer-nat", 1, config.sharer_nat, &[Side::Sharer]),
                    router("helper-nat", 2, config.helper_nat, &[Side::Helper]),
                ],
                [machine(Side::Sharer, 1, 2), machine(Side::Helper, 2, 2)],
            ),
            Layout::OneLan => (
                vec![router("nat", 1, config.sharer_nat, &Side::BOTH)],
                [machine(Side::Sharer, 1, 2), machine(Side::Helper, 1, 3)],
            ),
        };
        let public = space("public", public_address(family, 1), EVERY_DEVICE);
        Self { family, public, routers, machines }
    }

    pub(crate) fn spaces(&self) -> impl Iterator<Item = &Space> {
        let routers = self.routers.iter().map(Router::space);
        std::iter::once(&self.public).chain(routers).chain(&self.machines)
    }

    pub(crate) fn router(&self, side: Side) -> &Router {
        &self.routers[side.index().min(self.routers.len() - 1)]
    }

    /// The address of the relay with this number.
    pub(crate) fn relay_address(&self, number: usize) -> anyhow::Result<IpAddr> {
        let most = usize::from(LAST_RELAY - FIRST_RELAY);
        ensure!(number <= most, "a bed has addresses for {} relays in all", most + 1);
        Ok(public_address(self.family, FIRST_RELAY + number as u8))
    }

    /// Connects the namespaces, which are there and empty.
    pub(crate) fn connect(&self) -> anyhow::Result<()> {
        for space in self.spaces() {
            space.set(&self.settings())?;
        }
        self.public.ip(&self.public_links())?;
        for router in &self.routers {
            router.space().ip(&self.router_links(router))?;
            router.set_up(self.family)?;
        }
        for side in Side::BOTH {
            let inside = self.inside_address(self.router(side));
            let machine = &self.machines[side.index()];
            let address = self.add_address(machine.address(), MACHINE_DEVICE);
            machine.ip(&format!(
                "link set lo up\nlink set {MACHINE_DEVICE} up\n{address}\
                 route add default via {inside}\n"
            ))?;
        }
        Ok(())
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        // Bridges shall be switches, whose packets no router's rules see.
        let mut settings =
            vec![("bridge/bridge-nf-call-iptables", "0"), ("bridge/bridge-nf-call-ip6tables", "0")];
        settings.extend(match self.family {
            Family::V4 => {
                [("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1")]
            }
            // An address would be of no use for a second or two.
            Family::V6 => {
                [("ipv6/conf/all/accept_dad", "0"), ("ipv6/conf/default/accept_dad", "0")]
            }
        });
        settings
    }

    fn public_links(&self) -> String {
        let mut commands = bridge(PUBLIC_BRIDGE);
        commands += &self.add_address(self.public.address(), PUBLIC_BRIDGE);
        for router in &self.routers {
            commands += &port(router.port(), PUBLIC_BRIDGE, Router::OUT, router.space());
            if self.family == Family::V6 {
                commands += &self.route_inside(router);
            }
        }
        commands
    }

    fn router_links(&self, router: &Router) -> String {
        let mut commands = bridge(Router::IN);
        commands += &self.add_address(self.inside_address(router), Router::IN);
        for side in router.sides() {
            let machine = &self.machines[side.index()];
            commands += &port(side.name(), Router::IN, MACHINE_DEVICE, machine);
        }
        commands += &format!("link set {} up\n", Router::OUT);
        commands += &self.add_address(router.space().address(), Router::OUT);
        // What is for nobody goes to `public`, which says nothing, as the Internet.
        commands += &format!("route add default via {}\n", self.public.address());
        if self.family == Family::V6 {
            for other in self.routers.iter().filter(|other| other.network() != router.network()) {
                commands += &self.route_inside(other);
            }
        }
        commands
    }

    fn route_inside(&self, router: &Router) -> String {
        let network = private_address(self.family, router.network(), 0);
        format!("route add {network}/{} via {}\n", self.prefix(), router.space().address())
    }

    fn inside_address(&self, router: &Router) -> IpAddr {
        private_address(self.family, router.network(), 1)
    }

    pub(crate) fn add_address(&self, address: IpAddr, device: &str) -> String {
        let at_once = if address.is_ipv6() { " nodad" } else { "" };
        format!("addr add {address}/{} dev {device}{at_once}\n", self.prefix())
    }

    fn prefix(&self) -> u8 {
        match self.family {
            Family::V4 => 24,
            Family::V6 => 64,
        }
    }
}

fn bridge(name: &str) -> String {
    format!("link set lo up\nlink add {name} type bridge mcast_snooping 0\nlink set {name} up\n")
}

/// Connects a new port of a bridge with a new device in another namespace.
fn port(name: &str, bridge: &str, device: &str, space: &Space) -> String {
    let mut commands = String::new();
    let _ =
        writeln!(commands, "link add {name} type veth peer name {device} netns {}", space.name());
    let _ = writeln!(commands, "link set {name} master {bridge} up");
    commands
}

fn public_address(family: Family, host: u8) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(203, 0, 113, host).into(),
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host.into()).into(),
    }
}

fn private_address(family: Family, network: u8, host: u8) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(10, network, 0, host).into(),
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, network.into(), 0, 0, 0, 0, host.into()).into(),
    }
}
