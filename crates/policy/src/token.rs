//! The values without which nothing is captured, applied or moved.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use crate::capability::{Capabilities, Capability};
use crate::channel::Channel;
use crate::machine::Open;

/// One thing that is allowed, until it is not. Once it has said no, it says no for ever.
#[derive(Debug, Clone)]
struct Pass {
    epoch: u64,
    valid: Arc<AtomicBool>,
    used: Arc<AtomicU16>,
}

impl Pass {
    fn is_valid(&self) -> bool {
        self.valid.load(Ordering::Acquire)
    }

    fn revoke(&self) {
        self.valid.store(false, Ordering::Release);
    }

    /// Runs `act` if that is allowed now, and remembers that it was used.
    fn run<T>(&self, capability: Capability, act: impl FnOnce() -> T) -> Option<T> {
        if !self.is_valid() {
            return None;
        }
        self.note(capability);
        Some(act())
    }

    fn note(&self, capability: Capability) {
        let bit = capability.bit();
        // Reading is cheap for many threads; writing happens once.
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl PartialEq for Pass {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.valid, &other.valid)
    }
}

impl Eq for Pass {}

/// Proof that the sharer consents to being seen, now. Only a [`Session`](crate::Session) makes one.
///
/// Whoever captures or sends media asks [`CaptureToken::is_valid`] before every frame and every
/// packet batch, from any thread.
///
/// ```compile_fail
/// let forged = farpane_policy::CaptureToken { pass: todo!() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureToken {
    pass: Pass,
}

impl CaptureToken {
    /// Whether the screen may still be seen. One atomic load.
    pub fn is_valid(&self) -> bool {
        self.pass.is_valid()
    }

    /// The epoch since which it may, from 1; it grows whenever something opens anew.
    pub fn epoch(&self) -> u64 {
        self.pass.epoch
    }
}

/// How much of the helper's input is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Its pointer is shown; nothing is moved, clicked or typed.
    Pointer,
    /// It also moves the sharer's pointer, clicks and types.
    Full,
}

/// Proof that the helper's input may be applied, now. Only a [`Session`](crate::Session) makes
/// one, and it is invalid in the same instant in which a prompt opens, the session is held or
/// ends, or the helper's reach changes.
///
/// Every event names the epoch in which the helper made it: what was clicked before a prompt
/// opened is not applied after it has closed.
///
/// ```compile_fail
/// let forged = farpane_policy::InputToken { pass: todo!(), reach: farpane_policy::Reach::Full };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputToken {
    pass: Pass,
    reach: Reach,
}

impl InputToken {
    /// Whether input may still be applied. One atomic load.
    pub fn is_valid(&self) -> bool {
        self.pass.is_valid()
    }

    /// The epoch that events have to name.
    pub fn epoch(&self) -> u64 {
        self.pass.epoch
    }

    /// How much may be applied.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Shows the helper's pointer for an event of this epoch; `None` and nothing done if that may
    /// not be.
    pub fn point<T>(&self, epoch: u64, show: impl FnOnce() -> T) -> Option<T> {
        match epoch == self.pass.epoch {
            true => self.pass.run(Capability::Point, show),
            false => None,
        }
    }

    /// Moves, clicks or types for an event of this epoch; `None` and nothing done if that may not
    /// be.
    pub fn inject<T>(&self, epoch: u64, apply: impl FnOnce() -> T) -> Option<T> {
        match epoch == self.pass.epoch && self.reach == Reach::Full {
            true => self.pass.run(Capability::Control, apply),
            false => None,
        }
    }
}

/// Proof that channel `C` is open, now. Only a [`Session`](crate::Session) makes one.
///
/// A function that takes a `&ChannelToken<FileOut>` cannot be called with a chat's.
///
/// ```
/// use farpane_policy::{ChannelToken, channel::{Chat, FileOut}};
/// fn send_file(token: &ChannelToken<FileOut>) -> Option<usize> { token.pass(|| 4_096) }
/// fn file(token: &ChannelToken<FileOut>) -> Option<usize> { send_file(token) }
/// ```
///
/// ```compile_fail
/// use farpane_policy::{ChannelToken, channel::{Chat, FileOut}};
/// fn send_file(_: &ChannelToken<FileOut>) {}
/// fn chat(token: &ChannelToken<Chat>) { send_file(token) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelToken<C> {
    pass: Pass,
    channel: PhantomData<C>,
}

