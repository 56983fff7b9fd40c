//! The sharer's machine with the real step function, and everybody and everything around it.

use farpane_policy::{
    Answer, Authentication, Capabilities, Capability, ConnectionId, Device, DeviceId, Effect,
    Event, Fact, LeaseId, Machine, Mode, Notice, Peer, Permission, Permissions, Person, Posture,
    Request, Rights, Scope, SessionId, SessionLimits, Setup, Side, Source, State, SubjectId,
    TenantId, TenantSettings, Version, step,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Short times, so that everything runs out within a few steps.
pub(crate) const LIMITS: SessionLimits = SessionLimits {
    setup_us: 5,
    consent_us: 2,
    indicator_us: 2,
    lease_us: 4,
    suspended_us: 3,
    session_us: 10,
    ending_us: 1,
};
/// When the world ends.
pub(crate) const LAST_US: u64 = 12;

/// What can be on its way. Each is there once at most; it can be delivered any number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Hello(Wish),
    Proof(Proof),
    ComplianceSeen,
    More(Wish),
    Lower,
    Suspend,
    Resume,
    HelperEnds,
    RenewalAsked(LeaseId),
    Renewal(LeaseId, Leased),
    RevokedToSharer,
    RevokedToHelper,
    Told(bool),
    Closed,
}

/// What a helper can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Wish {
    View,
    Control,
    Everything,
    Unattended,
}

/// What a helper can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Proof {
    Good,
    ForeignTenant,
    OtherConnection,
}

/// What a broker can lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Leased {
    All,
    View,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Send(Message),
    Deliver(Message),
    /// Deliver it, and keep it for another time.
    Repeat(Message),
    Lose(Message),
    Pass,
    ClockJumpsBack,
    Pair,
    Authorise,
    Show,
    Ask,
    Answer(Option<Wish>),
    Acknowledge,
    SharerLowers,
    SharerSuspends,
    SharerResumes,
    SharerEnds,
    LocalForbidsControl,
    PromptOpens,
    PromptCloses,
    LogBreaks,
    Revoke,
}

/// Everything at one moment, and what an observer who knows only the rules has seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) sharer: Machine,
    pub(crate) now_us: u64,
    pub(crate) network: BTreeSet<Message>,
    pub(crate) sent: BTreeSet<Message>,
    pub(crate) helper_is_over: bool,
    pub(crate) log_is_broken: bool,
    pub(crate) seen: Seen,
}

/// What the observer has seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Seen {
    /// What the sharer, or a grant in the sharer's place, has allowed last.
    pub(crate) allowed: Capabilities,
    pub(crate) asked_us: Option<u64>,
    pub(crate) acknowledged_us: Option<u64>,
    pub(crate) leased_us: u64,
    pub(crate) renewal_us: u64,
    pub(crate) prompts: u8,
    pub(crate) revoked_us: Option<u64>,
    /// The sharer's machine was told of an end.
    pub(crate) end_was_told: bool,
    /// Something that the rules forbid in a single step.
    pub(crate) unwritten: bool,
    pub(crate) grew_unasked: bool,
    pub(crate) clock_mattered: bool,
    pub(crate) rose_again: bool,
}

impl Wish {
    pub(crate) fn rights(self) -> Rights {
        match self {
            Self::View => Rights::of(Mode::View),
            Self::Control => Rights::of(Mode::Control),
            Self::Everything => Rights::with(Mode::Elevated, Capabilities::ALL),
            Self::Unattended => Rights::of(Mode::Unattended),
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            sharer: Machine::new(Arc::new(setup()), 0),
            now_us: 0,
            network: BTreeSet::new(),
            sent: BTreeSet::new(),
            helper_is_over: false,
            log_is_broken: false,
            seen: Seen::default(),
        }
    }

    /// The world in which these things have happened.
    pub(crate) fn after(actions: &[Action]) -> Self {
        actions.iter().fold(Self::new(), |world, action| {
            world.next(*action).unwrap_or_else(|| panic!("{action:?} does not fit"))
        })
    }

