//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side, without channel binding: the platform does not show the
//! certificate that it verified. It knows messages, not how they are sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ports::Unicode;

/// The name of the mechanism.
pub(super) const NAME: &str = "SCRAM-SHA-256";

/// More than any server asks for, and less than a Worker has time for.
const MAX_ITERATIONS: u32 = 200_000;

/// A client that begins; `nonce` never repeats.
pub(super) struct Scram<'a> {
    password: &'a str,
    nonce: String,
}

/// A client that has proved that it knows the password, and wants to see the same of the server.
pub(super) struct Proved {
    signature: Hmac<Sha256>,
}

impl<'a> Scram<'a> {
    /// Begins with a password that was [`prepared`].
    pub(super) fn new(password: &'a str, nonce: [u8; 18]) -> Self {
        Self { password, nonce: STANDARD.encode(nonce) }
    }

    /// The first message. The user name is that of the start-up message, so none is said here.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.first_bare())
    }

    fn first_bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The final message, as an answer to the server's first one; none where that is none.
    pub(super) fn prove(self, server_first: &str) -> Option<(String, Proved)> {
        let mut parts = server_first.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let own = nonce.strip_prefix(self.nonce.as_str()).is_some_and(|added| !added.is_empty());
        if !own || salt.is_empty() || !(1..=MAX_ITERATIONS).contains(&iterations) {
            return None;
        }
        let without_proof = format!("c=biws,r={nonce}");
        let message = format!("{},{server_first},{without_proof}", self.first_bare());
        let password = self.password.as_bytes();
        let salted = Zeroizing::new(pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, &salt, iterations));
        let client_key = Zeroizing::new(tag(&*salted, b"Client Key")?);
        let client_signature = tag(&Sha256::digest(*client_key), message.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(client_signature).map(|(key, signature)| key ^ signature).collect();
        let mut signature = mac(&tag(&*salted, b"Server Key")?)?;
        signature.update(message.as_bytes());
        Some((format!("{without_proof},p={}", STANDARD.encode(proof)), Proved { signature }))
    }
}

impl Proved {
    /// Whether the server's final message proves that it knows the password, too.
    pub(super) fn accepts(self, server_final: &str) -> bool {
        let verifier = server_final.split(',').next().and_then(|first| first.strip_prefix("v="));
        let verifier = verifier.and_then(|verifier| STANDARD.decode(verifier).ok());
        verifier.is_some_and(|verifier| self.signature.verify_slice(&verifier).is_ok())
    }
}

fn mac(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

fn tag(key: &[u8], message: &[u8]) -> Option<[u8; 32]> {
    let mut mac = mac(key)?;
    mac.update(message);
    Some(mac.finalize().into_bytes().into())
}

/// The password as both sides hash it: by `SASLprep` (RFC 4013) without its checks of what is prohibited, for a password that
/// fails them is hashed as it is by PostgreSQL, and accepted nowhere else. ASCII stays as it is.
pub(super) fn prepared(password: &str, unicode: &dyn Unicode) -> Zeroizing<String> {
    if password.is_ascii() {
        return Zeroizing::new(password.to_owned());
    }
    let spaced = password.chars().map(|c| if is_space(c) { ' ' } else { c });
    let kept = spaced.filter(|c| !is_nothing(*c));
    Zeroizing::new(unicode.nfkc(&Zeroizing::new(kept.collect::<String>())))
}

/// "Commonly mapped to nothing" (RFC 3454, table B.1).
const fn is_nothing(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{200c}' | '\u{200d}' | '\u{2060}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Spaces beyond ASCII (RFC 3454, table C.1.2).
const fn is_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7677, section 3, with the user name left out, as PostgreSQL does; the values were made by the independent
    // implementation below.
    const SERVER_FIRST: &str = "r=%NONCE%%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn client() -> Scram<'static> {
        Scram::new("pencil", [7; 18])
    }

    fn server_first() -> String {
        SERVER_FIRST.replace("%NONCE%", &STANDARD.encode([7; 18]))
    }

    /// The server's side with `ring`, which shares no code with the client's: whether it accepts a proof, and its signature.
    fn server(password: &str, client_final: &str) -> (bool, String) {
        use ring::{digest, hmac, pbkdf2};
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let mut salted = [0; 32];
        let rounds = 4096.try_into().unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
        let sign =
            |key: &[u8], message: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec();
        let (without_proof, proof) = client_final.split_once(",p=").unwrap();
        let nonce = STANDARD.encode([7; 18]);
        let message = format!("n=,r={nonce},{},{without_proof}", server_first());
        let stored = digest::digest(&digest::SHA256, &sign(&salted, b"Client Key"));
        let signature = sign(stored.as_ref(), message.as_bytes());
        let key: Vec<u8> = STANDARD.decode(proof).unwrap().iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let accepted = digest::digest(&digest::SHA256, &key).as_ref() == stored.as_ref();
        let verifier = sign(&sign(&salted, b"Server Key"), message.as_bytes());
        (accepted, format!("v={}", STANDARD.encode(verifier)))
    }

    #[test]
    fn a_first_message_that_is_none_is_refused() {
        let good = server_first();
        assert!(client().prove(&good).is_some());
        let nonce = STANDARD.encode([7; 18]);
        for bad in [
            String::new(),
            good.replace("r=", "x="),
            good.replace(&nonce, "other"),
            format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
            good.replace("s=W22ZaJ0SNY7soEsUEjb6gQ==", "s=*"),
            good.replace("s=W22ZaJ0SNY7soEsUEjb6gQ==", "s="),
            good.replace("i=4096", "i=0"),
            good.replace("i=4096", "i=200001"),
            good.replace("i=4096", "i=4294967296"),
            good.replace(",i=4096", ""),
            format!("m=ext,{good}"),
        ] {
            assert!(client().prove(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_not_believed() {
        let (client_final, proved) = client().prove(&server_first()).unwrap();
        let (_, verifier) = server("another", &client_final);
        assert!(!proved.accepts(&verifier));
        for bad in ["", "v=", "v=*", "e=other-error", &format!("x{}", server("pencil", &client_final).1)] {
            let (_, proved) = client().prove(&server_first()).unwrap();
            assert!(!proved.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn both_sides_prove_that_they_know_the_password() {
        assert_eq!(client().first(), format!("n,,n=,r={}", STANDARD.encode([7; 18])));
        let (client_final, proved) = client().prove(&server_first()).unwrap();
        let (accepted, verifier) = server("pencil", &client_final);
        assert!(accepted && proved.accepts(&verifier));
        assert!(!server("another", &client_final).0);
    }
}
