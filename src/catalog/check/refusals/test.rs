//! The claims about the rules for tests, verdict rules and messages.

use super::{GOOD, keys, refused};

#[test]
fn a_type_without_test_or_reason_is_refused() {
    let (start, end) =
        (GOOD.find("[connection_types.test]").unwrap(), GOOD.find("[connection_types.message]").unwrap());
    let toml = format!("{}{}", &GOOD[..start], &GOOD[end..]);
    assert!(keys(&toml).contains(&"connection_types.token.test".to_owned()));
    refused("\"Does things.\"", "\"Does things.\"\nno_test = \"Because.\"", "test");
    let reason = GOOD.replacen("\"Does things.\"", "\"Does things.\"\nno_test = \"\"", 1);
    assert!(keys(&reason).contains(&"connection_types.token.no_test".to_owned()));
}

#[test]
fn a_test_that_can_never_be_valid_is_refused() {
    refused("expect = \"{statuses}\"\n", "", "test.rules");
}

#[test]
fn a_visible_test_is_refused() {
    refused("side_effect = \"none\"", "side_effect = \"visible\"", "test.side_effect");
}

#[test]
fn a_test_that_changes_something_is_refused() {
    for method in ["DELETE", "PUT", "PATCH", "get", "{region}"] {
        refused("\"GET\"", &format!("\"{method}\""), "test.call.method");
    }
}

#[test]
fn a_test_that_would_post_a_message_is_refused() {
    let call = "\"POST\"\ncall.body = '{}'";
    let toml = GOOD.replacen("\"GET\"", call, 1).replacen("\"/messages\"", "\"{path}\"", 1);
    assert!(keys(&toml).contains(&"connection_types.token.test.call.body".to_owned()));
}

#[test]
fn a_body_in_a_get_is_refused() {
    refused("\"GET\"", "\"GET\"\ncall.body = 'x'", "test.call.body");
}

