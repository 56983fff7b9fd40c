//! What is checked in every state, and from where the search begins.

use crate::world::{Action, LIMITS, Message, Proof, Wish, World};
use farpane_policy::{Capabilities, Capability, EndReason, Reach, Rights, Source, State};
use stateright::{Checker, Expectation, Model, Property};

/// What a search has found.
pub(crate) struct Found {
    pub(crate) distinct: usize,
    #[allow(dead_code, reason = "the test prints nothing")]
    pub(crate) transitions: usize,
    #[allow(dead_code, reason = "the test prints nothing")]
    pub(crate) depth: usize,
    #[allow(dead_code, reason = "the test prints nothing")]
    pub(crate) holding: usize,
    /// What does not hold, and a shortest run that shows it.
    pub(crate) violations: Vec<(&'static str, String)>,
    /// What should be reached so that the search means anything, and was not.
    pub(crate) unreached: Vec<&'static str>,
}

/// Takes about so many transitions, the nearest first.
pub(crate) fn check(transitions: usize, threads: usize) -> Found {
    let checker = Sessions.checker().threads(threads).target_state_count(transitions);
    let checker = checker.spawn_bfs().join();
    let discoveries = checker.discoveries();
    let (mut violations, mut unreached, mut holding) = (Vec::new(), Vec::new(), 0);
    for property in Sessions.properties() {
        let run = discoveries.get(property.name);
        match (&property.expectation, run) {
            (Expectation::Sometimes, Some(_)) => {}
            (Expectation::Sometimes, None) => unreached.push(property.name),
            (_, None) => holding += 1,
            (_, Some(run)) => {
                let actions = run.clone().into_actions();
                violations.push((property.name, format!("{actions:#?}")));
            }
        }
    }
    let (distinct, transitions) = (checker.unique_state_count(), checker.state_count());
    Found { distinct, transitions, depth: checker.max_depth(), holding, violations, unreached }
}

struct Sessions;

/// What a helper can send at any time.
const MESSAGES: [Message; 14] = [
    Message::Hello(Wish::View),
    Message::Hello(Wish::Control),
    Message::Hello(Wish::Unattended),
    Message::Proof(Proof::Good),
    Message::Proof(Proof::ForeignTenant),
    Message::Proof(Proof::OtherConnection),
    Message::ComplianceSeen,
    Message::More(Wish::Control),
    Message::More(Wish::Everything),
    Message::Lower,
    Message::Suspend,
    Message::Resume,
    Message::HelperEnds,
    Message::More(Wish::View),
];

/// What happens on this machine alone.
const LOCAL: [Action; 18] = [
    Action::Pass,
    Action::ClockJumpsBack,
    Action::Pair,
    Action::Authorise,
    Action::Show,
    Action::Ask,
    Action::Answer(None),
    Action::Answer(Some(Wish::View)),
    Action::Answer(Some(Wish::Everything)),
    Action::Acknowledge,
    Action::SharerLowers,
    Action::SharerSuspends,
    Action::SharerResumes,
    Action::SharerEnds,
    Action::LocalForbidsControl,
    Action::PromptOpens,
    Action::PromptCloses,
    Action::LogBreaks,
];

impl Model for Sessions {
    type State = World;
    type Action = Action;

