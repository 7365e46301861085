//! What is put where it does not belong: JSON texts for the places of a body, texts for queries, paths and headers.

/// JSON texts, well-formed or not, that may stand in the place of any value.
pub(super) fn json_texts() -> Vec<String> {
    let mut texts: Vec<String> =
        [&WRONG_TYPES[..], &NUMBERS, &MALFORMED].concat().into_iter().map(str::to_owned).collect();
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        let close = open.chars().rev().filter_map(|c| "[{".contains(c).then_some(if c == '[' { ']' } else { '}' }));
        let close: String = close.collect();
        for depth in [100, 10_000] {
            texts.push(format!("{}1{}", open.repeat(depth), close.repeat(depth)));
            texts.push(open.repeat(depth));
        }
    }
    texts.push(format!("[{}1]", "1,".repeat(20_000)));
    texts.push(format!("1{}", "0".repeat(5_000)));
    texts.push(format!("{{{}\"z\":1}}", (0..2_000).map(|key| format!("\"k{key}\":1,")).collect::<Vec<_>>().concat()));
    texts.extend(words().iter().map(|word| serde_json::to_string(word).unwrap()));
    texts
}

const WRONG_TYPES: [&str; 13] = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "[\"\"]",
    "{\"\":\"\"}",
    "{\"a\":1,\"a\":2}",
    "{\"__proto__\":{\"x\":1}}",
    "{\"$serde_json::private::Number\":\"1\"}",
    "{\"\\u0000\":1}",
];

const NUMBERS: [&str; 18] = [
    "0",
    "-0",
    "-1",
    "1.5",
    "1e3",
    "1e400",
    "-1e400",
    "1e-400",
    "255",
    "256",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "0.1e1",
    "123456789012345678901234567890.123456789",
];

/// What no JSON reader may take: RFC 8259 allows none of these.
const MALFORMED: [&str; 18] = [
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud83d\\u0041\"",
    "\"\\u00\"",
    "\"\\x41\"",
    "\"a\nb\"",
    "\"a\u{0}b\"",
    "'a'",
    "NaN",
    "Infinity",
    "+1",
    "01",
    ".5",
    "1.",
    "undefined",
    "/* a */1",
    "[1,]",
    "",
];

/// Texts, each for a fault that somebody made with one like it.
pub(super) fn words() -> Vec<String> {
    let mut words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    words.extend(["a", "é", "💳", "\u{301}", " ", "%41", "\\"].map(|piece| piece.repeat(3_000)));
    // As many words as a text of 200 characters has: each may become a parameter of a statement, and D1 takes a hundred.
    words.push((0..100).map(|at| format!("{} ", char::from(b'a' + at % 26))).collect::<Vec<_>>().concat());
    words.push((0..50).map(|at| format!("a{at:02} ")).collect::<Vec<_>>().concat());
    words.push(format!(
        "abc{}",
        (0..98).map(|at| format!(" {}", char::from_u32(0x430 + at).unwrap())).collect::<Vec<_>>().concat()
    ));
    words
}

const WORDS: [&str; 64] = [
    // Nothing, and what looks like it.
    "",
    " ",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "\u{2060}a\u{2060}",
    "null",
    "undefined",
    "NaN",
    // Control characters and line ends.
    "a\u{0}b",
    "\u{0}",
    "a\u{1}b",
    "a\u{7f}b",
    "a\u{85}b",
    "a\r\nb: c",
    "a\nb",
    "a\u{2028}b",
    "a\u{1b}[31mb",
    // Unicode that grows, shrinks, turns round or stands alone.
    "İ",
    "ß",
    "ﬃ",
    "ﷺ",
    "Ⱥ",
    "e\u{301}",
    "\u{301}",
    "\u{202e}abc",
    "\u{2066}abc\u{2069}",
    "👩‍👩‍👧‍👦",
    "🇩🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{e000}",
    "Z͑ͫ̓a̴l̵g̶o̷",
    "１２３",
    "٣",
    // What means something elsewhere: SQL, FTS5, LIKE, JSON path, HTML, templates, shells, formats, paths.
    "' or 1=1 --",
    "'; drop table connections; --",
    "\"",
    "\"a\" OR \"b\" NEAR(c)",
    "a* AND -b ^c {d} : e",
    "%",
    "_",
    "\\",
    "\\\\'\\\"",
    "$.a[0]",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{token}",
    "${7*7}",
    "$(id)",
    "`id`",
    "%s%n%x",
    "%00",
    "%ff",
    "%zz",
    "../../etc/passwd",
    "..%2f..%2f",
    "file:///etc/passwd",
    // Numbers and times.
    "1e400",
    "9999-12-31T23:59:60Z",
    "-000001-01-01T00:00:00Z",
];
