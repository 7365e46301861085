//! MySQL 8 as the MySQL Source Code Documentation describes it (dev.mysql.com/doc/dev/mysql-server, read on 2026-11-21:
//! `Protocol::HandshakeV10`, `Protocol::SSLRequest`, `Protocol::HandshakeResponse41`, `Protocol::AuthSwitchRequest`,
//! `Protocol::AuthMoreData`, `Caching_sha2_password` information, Native Authentication, `COM_PING`, `COM_QUIT`). It shares no code
//! with the probe, computes its hashes with `ring`, and fails the test on anything that is not listed there.

use std::process::Command;
use std::sync::{Arc, LazyLock};

use ring::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

const PASSWORD: &[u8] = b"right";
const SCRAMBLE: &[u8; 20] = b"\x1fA>9s;Lq\x02k7Jz]w+e^YR";
const OTHER_SCRAMBLE: &[u8; 20] = b"*Vb\x06/xP1@o,Hn&u5Tc=G";

/// Whether the server has the password of the account in its cache.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Cache {
    #[default]
    Warm,
    Cold,
}

/// How the one account of the server signs in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Account {
    pub(crate) cache: Cache,
    /// The plugin of the account, where it is not the server's default.
    pub(crate) switch_to: Option<&'static str>,
    /// The error in the place of a greeting.
    pub(crate) refuses: Option<u16>,
}

/// A server that takes one connection.
pub(crate) struct Mysql8 {
    pub(crate) port: u16,
    pub(crate) ca: Vec<u8>,
    task: JoinHandle<()>,
}

/// A certificate for localhost, its key, and the authority behind it, as PEM.
static CERTIFICATE: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let script = "set -eu; dir=$(mktemp -d); . tests/databases/certificates.sh; certificates; echo $dir";
    let made = Command::new("bash").args(["-c", script]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let folder = std::path::PathBuf::from(String::from_utf8(made.stdout).unwrap().trim());
    let files = ["server.pem", "server.key", "ca.pem"].map(|name| std::fs::read(folder.join(name)).unwrap());
    std::fs::remove_dir_all(folder).unwrap();
    files
});

impl Mysql8 {
    pub(crate) async fn start(account: Account) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move { serve(listener, account).await });
        Self { port, ca: CERTIFICATE[2].clone(), task }
    }

    /// Fails when the server heard what the documentation does not list.
    pub(crate) async fn done(self) {
        self.task.await.unwrap();
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Session {
    stream: Box<dyn Stream>,
    number: u8,
    is_secure: bool,
}

impl Session {
    async fn send(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        self.stream.write_all(&[&length[..3], &[self.number], payload].concat()).await.unwrap();
        self.number += 1;
    }

    /// The next packet; none where the client has hung up.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).await.ok()?;
        assert_eq!(head[3], self.number, "packets are numbered");
        self.number += 1;
        let mut payload = vec![0; usize::from(head[0]) | usize::from(head[1]) << 8];
        assert_eq!(head[2], 0, "no packet is that long");
        self.stream.read_exact(&mut payload).await.unwrap();
        Some(payload)
    }

    async fn refuse(&mut self, code: u16) {
        self.send(&[&[0xff][..], &code.to_le_bytes(), b"#28000Access denied"].concat()).await;
    }

    async fn ok(&mut self) {
        self.send(&[0, 0, 0, 2, 0, 0, 0]).await;
    }
}

fn greeting() -> Vec<u8> {
    let can = 0xdfff_ffffu32.to_le_bytes();
    [
        &b"\x0a8.4.3\0"[..],
        &[9, 0, 0, 0],
        &SCRAMBLE[..8],
        &[0, can[0], can[1], 255, 2, 0, can[2], can[3], 21],
        &[0; 10],
        &SCRAMBLE[8..],
        b"\0caching_sha2_password\0",
    ]
    .concat()
}

