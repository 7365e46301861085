//! Values that stand for a value: masks, examples, holes of somebody else's template. A form that is sent back as it
//! was shown, or a sample pasted from a guide, must not replace a secret that works.
//!
//! Only what no provider gives out and nobody would choose is refused. A word such as `secret` or `changeme`, or a
//! few asterisks within a password, may be meant.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::pattern;

/// Patterns of placeholders in any field.
const ANYWHERE: [&str; 5] = [
    // A mask and nothing else: ********, ••••, xxxx, ......
    r"[*•●∙▪■█…]{2,}|[xX]{4,}|\.{3,}|-{4,}|_{4,}|\?{3,}",
    // <your token>, [YOUR_KEY], {token}, {{ secrets.TOKEN }}, ${TOKEN}, %TOKEN%
    r"<[A-Za-z][\w .:'-]{0,79}>|\[[A-Za-z][A-Za-z_ -]{0,79}\]|\$?\{\{?[\w .-]{1,80}\}\}?|%[A-Z_]{3,80}%",
    // What a log or an export leaves of a secret.
    r"(?i)[\[(<*]{0,3}(redacted|masked|filtered|hidden|omitted|sensitive)[\])>*]{0,3}",
    // What a program leaves of a value that it does not have.
    r"undefined|\[object Object\]",
    // Bullets belong to a mask wherever they stand: ••••1234
    r"(?s).*[•●█]{3,}.*",
];

/// Patterns of placeholders in secrets.
const IN_SECRETS: [&str; 4] = [
    r"null|None|NaN",
    // Mostly mask: xoxb-********1234. A password may hold a few asterisks, a run of eight is a mask.
    r"(?s).*\*{8,}.*",
    // The sample of a guide: T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX
    r"(?s).*(x{10,}|X{10,}).*",
    // your-api-key, YOUR_TOKEN_HERE, insert token here
    r"(?i)(your|insert|enter|paste)[ _-]?([a-z]+[ _-]?){0,3}(token|key|secret|password|url|webhook|here)([ _-]here)?",
];

/// Whether a value only stands for one.
pub(super) fn is_placeholder(text: &str, secret: bool) -> bool {
    static MADE: LazyLock<[Vec<Regex>; 2]> = LazyLock::new(|| [made(&ANYWHERE), made(&IN_SECRETS)]);
    let [anywhere, in_secrets] = &*MADE;
    let found = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(text));
    found(anywhere) || (secret && found(in_secrets))
}

/// Made once an isolate, not once a value.
fn made(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().filter_map(|pattern| pattern::whole(pattern)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert_eq!((made(&ANYWHERE).len(), made(&IN_SECRETS).len()), (ANYWHERE.len(), IN_SECRETS.len()));
    }

    #[test]
    fn masks_samples_and_holes_are_placeholders() {
        for text in [
            "********",
            "**",
            "••••",
            "●●●●●●",
            "••••••••1234",
            "xxxx",
            "XXXXXXXXXX",
            "...",
            "----",
            "____",
            "???",
            "…………",
            "<your token>",
            "<TOKEN>",
            "<api-key>",
            "[YOUR API KEY]",
            "{token}",
            "{{token}}",
            "{{ secrets.SLACK }}",
            "${TOKEN}",
            "%TOKEN%",
            "REDACTED",
            "[redacted]",
            "<Masked>",
            "***FILTERED***",
            "(hidden)",
            "undefined",
            "[object Object]",
        ] {
            assert!(is_placeholder(text, false), "{text}");
            assert!(is_placeholder(text, true), "{text}");
        }
    }

    #[test]
    fn masked_and_sample_secrets_are_placeholders() {
        for text in [
            "xoxb-************1234",
            "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
            "ghp_xxxxxxxxxxxxxxxxxxxx",
            "your-token",
            "YOUR_API_KEY",
            "your api key here",
            "insert token here",
            "your_client_secret_here",
            "null",
        ] {
            assert!(is_placeholder(text, true), "{text}");
        }
    }

    #[test]
    fn what_may_be_meant_is_no_placeholder() {
        for text in [
            "a",
            "*",
            "x",
            "xx",
            "xxx",
            "-",
            "hunter2",
            "p**s",
            "love****",
            "a<b>c",
            "<3",
            "$money$",
            "{}",
            "100%",
            "%2F%2f",
            "secret",
            "mysecretpassword",
            "password",
            "changeme",
            "test",
            "none",
            "yourself",
            "my dog",
            "maxxxx",
            "0000000000000000",
            "hidden-falls",
            "https://api.example.com/v1",
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
            "{\"type\":\"service_account\"}",
            "200-299",
            "/me",
            "X-API-Key",
            "eyJhbGciOiJIUzI1NiJ9.e30.abc",
            "ann@example.com",
            "[1,2]",
            "AKIAIOSFODNN7EXAMPLE",
        ] {
            assert!(!is_placeholder(text, true), "{text}");
        }
    }
}
