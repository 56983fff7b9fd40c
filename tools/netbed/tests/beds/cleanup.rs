//! Nothing is left of a bed, and beds do not hinder each other.

use crate::sockets::{at, reaches, udp};
use farpane_netbed::{Bed, Config, RelayConfig, Side};
use std::path::Path;
use std::process::Command;

fn namespaces() -> String {
    let output = Command::new("ip").args(["netns", "list"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn rules() -> Vec<u8> {
    Command::new("nft").args(["list", "ruleset"]).output().unwrap().stdout
}

#[test]
fn a_dropped_bed_leaves_no_namespace_no_process_and_no_rule() {
    let before = rules();
    let bed = Bed::build(&Config::default()).unwrap();
    let relay = bed.relay(&RelayConfig::default()).unwrap();
    let folder = relay.certificate().to_owned();
    bed.block_udp(Side::Sharer).unwrap().keep();
    let relay_process = relay.process_id().unwrap();
    // One that ends when asked, one that does not, and one that another started.
    let mut polite = bed.sharer().command("sleep").arg("100").spawn().unwrap();
    let script = "trap '' TERM; sleep 101 & wait; sleep 102";
    let mut deaf = bed.public().command("sh");
    let mut deaf = deaf.args(["-c", script]).spawn().unwrap();
    let names: Vec<_> = [bed.sharer(), bed.helper(), bed.public(), bed.router(Side::Helper)]
        .map(|space| space.name().to_owned())
        .into();
    assert!(names.iter().all(|name| namespaces().contains(name)));
    assert_eq!(rules(), before, "rules are in the bed's namespaces only");

    drop(bed);
    assert!(!polite.wait().unwrap().success());
    assert!(!deaf.wait().unwrap().success());
    assert!(names.iter().all(|name| !namespaces().contains(name)));
    assert_eq!(rules(), before);
    assert!(!folder.exists());
    drop(relay);
    assert!(!Path::new(&format!("/proc/{relay_process}")).exists());
}

#[test]
fn a_new_bed_removes_what_a_killed_process_left() {
    // As this process would have named it, had it begun at another time. Named when somebody is
    // in it, since every test's bed looks for such.
    let name = format!("netbed-{}-1-0-public", std::process::id());
    let mut left = Command::new("unshare").args(["--net", "sleep", "100"]).spawn().unwrap();
    let id = left.id().to_string();
    let space = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).unwrap();
    while space(&id) == space("self") {
        std::thread::yield_now();
    }
    assert!(Command::new("ip").args(["netns", "attach", &name, &id]).status().unwrap().success());
    let folder = std::env::temp_dir().join(format!("netbed-{}-1-0-x", std::process::id()));
    std::fs::create_dir(&folder).unwrap();

    let bed = Bed::build(&Config::default()).unwrap();
    assert!(!left.wait().unwrap().success());
    assert!(!namespaces().contains(&name));
    assert!(!folder.exists());
    drop(bed);
}

#[test]
fn two_beds_are_there_at_once() {
    let beds = [0, 1].map(|_| Bed::build(&Config::default()).unwrap());
    let relays = beds.each_ref().map(|bed| bed.relay(&RelayConfig::default()).unwrap());
    assert_eq!(relays[0].address(), relays[1].address());
    let fault = beds[0].cut(Side::Sharer).unwrap();
    let server = udp(beds[1].public());
    reaches(&udp(beds[1].sharer()), at(&server), &server);
    drop(fault);
    let [first, second] = beds;
    drop(first);
    reaches(&udp(second.sharer()), at(&server), &server);
}

#[test]
fn a_command_is_the_programs_own_process_in_the_space() {
    let bed = Bed::build(&Config::default()).unwrap();
    let mut child = bed.helper().command("sleep").arg("100").spawn().unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    while std::fs::read_to_string(&comm).unwrap() != "sleep\n" {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = bed.helper().command("ip").args(["-o", "address"]).output().unwrap();
    let addresses = String::from_utf8(output.stdout).unwrap();
    assert!(addresses.contains(&bed.helper().address().to_string()), "{addresses}");
    let missing = bed.helper().command("no-such-program").output().unwrap();
    assert_eq!(missing.status.code(), Some(127));
}

#[test]
fn a_panic_inside_goes_on_outside() {
    let bed = Bed::build(&Config::default()).unwrap();
    let inside = || bed.sharer().inside(|| panic!("on purpose"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(inside)).is_err());
    let gone = bed.sharer().clone();
    drop(bed);
    assert!(gone.inside(|| ()).is_err());
}
