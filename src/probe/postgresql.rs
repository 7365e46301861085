//! PostgreSQL's frontend/backend protocol 3.0 (its documentation, chapter 55): as much of it as a test says.
//!
//! TLS first, unless it is switched off; SCRAM-SHA-256, MD5, or a password in clear text under TLS; `select 1`; goodbye.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::scram::{self, Proved, Scram};
use super::server::Guest;
use super::verdict::Ruling;
use super::wire::{End, NEEDS_TLS, NO_TLS, ODD, Wire, split_text};
use crate::catalog::reach::Tls;
use crate::catalog::server::Server;
use crate::domain::reason::Reason;
use crate::domain::verdict::Verdict;

/// `SSLRequest` (section 55.7).
const SSL_REQUEST: [u8; 8] = *b"\0\0\0\x08\x04\xd2\x16\x2f";

/// Protocol 3.0.
const VERSION: [u8; 4] = *b"\0\x03\0\0";

/// The query, a whole message.
const QUERY: &[u8] = b"Q\0\0\0\x0dselect 1\0";

/// `Terminate`.
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// The longest message that is read.
const MAX_MESSAGE: usize = 32 * 1024;

/// Signs in, asks the query, and leaves. Tells the version of the server.
pub(super) async fn speak(mut wire: Wire<'_>, guest: Guest<'_>) -> Result<Option<String>, End> {
    if guest.server.tls == Tls::VerifyFull {
        wire.send(&SSL_REQUEST).await?;
        wire = match wire.array().await? {
            [b'S'] => wire.start_tls().await?,
            [b'N'] => return Err(NO_TLS.into()),
            // An error before TLS may be anybody's: it is not read (CVE-2024-10977).
            _ => return Err(ODD.into()),
        };
    }
    wire.send(&startup(guest.server)).await?;
    authenticate(&mut wire, guest).await?;
    let version = until_ready(&mut wire).await?;
    wire.send(QUERY).await?;
    until_ready(&mut wire).await?;
    // The answer is complete: whether the goodbye arrives is of no account.
    let _ = wire.send(TERMINATE).await;
    Ok(version)
}

/// A message with its type, the body written by `fill`.
fn message(kind: u8, body: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    Zeroizing::new([&[kind], &length.to_be_bytes()[..], body].concat())
}

/// `StartupMessage`, the one message without a type.
fn startup(server: &Server) -> Vec<u8> {
    let mut body = VERSION.to_vec();
    for text in ["user", &server.user, "database", &server.database, "application_name", "Keyfob"] {
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &body].concat()
}

/// The next message that is no notice: its type and its body. An error ends the conversation.
async fn next(wire: &mut Wire<'_>) -> Result<(u8, Vec<u8>), End> {
    loop {
        let [kind, length @ ..] = wire.array::<5>().await?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let length = length.checked_sub(4).filter(|length| *length <= MAX_MESSAGE).ok_or(ODD)?;
        let body = wire.take(length).await?;
        match kind {
            b'E' => return Err(code(&body).map_or(ODD, refusal).into()),
            // Notices, and that the server speaks an older minor version.
            b'N' | b'v' => {}
            _ => return Ok((kind, body)),
        }
    }
}

/// Reads until the server waits for a query. Tells its version, where it is said on the way.
async fn until_ready(wire: &mut Wire<'_>) -> Result<Option<String>, End> {
    let mut version = None;
    loop {
        match next(wire).await? {
            (b'Z', _) => return Ok(version),
            (b'S', body) => {
                if let Some((b"server_version", rest)) = split_text(&body) {
                    version = split_text(rest).map(|(text, _)| String::from_utf8_lossy(text).into_owned());
                }
            }
            // The key for cancelling, a row and its frame, an empty query.
            (b'K' | b'T' | b'D' | b'C', _) => {}
            _ => return Err(ODD.into()),
        }
    }
}

async fn authenticate(wire: &mut Wire<'_>, guest: Guest<'_>) -> Result<(), End> {
    let server = guest.server;
    match request(wire).await? {
        (0, _) => return Ok(()),
        (3, _) if !wire.is_secure => return Err(NEEDS_TLS.into()),
        (3, _) => {
            let text = Zeroizing::new(format!("{}\0", server.password));
            wire.send(&message(b'p', text.as_bytes())).await?;
        }
        (5, salt) => wire.send(&message(b'p', hashed(server, &salt).as_bytes())).await?,
        (10, mechanisms) => scram(wire, guest, &mechanisms).await?,
        _ => return Err(ODD.into()),
    }
    match request(wire).await? {
        (0, _) => Ok(()),
        _ => Err(ODD.into()),
    }
}

/// What the server asks for to let somebody in: a number (section 55.7, `Authentication…`) and what goes with it.
async fn request(wire: &mut Wire<'_>) -> Result<(u32, Vec<u8>), End> {
    let (b'R', body) = next(wire).await? else { return Err(ODD.into()) };
    let (number, rest) = body.split_first_chunk().ok_or(ODD)?;
    Ok((u32::from_be_bytes(*number), rest.to_vec()))
}