async fn serve(listener: TcpListener, account: Account) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut session = Session { stream: Box::new(stream), number: 0, is_secure: false };
    if let Some(code) = account.refuses {
        // Nothing is agreed on yet: no SQLSTATE.
        session.send(&[&[0xff][..], &code.to_le_bytes(), b"No"].concat()).await;
        assert!(session.next().await.is_none(), "there is nothing to say to an error");
        return;
    }
    session.send(&greeting()).await;
    let Some(mut response) = session.next().await else { return };
    let flags = u32::from_le_bytes(response[..4].try_into().unwrap());
    if flags & 0x800 != 0 {
        assert_eq!(response.len(), 32, "a request for TLS holds nothing else");
        session = secure(session).await;
        response = session.next().await.unwrap();
        assert_eq!(u32::from_le_bytes(response[..4].try_into().unwrap()), flags, "the flags are the same under TLS");
    }
    // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB
    assert_eq!(flags & 0x0008_8208, 0x0008_8208);
    assert!(response[9..32].iter().all(|byte| *byte == 0));
    let proof = parsed(&response[32..]);
    if authenticate(&mut session, account, proof).await {
        commands(&mut session).await;
    }
}

/// The proof in an answer to the greeting, everything around it checked.
fn parsed(rest: &[u8]) -> Vec<u8> {
    let rest = rest.strip_prefix(b"ann\0").unwrap();
    let (length, rest) = rest.split_first().unwrap();
    let (proof, rest) = rest.split_at(usize::from(*length));
    assert_eq!(rest, b"app\0caching_sha2_password\0");
    proof.to_vec()
}

/// Whether the account may come in.
async fn authenticate(session: &mut Session, account: Account, proof: Vec<u8>) -> bool {
    let (plugin, scramble, proof) = match account.switch_to {
        None => ("caching_sha2_password", SCRAMBLE, proof),
        Some(plugin) => {
            session.send(&[b"\xfe", plugin.as_bytes(), b"\0", OTHER_SCRAMBLE, b"\0"].concat()).await;
            let Some(proof) = session.next().await else { return false };
            (plugin, OTHER_SCRAMBLE, proof)
        }
    };
    let is_right = match (plugin, account.cache) {
        ("mysql_native_password", _) => proof == native(scramble),
        ("caching_sha2_password", Cache::Warm) => {
            let is_right = proof == caching_sha2(scramble);
            if is_right {
                session.send(&[1, 3]).await;
            }
            is_right
        }
        ("caching_sha2_password", Cache::Cold) => {
            session.send(&[1, 4]).await;
            match session.next().await {
                Some(password) => is_told(session, &password),
                None => return false,
            }
        }
        ("mysql_clear_password" | "sha256_password", _) => is_told(session, &proof),
        _ => panic!("nobody answers to {plugin}"),
    };
    if is_right {
        session.ok().await;
    } else {
        session.refuse(1045).await;
    }
    is_right
}

/// Whether this is the password; fails where it came without TLS, be it to ask for a key (a byte 2).
fn is_told(session: &Session, password: &[u8]) -> bool {
    assert!(session.is_secure, "the password, or a key for it, without TLS");
    password.strip_suffix(b"\0").unwrap() == PASSWORD
}

async fn commands(session: &mut Session) {
    let mut pings = 0;
    loop {
        session.number = 0;
        match session.next().await.unwrap_or_default().as_slice() {
            [0x0e] => {
                pings += 1;
                session.ok().await;
            }
            [0x01] => break,
            other => panic!("the documentation of a test does not list {other:?}"),
        }
    }
    assert_eq!(pings, 1);
}

fn sha(algorithm: &'static digest::Algorithm, pieces: &[&[u8]]) -> Vec<u8> {
    digest::digest(algorithm, &pieces.concat()).as_ref().to_vec()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

fn native(scramble: &[u8]) -> Vec<u8> {
    let sha1 = |pieces: &[&[u8]]| sha(&SHA1_FOR_LEGACY_USE_ONLY, pieces);
    xor(&sha1(&[PASSWORD]), &sha1(&[scramble, &sha1(&[&sha1(&[PASSWORD])])]))
}

fn caching_sha2(scramble: &[u8]) -> Vec<u8> {
    let sha256 = |pieces: &[&[u8]]| sha(&SHA256, pieces);
    xor(&sha256(&[PASSWORD]), &sha256(&[&sha256(&[&sha256(&[PASSWORD])]), scramble]))
}

async fn secure(session: Session) -> Session {
    let [certificate, key, _] = &*CERTIFICATE;
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = config
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    let stream = TlsAcceptor::from(Arc::new(config)).accept(session.stream).await.unwrap();
    Session { stream: Box::new(stream), number: session.number, is_secure: true }
}
