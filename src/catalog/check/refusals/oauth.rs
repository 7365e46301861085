//! The claims about the rules for how tokens are obtained.

use super::keys;

/// A connection type with something of every part of `oauth`.
const GOOD: &str = r#"
key = "acme"
name = "Acme"
category = "generic"
homepage = "https://acme.example"

[[connection_types]]
key = "token"
name = "OAuth"
description = "Does things for a person."

[connection_types.guide]
url = "https://acme.example/docs"
steps = ["Register an app."]
least_permissions = "Read."
rotation = "Create a second secret."
not_proven = "Much."

[[connection_types.fields]]
key = "tenant"
label = "Tenant"
help = "Who signs in."
obtain = "The address bar."
type = "text"
pattern = '[a-z]+'
pattern_help = "Small letters."
default = "common"
destination = true

[[connection_types.fields]]
key = "client_id"
label = "Client id"
help = "The id of the app."
obtain = "The app."
type = "text"
required = true

[[connection_types.fields]]
key = "client_secret"
label = "Client secret"
help = "The secret of the app."
obtain = "The app."
type = "text"
secret = true
required = true
customer_specific = false

[[connection_types.fields]]
key = "separator"
label = "Separator"
help = "What stands between scopes."
obtain = "The documentation."
type = "text"
enum = ["space", "comma"]
default = "space"

[[connection_types.fields]]
key = "scopes"
label = "Scopes"
help = "What may be done."
obtain = "The documentation."
type = "text"

[connection_types.oauth]
grant = "authorization_code"
authorize_url = "https://login.acme.example/{tenant}/authorize"
token_url = "https://login.acme.example/{tenant}/token"
revoke_url = "https://login.acme.example/{tenant}/revoke"
client_id = "{client_id}"
client_secret = "{client_secret}"
client_authentication = "basic"
scopes = "{scopes}"
scope_separator = "{separator}"
authorize_parameters = { prompt = "consent" }

[connection_types.oauth.answer]
access_token = "/data/token"
invalid_grant = ["code_used"]

[connection_types.oauth.answer.keep]
instance = { at = "/instance", pattern = 'https://[a-z]+[.]acme[.]example' }

[connection_types.request]
base_url = "{instance}"
auth = { scheme = "bearer", token = "{access_token}" }

[connection_types.test]
side_effect = "none"
call.method = "GET"
call.path = "/me"
expect = "200"
"#;

/// The same, asking an issuer for its addresses.
fn discovered() -> String {
    let start = GOOD.find("authorize_url =").unwrap();
    let end = GOOD.find("client_id = \"{client_id}\"").unwrap();
    format!("{}issuer = \"https://login.acme.example/{{tenant}}\"\n{}", &GOOD[..start], &GOOD[end..])
}

fn refused_in(good: &str, (piece, bad): (&str, &str), key: &str) {
    assert!(good.contains(piece), "{piece}");
    let found = keys(&good.replacen(piece, bad, 1));
    let long = format!("connection_types.token.{key}");
    assert!(found.contains(&long), "{bad}: {found:?} without {long}");
}

fn refused(piece: &str, bad: &str, key: &str) {
    refused_in(GOOD, (piece, bad), key);
}

#[test]
fn the_good_files_are_good() {
    assert_eq!(keys(GOOD), [""; 0]);
    assert_eq!(keys(&discovered()), [""; 0]);
}

#[test]
fn an_unknown_key_is_refused_at_every_level() {
    for piece in ["[connection_types.oauth]\n", "[connection_types.oauth.answer]\n", "{ at = \"/instance\","] {
        let bad = if piece.starts_with('{') { format!("{piece} colour = 1,") } else { format!("{piece}colour = 1\n") };
        assert_eq!(keys(&GOOD.replacen(piece, &bad, 1)).len(), 1, "{piece}");
    }
}

#[test]
fn an_unknown_grant_or_body_is_refused() {
    for bad in ["password", "implicit", "{tenant}"] {
        let toml = GOOD.replacen("\"authorization_code\"", &format!("\"{bad}\""), 1);
        assert_eq!(keys(&toml).len(), 1, "{bad}");
    }
    assert_eq!(keys(&GOOD.replacen("scopes = \"{scopes}\"\n", "token_body = \"xml\"\n", 1)).len(), 1);
}

#[test]
fn tokens_for_what_is_no_request_are_refused() {
    let start = GOOD.find("[connection_types.request]").unwrap();
    let server = "[connection_types.server]\nprotocol = \"postgresql\"\nhost = \"db.acme.example\"\nport = \"5432\"\n\
                  database = \"app\"\nuser = \"app\"\npassword = \"{client_secret}\"\ntls = \"verify-full\"\n";
    let found = keys(&format!("{}{server}", &GOOD[..start]));
    assert!(found.contains(&"connection_types.token.oauth".to_owned()), "{found:?}");
}