/// `md5(md5(password, user), salt)`, each in hexadecimal (section 55.2).
fn hashed(server: &Server, salt: &[u8]) -> Zeroizing<String> {
    let inner = Zeroizing::new(hex(&Md5::new().chain_update(&server.password).chain_update(&server.user).finalize()));
    let outer = hex(&Md5::new().chain_update(inner.as_bytes()).chain_update(salt).finalize());
    Zeroizing::new(format!("md5{outer}\0"))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

async fn scram(wire: &mut Wire<'_>, guest: Guest<'_>, mechanisms: &[u8]) -> Result<(), End> {
    if !mechanisms.split(|byte| *byte == 0).any(|name| name == scram::NAME.as_bytes()) {
        return Err(ODD.into());
    }
    let mut nonce = [0; 18];
    guest.random.fill(&mut nonce);
    let password = scram::prepared(&guest.server.password, guest.unicode);
    let client = Scram::new(&password, nonce);
    let first = client.first();
    let length = u32::try_from(first.len()).unwrap_or(u32::MAX).to_be_bytes();
    let body = [scram::NAME.as_bytes(), &[0], &length, first.as_bytes()].concat();
    wire.send(&message(b'p', &body)).await?;
    let (proof, proved): (String, Proved) = match request(wire).await? {
        (11, server_first) => text(&server_first).and_then(|first| client.prove(first)).ok_or(ODD)?,
        _ => return Err(ODD.into()),
    };
    wire.send(&message(b'p', proof.as_bytes())).await?;
    match request(wire).await? {
        (12, server_final) if text(&server_final).is_some_and(|end| proved.accepts(end)) => Ok(()),
        _ => Err(ODD.into()),
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The SQLSTATE of an `ErrorResponse`: its field `C` (section 55.8).
fn code(mut fields: &[u8]) -> Option<&str> {
    while let Some((kind, rest)) = fields.split_first().filter(|(kind, _)| **kind != 0) {
        let (value, after) = split_text(rest)?;
        if *kind == b'C' {
            return text(value);
        }
        fields = after;
    }
    None
}

/// What an error says about a credential, by the class of its SQLSTATE (appendix A of the documentation).
fn refusal(code: &str) -> Ruling {
    let (class, _) = code.split_at_checked(2).unwrap_or((code, ""));
    match (class, code) {
        // invalid_password, invalid_authorization_specification
        ("28", _) => Ruling { verdict: Verdict::Invalid, reason: Some(Reason::Rejected) },
        // invalid_catalog_name: there is no such database
        (_, "3D000") => Ruling { verdict: Verdict::Invalid, reason: Some(Reason::TargetNotFound) },
        // insufficient_privilege: the user may not connect to this database
        (_, "42501") => Ruling { verdict: Verdict::Limited, reason: Some(Reason::InsufficientScope) },
        // insufficient_resources: too_many_connections among them
        ("53", _) => Ruling::unknown(Reason::RateLimited),
        // operator_intervention (starting up, shutting down), system_error, internal_error
        ("57" | "58" | "XX", _) => Ruling::unknown(Reason::Unreachable),
        _ => ODD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_error_has_its_verdict_and_reason() {
        let unknown = |reason| (Verdict::Unknown, Some(reason));
        for (code, meaning) in [
            ("28P01", (Verdict::Invalid, Some(Reason::Rejected))),
            ("28000", (Verdict::Invalid, Some(Reason::Rejected))),
            ("3D000", (Verdict::Invalid, Some(Reason::TargetNotFound))),
            ("42501", (Verdict::Limited, Some(Reason::InsufficientScope))),
            ("53300", unknown(Reason::RateLimited)),
            ("53200", unknown(Reason::RateLimited)),
            ("57P01", unknown(Reason::Unreachable)),
            ("57P03", unknown(Reason::Unreachable)),
            ("58030", unknown(Reason::Unreachable)),
            ("XX000", unknown(Reason::Unreachable)),
            ("08P01", unknown(Reason::UnexpectedAnswer)),
            ("0A000", unknown(Reason::UnexpectedAnswer)),
            ("42P01", unknown(Reason::UnexpectedAnswer)),
            ("55000", unknown(Reason::UnexpectedAnswer)),
            ("", unknown(Reason::UnexpectedAnswer)),
            ("2", unknown(Reason::UnexpectedAnswer)),
            ("é", unknown(Reason::UnexpectedAnswer)),
        ] {
            let Ruling { verdict, reason } = refusal(code);
            assert_eq!((verdict, reason), meaning, "{code}");
        }
    }

    #[test]
    fn the_code_of_an_error_is_found_among_its_fields() {
        assert_eq!(code(b"SFATAL\0VFATAL\0C28P01\0Mno\0\0"), Some("28P01"));
        for none in [&b""[..], b"\0", b"SFATAL\0\0", b"C28P01", b"Mno\0", b"C\xff\0\0"] {
            assert_eq!(code(none), None, "{none:?}");
        }
    }
}