#[test]
fn a_member_of_a_body_that_is_no_object_or_has_it_already_is_refused() {
    let post =
        |body: &str, hole: &str| format!("\"POST\"\ncall.body = '{body}'\ncall.body_members = {{ a = \"{hole}\" }}");
    for body in ["x", "[]", r#"{"a":1}"#] {
        refused("\"GET\"", &post(body, "{region}"), "test.call.body_members");
    }
    refused("\"GET\"", "\"GET\"\ncall.body_members = { a = \"{region}\" }", "test.call.body_members");
    refused("\"GET\"", &post(r#"{"b":1}"#, "{nobody}"), "test.call.body_members.a");
}

#[test]
fn a_path_that_begins_with_no_slash_is_refused() {
    for path in ["me", "//evil.example", "/a#b", "/a b", "{token}", "/x{path}", "@evil.example"] {
        refused("call.path = \"{path}\"", &format!("call.path = \"{path}\""), "test.call.path");
    }
}

#[test]
fn a_bad_list_of_expected_statuses_is_refused() {
    refused("expect = \"{statuses}\"", "expect = \"ok\"", "test.expect");
    refused("expect = \"{statuses}\"", "expect = \"200, 5xx\"", "test.expect");
    refused("expect = \"{statuses}\"", "expect = \"{region}\"", "test.expect");
    refused("expect = \"{statuses}\"", "expect = \"200,{statuses}\"", "test.expect");
}

#[test]
fn an_unknown_verdict_or_reason_is_refused() {
    refused("verdict = \"invalid\"", "verdict = \"bad\"", "connection_types[0].test.rules[0].verdict");
    refused("reason = \"expired\"", "reason = \"bad\"", "connection_types[0].test.rules[0].reason");
    refused("status = \"400\"", "status = \"bad\"", "connection_types[0].test.rules[0].status");
}

#[test]
fn a_reason_that_does_not_go_with_the_verdict_is_refused() {
    refused("reason = \"expired\"\n", "", "test.rules.0.reason");
    refused("verdict = \"invalid\"", "verdict = \"valid\"", "test.rules.0.reason");
    refused("verdict = \"invalid\"", "verdict = \"unknown\"", "test.rules.0.reason");
    refused("verdict = \"invalid\"", "verdict = \"limited\"", "test.rules.0.reason");
    refused("reason = \"expired\"", "reason = \"never_tested\"", "test.rules.0.reason");
}

#[test]
fn a_definitive_verdict_from_429_or_5xx_is_refused() {
    for status in ["429", "4xx", "500-599", "503"] {
        refused("status = \"400\"", &format!("status = \"{status}\""), "test.rules.0.status");
    }
}

#[test]
fn a_rule_on_nothing_is_refused() {
    refused("[\"expired\"]", "[\"\"]", "test.rules.0.body_contains_any");
    refused("pointer = \"/code\"", "pointer = \"code\"", "test.rules.0.json.pointer");
    refused("pointer = \"/code\"", "pointer = \"/a~2\"", "test.rules.0.json.pointer");
    refused("equals_any = [7]", "equals_any = []", "test.rules.0.json.equals_any");
    refused("equals_any = [7]", "equals_any = [7], present = true", "test.rules.0.json.equals_any");
    refused(", equals_any = [7]", "", "test.rules.0.json.equals_any");
}

#[test]
fn a_credential_as_a_fact_is_refused() {
    for pointer in ["/token", "/user/Token", "/access_token", "account", ""] {
        refused("\"/account/name\"", &format!("\"{pointer}\""), "test.facts.account");
    }
    for place in ["\"/token\"", "{ header = \"set-cookie\" }", "{ header = \"X-Scopes\" }", "{ header = \"\" }"] {
        for key in ["granted_scopes", "expires_at"] {
            refused(
                "side_effect = \"none\"",
                &format!("side_effect = \"none\"\n{key} = {place}"),
                &format!("test.{key}"),
            );
        }
    }
}

#[test]
fn a_rule_on_a_header_names_it_and_its_values() {
    for header in ["{ name = \"X-Left\", equals_any = [\"0\"] }", "{ name = \"x-left\", equals_any = [] }"] {
        refused("status = \"400\"", &format!("status = \"400\"\nheader = {header}"), "test.rules.0.header");
    }
}

#[test]
fn a_comparison_without_a_removable_credential_is_refused() {
    refused("{ scheme = \"bearer\", token = \"{token}\" }", "{ scheme = \"none\" }", "test.compare_without_credential");
    refused("limit = \"1\"", "limit = \"{token}\"", "test.compare_without_credential");
}

#[test]
fn a_path_of_the_users_choice_without_comparison_is_refused() {
    refused("compare_without_credential = true\n", "", "test.compare_without_credential");
}

#[test]
fn a_message_that_is_no_json_or_never_delivered_is_refused() {
    refused("'{\"text\":\"Test.\"}'", "'Test.'", "message.call.body");
    refused("call.body = '{\"text\":\"Test.\"}'\n", "", "message.call.body");
    refused("call.method = \"POST\"", "call.method = \"GET\"", "message.call.method");
    refused("[{ status = \"2xx\", verdict = \"valid\" }]", "[]", "message.rules");
}

#[test]
fn a_call_that_stands_in_for_another_is_checked_too() {
    let with = |call: &str| format!("side_effect = \"none\"\nelse_call = {call}");
    refused("side_effect = \"none\"", &with("{ method = \"DELETE\" }"), "test.else_call.call.method");
    assert_eq!(super::faults("side_effect = \"none\"", &with("{ method = \"GET\", path = \"/me\" }")), [""; 0]);
}

#[test]
fn a_fact_in_xml_is_in_an_element_that_holds_no_credential() {
    for (element, good) in
        [("Account", true), ("SecretAccessKey", false), ("SessionToken", false), ("a b", false), ("", false)]
    {
        let found = super::faults("\"/account/name\"", &format!("{{ xml = \"{element}\" }}"));
        assert_eq!(found.is_empty(), good, "{element}");
    }
}
