//! Words that stand only where they belong, and the form of files.

use std::collections::BTreeSet;

use regex_lite::Regex;

use crate::source::{files, words};

/// The crates that know the Workers platform.
const PLATFORM: [&str; 6] = ["getrandom", "gloo_timers", "js_sys", "wasm_bindgen", "web_sys", "worker"];

/// The files that may look at a secret.
const EXPOSE: [&str; 25] = [
    // A secret's own type.
    "src/domain/values.rs",
    // Values at the door.
    "src/catalog/values.rs",
    "src/catalog/values/tests.rs",
    // Put into the requests of a provider file, and kept out of what is learned from answers.
    "src/catalog/fill.rs",
    "src/catalog/key_file.rs",
    "src/probe/aws_sigv4.rs",
    "src/probe/facts.rs",
    // Sent to an authorization server, and handed over with what it answers.
    "src/oauth/authorize.rs",
    "src/oauth/token.rs",
    "src/api/oauth/callback.rs",
    "src/api/connections/trial.rs",
    "src/oauth/answer/tests.rs",
    // Sealed and opened.
    "src/vault/aead.rs",
    "src/vault/entry/tests.rs",
    "src/vault/fixtures.rs",
    "src/vault/kdf.rs",
    "src/vault/key_ring.rs",
    "src/vault/key_ring/tests.rs",
    "src/vault/mac.rs",
    "src/vault/plaintext.rs",
    "src/vault/wrapped_key.rs",
    // What messages to endpoints are signed with.
    "src/webhook/signature.rs",
    // Handed to a person, or to a workflow.
    "src/api/connections/credentials.rs",
    "src/api/connections/reveal.rs",
    "src/api/webhooks.rs",
];

#[test]
fn only_the_platform_knows_the_platform() {
    for file in files("src").iter().filter(|file| file.module() != "platform") {
        for (number, line) in file.code() {
            let named = words(line).find(|word| PLATFORM.contains(word));
            assert!(named.is_none(), "{}:{number}: {line}", file.path);
        }
    }
}

/// Of two schemas of one name, the document has only one, and says it of both.
#[test]
fn no_two_schemas_share_a_name() {
    let named = Regex::new(
        r"ToSchema\)\]\n(?:\s*#\[[^\n]*\n|\s*//[^\n]*\n)*?(?:\s*#\[schema\(as = (\w+)\)\]\n(?:\s*#\[[^\n]*\n)*)?\s*pub(?:\([a-z]+\))? (?:struct|enum) (\w+)",
    )
    .unwrap();
    let text = Regex::new(r"(?m)^text!\((?:\s*///[^\n]*\n|\n)*\s*(\w+),").unwrap();
    let mut places = std::collections::BTreeMap::new();
    for file in files("src") {
        let schemas = named.captures_iter(&file.text).map(|found| found.get(1).or(found.get(2)).unwrap());
        let texts = text.captures_iter(&file.text).map(|found| found.get(1).unwrap());
        for name in schemas.chain(texts) {
            let other = places.insert(name.as_str().to_owned(), file.path.clone());
            assert_eq!(other, None, "{} is a schema of {}, too", name.as_str(), file.path);
        }
    }
    assert!(places.contains_key("Customer") && places.contains_key("ImportAction"), "{places:?}");
}

#[test]
fn secrets_are_exposed_in_these_files_and_no_other() {
    let files = files("src");
    let exposing =
        files.iter().filter(|file| file.code().any(|(_, line)| words(line).any(|word| word == "expose_secret")));
    let exposing: BTreeSet<&str> = exposing.map(|file| file.path.as_str()).collect();
    assert_eq!(exposing, BTreeSet::from(EXPOSE));
}

#[test]
fn sql_stands_in_the_store_and_nowhere_else() {
    let sql = r#"(?i)"\s*(select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+.*\sas\s|create\s+(table|index|trigger)|drop\s|pragma\s)"#;
    let sql = Regex::new(sql).unwrap();
    let mut found = 0;
    for file in files("src") {
        for (number, line) in file.code().filter(|(_, line)| sql.is_match(line)) {
            assert_eq!(file.module(), "store", "{}:{number}: {line}", file.path);
            found += 1;
        }
    }
    assert!(found > 30, "the pattern knows SQL when it sees it: {found}");
}

#[test]
fn nothing_is_printed_and_nothing_is_left_undone() {
    let macros = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "todo!", "unimplemented!"];
    for file in files("src") {
        for (number, line) in file.code() {
            assert!(!macros.iter().any(|name| line.contains(name)), "{}:{number}: {line}", file.path);
        }
    }
}

#[test]
fn every_file_begins_with_what_it_knows() {
    for folder in ["src", "tests", "examples"] {
        for file in files(folder) {
            assert!(file.text.starts_with("//! "), "{} begins with //!", file.path);
        }
    }
    assert!(include_str!("../../build.rs").starts_with("//! "));
}

#[test]
fn no_file_of_the_source_has_more_than_400_lines() {
    for file in files("src") {
        let lines = file.text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines: split it by noun", file.path);
    }
}
