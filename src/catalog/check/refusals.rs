//! The claims about the rules: a good file with one thing wrong is refused, and the fault names the key.

mod field;
mod oauth;
mod request;
mod server;
mod test;

use crate::catalog::check::Fault;
use crate::catalog::file::Provider;
use crate::catalog::read::read;

const ICON: &str =
    r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9"/></svg>"#;

/// A provider with something of everything.
const GOOD: &str = r#"
key = "acme"
name = "Acme"
category = "generic"
homepage = "https://acme.example"

[[connection_types]]
key = "token"
name = "Token"
description = "Does things."

[connection_types.guide]
url = "https://acme.example/docs"
steps = ["Create a token."]
least_permissions = "Read."
rotation = "Create a second one."
not_proven = "Much."

[[connection_types.fields]]
key = "region"
label = "Region"
help = "Where the account is."
obtain = "The address bar."
type = "text"
enum = ["eu", "us"]
default = "eu"
destination = true

[[connection_types.fields]]
key = "token"
label = "Token"
help = "The token."
obtain = "The settings."
type = "text"
secret = true
required = true
pattern = 'acme_[a-z]+'
pattern_help = "It begins with acme_."
refuse = [{ pattern = 'acme_old.*', help = "An old one." }]

[[connection_types.fields]]
key = "advanced"
label = "Advanced"
help = "Whether."
obtain = "Your choice."
type = "boolean"
default = false

[[connection_types.fields]]
key = "path"
label = "Path"
help = "What to test."
obtain = "The documentation."
type = "path"
visible_when = { field = "advanced", is = [true] }

[[connection_types.fields]]
key = "statuses"
label = "Statuses"
help = "What is good."
obtain = "The documentation."
type = "statuses"
default = "200"

[connection_types.request]
base_url = "https://{region}.acme.example/api"
destinations = ["https://files.acme.example"]
auth = { scheme = "bearer", token = "{token}" }
headers = { X-Version = "7" }

[connection_types.test]
side_effect = "none"
call.method = "GET"
call.path = "{path}"
call.query = { limit = "1" }
expect = "{statuses}"
facts = { account = "/account/name" }
compare_without_credential = true

[[connection_types.test.rules]]
status = "400"
body_contains_any = ["expired"]
json = { pointer = "/code", equals_any = [7] }
verdict = "invalid"
reason = "expired"

[connection_types.message]
call.method = "POST"
call.path = "/messages"
call.body = '{"text":"Test."}'
rules = [{ status = "2xx", verdict = "valid" }]
"#;

fn load(toml: &str) -> Result<Provider, Vec<Fault>> {
    read("acme", toml, ICON)
}

/// The keys at fault when a piece of the good file, which must be there, is replaced.
fn faults(piece: &str, replacement: &str) -> Vec<String> {
    assert!(GOOD.contains(piece), "{piece}");
    keys(&GOOD.replacen(piece, replacement, 1))
}

fn keys(toml: &str) -> Vec<String> {
    load(toml).err().into_iter().flatten().map(|fault| fault.key).collect()
}

/// Says that a change is refused with this key; keys below the connection type are shortened.
fn refused(piece: &str, replacement: &str, key: &str) {
    let found = faults(piece, replacement);
    let long = format!("connection_types.token.{key}");
    assert!(found.iter().any(|found| *found == key || *found == long), "{replacement}: {found:?} without {key}");
}

#[test]
fn the_good_file_is_good() {
    assert_eq!(load(GOOD).err(), None);
}

#[test]
fn text_that_is_no_toml_is_refused() {
    assert_eq!(keys("key = "), ["TOML"]);
}

#[test]
fn an_unknown_key_is_refused_and_named() {
    let faults = load(&GOOD.replacen("obtain = \"The settings.\"", "obtained = \"x\"", 1)).unwrap_err();
    assert_eq!(faults[0].key, "connection_types[0].fields[1].obtained");
    assert!(faults[0].problem.contains("unknown field `obtained`"), "{faults:?}");
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    for piece in [
        "[connection_types.guide]\n",
        "[connection_types.request]\n",
        "[connection_types.test]\n",
        "[[connection_types.test.rules]]\n",
        "[connection_types.message]\n",
        "[[connection_types]]\n",
        "\nname = \"Acme\"\n",
    ] {
        assert_eq!(faults(piece, &format!("{piece}colour = 1\n")).len(), 1, "{piece}");
    }
    for piece in ["{ scheme = \"bearer\",", "{ pointer =", "{ field =", "{ pattern =", "{ status ="] {
        let [open, key] = piece.split_inclusive("{ ").collect::<Vec<_>>()[..] else { panic!("{piece}") };
        assert_eq!(faults(piece, &format!("{open}colour = 1, {key}")).len(), 1, "{piece}");
    }
    assert_eq!(
        faults("{ scheme = \"bearer\", token = \"{token}\" }", "{ scheme = \"none\", token = \"{token}\" }").len(),
        1
    );
}