#[test]
fn addresses_are_stated_or_discovered_and_never_half_of_both() {
    let token = "token_url = \"https://login.acme.example/{tenant}/token\"\n";
    let authorize = "authorize_url = \"https://login.acme.example/{tenant}/authorize\"\n";
    refused(token, "", "oauth.token_url");
    refused(authorize, "", "oauth.authorize_url");
    refused("\"authorization_code\"", "\"client_credentials\"", "oauth.authorize_url");
    refused_in(&discovered(), ("issuer =", &format!("{authorize}issuer =")), "oauth.authorize_url");
    let revoke = "revoke_url = \"https://login.acme.example/revoke\"\nissuer =";
    refused_in(&discovered(), ("issuer =", revoke), "oauth.revoke_url");
}

#[test]
fn an_address_that_is_not_safe_is_refused() {
    for (name, path) in [("authorize_url", "authorize"), ("token_url", "token"), ("revoke_url", "revoke")] {
        let good = format!("{name} = \"https://login.acme.example/{{tenant}}/{path}\"");
        refused(&good, &good.replace("https:", "http:"), &format!("oauth.{name}"));
        refused(&good, &good.replace("login.acme", "{scopes}.acme"), &format!("oauth.{name}"));
        refused(&good, &good.replace("{tenant}", "{nobody}"), &format!("oauth.{name}"));
    }
}

#[test]
fn a_hole_without_field_is_refused() {
    for (piece, key) in [
        ("client_id = \"{client_id}\"", "client_id"),
        ("client_secret = \"{client_secret}\"", "client_secret"),
        ("scopes = \"{scopes}\"", "scopes"),
    ] {
        refused(piece, &format!("{key} = \"{{nobody}}\""), &format!("oauth.{key}"));
    }
    refused("prompt = \"consent\"", "prompt = \"{nobody}\"", "oauth.authorize_parameters");
    // There is no token yet.
    refused("prompt = \"consent\"", "prompt = \"{access_token}\"", "oauth.authorize_parameters");
    refused("client_id = \"{client_id}\"", "client_id = \"{instance}\"", "oauth.client_id");
    refused("\"/data/token\"", "\"{nobody}\"", "oauth.answer.access_token");
}

#[test]
fn a_place_that_is_no_pointer_is_refused() {
    refused("\"/data/token\"", "\"data.token\"", "oauth.answer.access_token");
    refused("\"/data/token\"", "\"/data/token\"\nrefresh_token = \"refresh\"", "oauth.answer.refresh_token");
    refused("at = \"/instance\"", "at = \"instance\"", "oauth.answer.keep.instance.at");
}

#[test]
fn a_word_that_is_none_of_the_few_is_refused() {
    refused("\"basic\"", "\"jwt\"", "oauth.client_authentication");
    refused("\"basic\"", "\"{scopes}\"", "oauth.client_authentication");
    refused("\"{separator}\"", "\"semicolon\"", "oauth.scope_separator");
    refused("[\"space\", \"comma\"]", "[\"space\", \"semicolon\"]", "oauth.scope_separator");
}

#[test]
fn a_client_secret_that_is_not_kept_as_one_is_refused() {
    refused("client_secret = \"{client_secret}\"", "client_secret = \"{client_id}\"", "oauth.client_secret");
}

#[test]
fn what_is_kept_has_a_name_of_its_own() {
    for name in ["access_token", "refresh_token", "token_type", "tenant"] {
        let bad = format!("{name} = {{ at = \"/x\" }}\ninstance = {{");
        refused("instance = {", &bad, &format!("oauth.answer.keep.{name}"));
    }
}

#[test]
fn what_decides_where_the_token_goes_has_a_pattern_that_holds_its_host() {
    let good = ", pattern = 'https://[a-z]+[.]acme[.]example'";
    for bad in ["", ", pattern = 'https://.*'", ", pattern = 'http://a[.]acme[.]example'", ", pattern = '.*'"] {
        refused(good, bad, "oauth.answer.keep.instance.pattern");
    }
    refused(good, ", pattern = 'https://('", "oauth.answer.keep.instance.pattern");
}

#[test]
fn a_token_that_no_request_carries_is_refused() {
    refused("{ scheme = \"bearer\", token = \"{access_token}\" }", "{ scheme = \"none\" }", "oauth");
}
