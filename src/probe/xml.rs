//! The text of one element of an XML answer. AWS answers in XML that is documented element by element; a reader of whole
//! documents would weigh more than the service that needs it.

/// The text of the first element of this name that holds nothing but text, without white space around it.
pub(super) fn element(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    if text.contains('<') {
        return None;
    }
    // The ampersand last: what it was part of is not read twice.
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let text = entities.iter().fold(text.trim().to_owned(), |text, (entity, c)| text.replace(entity, c));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_element_of_text_is_none() {
        for document in ["", "<a>", "</a>x<a>", "<a><b>x</b></a>", "<aa>x</aa>", "a", "<a >x</a>", "<a>é"] {
            assert_eq!(element(document, "a"), None, "{document}");
        }
    }

    #[test]
    fn the_first_element_of_the_name_is_read() {
        let document = "<?xml version=\"1.0\"?>\n<r xmlns=\"u\"><a> 1 </a><a>2</a><b>&lt;&amp;gt;é</b></r>";
        assert_eq!(element(document, "a").as_deref(), Some("1"));
        assert_eq!(element(document, "b").as_deref(), Some("<&gt;é"));
    }

    proptest::proptest! {
        #[test]
        fn any_document_is_read_without_a_panic(document in r"(</?a>|<a|&amp;|\PC){0,12}") {
            let _ = element(&document, "a");
        }
    }
}