#[test]
fn what_is_missing_is_refused() {
    for piece in [
        "help = \"The token.\"\n",
        "obtain = \"The settings.\"\n",
        "label = \"Token\"\n",
        "type = \"path\"\n",
        "steps = [\"Create a token.\"]\n",
        "least_permissions = \"Read.\"\n",
        "rotation = \"Create a second one.\"\n",
        "not_proven = \"Much.\"\n",
        "side_effect = \"none\"\n",
        "homepage = \"https://acme.example\"\n",
        "base_url = \"https://{region}.acme.example/api\"\n",
    ] {
        assert!(!faults(piece, "").is_empty(), "{piece}");
    }
}

#[test]
fn a_missing_guide_is_refused() {
    let (start, end) =
        (GOOD.find("[connection_types.guide]").unwrap(), GOOD.find("[[connection_types.fields]]").unwrap());
    let toml = format!("{}{}", &GOOD[..start], &GOOD[end..]);
    assert_eq!(keys(&toml), ["connection_types[0]"]);
}

#[test]
fn an_empty_guide_or_help_is_refused() {
    refused("[\"Create a token.\"]", "[]", "guide.steps");
    refused("[\"Create a token.\"]", "[\" \"]", "guide.steps");
    refused("\"Read.\"", "\"\"", "guide.least_permissions");
    refused("\"Create a second one.\"", "\"\"", "guide.rotation");
    refused("\"Much.\"", "\"\"", "guide.not_proven");
    refused("\"Much.\"", "\"Much.\"\nservice_account = \"\"", "guide.service_account");
    refused("\"https://acme.example/docs\"", "\"http://acme.example/docs\"", "guide.url");
    refused("\"The token.\"", "\"\"", "fields.token.help");
    refused("\"The settings.\"", "\" x\"", "fields.token.obtain");
    refused("\"Token\"\nhelp", "\"\"\nhelp", "fields.token.label");
}

#[test]
fn a_key_that_is_not_the_folder_is_refused() {
    refused("key = \"acme\"", "key = \"other\"", "key");
    assert!(!read("Acme", &GOOD.replacen("\"acme\"", "\"Acme\"", 1), ICON).err().unwrap_or_default().is_empty());
}

#[test]
fn a_homepage_that_is_no_https_address_is_refused() {
    refused("\"https://acme.example\"\n", "\"acme.example\"\n", "homepage");
}

#[test]
fn an_icon_in_the_toml_file_is_refused() {
    refused("\nname = \"Acme\"", "\nicon = \"x\"\nname = \"Acme\"", "icon");
}

#[test]
fn a_missing_icon_is_refused() {
    assert_eq!(read("acme", GOOD, "").unwrap_err()[0].key, "icon.svg");
}

#[test]
fn an_unknown_category_is_refused() {
    refused("\"generic\"", "\"misc\"", "category");
}

#[test]
fn duplicate_keys_are_refused() {
    let (start, end) = (GOOD.find("[[connection_types]]").unwrap(), GOOD.len());
    assert_eq!(keys(&format!("{GOOD}{}", &GOOD[start..end])), ["connection_types.token"]);
    assert!(faults("key = \"path\"", "key = \"region\"").contains(&"connection_types.token.fields.region".to_owned()));
    refused("[\"eu\", \"us\"]", "[\"eu\", \"eu\"]", "fields.region.enum.eu");
}

#[test]
fn a_provider_without_connection_types_is_refused() {
    let toml = &GOOD[..GOOD.find("[[connection_types]]").unwrap()];
    assert_eq!(keys(&format!("{toml}connection_types = []")), ["connection_types"]);
}

#[test]
fn every_fault_is_found_at_once() {
    let toml = GOOD.replacen("\"The token.\"", "\"\"", 1).replacen("\"Much.\"", "\"\"", 1);
    assert_eq!(keys(&toml), ["connection_types.token.guide.not_proven", "connection_types.token.fields.token.help"]);
}
