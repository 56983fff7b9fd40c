//! Sessions of a tenant's members, and everybody who is none.

use farpane::frame::Size;
use farpane::policy::grant::Grant;
use farpane::policy::identity::{Authority, KeyPair, Trust, Validity};
use farpane_tests::{
    Credential, Desk, Exit, Program, Share, Tenant, View, beside_others, difference, read_png,
    wait_for,
};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);
/// What a sharer is asked at the end of every question.
const QUESTION: &str = "Allow? [y/N]";

/// A tenant with a machine whose display can be shared.
struct Place {
    tenant: Tenant,
    device: Credential,
    desk: Desk,
}

impl Place {
    fn new() -> Self {
        Self::with(&["--enrolled", "--compliance", "compliant"])
    }

    /// The machine is such a one.
    fn with(posture: &[&str]) -> Self {
        let tenant = Tenant::init("Contoso Ltd");
        let device = tenant.device("laptop-7", posture);
        let desk = Desk::start(SIZE);
        desk.draw(1);
        Self { tenant, device, desk }
    }

    fn share(&self, more: &[&str]) -> Share {
        let member = self.tenant.member(&self.device);
        let args = ["--allow", "control", "--consent", "ask"];
        let args: Vec<_> = member.iter().map(String::as_str).chain(args).collect();
        Share::with(&self.desk, &[&args[..], more].concat())
    }

    /// A grant for Ada, who may do all there is.
    fn ada(&self) -> Credential {
        ada(&self.tenant, "Help Desk Operator")
    }

    /// Nothing of the display was opened, and nobody was asked.
    fn is_untouched(&self, share: &Share) {
        let said = share.program.said();
        assert!(!said.contains(QUESTION) && !said.contains("SEES"), "{said}");
        assert_eq!(self.desk.clients(), 1, "{said}");
    }
}

fn ada(tenant: &Tenant, role: &str) -> Credential {
    let names = ["--name", "Ada Lovelace", "--company", "Contoso Ltd"];
    tenant.grant("ada@contoso.example", &[&names[..], &["--role", role]].concat())
}

/// `view` by a member of `tenant`, who calls herself something else.
fn view(share: &Share, tenant: &Tenant, grant: &Credential, more: &[&str]) -> View {
    let member = tenant.member(grant);
    let args: Vec<_> = member.iter().map(String::as_str).chain(["--name", "Mallory"]).collect();
    View::headless(share, &[&args[..], more].concat())
}

fn is_refused(exit: &Exit, why: &str) {
    assert!(exit.is_error() && exit.said.contains(why), "{why:?}: {exit:?}");
    assert!(exit.after < Duration::from_secs(4), "{exit:?}");
}

#[test]
fn a_member_helps_by_the_name_in_her_grant_and_both_logs_tell_of_it() {
    let _turn = beside_others();
    let place = Place::new();
    let grant = place.ada();
    let logs = tempfile::tempdir().unwrap();
    let [ours, theirs, picture] = ["sharer", "helper", "seen.png"].map(|n| logs.path().join(n));
    let mut share = place.share(&["--audit", ours.to_str().unwrap()]);
    let more = ["--audit", theirs.to_str().unwrap(), "--snapshot", picture.to_str().unwrap()];
    let view = view(&share, &place.tenant, &grant, &[&more[..], &["--ask", "view"]].concat());
    view.program.wait_said("the sharer is laptop-7, on laptop-7", LIMIT);
    share.program.wait_said(QUESTION, LIMIT);
    let said = share.program.said();
    assert!(said.contains("? \"Ada Lovelace\"") && !said.contains("Mallory"), "{said}");
    assert!(said.contains("asks to SEE THIS SCREEN"), "{said}");
    assert_eq!(place.desk.clients(), 1, "no consent, no capture");
    share.program.answer("y");
    share.program.wait_said("Ada Lovelace (key", LIMIT);
    view.updates().wait_quiet(LIMIT);
    let shown = place.desk.picture();
    view.program.signal(Signal::INT);
    share.program.wait_said("is gone: the helper ended the session", LIMIT);
    let helper = view.program.wait_exit(LIMIT);
    share.program.signal(Signal::INT);
    let sharer = share.program.wait_exit(LIMIT);
    assert!(helper.status.success() && sharer.status.success(), "{helper:?} {sharer:?}");
    assert_eq!(difference(&read_png(&picture).view(), &shown.view()), None);
    let (of_sharer, of_helper) = (verified(&ours, &theirs), verified(&theirs, &ours));
    assert_eq!(of_sharer.0, of_helper.0, "the same session");
    for events in [&of_sharer.1, &of_helper.1] {
        let told = |code: &str| events.iter().any(|e| e["metadata"]["event_code"] == code);
        assert!(told("session.requested") && told("session.ended"), "{events:#?}");
    }
    let ada = |event: &&Value| event["actor"]["user"]["name"] == "Ada Lovelace";
    assert!(of_sharer.1.iter().any(|event| ada(&event)), "{:#?}", of_sharer.1);
    let device = |event: &&Value| event["device"].to_string().contains("laptop-7");
    assert!(of_helper.1.iter().any(|event| device(&event)), "{:#?}", of_helper.1);
}

