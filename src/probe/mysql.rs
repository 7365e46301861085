//! MySQL's client/server protocol (MySQL Source Code Documentation, "Client/Server Protocol"), which MariaDB speaks, too: as
//! much of it as a test says.
//!
//! The server's greeting; TLS, unless it is switched off; `caching_sha2_password`, `mysql_native_password`, or a password in
//! clear text under TLS; a ping; goodbye. A password is never sent encrypted with a key that the server only claims to be
//! its own (RSA over a line without TLS): whoever stands between could claim as well.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::server::Guest;
use super::verdict::Ruling;
use super::wire::{End, NEEDS_TLS, NO_TLS, ODD, Wire, split_text};
use crate::catalog::reach::Tls;
use crate::domain::reason::Reason;
use crate::domain::verdict::Verdict;

/// What a client can do ("Capabilities Flags"): the bits that count here.
const WITH_DATABASE: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;

/// What both sides have to do.
const NEEDED: u32 = WITH_DATABASE | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;

/// What this client does. The lowest bit says that it is one of MySQL; MariaDB's own leave it out, and so does its server.
const OURS: u32 = 1 | NEEDED;

/// The collation of texts: `utf8mb4_general_ci`, which every server knows.
const UTF8: u8 = 45;

/// The longest packet that is read.
const MAX_PACKET: usize = 16 * 1024;

const PING: &[u8] = b"\x0e";
const QUIT: &[u8] = b"\x01";

const NATIVE: &str = "mysql_native_password";
const CACHING_SHA2: &str = "caching_sha2_password";

/// Packets on a line, numbered.
struct Packets<'a> {
    wire: Wire<'a>,
    /// The number of the next packet, whoever sends it.
    number: u8,
}

impl Packets<'_> {
    async fn send(&mut self, payload: &[u8]) -> Result<(), End> {
        // A password of 8 KiB and what stands around it is far below the 16 MiB of a packet.
        let [low, middle, high, _] = u32::try_from(payload.len()).unwrap_or_default().to_le_bytes();
        let packet = Zeroizing::new([&[low, middle, high, self.number], payload].concat());
        self.number = self.number.wrapping_add(1);
        self.wire.send(&packet).await
    }

    /// The next packet. An error ends the conversation.
    async fn next(&mut self) -> Result<Vec<u8>, End> {
        let [low, middle, high, number] = self.wire.array().await?;
        let length = usize::try_from(u32::from_le_bytes([low, middle, high, 0])).unwrap_or(usize::MAX);
        if number != self.number || length > MAX_PACKET {
            return Err(ODD.into());
        }
        self.number = self.number.wrapping_add(1);
        let payload = self.wire.take(length).await?;
        match payload.as_slice() {
            [0xff, low, high, ..] => Err(refusal(u16::from_le_bytes([*low, *high])).into()),
            _ => Ok(payload),
        }
    }

    /// One command and its answer, which has to be OK.
    async fn command(&mut self, command: &[u8]) -> Result<(), End> {
        self.number = 0;
        self.send(command).await?;
        if self.next().await?.first() == Some(&0) { Ok(()) } else { Err(ODD.into()) }
    }
}

/// Signs in, pings, and leaves. Tells the version of the server.
pub(super) async fn speak(wire: Wire<'_>, guest: Guest<'_>) -> Result<Option<String>, End> {
    let mut packets = Packets { wire, number: 0 };
    let greeting = Greeting::parse(&packets.next().await?).ok_or(ODD)?;
    if greeting.can & NEEDED != NEEDED {
        return Err(ODD.into());
    }
    if guest.server.tls == Tls::VerifyFull {
        if greeting.can & SSL == 0 {
            return Err(NO_TLS.into());
        }
        packets.send(&opening(OURS | SSL)).await?;
        packets = Packets { wire: packets.wire.start_tls().await?, number: packets.number };
    }
    authenticate(&mut packets, guest, &greeting).await?;
    packets.command(PING).await?;
    packets.number = 0;
    // The answer is complete: whether the goodbye arrives is of no account.
    let _ = packets.send(QUIT).await;
    Ok(Some(greeting.version))
}

/// What the server says first (`Protocol::HandshakeV10`).
struct Greeting {
    version: String,
    can: u32,
    plugin: String,
    scramble: Vec<u8>,
}