impl<C: Channel> ChannelToken<C> {
    /// Whether the channel is still open. One atomic load.
    pub fn is_valid(&self) -> bool {
        self.pass.is_valid()
    }

    /// The epoch since which it is open.
    pub fn epoch(&self) -> u64 {
        self.pass.epoch
    }

    /// Moves one message or piece; `None` and nothing done if the channel is closed.
    pub fn pass<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        self.pass.run(C::CAPABILITY, act)
    }
}

/// The tokens of the channels that open together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelTokens(Vec<(Capability, Pass)>);

impl ChannelTokens {
    /// The token of channel `C`, if it is among those that open.
    pub fn of<C: Channel>(&self) -> Option<ChannelToken<C>> {
        let (_, pass) = self.0.iter().find(|(capability, _)| *capability == C::CAPABILITY)?;
        Some(ChannelToken { pass: pass.clone(), channel: PhantomData })
    }

    /// The channels that open.
    pub fn channels(&self) -> Capabilities {
        Capabilities::of(&self.0.iter().map(|(capability, _)| *capability).collect::<Vec<_>>())
    }
}

/// What of a session's tokens is valid. Dropping it revokes them all.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    capture: Option<CaptureToken>,
    input: Option<InputToken>,
    channels: ChannelTokens,
    used: Arc<AtomicU16>,
}

impl Tokens {
    /// Revokes at once what `open` no longer allows.
    pub(crate) fn close(&mut self, open: &Open) {
        let capture = self.capture.take_if(|token| Some(token.epoch()) != open.capture);
        let reach = |token: &InputToken| (token.epoch(), token.reach());
        let input = self.input.take_if(|token| Some(reach(token)) != open.input);
        capture.inspect(|token| token.pass.revoke());
        input.inspect(|token| token.pass.revoke());
        self.channels.0.retain(|(capability, pass)| {
            let stays = open.channels.contains(*capability) && Some(pass.epoch) == open.capture;
            if !stays {
                pass.revoke();
            }
            stays
        });
    }

    /// Makes the tokens of what `open` allows and for which there is none yet.
    pub(crate) fn open(&mut self, open: &Open) -> Opened {
        let capture = open.capture.filter(|_| self.capture.is_none());
        let capture = capture.map(|epoch| CaptureToken { pass: self.pass(epoch) });
        let input = open.input.filter(|_| self.input.is_none());
        let input = input.map(|(epoch, reach)| InputToken { pass: self.pass(epoch), reach });
        let new = open.channels.without(self.channels.channels());
        let epoch = open.capture.unwrap_or_default();
        let channels = new.iter().map(|capability| (capability, self.pass(epoch))).collect();
        self.capture = self.capture.take().or_else(|| capture.clone());
        self.input = self.input.take().or_else(|| input.clone());
        let channels = ChannelTokens(channels);
        self.channels.0.extend(channels.0.iter().cloned());
        Opened { capture, input, channels }
    }

    /// Everything that was used so far.
    pub(crate) fn used(&self) -> Capabilities {
        Capabilities::from_bits(self.used.load(Ordering::Relaxed))
    }

    fn pass(&self, epoch: u64) -> Pass {
        Pass { epoch, valid: Arc::new(AtomicBool::new(true)), used: Arc::clone(&self.used) }
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        self.close(&Open::default());
    }
}

/// Tokens that were just made.
pub(crate) struct Opened {
    pub(crate) capture: Option<CaptureToken>,
    pub(crate) input: Option<InputToken>,
    pub(crate) channels: ChannelTokens,
}

#[cfg(test)]
mod tests;