/// The one session that a whole log tells of, and its events. The peer has kept its heads, and
/// signed some.
fn verified(log: &Path, peer: &Path) -> (String, Vec<Value>) {
    let report = |folder: &Path, more: &[&str]| -> Value {
        let args = ["audit", "verify", folder.to_str().unwrap(), "--json"];
        let exit = Program::run(&[&args[..], more].concat(), None, LIMIT);
        assert!(exit.status.success(), "{exit:?}");
        serde_json::from_str(&exit.said).unwrap()
    };
    let (peers, heads) = (report(peer, &[]), peer.join("heads"));
    let peer_key = peers["key"].as_str().unwrap();
    let more = ["--heads", heads.to_str().unwrap(), "--peer-key", peer_key];
    let report = report(log, &more);
    assert_eq!(report["whole"], true, "{report}");
    assert!(report["confirmed"].as_u64().unwrap() > 1, "the peer has signed nothing: {report}");
    let events = events(log);
    assert_eq!(events.len() as u64, report["records"].as_u64().unwrap());
    let session = |event: &Value| event["unmapped"]["session"].as_str().map(str::to_owned);
    let sessions: BTreeSet<_> = events.iter().filter_map(session).collect();
    assert_eq!(sessions.len(), 1, "{events:#?}");
    (sessions.into_iter().next().unwrap(), events)
}