impl Greeting {
    fn parse(payload: &[u8]) -> Option<Self> {
        let (version, rest) = split_text(payload.strip_prefix(&[10])?)?;
        let (_thread, rest) = rest.split_at_checked(4)?;
        let (begin, rest) = rest.split_at_checked(8)?;
        let ([_filler, low0, low1, _collation, _status0, _status1, high0, high1, _length], rest) =
            rest.split_first_chunk()?;
        let (_reserved, rest) = rest.split_at_checked(10)?;
        let (end, rest) = rest.split_at_checked(13)?;
        let (plugin, _) = split_text(rest).unwrap_or((rest, &[]));
        let version = String::from_utf8_lossy(version).into_owned();
        Some(Self {
            // MariaDB before 11 puts a version before its own that old replicas expect.
            version: version.strip_prefix("5.5.5-").map_or(version.clone(), str::to_owned),
            can: u32::from_le_bytes([*low0, *low1, *high0, *high1]),
            plugin: String::from_utf8_lossy(plugin).into_owned(),
            scramble: scramble([begin, end].concat()),
        })
    }
}

/// A challenge without the zero byte at its end.
fn scramble(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

/// What a request for TLS and the answer to the greeting begin with.
fn opening(flags: u32) -> Vec<u8> {
    let longest = u32::try_from(MAX_PACKET).unwrap_or_default();
    [&flags.to_le_bytes()[..], &longest.to_le_bytes(), &[UTF8], &[0; 23]].concat()
}

/// The answer to the greeting (`Protocol::HandshakeResponse41`).
fn response(guest: Guest<'_>, flags: u32, plugin: &str, proof: &[u8]) -> Vec<u8> {
    let length = u8::try_from(proof.len()).unwrap_or_default();
    [
        &opening(flags),
        guest.server.user.as_bytes(),
        &[0, length],
        proof,
        guest.server.database.as_bytes(),
        &[0],
        plugin.as_bytes(),
        &[0],
    ]
    .concat()
}

async fn authenticate(packets: &mut Packets<'_>, guest: Guest<'_>, greeting: &Greeting) -> Result<(), End> {
    let password = guest.server.password.as_bytes();
    // What the server prefers, where that is spoken here and tells nobody the password; else it may ask for another way.
    let mut plugin = if greeting.plugin == CACHING_SHA2 { CACHING_SHA2 } else { NATIVE }.to_owned();
    let flags = if packets.wire.is_secure { OURS | SSL } else { OURS };
    let proof = prove(&plugin, password, &greeting.scramble).unwrap_or_default();
    packets.send(&response(guest, flags, &plugin, &proof)).await?;
    // Each way is asked for once.
    for _ in 0..4 {
        let payload = packets.next().await?;
        match payload.as_slice() {
            [0, ..] => return Ok(()),
            // Another way ("Protocol::AuthSwitchRequest").
            [0xfe, rest @ ..] => {
                let (name, challenge) = split_text(rest).ok_or(ODD)?;
                plugin = String::from_utf8_lossy(name).into_owned();
                match prove(&plugin, password, &scramble(challenge.to_vec())) {
                    Some(proof) => packets.send(&proof).await?,
                    None if plugin == "mysql_clear_password" || plugin == "sha256_password" => {
                        tell(packets, password).await?;
                    }
                    None => return Err(ODD.into()),
                }
            }
            // The password is in the server's cache, and was right.
            [1, 3] if plugin == CACHING_SHA2 => {}
            // It is not in the cache: the server wants the password itself.
            [1, 4] if plugin == CACHING_SHA2 => tell(packets, password).await?,
            _ => return Err(ODD.into()),
        }
    }
    Err(ODD.into())
}

/// Sends the password itself: under TLS, or not at all.
async fn tell(packets: &mut Packets<'_>, password: &[u8]) -> Result<(), End> {
    if !packets.wire.is_secure {
        return Err(NEEDS_TLS.into());
    }
    packets.send(&Zeroizing::new([password, &[0]].concat())).await
}

/// The answer to a challenge that tells nobody the password; none where this is no such way.
fn prove(plugin: &str, password: &[u8], scramble: &[u8]) -> Option<Vec<u8>> {
    match plugin {
        // "Native Authentication": SHA1(password) ⊕ SHA1(scramble ‖ SHA1(SHA1(password)))
        NATIVE => {
            let once = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(password)));
            let twice = Sha1::digest(*once);
            let mask = Sha1::new().chain_update(scramble).chain_update(twice).finalize();
            Some(once.iter().zip(mask).map(|(a, b)| a ^ b).collect())
        }
        // "Caching_sha2_password": SHA256(password) ⊕ SHA256(SHA256(SHA256(password)) ‖ scramble)
        CACHING_SHA2 => {
            let once = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(password)));
            let twice = Sha256::digest(*once);
            let mask = Sha256::new().chain_update(twice).chain_update(scramble).finalize();
            Some(once.iter().zip(mask).map(|(a, b)| a ^ b).collect())
        }
        _ => None,
    }
}

