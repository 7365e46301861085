//! What an answer says about a credential. It knows statuses, bodies and the rules of provider files, not how the
//! answer came about.
//!
//! Rules of the file first, in order; then the expected statuses; then the class of the status. Only what is definite
//! is `invalid`; what nobody foresaw is `unknown`.

use http::HeaderMap;
use serde_json::Value;

use crate::catalog::file::{HeaderMatch, Rule};
use crate::catalog::statuses::Statuses;
use crate::domain::reason::Reason;
use crate::domain::verdict::Verdict;
use crate::egress::Answer;

/// A verdict with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
}

impl Ruling {
    const VALID: Self = Self { verdict: Verdict::Valid, reason: None };

    /// Nothing definite, for this reason.
    pub(super) const fn unknown(reason: Reason) -> Self {
        Self { verdict: Verdict::Unknown, reason: Some(reason) }
    }

    /// The call does not exist for these values.
    pub(super) const NO_CALL: Self = Self::unknown(Reason::NoTest);

    /// A value that every call needs is not there.
    pub(super) const MISSING: Self = Self { verdict: Verdict::Invalid, reason: Some(Reason::Missing) };
}

/// What there is to judge.
pub(super) struct Evidence<'a> {
    status: u16,
    /// None where the body was too large.
    text: Option<String>,
    json: Option<Value>,
    headers: &'a HeaderMap,
    rules: &'a [Rule],
    expected: Option<Statuses>,
}

impl<'a> Evidence<'a> {
    /// Collects an answer and what its file says about answers. The body counts for nothing where it was too large.
    pub(super) fn new(answer: &'a Answer, rules: &'a [Rule], expected: Option<Statuses>) -> Self {
        Self::of((answer.status.as_u16(), &answer.headers, answer.body().ok()), rules, expected)
    }