fn events(log: &Path) -> Vec<Value> {
    let exit = Program::run(&["audit", "export", log.to_str().unwrap(), "--ocsf"], None, LIMIT);
    assert!(exit.status.success(), "{exit:?}");
    exit.said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn who_is_no_member_is_refused_by_the_side_that_sees_it_first() {
    let _turn = beside_others();
    let place = Place::new();
    let other = Tenant::init("Fabrikam");
    let eve = ada(&other, "Help Desk Operator");
    let share = place.share(&[]);
    let exit = view(&share, &other, &eve, &[]).program.wait_exit(LIMIT);
    is_refused(&exit, "the device's credential is refused");
    is_refused(&exit, "no authority of this tenant");
    place.is_untouched(&share);
    // She knows the tenant's public files, and trusts its devices.
    let share = place.share(&[]);
    let exit = view(&share, &place.tenant, &eve, &[]).program.wait_exit(LIMIT);
    is_refused(&exit, "the helper's credential is refused");
    share.program.wait_said("was not let in: the helper's credential is refused", LIMIT);
    place.is_untouched(&share);
    let share = place.share(&[]);
    let exit = View::headless(&share, &["--name", "Ada Lovelace"]).program.wait_exit(LIMIT);
    is_refused(&exit, "only members are let in");
    share.program.wait_said("was not let in", LIMIT);
    place.is_untouched(&share);
}

#[test]
fn a_grant_that_has_ended_or_was_taken_back_lets_nobody_in() {
    let _turn = beside_others();
    let place = Place::new();
    let grant = place.ada();
    end_yesterday(&place.tenant, &grant);
    let logs = tempfile::tempdir().unwrap();
    let log = |name| logs.path().join(name).to_str().unwrap().to_owned();
    let share = place.share(&["--audit", &log("ended")]);
    let exit = view(&share, &place.tenant, &grant, &[]).program.wait_exit(LIMIT);
    is_refused(&exit, "the helper's credential is refused: it ended at");
    place.is_untouched(&share);
    is_told(&log("ended"), "expired");
    // One is taken back before the sharer starts, one while it waits.
    let grants = [place.ada(), place.ada()];
    place.tenant.revoke(&grants[0]);
    for grant in &grants {
        let log = log(&grant.id);
        let share = place.share(&["--audit", &log]);
        if grant.id == grants[1].id {
            place.tenant.revoke(grant);
        }
        let exit = view(&share, &place.tenant, grant, &[]).program.wait_exit(LIMIT);
        is_refused(&exit, &format!("{} was revoked", grant.id));
        share.program.wait_said(&format!("{} was revoked", grant.id), LIMIT);
        place.is_untouched(&share);
        is_told(&log, "revoked");
    }
}

/// The sharer's log tells that somebody came, and why they were sent away.
fn is_told(log: &str, why: &str) {
    wait_for("the end in the log", LIMIT, || {
        let events = events(Path::new(log));
        let ended = events.iter().find(|e| e["metadata"]["event_code"] == "session.ended");
        ended.is_some_and(|event| event["status_detail"] == why)
    });
}

/// Signs a grant anew as it would have been a day before.
fn end_yesterday(tenant: &Tenant, grant: &Credential) {
    let read = |name: &str| fs::read_to_string(tenant.folder().join(name)).unwrap();
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let known = farpane::policy::identity::Tenant::from_json(&read("tenant.json")).unwrap();
    let mut trust = Trust::new(known.clone());
    trust.update(&fs::read(tenant.folder().join("revocations.cwt")).unwrap(), now_s).unwrap();
    let verified = Grant::verify(&fs::read(&grant.file).unwrap(), &trust, now_s).unwrap();
    let mut claims = verified.claims().clone();
    claims.validity = Validity::starting(now_s - 86_400, 8 * 3_600);
    let key = KeyPair::from_pem(&read("authority.key")).unwrap();
    let bytes = Authority::of(known.id().clone(), key).grant(&claims).unwrap();
    fs::write(&grant.file, bytes).unwrap();
}

#[test]
fn who_may_only_see_is_not_asked_about_when_asking_for_control() {
    let _turn = beside_others();
    let place = Place::new();
    let grant = ada(&place.tenant, "Tier 1");
    let share = place.share(&[]);
    let exit = view(&share, &place.tenant, &grant, &["--ask", "control"]).program.wait_exit(LIMIT);
    is_refused(&exit, "the helper has no permission for this");
    share.program.wait_said("is gone: the helper has no permission for this", LIMIT);
    place.is_untouched(&share);
    // The same grant does for what it is for.
    let mut share = place.share(&[]);
    let view = view(&share, &place.tenant, &grant, &["--ask", "view"]);
    share.program.wait_said("\"Ada Lovelace\"", LIMIT);
    share.program.answer("y");
    view.program.wait_said("you may SEE THIS SCREEN", LIMIT);
}

#[test]
fn a_scope_that_does_not_cover_the_machine_is_the_reason() {
    let _turn = beside_others();
    let place = Place::new();
    let role = ["--role", "Help Desk Operator", "--device", "laptop-8"];
    let grant = place.tenant.grant("ada@contoso.example", &role);
    let share = place.share(&[]);
    let exit = view(&share, &place.tenant, &grant, &[]).program.wait_exit(LIMIT);
    is_refused(&exit, "the device is outside the helper's scope");
    place.is_untouched(&share);
}

#[test]
fn a_member_helps_nobody_who_does_not_say_of_which_tenant_it_is() {
    let _turn = beside_others();
    let place = Place::new();
    let grant = place.ada();
    let share = Share::with(&place.desk, &["--consent", "ask"]);
    let exit = view(&share, &place.tenant, &grant, &[]).program.wait_exit(LIMIT);
    is_refused(&exit, "only members are let in");
    place.is_untouched(&share);
}

#[test]
fn a_machine_that_the_tenant_does_not_manage_is_not_helped() {
    let _turn = beside_others();
    let place = Place::with(&["--compliance", "compliant"]);
    let grant = place.ada();
    let share = place.share(&[]);
    let exit = view(&share, &place.tenant, &grant, &[]).program.wait_exit(LIMIT);
    is_refused(&exit, "the tenant does not manage the device");
    place.is_untouched(&share);
}

#[test]
fn both_sides_are_warned_of_a_machine_that_keeps_no_rules_before_anybody_is_asked() {
    let _turn = beside_others();
    for (compliance, told) in [("not-compliant", "not compliant"), ("unknown", "unknown")] {
        let place = Place::with(&["--enrolled", "--compliance", compliance]);
        let grant = place.ada();
        let share = place.share(&[]);
        let view = view(&share, &place.tenant, &grant, &[]);
        share.program.wait_said(QUESTION, LIMIT);
        view.program.wait_said("waiting for the sharer's consent", LIMIT);
        let before = |said: String, question: &str| said.split_once(question).unwrap().0.to_owned();
        let sharer = before(share.program.said(), QUESTION);
        assert!(sharer.contains(&format!("! this device is {told}")), "{sharer}");
        let helper = before(view.program.said(), "waiting for the sharer's consent");
        assert!(helper.contains(&format!("! the sharer's device is {told}")), "{helper}");
        assert_eq!(place.desk.clients(), 1);
    }
}

#[test]
fn a_revocation_ends_the_session_that_runs_with_its_reason() {
    let _turn = beside_others();
    let place = Place::new();
    let (grant, another) = (place.ada(), place.ada());
    let mut share = place.share(&[]);
    let view = view(&share, &place.tenant, &grant, &["--ask", "control"]);
    share.program.wait_said("asks to SEE AND CONTROL", LIMIT);
    share.program.answer("y");
    share.program.wait_said("CONTROLS THIS MACHINE", LIMIT);
    view.updates().wait_quiet(LIMIT);
    assert!(place.desk.clients() > 1);
    // What was taken back from somebody else changes nothing here.
    place.tenant.revoke(&another);
    place.desk.draw(2);
    view.updates().wait_quiet(LIMIT);
    place.tenant.revoke(&grant);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.said.contains("the session has ended: the grant was revoked"), "{exit:?}");
    share.program.wait_said("is gone: the grant was revoked", LIMIT);
    wait_for("the display is left", LIMIT, || place.desk.clients() == 1);
}
