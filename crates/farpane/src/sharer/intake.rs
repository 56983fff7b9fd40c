//! What comes in to the pipeline, in an order that apps can rely on.

use crossbeam::channel::{Receiver, RecvError, TryRecvError, select};
use std::time::Duration;

/// Commands of the app and events of the links to helpers. A command that was sent before an
/// event happened is handed out before it: a consent in advance counts for the helper that comes
/// right after, and a flood of datagrams does not delay a revocation.
pub(crate) struct Intake<C, L> {
    commands: Receiver<C>,
    links: Receiver<L>,
    command: Option<Result<C, RecvError>>,
    link: Option<L>,
}

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input<C, L> {
    Command(C),
    Link(L),
    /// There is nobody any more who could send commands.
    Over,
}

impl<C, L> Intake<C, L> {
    pub(crate) fn new(commands: Receiver<C>, links: Receiver<L>) -> Self {
        Self { commands, links, command: None, link: None }
    }

    /// Waits until something is there to be taken, at most `wait`; or for a message on `other`,
    /// which is returned: `Some(None)` when it is closed.
    pub(crate) fn wait<T>(&mut self, other: &Receiver<T>, wait: Duration) -> Option<Option<T>> {
        if self.link.is_some() || self.command.is_some() {
            return None;
        }
        select! {
            recv(other) -> message => return Some(message.ok()),
            recv(self.commands) -> command => self.command = Some(command),
            recv(self.links) -> link => self.link = link.ok(),
            default(wait) => {}
        }
        None
    }

    /// Takes what comes next, if anything is there.
    pub(crate) fn take(&mut self) -> Option<Input<C, L>> {
        // The event first: all commands sent before it are then in the queue.
        self.link = self.link.take().or_else(|| self.links.try_recv().ok());
        let command = self.command.take().or_else(|| match self.commands.try_recv() {
            Ok(command) => Some(Ok(command)),
            Err(TryRecvError::Disconnected) => Some(Err(RecvError)),
            Err(TryRecvError::Empty) => None,
        });
        match command {
            Some(command) => Some(command.map_or(Input::Over, Input::Command)),
            None => self.link.take().map(Input::Link),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam::channel::{never, unbounded};

    #[test]
    fn commands_come_before_the_events_that_followed_them() {
        for round in 0..1_000 {
            let ((command, commands), (link, links)) = (unbounded(), unbounded());
            let mut intake = Intake::new(commands, links);
            link.send(0).unwrap();
            command.send('a').unwrap();
            link.send(1).unwrap();
            command.send('b').unwrap();
            link.send(2).unwrap();
            assert_eq!(intake.wait(&never::<()>(), Duration::ZERO), None);
            let all: Vec<_> = std::iter::from_fn(|| intake.take()).collect();
            let at = |input| all.iter().position(|other| *other == input).unwrap();
            assert_eq!(all.len(), 5, "{all:?}");
            assert!(at(Input::Command('a')) < at(Input::Link(1)), "round {round}: {all:?}");
            assert!(at(Input::Command('b')) < at(Input::Link(2)), "round {round}: {all:?}");
            let in_order = [Input::Link(0), Input::Link(1), Input::Link(2)].map(at);
            assert!(in_order.is_sorted() && at(Input::Command('a')) < at(Input::Command('b')));
        }
    }

    #[test]
    fn an_event_that_was_taken_out_is_not_slept_over_nor_lost() {
        let ((command, commands), (link, links)) = (unbounded(), unbounded());
        let mut intake = Intake::new(commands, links);
        link.send(1).unwrap();
        command.send('a').unwrap();
        assert_eq!(intake.take(), Some(Input::Command('a')));
        link.send(2).unwrap();
        assert_eq!(intake.wait(&never::<()>(), Duration::from_secs(3_600)), None);
        assert_eq!(intake.take(), Some(Input::Link(1)));
        assert_eq!(intake.take(), Some(Input::Link(2)));
        assert_eq!(intake.take(), None);
    }

    #[test]
    fn other_messages_and_the_end_are_told() {
        let ((command, commands), (_link, links)) = (unbounded::<()>(), unbounded::<()>());
        let mut intake = Intake::new(commands, links);
        let (other, others) = unbounded();
        other.send(7).unwrap();
        assert_eq!(intake.wait(&others, Duration::ZERO), Some(Some(7)));
        drop(other);
        assert_eq!(intake.wait(&others, Duration::ZERO), Some(None));
        drop(command);
        assert_eq!(intake.wait(&never::<()>(), Duration::from_secs(3_600)), None);
        assert_eq!(intake.take(), Some(Input::Over));
    }
}