    /// From nothing, and from where sessions of each kind have come to.
    fn init_states(&self) -> Vec<World> {
        let say = |message| [Action::Send(message), Action::Deliver(message)];
        let mut foreign = [say(Message::Hello(Wish::View)).as_slice(), &[Action::Pair]].concat();
        foreign.extend(say(Message::Proof(Proof::ForeignTenant)));
        let mut runs = vec![Vec::new(), foreign];
        for wish in [Wish::View, Wish::Control, Wish::Unattended] {
            let mut run = say(Message::Hello(wish)).to_vec();
            run.push(Action::Pair);
            runs.push(run.clone());
            run.extend(say(Message::Proof(Proof::Good)));
            run.push(Action::Authorise);
            runs.push(run.clone());
            run.extend(say(Message::ComplianceSeen));
            run.extend([Action::Show, Action::Ask]);
            runs.push(run.clone());
            if wish != Wish::Unattended {
                run.push(Action::Answer(Some(wish)));
            }
            run.push(Action::Acknowledge);
            runs.push(run.clone());
            let second = [Action::Pass, Action::Acknowledge];
            runs.push([run.as_slice(), &second, &second].concat());
            run.extend(say(Message::More(Wish::Everything)));
            runs.push(run.clone());
            run.push(Action::Answer(Some(Wish::Everything)));
            runs.push(run);
        }
        runs.iter().map(|run| World::after(run)).collect()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let unsent = MESSAGES.into_iter().filter(|message| !world.sent.contains(message));
        let speaks = !world.helper_is_over;
        actions.extend(unsent.filter(|_| speaks).map(Action::Send));
        for message in &world.network {
            actions.extend([Action::Deliver, Action::Repeat, Action::Lose].map(|of| of(*message)));
        }
        actions.extend(LOCAL);
        if world.seen.revoked_us.is_none() {
            actions.push(Action::Revoke);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        world.next(action)
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.goes_on()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = always();
        properties.extend(sometimes());
        properties
    }
}

fn rights(world: &World) -> Capabilities {
    world.sharer.rights().map_or(Capabilities::NONE, Rights::capabilities)
}

fn captures(world: &World) -> bool {
    world.sharer.open().capture.is_some()
}

fn controls(world: &World) -> bool {
    world.sharer.open().input.is_some_and(|(_, reach)| reach == Reach::Full)
}

fn always() -> Vec<Property<Sessions>> {
    vec![
        Property::always("1: no capture before consent", |_, world: &World| {
            !captures(world) || world.seen.allowed.contains(Capability::View)
        }),
        Property::always("2: input only in control or elevated", |_, world: &World| {
            let state =
                matches!(world.sharer.state(), State::ActiveControl | State::ActiveElevated);
            !controls(world) || state && world.seen.allowed.contains(Capability::Control)
        }),
        Property::always("3: rights never grow without consent", |_, world: &World| {
            !world.seen.grew_unasked && rights(world).is_subset(world.seen.allowed)
        }),
        Property::always("4: effective is a subset of every set", |_, world: &World| {
            let sources = world.sharer.sources();
            Source::ALL.into_iter().all(|source| rights(world).is_subset(sources.of(source)))
        }),
        Property::always("5: a consent timeout denies", |_, world: &World| {
            let pending = world.sharer.question().is_some();
            let asked_us = world.seen.asked_us.unwrap_or(u64::MAX);
            !pending || world.now_us < asked_us.saturating_add(LIMITS.consent_us)
        }),
        Property::always("6: nothing happens unwritten", |_, world: &World| !world.seen.unwritten),
        Property::always("7: an end or a revocation stops", |_, world: &World| {
            let revoked_us = world.seen.revoked_us.unwrap_or(u64::MAX);
            let told = world.seen.end_was_told && !world.sharer.state().is_over();
            let by_us = revoked_us.saturating_add(LIMITS.lease_us);
            !told && !world.seen.rose_again && (!captures(world) || world.now_us < by_us)
        }),
        Property::always("8: a lost lease stops", |_, world: &World| {
            !captures(world) || world.now_us < world.seen.leased_us + LIMITS.lease_us
        }),
        Property::always("9: clock changes extend nothing", |_, world: &World| {
            let session_us = LIMITS.session_us;
            !world.seen.clock_mattered && (!captures(world) || world.now_us < session_us)
        }),
        Property::always("10: tenants are the same", |_, world: &World| {
            let foreign = world.sharer.who().is_some_and(|who| {
                who.helper.tenant != who.device.tenant || who.sharer.tenant != who.device.tenant
            });
            let state = world.sharer.state();
            !foreign || state == State::Authenticated || state.is_over()
        }),
        Property::always("11: a grant is for its connection", |_, world: &World| {
            let setup = world.sharer.setup();
            let other = world.sharer.who().is_some_and(|who| who.connection != setup.connection);
            !other || world.sharer.state().is_over()
        }),
        Property::always("13: no input during a prompt", |_, world: &World| {
            let asking = world.seen.prompts > 0 || world.sharer.question().is_some();
            !asking || world.sharer.open().input.is_none()
        }),
        Property::always("14: the indicator is acknowledged", |_, world: &World| {
            let shown_us = world.seen.acknowledged_us.map(|at_us| at_us + LIMITS.indicator_us);
            !captures(world) || shown_us.is_some_and(|until_us| world.now_us < until_us)
        }),
        Property::always("16: viewing moves no clipboard or file", |_, world: &World| {
            let moves = world.sharer.open().channels.intersection(Capabilities::TRANSFERS);
            let may = matches!(world.sharer.state(), State::ActiveControl | State::ActiveElevated);
            may || moves.is_empty()
        }),
    ]
}

fn sometimes() -> Vec<Property<Sessions>> {
    fn ends(world: &World, reason: EndReason) -> bool {
        world.sharer.end_reason() == Some(reason)
    }
    vec![
        Property::sometimes("viewing", |_, world: &World| captures(world)),
        Property::sometimes("controlling", |_, world: &World| controls(world)),
        Property::sometimes("elevated", |_, world: &World| {
            world.sharer.state() == State::ActiveElevated
        }),
        Property::sometimes("unattended", |_, world: &World| {
            world.sharer.state() == State::ActiveUnattended
        }),
        Property::sometimes("suspended", |_, world: &World| {
            world.sharer.state() == State::Suspended
        }),
        Property::sometimes("renewed", |_, world: &World| {
            world.seen.leased_us > 0 && captures(world)
        }),
        Property::sometimes("revoked", |_, world: &World| ends(world, EndReason::Revoked)),
        Property::sometimes("no log", |_, world: &World| ends(world, EndReason::AuditFailed)),
        Property::sometimes("no lease", |_, world: &World| ends(world, EndReason::LeaseLost)),
        Property::sometimes("no answer", |_, world: &World| ends(world, EndReason::ConsentTimeout)),
        Property::sometimes("foreign", |_, world: &World| ends(world, EndReason::DifferentTenant)),
        Property::sometimes("elsewhere", |_, world: &World| {
            ends(world, EndReason::WrongConnection)
        }),
    ]
}
