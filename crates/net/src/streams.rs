//! Reliable messages: length-prefixed on the control stream, one stream each for blobs.

use bytes::{Buf, Bytes, BytesMut};
use quinn::{ConnectionError, ReadError, ReadExactError, RecvStream, SendStream, WriteError};

use crate::close::{CODE_TOO_LARGE, CloseReason};
use crate::connection::close_once;

/// A big-endian length before every message.
const LENGTH_BYTES: usize = 4;
/// Kind and length before a blob.
const BLOB_HEAD_BYTES: usize = 1 + LENGTH_BYTES;

/// Why a reliable message could not be sent or received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The message is longer than the limit. When receiving, the connection is closed with it.
    #[error(
        "a message of {bytes} bytes exceeds the limit of {limit_bytes}; split it or raise the \
             limit on both sides"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit that applies.
        limit_bytes: usize,
    },
    /// The connection is over.
    #[error(transparent)]
    Closed(CloseReason),
}

/// Sends control messages, reliably and in order.
#[derive(Debug)]
pub struct ControlSender {
    stream: SendStream,
    limit_bytes: usize,
}

impl ControlSender {
    pub(crate) fn new(stream: SendStream, limit_bytes: usize) -> Self {
        Self { stream, limit_bytes }
    }

    /// Sends one message; waits while the other side's window is full. Dropping the future midway
    /// breaks the stream, so let it finish.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), StreamError> {
        check(message.len(), self.limit_bytes)?;
        let mut framed = BytesMut::with_capacity(LENGTH_BYTES + message.len());
        framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
        framed.extend_from_slice(message);
        self.stream.write_chunk(framed.freeze()).await?;
        Ok(())
    }
}

/// Receives control messages in order.
#[derive(Debug)]
pub struct ControlReceiver {
    stream: RecvStream,
    connection: quinn::Connection,
    buffer: BytesMut,
    limit_bytes: usize,
}

impl ControlReceiver {
    pub(crate) fn new(
        stream: RecvStream,
        connection: quinn::Connection,
        limit_bytes: usize,
    ) -> Self {
        Self { stream, connection, buffer: BytesMut::new(), limit_bytes }
    }

    pub(crate) fn set_limit(&mut self, limit_bytes: usize) {
        self.limit_bytes = limit_bytes;
    }

    /// The next message. May be dropped and called again without losing bytes.
    ///
    /// Buffers at most one message and the start of the next.
    pub async fn recv(&mut self) -> Result<Bytes, StreamError> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(message);
            }
            match self.stream.read_chunk(LENGTH_BYTES + self.limit_bytes, true).await? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk.bytes),
                // The control stream lives as long as the connection, so its end announces that.
                None => return Err(StreamError::Closed((&self.connection.closed().await).into())),
            }
        }
    }

    fn buffered(&mut self) -> Result<Option<Bytes>, StreamError> {
        let Some(head) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let bytes = u32::from_be_bytes(*head) as usize;
        check_received(&self.connection, bytes, self.limit_bytes)?;
        if self.buffer.len() < LENGTH_BYTES + bytes {
            return Ok(None);
        }
        self.buffer.advance(LENGTH_BYTES);
        Ok(Some(self.buffer.split_to(bytes).freeze()))
    }
}

pub(crate) async fn send_blob(
    connection: &quinn::Connection,
    kind: u8,
    blob: Bytes,
    limit_bytes: usize,
) -> Result<(), StreamError> {
    check(blob.len(), limit_bytes)?;
    let mut head = BytesMut::with_capacity(BLOB_HEAD_BYTES);
    head.extend_from_slice(&[kind]);
    head.extend_from_slice(&(blob.len() as u32).to_be_bytes());
    let mut stream = connection.open_uni().await?;
    stream.write_all_chunks(&mut [head.freeze(), blob]).await?;
    // An error here only says that the other side wants no more of it.
    let _ = stream.finish();
    Ok(())
}

/// The next blob that the other side began, whole.
pub(crate) async fn recv_blob(
    connection: &quinn::Connection,
    limit_bytes: usize,
) -> Result<(u8, Bytes), StreamError> {
    loop {
        let mut stream = connection.accept_uni().await?;
        let mut head = [0; BLOB_HEAD_BYTES];
        match stream.read_exact(&mut head).await {
            Ok(()) => {}
            Err(ReadExactError::ReadError(ReadError::ConnectionLost(error))) => {
                return Err(error.into());
            }
            // Given up by its sender before it said anything.
            Err(_) => continue,
        }
        let [kind, length @ ..] = head;
        let bytes = u32::from_be_bytes(length) as usize;
        check_received(connection, bytes, limit_bytes)?;
        let mut blob = vec![0; bytes];
        match stream.read_exact(&mut blob).await {
            Ok(()) => return Ok((kind, blob.into())),
            Err(ReadExactError::ReadError(ReadError::ConnectionLost(error))) => {
                return Err(error.into());
            }
            Err(_) => continue,
        }
    }
}

fn check(bytes: usize, limit_bytes: usize) -> Result<(), StreamError> {
    if bytes > limit_bytes {
        return Err(StreamError::TooLarge { bytes, limit_bytes });
    }
    Ok(())
}

fn check_received(
    connection: &quinn::Connection,
    bytes: usize,
    limit_bytes: usize,
) -> Result<(), StreamError> {
    check(bytes, limit_bytes).inspect_err(|_| {
        close_once(connection, CODE_TOO_LARGE, b"message too large");
    })
}

impl From<ConnectionError> for StreamError {
    fn from(error: ConnectionError) -> Self {
        Self::Closed((&error).into())
    }
}

impl From<WriteError> for StreamError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ConnectionLost(error) => error.into(),
            other => Self::Closed(CloseReason::Transport(other.to_string())),
        }
    }
}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::ConnectionLost(error) => error.into(),
            other => Self::Closed(CloseReason::Transport(other.to_string())),
        }
    }
}
