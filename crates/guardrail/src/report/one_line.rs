//! Text from elsewhere made fit to be shown: names, tags, sessions, agents, addresses and AWS's own words.

/// The text as one line that shows what it says: what would break the line, move the cursor, colour
/// the terminal, turn the direction of writing round or show nothing at all is a space. Callers of AWS
/// choose such text, and it must not forge lines of a report.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect()
}

/// Whether a character is shown, in its place and in the direction of the text around it.
fn is_shown(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}'                      // soft hyphen
        | '\u{61c}'                   // Arabic letter mark
        | '\u{180e}'                  // Mongolian vowel separator
        | '\u{200b}'..='\u{200f}'     // zero width, and marks of direction
        | '\u{2028}'..='\u{202e}'     // line and paragraph separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}'     // invisible operators, isolates, deprecated format characters
        | '\u{feff}'                  // byte order mark
        | '\u{fff9}'..='\u{fffb}'     // interlinear annotations
        | '\u{e0000}'..='\u{e007f}'   // tags
    );
    !c.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_shown_is_a_space() {
        for text in [
            "a\nb",
            "a\rb",
            "a\u{1b}b",
            "a\u{85}b",
            "a\u{9b}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{e0041}b",
            "a\tb",
            "a\0b",
        ] {
            assert_eq!(one_line(text), "a b", "{text:?}");
        }
        let shown = "VPC größer → 東京 \u{1f680} e\u{301} 0.0.0.0/0 'x' \"y\"";
        assert_eq!(one_line(shown), shown);
    }

    proptest! {
        #[test]
        fn it_is_one_line_of_as_many_characters(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert_eq!(line.chars().count(), text.chars().count());
            prop_assert!(line.lines().count() <= 1 && !line.contains(char::is_control));
            prop_assert_eq!(one_line(&line), line);
        }
    }
}
