//! A display's socket through which another display is reached, until it is cut.

use farpane_capture::Xvfb;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Stands between a program and a display.
pub(crate) struct Proxy {
    name: String,
    path: PathBuf,
    open: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    /// In front of `display`, under a name of its own.
    pub(crate) fn of(display: &str) -> Self {
        let free = (900..1_000).find_map(|number: u32| {
            let path = socket(number);
            Some((number, UnixListener::bind(&path).ok()?, path))
        });
        let (number, listener, path) = free.expect("a free display number");
        let behind = socket(display.trim_start_matches(':').parse().unwrap());
        let open = Arc::new(Mutex::new(Vec::new()));
        let all = open.clone();
        std::thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let Ok(far) = UnixStream::connect(&behind) else { return };
                all.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                copy(near.try_clone().unwrap(), far.try_clone().unwrap());
                copy(far, near);
            }
        });
        Self { name: format!(":{number}"), path, open }
    }

    /// Its name, as `:900`.
    pub(crate) fn display(&self) -> &str {
        &self.name
    }

    /// Ends all connections of now; new ones are still accepted.
    pub(crate) fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// No new connection is accepted either.
    pub(crate) fn close(&self) {
        let _ = std::fs::remove_file(&self.path);
        self.cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.close();
    }
}

fn socket(number: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/.X11-unix/X{number}"))
}

fn copy(mut from: UnixStream, mut to: UnixStream) {
    std::thread::spawn(move || -> io::Result<()> {
        let mut bytes = [0; 4_096];
        loop {
            let count = from.read(&mut bytes)?;
            if count == 0 {
                to.shutdown(Shutdown::Both)?;
                return Ok(());
            }
            to.write_all(&bytes[..count])?;
        }
    });
}

#[test]
fn what_is_cut_does_not_answer() {
    use x11rb::protocol::xproto::ConnectionExt as _;
    let server = Xvfb::start(crate::desk::SIZE, 24).unwrap();
    let proxy = Proxy::of(server.display());
    let (conn, _) = x11rb::connect(Some(proxy.display())).unwrap();
    assert!(conn.get_input_focus().unwrap().reply().is_ok());
    proxy.cut();
    assert!(conn.get_input_focus().map(|cookie| cookie.reply().is_err()).unwrap_or(true));
    assert!(x11rb::connect(Some(proxy.display())).is_ok());
    proxy.close();
    assert!(x11rb::connect(Some(proxy.display())).is_err());
}
