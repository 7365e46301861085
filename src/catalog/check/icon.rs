//! What an icon may hold: shapes and their attributes. Pages put icons into their own document, so nothing that runs,
//! loads or links passes; whatever is not listed is refused.

use regex_lite::Regex;

use super::Faults;

const MAX_BYTES: usize = 4096;
const ELEMENTS: [&str; 10] = ["svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon", "title"];
const ATTRIBUTES: [&str; 29] = [
    "xmlns",
    "viewBox",
    "d",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "width",
    "height",
    "points",
    "transform",
    "fill",
    "fill-rule",
    "clip-rule",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-dasharray",
    "role",
    "aria-hidden",
];

pub(super) fn check(icon: &str, faults: &mut Faults) {
    faults.unless(icon.len() <= MAX_BYTES, "icon.svg", "must not exceed 4096 bytes");
    let icon = icon.trim();
    let framed = icon.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"") && icon.ends_with("</svg>");
    faults.unless(
        framed,
        "icon.svg",
        "must begin with <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=…> and end with </svg>",
    );
    if let Err(problem) = check_elements(icon) {
        faults.push("icon.svg", problem);
    }
}

fn check_elements(icon: &str) -> Result<(), String> {
    let tag =
        Regex::new(r#"</?([A-Za-z]+)((?:\s+[A-Za-z0-9:-]+="[^"<>&]*")*)\s*/?>"#).map_err(|error| error.to_string())?;
    let attribute = Regex::new(r#"([A-Za-z0-9:-]+)="([^"]*)""#).map_err(|error| error.to_string())?;
    if tag.replace_all(icon, "").contains(['<', '>', '&']) {
        return Err("must hold plain elements only: no comments, entities, or other mark-up".to_owned());
    }
    for found in tag.captures_iter(icon) {
        let (_, [element, attributes]) = found.extract();
        if !ELEMENTS.contains(&element) {
            return Err(format!("must not hold the element {element}"));
        }
        for found in attribute.captures_iter(attributes) {
            let (_, [name, value]) = found.extract();
            if !ATTRIBUTES.contains(&name) || value.contains("url(") {
                return Err(format!("must not hold the attribute {name}=\"{value}\""));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(inside: &str) -> Vec<String> {
        let mut faults = Faults::default();
        let icon = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\">{inside}</svg>\n");
        check(&icon, &mut faults);
        faults.0.into_iter().map(|fault| fault.problem).collect()
    }

    #[test]
    fn what_runs_loads_or_links_is_refused() {
        for inside in [
            "<script>alert(1)</script>",
            "<path onload=\"alert(1)\"/>",
            "<path d='M0 0'/>",
            "<a href=\"https://a.example\"/>",
            "<image href=\"https://a.example\"/>",
            "<use href=\"#a\"/>",
            "<foreignObject/>",
            "<style>@import x</style>",
            "<!-- x -->",
            "<![CDATA[x]]>",
            "<?xml?>",
            "&lt;script&gt;",
            "<path fill=\"url(https://a.example)\"/>",
            "<path style=\"fill:red\"/>",
            "<path d=\"M0 0\" / onload=x>",
        ] {
            assert_eq!(problems(inside).len(), 1, "{inside}");
        }
    }

    #[test]
    fn what_is_no_svg_or_too_large_is_refused() {
        for icon in ["", "<svg></svg>", "PNG"] {
            let mut faults = Faults::default();
            check(icon, &mut faults);
            assert!(!faults.0.is_empty(), "{icon}");
        }
        assert!(!problems(&"<g></g>".repeat(1000)).is_empty());
    }

    #[test]
    fn shapes_pass() {
        assert!(
            problems("<title>A</title><g fill=\"none\"><circle cx=\"1\" cy=\"1\" r=\"1\"/>\n<path d=\"M0 0h1\"/></g>")
                .is_empty()
        );
    }
}
