//! The claims about the rules for fields.

use super::refused;

#[test]
fn a_bad_pattern_is_refused() {
    refused("'acme_[a-z]+'", "'acme_[a-z'", "fields.token.pattern");
    refused("'acme_old.*'", "'('", "fields.token.refuse.pattern");
}

#[test]
fn a_pattern_that_json_schema_does_not_know_is_refused() {
    refused("'acme_[a-z]+'", "'(?i)acme_[a-z]+'", "fields.token.pattern");
    refused("'acme_[a-z]+'", r"'\Aacme'", "fields.token.pattern");
}

#[test]
fn a_pattern_without_words_is_refused() {
    refused("pattern_help = \"It begins with acme_.\"\n", "", "fields.token.pattern_help");
    refused("pattern = 'acme_[a-z]+'\n", "", "fields.token.pattern_help");
    refused("\"An old one.\"", "\"\"", "fields.token.refuse.help");
}

#[test]
fn a_default_that_does_not_fit_its_field_is_refused() {
    refused("default = \"eu\"", "default = \"asia\"", "fields.region.default");
    refused("default = \"eu\"", "default = 1", "fields.region.default");
    refused("default = \"eu\"", "default = \"eu\"\npattern = '[a-d]+'\npattern_help = \"x\"", "fields.region.default");
    refused("default = \"200\"", "default = \"20\"", "fields.statuses.default");
    refused("default = false", "default = \"false\"", "fields.advanced.default");
    refused("type = \"path\"", "type = \"path\"\ndefault = \"me\"", "fields.path.default");
    refused("type = \"path\"", "type = \"integer\"\ndefault = 1.5", "fields.path.default");
}

#[test]
fn an_enum_value_that_does_not_match_the_pattern_is_refused() {
    refused("default = \"eu\"", "default = \"eu\"\npattern = 'e.'\npattern_help = \"x\"", "fields.region.enum.us");
}

#[test]
fn an_enum_or_pattern_on_what_is_no_text_is_refused() {
    refused("type = \"boolean\"", "type = \"boolean\"\nenum = [\"true\"]", "fields.advanced.enum");
    refused("type = \"boolean\"", "type = \"boolean\"\npattern = 'x'\npattern_help = \"x\"", "fields.advanced.pattern");
    refused("[\"eu\", \"us\"]", "[]", "fields.region.enum");
}

#[test]
fn a_secret_with_a_default_an_enum_or_a_type_that_is_no_text_is_refused() {
    refused("secret = true", "secret = true\ndefault = \"acme_x\"", "fields.token.default");
    refused("secret = true", "secret = true\nenum = [\"acme_x\"]", "fields.token.enum");
    refused("type = \"boolean\"", "type = \"boolean\"\nsecret = true", "fields.advanced.secret");
}

#[test]
fn a_condition_on_a_field_that_is_not_before_is_refused() {
    refused("field = \"advanced\"", "field = \"path\"", "fields.path.visible_when.field");
    refused("field = \"advanced\"", "field = \"nothing\"", "fields.path.visible_when.field");
}

#[test]
fn a_condition_on_an_open_or_secret_field_is_refused() {
    refused("field = \"advanced\"", "field = \"token\"", "fields.path.visible_when.field");
}

#[test]
fn a_condition_on_an_impossible_value_is_refused() {
    refused("is = [true]", "is = [\"true\"]", "fields.path.visible_when.is");
    refused("is = [true]", "is = []", "fields.path.visible_when.is");
}

#[test]
fn a_cut_that_cuts_nothing_or_not_a_plain_text_is_refused() {
    for cut in ["{}", "{ before = '(' }", "{ after = '.*' }", "{ before = 'x?' }"] {
        refused("type = \"path\"", &format!("type = \"path\"\ncut = {cut}"), "fields.path.cut");
    }
    refused("secret = true", "secret = true\ncut = { before = 'x' }", "fields.token.cut");
    refused("secret = true", "secret = true\nletters = \"lower\"", "fields.token.cut");
    refused("default = \"eu\"", "default = \"eu\"\nletters = \"upper\"", "fields.region.cut");
    refused("type = \"boolean\"", "type = \"boolean\"\nletters = \"upper\"", "fields.advanced.cut");
    refused("default = \"200\"", "default = \"200\"\ncut = { after = '00' }", "fields.statuses.default");
}

#[test]
fn a_condition_on_a_pattern_needs_a_text_that_is_no_secret() {
    let field = "default = \"200\"";
    let good = "default = \"200\"\nvisible_when = { field = \"region\", matches = 'e.' }";
    assert_eq!(super::faults(field, good), [""; 0]);
    for (piece, bad) in
        [("region", "token"), ("region", "advanced"), ("'e.'", "'('"), ("'e.'", "'.*'"), (" }", ", is = [\"eu\"] }")]
    {
        refused(field, &good.replace(piece, bad), "fields.statuses.visible_when.matches");
    }
}