    /// The world after `action`; `None` if nothing changes.
    pub(crate) fn next(&self, action: Action) -> Option<Self> {
        let mut world = self.clone();
        match action {
            Action::Send(message) => {
                world.sent.insert(message);
                world.network.insert(message);
            }
            Action::Deliver(message) => {
                world.network.remove(&message);
                world.deliver(message);
            }
            Action::Repeat(message) => world.deliver(message),
            Action::Lose(message) => {
                world.network.remove(&message);
            }
            Action::Pass => {
                world.now_us += 1;
                world.take(&Event::Tick);
            }
            Action::ClockJumpsBack => world.jump_back(),
            Action::LogBreaks => world.log_is_broken = true,
            Action::Revoke => {
                world.seen.revoked_us = Some(world.now_us);
                world.network.extend([Message::RevokedToSharer, Message::RevokedToHelper]);
            }
            _ => world.take(&self.local_event(action)?),
        }
        (world != *self).then_some(world)
    }

    fn local_event(&self, action: Action) -> Option<Event> {
        let view = Rights::of(Mode::View);
        Some(match action {
            Action::Pair => Event::Paired,
            Action::Authorise => Event::Authorise(Capabilities::ALL),
            Action::Show => Event::ComplianceSeen(Side::Sharer),
            Action::Ask => Event::Ask,
            Action::Answer(answer) => {
                let answer = answer.map_or(Answer::Deny, |wish| Answer::Allow(wish.rights()));
                Event::Answered(self.sharer.question()?, answer)
            }
            Action::Acknowledge => Event::IndicatorAck,
            Action::SharerLowers => Event::Lowered(Side::Sharer, view),
            Action::SharerSuspends => Event::Suspend(Side::Sharer),
            Action::SharerResumes => Event::Resume(Side::Sharer),
            Action::SharerEnds => Event::SharerEnded,
            Action::LocalForbidsControl => Event::Narrowed(Source::Local, view.capabilities()),
            Action::PromptOpens => Event::PromptOpened,
            Action::PromptCloses => Event::PromptClosed,
            _ => return None,
        })
    }

    fn deliver(&mut self, message: Message) {
        let event = match message {
            Message::Hello(wish) => {
                Event::Requested(Request { invitation: [1; 16], rights: wish.rights() })
            }
            Message::Proof(proof) => Event::Authenticated(Arc::new(authentication(proof))),
            Message::ComplianceSeen => Event::ComplianceSeen(Side::Helper),
            Message::More(wish) => Event::MoreRequested(wish.rights()),
            Message::Lower => Event::Lowered(Side::Helper, Rights::of(Mode::View)),
            Message::Suspend => Event::Suspend(Side::Helper),
            Message::Resume => Event::Resume(Side::Helper),
            Message::HelperEnds => Event::HelperEnded,
            Message::Renewal(id, Leased::All) => Event::LeaseRenewed(id, Capabilities::ALL),
            Message::Renewal(id, Leased::View) => {
                Event::LeaseRenewed(id, Capabilities::of(&[Capability::View]))
            }
            Message::RevokedToSharer => Event::Revoked,
            Message::RenewalAsked(id) => return self.broker_answers(id),
            Message::RevokedToHelper | Message::Closed => {
                self.helper_is_over = true;
                return;
            }
            Message::Told(_) => return,
        };
        self.take(&event);
    }

    fn broker_answers(&mut self, id: LeaseId) {
        if self.seen.revoked_us.is_none() {
            // Whichever of the two arrives first counts.
            self.network.insert(Message::Renewal(id, Leased::All));
            self.network.insert(Message::Renewal(id, Leased::View));
        }
    }

    fn jump_back(&mut self) {
        let back = step(&self.sharer, &Event::IndicatorAck, 0);
        let now = step(&self.sharer, &Event::IndicatorAck, self.now_us);
        self.seen.clock_mattered |= back.machine != now.machine;
    }

