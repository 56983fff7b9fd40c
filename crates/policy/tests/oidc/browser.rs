//! As much of a browser as signing in takes: HTTP/1.1 to loopback, and cookies.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// One person's browser.
pub(crate) struct Browser {
    port: u16,
    cookies: BTreeMap<String, String>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, cookies: BTreeMap::new() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.request(&format!("GET {} HTTP/1.1", self.path_of(path)), "")
    }

    /// Sends a form.
    pub(crate) fn post(&mut self, path: &str, form: &str) -> Answer {
        self.request(&format!("POST {} HTTP/1.1", self.path_of(path)), form)
    }

    /// The path of an address on this server.
    pub(crate) fn path_of(&self, address: &str) -> String {
        let own = format!("http://127.0.0.1:{}", self.port);
        address.strip_prefix(&own).unwrap_or(address).to_owned()
    }

    fn request(&mut self, line: &str, form: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let text = format!(
            "{line}\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.port,
            cookies.join("; "),
            form.len()
        );
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = Answer::read(&String::from_utf8(answer).unwrap());
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        let headers: Vec<_> = headers.collect();
        let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
        assert!(!chunked, "this browser reads no chunks: {head}");
        Self { status, headers, body: body.to_owned() }
    }

    /// Where it leads.
    pub(crate) fn location(&self) -> String {
        assert!((300..400).contains(&self.status), "no redirect: {self:?}");
        let location = self.headers.iter().find(|(name, _)| name == "location");
        location.expect("a location").1.clone()
    }
}
