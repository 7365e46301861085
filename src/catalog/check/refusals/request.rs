//! The claims about the rules for requests: holes, places, destinations, headers.

use super::refused;

#[test]
fn a_hole_without_field_is_refused() {
    refused("https://{region}.acme", "https://{area}.acme", "request.base_url");
    refused("token = \"{token}\"", "token = \"{tokens}\"", "request.auth.token");
    refused("X-Version = \"7\"", "X-Version = \"{version}\"", "request.headers.X-Version");
    refused("call.path = \"{path}\"", "call.path = \"/{paths}\"", "test.call.path");
    refused("limit = \"1\"", "limit = \"{limit}\"", "test.call.query.limit");
    refused("expect = \"{statuses}\"", "expect = \"{status}\"", "test.expect");
    refused("\"GET\"", "\"{method}\"", "test.call.method");
}

#[test]
fn a_template_with_stray_braces_is_refused() {
    refused("token = \"{token}\"", "token = \"{token\"", "connection_types[0].request.auth");
    refused("token = \"{token}\"", "token = \"{token|trim}\"", "connection_types[0].request.auth");
}

#[test]
fn an_unused_field_is_refused() {
    refused("expect = \"{statuses}\"", "expect = \"200\"", "fields.statuses");
}

#[test]
fn a_secret_in_a_url_without_a_stated_need_is_refused() {
    refused("limit = \"1\"", "limit = \"{token}\"", "fields.token.secret_in_url");
    refused("call.path = \"/messages\"", "call.path = \"/{token}\"", "fields.token.secret_in_url");
    let query = "{ scheme = \"query\", name = \"key\", value = \"{token}\" }";
    refused("{ scheme = \"bearer\", token = \"{token}\" }", query, "fields.token.secret_in_url");
}

#[test]
fn a_need_stated_for_no_secret_in_a_url_is_refused() {
    refused("secret = true", "secret = true\nsecret_in_url = \"Because.\"", "fields.token.secret_in_url");
    refused("secret = true", "secret = true\nsecret_in_url = \"\"", "fields.token.secret_in_url");
}

#[test]
fn a_destination_that_is_not_marked_as_one_is_refused() {
    refused("default = \"eu\"\ndestination = true", "default = \"eu\"", "request.base_url");
}

#[test]
fn a_destination_that_takes_any_text_is_refused() {
    refused("enum = [\"eu\", \"us\"]\n", "", "request.base_url");
}

#[test]
fn a_destination_that_decides_nothing_is_refused() {
    refused("type = \"path\"", "type = \"path\"\ndestination = true", "fields.path.destination");
}

#[test]
fn a_secret_inside_a_host_is_refused() {
    refused("secret = true", "secret = true\ndestination = true", "fields.token.destination");
}

#[test]
fn a_base_url_that_is_no_plain_https_address_is_refused() {
    for base_url in [
        "http://{region}.acme.example",
        "{region}",
        "{path}",
        "{token}",
        "https://",
        "https://{region}@acme.example",
        "https://{region}.acme.example/?a=b",
        "https://{region}.acme.example/#a",
        "https://{region}.acme.example/{path}",
        "/api/{region}",
        "",
    ] {
        refused("https://{region}.acme.example/api", base_url, "request.base_url");
    }
}

#[test]
fn a_destination_that_is_no_origin_is_refused() {
    for origin in ["http://files.acme.example", "https://files.acme.example/", "files.acme.example", "*"] {
        refused("https://files.acme.example", origin, "request.destinations");
    }
}

#[test]
fn a_reserved_or_impossible_header_is_refused() {
    for name in ["Host", "authorization", "Content-Length", "Cookie", "CF-Connecting-IP", "\"a b\"", "\"\""] {
        refused("X-Version =", &format!("{name} ="), &format!("request.headers.{}", name.trim_matches('"')));
    }
    let header = "{ scheme = \"header\", name = \"Host\", value = \"{token}\" }";
    refused("{ scheme = \"bearer\", token = \"{token}\" }", header, "request.auth.name");
    refused("X-Version = \"7\"", "X-Version = \"sept\\u00e8\"", "request.headers.X-Version");
}

#[test]
fn what_every_request_needs_must_always_be_set() {
    refused("required = true\n", "", "request");
    refused("required = true", "required = true\nvisible_when = { field = \"region\", is = [\"eu\"] }", "request");
}

#[test]
fn an_unknown_scheme_is_refused() {
    refused("\"bearer\"", "\"digest\"", "connection_types[0].request.auth.scheme");
}

#[test]
fn a_base_url_for_some_values_is_checked_like_the_first_one() {
    let first = "base_url = \"https://{region}.acme.example/api\"";
    let with = |other: &str| format!("{first}\nbase_urls = [{other}]");
    let good = "{ field = \"region\", matches = 'e.', base_url = \"https://{region}.acme.example.eu\" }";
    assert_eq!(super::faults(first, &with(good)), [""; 0]);
    for (piece, bad, key) in [
        ("https://", "http://", "base_urls.base_url"),
        ("'e.'", "'('", "base_urls.matches"),
        ("\"region\"", "\"token\"", "base_urls.field"),
    ] {
        refused(first, &with(&good.replace(piece, bad)), &format!("request.{key}"));
    }
}

#[test]
fn a_role_is_assumed_at_its_own_service_only() {
    let bearer = "{ scheme = \"bearer\", token = \"{token}\" }";
    let keys = "access_key_id = \"{region}\", secret_access_key = \"{token}\", region = \"{region}\"";
    let signed = format!("{{ scheme = \"aws_sigv4\", {keys}, service = \"s3\", role_arn = \"{{region}}\" }}");
    refused(bearer, &signed, "request.auth.role_arn");
    assert_eq!(super::faults(bearer, &signed.replace("\"s3\"", "\"sts\"")), [""; 0]);
}