    fn of(
        (status, headers, body): (u16, &'a HeaderMap, Option<&[u8]>),
        rules: &'a [Rule],
        expected: Option<Statuses>,
    ) -> Self {
        let json = body.and_then(|body| serde_json::from_slice(body).ok());
        let text = body.map(|body| String::from_utf8_lossy(body).into_owned());
        Self { status, text, json, headers, rules, expected }
    }

    /// The body as text, where it was not too large.
    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Whether what the answer says is believed only when it says so twice.
    pub(super) fn wants_second_try(&self) -> bool {
        let decided = self.rules.iter().find(|rule| self.matches(rule) != Some(false));
        decided.is_some_and(|rule| rule.second_try && self.matches(rule) == Some(true))
    }

    /// The body, where it is JSON.
    pub(super) const fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// What the answer says.
    pub(super) fn judge(&self) -> Ruling {
        for rule in self.rules {
            match self.matches(rule) {
                Some(true) => return stated(rule),
                Some(false) => {}
                None => return Ruling::unknown(Reason::UnexpectedAnswer),
            }
        }
        if self.is_expected() { Ruling::VALID } else { class(self.status) }
    }

    /// Whether a rule matches; none where that hangs on a body that nobody has.
    fn matches(&self, rule: &Rule) -> Option<bool> {
        let headed = rule.header.as_ref().is_none_or(|wanted| self.has_header(wanted));
        if !rule.status.contains(self.status) || !headed {
            return Some(false);
        }
        if rule.body_contains_any.is_empty() && rule.json.is_none() {
            return Some(true);
        }
        let text = self.text.as_deref()?;
        let contains =
            rule.body_contains_any.is_empty() || rule.body_contains_any.iter().any(|part| text.contains(part));
        let equals = rule.json.as_ref().is_none_or(|wanted| {
            let found = self.json.as_ref().and_then(|json| json.pointer(&wanted.pointer));
            found.is_some_and(|found| wanted.equals_any.contains(found) || (wanted.present && !found.is_null()))
        });
        Some(contains && equals)
    }

    fn has_header(&self, wanted: &HeaderMatch) -> bool {
        let value = self.headers.get(&wanted.name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| wanted.equals_any.iter().any(|any| any == value))
    }

    /// Without a list, every success is expected, unless the file's rules say themselves what a valid answer is: some
    /// providers report a refused credential with status 200.
    fn is_expected(&self) -> bool {
        match &self.expected {
            // Whatever the list says, a provider that asks for a pause or fails tells nothing about the credential.
            Some(statuses) => statuses.contains(self.status) && self.status != 429 && self.status < 500,
            None => (200..300).contains(&self.status) && self.rules.iter().all(|rule| rule.verdict != Verdict::Valid),
        }
    }
}

/// What a rule states; every verdict but `valid` has a reason, whatever the file forgot.
fn stated(rule: &Rule) -> Ruling {
    match rule.verdict {
        Verdict::Valid => Ruling::VALID,
        verdict => Ruling { verdict, reason: Some(rule.reason.unwrap_or(Reason::UnexpectedAnswer)) },
    }
}

/// What a status says by itself (RFC 9110 section 15, RFC 6585). A status that was not expected is never `valid`.
const fn class(status: u16) -> Ruling {
    match status {
        401 | 407 => Ruling { verdict: Verdict::Invalid, reason: Some(Reason::Rejected) },
        403 => Ruling { verdict: Verdict::Limited, reason: Some(Reason::InsufficientScope) },
        429 => Ruling::unknown(Reason::RateLimited),
        500..=599 => Ruling::unknown(Reason::Unreachable),
        _ => Ruling::unknown(Reason::UnexpectedAnswer),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(value: Value) -> Vec<Rule> {
        serde_json::from_value(value).unwrap()
    }

    fn judge(status: u16, body: Option<&str>, rules: &[Rule], expected: Option<&str>) -> (Verdict, Option<Reason>) {
        let expected = expected.map(|text| Statuses::parse(text).unwrap());
        let headers = HeaderMap::new();
        let ruling = Evidence::of((status, &headers, body.map(str::as_bytes)), rules, expected).judge();
        (ruling.verdict, ruling.reason)
    }

    /// Every status from 100 to 599 without rules.
    #[test]
    fn each_class_of_status_has_its_verdict() {
        for status in 100..600 {
            let found = match status {
                200..300 => (Verdict::Valid, None),
                401 | 407 => (Verdict::Invalid, Some(Reason::Rejected)),
                403 => (Verdict::Limited, Some(Reason::InsufficientScope)),
                429 => (Verdict::Unknown, Some(Reason::RateLimited)),
                500..600 => (Verdict::Unknown, Some(Reason::Unreachable)),
                _ => (Verdict::Unknown, Some(Reason::UnexpectedAnswer)),
            };
            assert_eq!(judge(status, Some("{}"), &[], None), found, "{status}");
        }
    }

    #[test]
    fn a_status_that_is_not_expected_is_not_valid() {
        let expected = Some("200-299, 404");
        assert_eq!(judge(404, Some(""), &[], expected), (Verdict::Valid, None));
        assert_eq!(judge(204, Some(""), &[], expected), (Verdict::Valid, None));
        assert_eq!(judge(302, Some(""), &[], expected), (Verdict::Unknown, Some(Reason::UnexpectedAnswer)));
        assert_eq!(judge(200, Some(""), &[], Some("204")), (Verdict::Unknown, Some(Reason::UnexpectedAnswer)));
        assert_eq!(judge(401, Some(""), &[], Some("401")), (Verdict::Valid, None));
    }

    #[test]
    fn a_refused_token_in_a_successful_answer_is_never_valid() {
        let rules = rules(json!([
            { "status": "200", "json": { "pointer": "/ok", "equals_any": [true] }, "verdict": "valid" },
            { "status": "200", "json": { "pointer": "/error", "equals_any": ["invalid_auth"] }, "verdict": "invalid", "reason": "rejected" },
        ]));
        let ask = |body| judge(200, Some(body), &rules, None);
        assert_eq!(ask(r#"{"ok":true}"#), (Verdict::Valid, None));
        assert_eq!(ask(r#"{"ok":false,"error":"invalid_auth"}"#), (Verdict::Invalid, Some(Reason::Rejected)));
        for body in [r#"{"ok":false,"error":"something_new"}"#, r#"{"ok":"true"}"#, "<html>ok</html>", "", "[]", "true"]
        {
            assert_eq!(ask(body), (Verdict::Unknown, Some(Reason::UnexpectedAnswer)), "{body}");
        }
    }

    #[test]
    fn every_condition_of_a_rule_must_hold() {
        let rules = rules(json!([{
            "status": "400", "body_contains_any": ["one", "two"], "json": { "pointer": "/code", "equals_any": [1, 2] },
            "verdict": "invalid", "reason": "expired",
        }]));
        let expired = (Verdict::Invalid, Some(Reason::Expired));
        let unknown = (Verdict::Unknown, Some(Reason::UnexpectedAnswer));
        assert_eq!(judge(400, Some(r#"{"code":2,"text":"one"}"#), &rules, None), expired);
        for (status, body) in [
            (400, r#"{"code":3,"text":"one"}"#),
            (400, r#"{"code":2}"#),
            (404, r#"{"code":2,"text":"one"}"#),
            (400, "one"),
        ] {
            assert_eq!(judge(status, Some(body), &rules, None), unknown, "{status} {body}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides_even_against_the_class() {
        let rules = rules(json!([
            { "status": "403", "body_contains_any": ["rate limit"], "verdict": "unknown", "reason": "rate_limited" },
            { "status": "4xx", "verdict": "invalid", "reason": "target_not_found" },
        ]));
        assert_eq!(
            judge(403, Some("API rate limit exceeded"), &rules, None),
            (Verdict::Unknown, Some(Reason::RateLimited))
        );
        assert_eq!(judge(403, Some(""), &rules, None), (Verdict::Invalid, Some(Reason::TargetNotFound)));
        assert_eq!(judge(429, Some(""), &rules, Some("429")), (Verdict::Invalid, Some(Reason::TargetNotFound)));
    }

    #[test]
    fn a_rule_on_a_header_holds_only_with_that_header() {
        let rules = rules(json!([
            { "status": "403", "header": { "name": "x-left", "equals_any": ["0"] }, "verdict": "unknown", "reason": "rate_limited" },
        ]));
        for (value, reason) in [("0", Reason::RateLimited), ("1", Reason::InsufficientScope)] {
            let headers = HeaderMap::from_iter([("x-left".parse().unwrap(), value.parse().unwrap())]);
            assert_eq!(Evidence::of((403, &headers, None), &rules, None).judge().reason, Some(reason));
        }
        assert_eq!(judge(403, None, &rules, None).1, Some(Reason::InsufficientScope));
    }

    #[test]
    fn a_value_that_has_to_be_present_may_be_any_but_null() {
        let rules =
            rules(json!([{ "status": "200", "json": { "pointer": "/a", "present": true }, "verdict": "valid" }]));
        for (body, verdict) in [
            (r#"{"a":"x"}"#, Verdict::Valid),
            (r#"{"a":0}"#, Verdict::Valid),
            (r#"{"a":null}"#, Verdict::Unknown),
            ("{}", Verdict::Unknown),
        ] {
            assert_eq!(judge(200, Some(body), &rules, None).0, verdict, "{body}");
        }
    }

    #[test]
    fn a_rule_on_the_body_of_a_too_large_answer_leaves_everything_open() {
        let rules = rules(json!([
            { "status": "401", "verdict": "invalid", "reason": "rejected" },
            { "status": "200", "body_contains_any": ["error"], "verdict": "invalid", "reason": "rejected" },
            { "status": "2xx", "verdict": "valid" },
        ]));
        assert_eq!(judge(200, None, &rules, None), (Verdict::Unknown, Some(Reason::UnexpectedAnswer)));
        assert_eq!(judge(401, None, &rules, None), (Verdict::Invalid, Some(Reason::Rejected)));
        assert_eq!(judge(204, None, &rules, None), (Verdict::Valid, None));
        assert_eq!(judge(200, None, &[], None), (Verdict::Valid, None));
    }

    #[test]
    fn valid_has_no_reason_and_everything_else_has_one() {
        let rules = rules(json!([
            { "status": "200", "verdict": "valid", "reason": "expired" },
            { "status": "400", "verdict": "invalid" },
        ]));
        assert_eq!(judge(200, Some(""), &rules, None), (Verdict::Valid, None));
        assert!(judge(400, Some(""), &rules, None).1.is_some());
    }
}
