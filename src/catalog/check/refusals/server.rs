//! The claims about how a server is reached.

use super::{GOOD, keys, load};

/// The good file with a server in the place of HTTP.
fn server() -> String {
    let (head, rest) = GOOD.split_once("[[connection_types.fields]]\nkey = \"region\"").unwrap();
    assert!(rest.contains("[connection_types.request]"));
    let field = |key: &str, more: &str| {
        format!(
            "[[connection_types.fields]]\nkey = \"{key}\"\nlabel = \"L\"\nhelp = \"H\"\nobtain = \"O\"\ntype = \"text\"\n\
             required = true\n{more}\n"
        )
    };
    let fields = [
        field("host", "destination = true"),
        field("port", "destination = true"),
        field("database", ""),
        field("user", ""),
        field("password", "secret = true"),
        field("tls", "destination = true\nenum = [\"verify-full\", \"disable\"]"),
    ];
    format!(
        "{head}{}[connection_types.unavailable]\nca_certificate = \"No.\"\n[connection_types.server]\nprotocol = \"postgresql\"\n\
         host = \"{{host}}\"\nport = \"{{port}}\"\ndatabase = \"{{database}}\"\nuser = \"{{user}}\"\npassword = \"{{password}}\"\n\
         tls = \"{{tls}}\"\n",
        fields.concat()
    )
}

fn refused(piece: &str, replacement: &str, key: &str) {
    let good = server();
    assert!(good.contains(piece), "{piece}");
    let found = keys(&good.replacen(piece, replacement, 1));
    let long = format!("connection_types.token.{key}");
    assert!(found.iter().any(|found| *found == key || *found == long), "{replacement}: {found:?} without {key}");
}

#[test]
fn the_good_server_is_good() {
    assert_eq!(load(&server()).err(), None);
}

#[test]
fn a_type_is_reached_by_requests_or_as_a_server_and_not_both() {
    let request = "[connection_types.request]\nbase_url = \"https://a.example\"\nauth = { scheme = \"none\" }\n";
    assert_eq!(keys(&format!("{}{request}", server())), ["connection_types[0]"]);
    let neither = GOOD.split_once("[connection_types.request]").unwrap().0;
    assert_eq!(keys(neither), ["connection_types[0]"]);
}

#[test]
fn a_server_has_the_test_of_its_protocol_and_no_other() {
    refused(
        "[connection_types.server]",
        "[connection_types.test]\nside_effect = \"none\"\ncall.method = \"GET\"\n[connection_types.server]",
        "test",
    );
    refused("description = \"Does things.\"", "description = \"Does things.\"\nno_test = \"x\"", "test");
}

#[test]
fn what_decides_where_secrets_go_is_marked() {
    for field in ["host", "port", "tls"] {
        let marked = format!(
            "key = \"{field}\"\nlabel = \"L\"\nhelp = \"H\"\nobtain = \"O\"\ntype = \"text\"\nrequired = true\ndestination = true"
        );
        let unmarked = marked.replace("\ndestination = true", "");
        refused(&marked, &unmarked, &format!("server.{field}"));
    }
    refused(
        "destination = true\n[[connection_types.fields]]\nkey = \"database\"",
        "destination = true\n[[connection_types.fields]]\nkey = \"database\"\ndestination = true",
        "fields.database.destination",
    );
}

#[test]
fn tls_is_what_the_protocol_calls_so_and_can_be_done() {
    refused("enum = [\"verify-full\", \"disable\"]", "enum = [\"verify-full\", \"require\"]", "server.tls");
    refused("enum = [\"verify-full\", \"disable\"]", "", "server.tls");
    refused("protocol = \"postgresql\"", "protocol = \"mysql\"", "server.tls");
    refused("protocol = \"postgresql\"", "protocol = \"oracle\"", "connection_types[0].server.protocol");
}

#[test]
fn every_part_of_a_server_is_there_and_the_password_is_a_secret() {
    refused("user = \"{user}\"", "user = \"\"", "server.user");
    refused("secret = true\n", "\n", "server.password");
    refused(
        "required = true\n\n[[connection_types.fields]]\nkey = \"user\"",
        "\n[[connection_types.fields]]\nkey = \"user\"",
        "server",
    );
}

#[test]
fn what_is_unavailable_is_no_field_and_has_a_reason() {
    refused("ca_certificate = \"No.\"", "user = \"No.\"", "unavailable.user");
    refused("ca_certificate = \"No.\"", "ca_certificate = \"\"", "unavailable.ca_certificate");
}