/// What an error says about a credential (MySQL 8.4 Error Message Reference, "Server Error Message Reference"; MariaDB
/// Knowledge Base, "MariaDB Error Codes").
const fn refusal(code: u16) -> Ruling {
    match code {
        // access denied, without a password too; the address is not one of the user's; the account is locked, by somebody or
        // by too many wrong passwords, in MySQL and in MariaDB
        1045 | 1698 | 1130 | 3118 | 3955 | 4151 => Ruling { verdict: Verdict::Invalid, reason: Some(Reason::Rejected) },
        // the password has expired, told after and before the sign-in
        1820 | 1862 => Ruling { verdict: Verdict::Invalid, reason: Some(Reason::Expired) },
        // there is no such database; or nothing that this user may know of, which is told in the same way
        1049 | 1044 => Ruling { verdict: Verdict::Invalid, reason: Some(Reason::TargetNotFound) },
        // a privilege is missing
        1227 | 1142 | 1143 => Ruling { verdict: Verdict::Limited, reason: Some(Reason::InsufficientScope) },
        // too many connections: of all, of this user; a limit of the account
        1040 | 1203 | 1226 => Ruling::unknown(Reason::RateLimited),
        // the server blocks the address after errors; it shuts down; it is offline or out of resources
        1129 | 1053 | 3032 | 1041 | 1135 => Ruling::unknown(Reason::Unreachable),
        // nobody is let in without TLS
        3159 => NEEDS_TLS,
        _ => ODD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_verdict_and_reason() {
        let (invalid, unknown) = (Verdict::Invalid, Verdict::Unknown);
        for (codes, verdict, reason) in [
            (&[1045, 1698, 1130, 3118, 3955, 4151][..], invalid, Reason::Rejected),
            (&[1820, 1862], invalid, Reason::Expired),
            (&[1049, 1044], invalid, Reason::TargetNotFound),
            (&[1227, 1142, 1143], Verdict::Limited, Reason::InsufficientScope),
            (&[1040, 1203, 1226], unknown, Reason::RateLimited),
            (&[1129, 1053, 3032, 1041, 1135], unknown, Reason::Unreachable),
            (&[3159], unknown, Reason::TlsRequired),
            (&[0, 1043, 1105, 1251, 1524, u16::MAX], unknown, Reason::UnexpectedAnswer),
        ] {
            for code in codes {
                let ruling = refusal(*code);
                assert_eq!((ruling.verdict, ruling.reason), (verdict, Some(reason)), "{code}");
            }
        }
    }

    #[test]
    fn a_proof_is_the_one_that_servers_accepted() {
        // Challenges and answers from the tests of go-sql-driver/mysql: password "secret".
        let challenge = [90, 105, 74, 126, 30, 48, 37, 56, 3, 23, 115, 127, 69, 22, 41, 84, 32, 123, 43, 118];
        let accepted = [
            102, 32, 5, 35, 143, 161, 140, 241, 171, 232, 56, 139, 43, 14, 107, 196, 249, 170, 147, 60, 220, 204, 120,
            178, 214, 15, 184, 150, 26, 61, 57, 235,
        ];
        assert_eq!(prove(CACHING_SHA2, b"secret", &challenge).unwrap(), accepted);
        let challenge = [6, 81, 96, 114, 14, 42, 50, 30, 76, 47, 1, 95, 126, 81, 62, 94, 83, 80, 52, 85];
        let accepted = [
            171, 201, 138, 146, 89, 159, 11, 170, 0, 67, 165, 49, 175, 94, 218, 68, 177, 109, 110, 86, 34, 33, 44, 190,
            67, 240, 70, 110, 40, 139, 124, 41,
        ];
        assert_eq!(prove(CACHING_SHA2, b"secret", &challenge).unwrap(), accepted);
    }

    #[test]
    fn a_greeting_that_is_cut_or_of_another_protocol_is_none() {
        let whole = [
            &b"\x0a8.4.3\0"[..],
            &[1; 4],
            b"abcdefgh",
            &[0, 0xff, 0xff, 45, 2, 0, 0xff, 0xdf, 21],
            &[0; 10],
            b"ijklmnopqrst\0",
            b"caching_sha2_password\0",
        ]
        .concat();
        let greeting = Greeting::parse(&whole).unwrap();
        assert_eq!((greeting.version.as_str(), greeting.plugin.as_str()), ("8.4.3", CACHING_SHA2));
        assert_eq!(greeting.scramble, b"abcdefghijklmnopqrst");
        for length in 0..whole.len() - b"caching_sha2_password\0".len() {
            assert!(Greeting::parse(&whole[..length]).is_none(), "{length}");
        }
        assert!(Greeting::parse(&[&[9], &whole[1..]].concat()).is_none());
        let mariadb = [b"\x0a5.5.5-10.11.6-MariaDB".as_slice(), &whole[6..]].concat();
        assert_eq!(Greeting::parse(&mariadb).unwrap().version, "10.11.6-MariaDB");
    }
}
