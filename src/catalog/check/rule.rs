//! The rules for verdict rules: what may be concluded from which answer.

use super::Faults;
use crate::catalog::file::Rule;
use crate::catalog::pattern;
use crate::catalog::statuses::Statuses;
use crate::domain::reason::Reason;
use crate::domain::verdict::Verdict;

pub(super) fn check(rules: &[Rule], at: &str, faults: &mut Faults) {
    for (index, rule) in rules.iter().enumerate() {
        let at = format!("{at}.rules.{index}");
        faults.unless(agree(rule.verdict, rule.reason), format!("{at}.reason"), "does not go with the verdict");
        let definitive = rule.verdict != Verdict::Unknown;
        let undecided = (500..=599).chain([429]).any(|status| rule.status.contains(status));
        faults.unless(
            !(definitive && undecided),
            format!("{at}.status"),
            "429 and 5xx tell nothing about a credential",
        );
        let blank = rule.body_contains_any.iter().any(|text| text.trim().is_empty());
        faults.unless(!blank, format!("{at}.body_contains_any"), "must not hold an empty text");
        if let Some(json) = &rule.json {
            faults.unless(
                is_pointer(&json.pointer),
                format!("{at}.json.pointer"),
                "must be a JSON pointer such as /error/code",
            );
            let looks = json.present == json.equals_any.is_empty();
            let problem = "must hold at least one value, or present = true stand in its place";
            faults.unless(looks, format!("{at}.json.equals_any"), problem);
        }
        if let Some(header) = &rule.header {
            let good = is_header(&header.name) && !header.equals_any.is_empty();
            faults.unless(good, format!("{at}.header"), "must name a header and at least one value");
        }
    }
}

/// Whether a list holds a status that tells nothing about a credential.
pub(super) fn holds_undecided(statuses: &Statuses) -> bool {
    (500..=599).chain([429]).any(|status| statuses.contains(status))
}

/// Whether a text is a JSON pointer to something inside a document (RFC 6901).
pub(super) fn is_pointer(text: &str) -> bool {
    let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.starts_with('/') && escaped
}

/// Whether a text is the name of a header, in small letters.
pub(super) fn is_header(text: &str) -> bool {
    pattern::matches("[a-z0-9-]+", text) == Some(true)
}

/// The reasons that a provider's answer can give for each verdict; the others are for Keyfob itself to find.
fn agree(verdict: Verdict, reason: Option<Reason>) -> bool {
    match (verdict, reason) {
        (Verdict::Valid, None) | (Verdict::Limited, Some(Reason::InsufficientScope)) => true,
        (Verdict::Invalid, Some(reason)) => {
            matches!(reason, Reason::Rejected | Reason::Expired | Reason::TargetNotFound)
        }
        (Verdict::Unknown, Some(reason)) => {
            matches!(reason, Reason::RateLimited | Reason::Unreachable | Reason::Timeout | Reason::UnexpectedAnswer)
        }
        _ => false,
    }
}