    /// The sharer's machine takes an event, and the library does what it says.
    fn take(&mut self, event: &Event) {
        let before = self.sharer.clone();
        let mut next = step(&before, event, self.now_us);
        let starts = |effect: &Effect| !matches!(effect, Effect::RenewLease(_));
        let changes = next.machine.state() != before.state()
            || next.machine.open() != before.open()
            || next.effects.iter().any(starts);
        self.seen.unwritten |= changes && next.audit.is_empty();
        if self.log_is_broken && !next.audit.is_empty() {
            next = step(&before, &Event::AuditFailed, self.now_us);
            self.seen.unwritten |= !next.machine.state().is_over();
        } else {
            next.audit.iter().for_each(|entry| self.observe(&entry.fact));
        }
        let ended = matches!(
            event,
            Event::Revoked | Event::SharerEnded | Event::HelperEnded | Event::AuditFailed
        );
        self.seen.end_was_told |= ended && next.accepted;
        let held =
            |machine: &Machine| machine.rights().map_or(Capabilities::NONE, Rights::capabilities);
        self.seen.grew_unasked |= !held(&next.machine).is_subset(held(&before))
            && !next.audit.iter().any(|entry| {
                matches!(entry.fact, Fact::Allowed { .. } | Fact::UnattendedGrant { .. })
            });
        self.seen.rose_again |= before.state().is_over() && !next.machine.state().is_over();
        if *event == Event::IndicatorAck && next.accepted {
            self.seen.acknowledged_us = Some(self.now_us);
        }
        if matches!(event, Event::LeaseRenewed(..)) && next.accepted {
            self.seen.leased_us = self.seen.leased_us.max(self.seen.renewal_us);
        }
        if matches!(event, Event::Authorise(_)) && next.accepted {
            self.seen.leased_us = self.now_us;
        }
        self.sharer = next.machine;
        next.effects.iter().for_each(|effect| self.obey(effect));
    }

    fn observe(&mut self, fact: &Fact) {
        match fact {
            Fact::Asked { .. } => self.seen.asked_us = Some(self.now_us),
            Fact::Allowed { rights, .. } => self.seen.allowed = rights.capabilities(),
            Fact::UnattendedGrant { .. } => {
                self.seen.allowed = Rights::of(Mode::Unattended).capabilities();
            }
            Fact::Prompt { opened: true } => self.seen.prompts += 1,
            Fact::Prompt { opened: false } => self.seen.prompts -= 1,
            _ => {}
        }
    }

    fn obey(&mut self, effect: &Effect) {
        match effect {
            Effect::RenewLease(id) => {
                self.seen.renewal_us = self.now_us;
                self.network.insert(Message::RenewalAsked(*id));
            }
            Effect::TellHelper(notice) => {
                let granted = matches!(notice, Notice::Granted(_) | Notice::Resumed);
                self.network.insert(Message::Told(granted));
            }
            Effect::Close(_) => {
                self.network.insert(Message::Closed);
            }
            _ => {}
        }
    }

    /// Whether the helper and its messages still matter.
    pub(crate) fn goes_on(&self) -> bool {
        self.now_us <= LAST_US && !matches!(self.sharer.state(), State::Ended(_))
    }
}

fn setup() -> Setup {
    Setup {
        session: SessionId([7; 16]),
        connection: ConnectionId([3; 32]),
        tenant: tenant("contoso"),
        settings: TenantSettings::default(),
        local: Capabilities::ALL,
        platform: Capabilities::ALL,
        limits: LIMITS,
        advance: None,
        unattended: true,
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a valid name")
}

fn authentication(proof: Proof) -> Authentication {
    let person = |of: &str, name: &str| Person {
        tenant: tenant(of),
        subject: SubjectId::new(name).expect("a valid name"),
    };
    let (home, connection) = match proof {
        Proof::Good => ("contoso", 3),
        Proof::ForeignTenant => ("fabrikam", 3),
        Proof::OtherConnection => ("contoso", 4),
    };
    Authentication {
        helper: person(home, "ada"),
        sharer: person("contoso", "grace"),
        device: Device {
            tenant: tenant("contoso"),
            id: DeviceId::new("laptop").expect("a valid name"),
            groups: Vec::new(),
            enrolled: true,
            posture: Posture::NotCompliant,
            allowed: Capabilities::ALL,
            version: Version::default(),
        },
        peer: Peer::new("Ada", "12ab").expect("a name to show"),
        helper_version: Version::default(),
        permissions: Permissions::of(&Permission::ALL),
        scope: Scope::AllDevices,
        valid_us: u64::MAX,
        credential: [9; 16],
        connection: ConnectionId([connection; 32]),
    }
}
