//! The one network thread: a tokio current-thread runtime that other threads hand work to.

use std::future::Future;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};

use crate::path;

/// Turns that the tasks get after the stop, so that close frames of connections closed just before
/// still go out. Closing takes the connection's task one turn and the socket's another.
const FAREWELL_TURNS: usize = 64;
/// How long it may take then until the other ends know: usually a round trip, longer where a path
/// has just failed and another takes over.
const FAREWELL: Duration = Duration::from_millis(700);

/// A running network thread. Dropping it stops the thread and everything that runs on it.
#[derive(Debug)]
pub struct NetThread {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why work on the network thread has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetThreadError {
    /// The thread or its runtime could not be started.
    #[error("the network thread could not be started: {0}")]
    Start(#[from] io::Error),
    /// The work panicked or the thread is stopping.
    #[error("the network thread ended before the work was done")]
    Gone,
    /// The work was cancelled.
    #[error("it was cancelled")]
    Cancelled,
}

/// Ends work on a network thread before it is done.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Cancel {
    /// Ends the work now, and whatever is begun with this later.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether that was called.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    async fn cancelled(&self) {
        // The sender is in `self`, so the wait has no other end.
        let _ = self.0.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

impl NetThread {
    /// Starts the thread under the name `farpane-net`.
    pub fn start() -> Result<Self, NetThreadError> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread =
            std::thread::Builder::new().name("farpane-net".to_owned()).spawn(move || {
                runtime.block_on(async {
                    // Either the word or the sender's end means stop.
                    let _ = stopped.await;
                    for _ in 0..FAREWELL_TURNS {
                        tokio::task::yield_now().await;
                    }
                    path::part(FAREWELL).await;
                });
                // A name that is being looked up cannot be cancelled, and is not waited for.
                runtime.shutdown_background();
            })?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs `work` on the network thread and waits for its result. Not for use on the network
    /// thread itself, where it would wait for ever.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NetThreadError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            // Fails only when the caller has gone.
            let _ = sender.send(work.await);
        });
        receiver.recv().map_err(|_| NetThreadError::Gone)
    }

    /// As [`NetThread::run`], until somebody cancels it.
    pub fn run_unless<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NetThreadError> {
        let cancel = cancel.clone();
        self.run(async move {
            tokio::select! {
                () = cancel.cancelled() => Err(NetThreadError::Cancelled),
                done = work => Ok(done),
            }
        })?
    }

    /// Starts `work` on the network thread and does not wait.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(work);
    }
}

impl Drop for NetThread {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook already.
            let _ = thread.join();
        }
    }
}
