//! Memory shared with a display: captured pixels come through it, and shown ones go.

use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::CStr;
use std::io;
use std::ptr::NonNull;

/// A mapping shared with the display. Unmapped when dropped.
///
/// The display writes into it only while it answers a request that names it, and such requests
/// are made and answered while the owner holds the segment mutably; so no reader ever sees a
/// write.
#[derive(Debug)]
pub(super) struct Segment {
    at: NonNull<u8>,
    bytes: usize,
    kind: Kind,
}

/// Memory that this process alone writes and others read, such as the display that draws from
/// it. Unmapped here when dropped; it lasts while a reader has it mapped.
#[derive(Debug)]
pub struct SharedMemory(Segment);

#[derive(Debug)]
enum Kind {
    Mapped,
    SysV,
}

impl SharedMemory {
    /// `bytes` zeros (at least one), and a descriptor of them to hand to the reader. Whoever has
    /// the descriptor can neither write nor resize the memory; no other user can open it. `name`
    /// is what the system's lists of open files call it.
    ///
    /// # Errors
    /// When the system refuses; Linux before 5.1 does, having no such protection.
    pub fn new(name: &CStr, bytes: usize) -> io::Result<(Self, OwnedFd)> {
        let (segment, fd) = Segment::sealed(name, bytes, SealFlags::FUTURE_WRITE)?;
        Ok((Self(segment), fd))
    }

    /// The memory as it is.
    pub fn as_slice(&self) -> &[u8] {
        // Sound although a descriptor is out: its seals let nobody else write.
        self.0.as_slice()
    }

    /// The memory, to be written. A reader may look at any time, and so may see some of a write
    /// and not the rest: what it should see whole must be read again after the write.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // Sound although a reader may be looking: that is a matter of its own process, which
        // cannot change what this one sees.
        self.0.as_mut_slice()
    }
}

// SAFETY: the mapping belongs to this value alone; it has no thread affinity, and shared access
// only reads.
unsafe impl Send for Segment {}
// SAFETY: as above.
unsafe impl Sync for Segment {}

impl Segment {
    /// Anonymous memory and a descriptor of it to hand to the display. Sealed: neither side can
    /// shrink it under the other. No other user can open it.
    pub(super) fn memfd(bytes: usize) -> io::Result<(Self, OwnedFd)> {
        Self::sealed(c"farpane-capture", bytes, SealFlags::empty())
    }

    /// As [`Segment::memfd`], with `more` seals, which do not bind the mapping made here.
    fn sealed(name: &CStr, bytes: usize, more: SealFlags) -> io::Result<(Self, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = memfd_create(name, flags)?;
        ftruncate(&fd, bytes as u64)?;
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of ours.
        let at =
            unsafe { mmap(std::ptr::null_mut(), bytes, prot, MapFlags::SHARED, &fd, 0)? }.cast();
        let at = NonNull::new(at).ok_or(io::ErrorKind::OutOfMemory)?;
        let segment = Self { at, bytes, kind: Kind::Mapped };
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL | more;
        fcntl_add_seals(&fd, seals)?;
        Ok((segment, fd))
    }

    /// A System V segment that only this user can open, and its identifier. The caller removes
    /// it with [`remove_sysv`] as soon as the display has attached it.
    pub(super) fn sysv(bytes: usize) -> io::Result<(Self, i32)> {
        // SAFETY: no pointers are passed.
        let id = unsafe { libc::shmget(libc::IPC_PRIVATE, bytes, libc::IPC_CREAT | 0o600) };
        if id < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: attaching at an address of the kernel's choice aliases nothing of ours.
        let at = unsafe { libc::shmat(id, std::ptr::null(), 0) };
        if at as isize == -1 {
            let error = io::Error::last_os_error();
            remove_sysv(id);
            return Err(error);
        }
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok((Self { at, bytes, kind: Kind::SysV }, id))
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        // SAFETY: `at` is mapped for `bytes` bytes until drop, initialised by the kernel, and
        // written only while the segment is borrowed mutably (see the type's description).
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.bytes) }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`; the mutable borrow makes this the only access.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.bytes) }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        match self.kind {
            Kind::Mapped => {
                // SAFETY: the mapping was made with this address and length; no borrow outlives
                // `self`. Failure would only leak it.
                let _ = unsafe { munmap(self.at.as_ptr().cast(), self.bytes) };
            }
            Kind::SysV => {
                // SAFETY: the address came from `shmat`; no borrow outlives `self`.
                let _ = unsafe { libc::shmdt(self.at.as_ptr().cast()) };
            }
        }
    }
}

/// Marks a System V segment to vanish with its last attachment.
pub(super) fn remove_sysv(id: i32) {
    // SAFETY: IPC_RMID ignores the buffer.
    unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_to_be_read_cannot_be_written_through_its_descriptor() {
        let (mut ours, fd) = SharedMemory::new(c"farpane-test", 8192).unwrap();
        assert!(ours.as_slice().iter().all(|b| *b == 0));
        ours.as_mut_slice()[5000] = 7;
        let mut seen = [0];
        rustix::io::pread(&fd, &mut seen, 5000).unwrap();
        assert_eq!(seen, [7], "the reader sees what is written after the seals");
        assert!(rustix::io::pwrite(&fd, &[9], 5000).is_err());
        assert!(ftruncate(&fd, 4096).is_err() && ftruncate(&fd, 16384).is_err());
        drop(fd);
        assert_eq!(ours.as_slice()[5000], 7);
    }
}
