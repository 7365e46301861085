//! A counterpart on loopback: a TCP server that hands each request to a rule and writes back what the rule says.
//!
//! It speaks just enough HTTP/1.1 to misbehave in every way that a test needs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyfob::domain::origin::Origin;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a rule does with a request.
pub(crate) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, but only after a pause.
    Late { pause: Duration, bytes: Vec<u8> },
    /// These bytes first, then this chunk again and again, with a pause before each.
    Forever { head: Vec<u8>, chunk: Vec<u8>, pause: Duration },
    /// Nothing, with the connection open.
    Silence,
    /// A reset in place of an answer.
    Reset,
}

/// A whole answer with a body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let length = body.len().to_string();
    let own = [("Content-Length", length.as_str()), ("Connection", "close")];
    let lines = own.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n"));
    let head = format!("HTTP/1.1 {status} X\r\n{}", lines.collect::<String>());
    Reply::Bytes([head.as_bytes(), b"\r\n", body].concat())
}

type Rule = dyn Fn(&Received) -> Reply + Send + Sync;

/// A running counterpart; it ends with the test's runtime.
pub(crate) struct Counterpart {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Counterpart {
    pub(crate) async fn start(rule: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, Arc::clone(&received), Arc::new(rule)));
        Self { address, received }
    }

    pub(crate) fn url(&self, target: &str) -> Url {
        Url::parse(&format!("http://{}{target}", self.address)).unwrap()
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::of(&self.url("/")).unwrap()
    }

    /// Everything that arrived so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, received: Arc<Mutex<Vec<Received>>>, rule: Arc<Rule>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (received, rule) = (Arc::clone(&received), Arc::clone(&rule));
        tokio::spawn(async move {
            let mut stream = stream;
            let Some(request) = read_request(&mut stream).await else { return };
            received.lock().unwrap().push(request.clone());
            write_reply(stream, rule(&request)).await;
        });
    }
}

async fn write_reply(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => write(stream, &bytes).await,
        Reply::Late { pause, bytes } => {
            tokio::time::sleep(pause).await;
            write(stream, &bytes).await;
        }
        Reply::Forever { head, chunk, pause } => {
            let mut alive = stream.write_all(&head).await.is_ok();
            while alive {
                tokio::time::sleep(pause).await;
                alive = stream.write_all(&chunk).await.is_ok();
            }
        }
        Reply::Silence => {
            let _ = stream.read(&mut [0]).await;
        }
        Reply::Reset => stream.set_zero_linger().unwrap(),
    }
}

/// Writes and closes; a client that left early is not this side's concern.
async fn write(mut stream: TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let mut request = Received {
        method: first.next()?,
        target: first.next()?,
        headers: headers.collect(),
        body: bytes.split_off(end + 4),
    };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    while request.body.len() < length {
        stream.read_buf(&mut request.body).await.ok()?;
    }
    Some(request)
}
