//! Text from elsewhere made fit to be shown to people: names, tags, sessions, agents, addresses and
//! AWS's own words. Whoever may call AWS chooses such text, and it must neither forge a line of
//! what we say nor pass for our own words.

mod json;

use std::borrow::Cow;

pub use json::json;

/// How much of a name or a tag is shown, in characters: a role and its session have 129 at most.
const NAME_LIMIT: usize = 120;

/// How much of a message of AWS's is shown, in characters. What it refuses, and to whom, stands in
/// the first few hundred.
const MESSAGE_LIMIT: usize = 400;

/// The text as one line that shows what it says: what would break the line, move the cursor, colour
/// the terminal, turn the direction of writing round or show nothing at all is a space.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect()
}

/// How much of an error about a file is shown, in characters, from its start and from its end: what
/// is wrong stands before the text that it quotes, and what to do stands after it.
const ERROR_START: usize = 300;
const ERROR_END: usize = 700;

/// An error about a file as one line of bounded length.
pub fn shortened(error: &str) -> String {
    let shown: Vec<char> = one_line(error).chars().collect();
    let end = shown.len().saturating_sub(ERROR_END);
    match (shown.get(..ERROR_START), shown.get(end..)) {
        (Some(start), Some(rest)) if end > ERROR_START => {
            start.iter().chain(['…'].iter()).chain(rest).collect()
        }
        _ => shown.iter().collect(),
    }
}

/// A name, a tag, a caller in quotation marks: one line, of bounded length, in which no other mark
/// ends the quotation.
pub fn quoted(text: &str) -> String {
    quoted_to(text, NAME_LIMIT)
}

/// A message of AWS's in quotation marks, as [`quoted`].
pub fn quoted_message(text: &str) -> String {
    quoted_to(text, MESSAGE_LIMIT)
}

/// Text that should be a word of AWS's or an id: as it is where it can be one, else in quotation
/// marks.
pub fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    if !text.is_empty() && text.len() <= NAME_LIMIT && text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(quoted(text))
    }
}

fn quoted_to(text: &str, limit: usize) -> String {
    let mut shown: String = one_line(text).chars().take(limit).map(inside_quotes).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// A character inside quotation marks: none that looks like the mark that ends them.
fn inside_quotes(c: char) -> char {
    match c {
        '"'
        | '\u{ab}'
        | '\u{bb}'
        | '\u{2ba}'
        | '\u{2dd}'
        | '\u{2ee}'
        | '\u{5f4}'
        | '\u{201c}'..='\u{201f}'
        | '\u{2033}'
        | '\u{2036}'
        | '\u{275d}'
        | '\u{275e}'
        | '\u{301d}'..='\u{301f}'
        | '\u{ff02}' => '\'',
        other => other,
    }
}

/// Whether a character is shown, in its place and in the direction of the text around it.
fn is_shown(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}'                      // soft hyphen
        | '\u{34f}'                   // combining grapheme joiner
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{61c}'                   // Arabic letter mark
        | '\u{180b}'..='\u{180f}'     // Mongolian variants and vowel separator
        | '\u{200b}'..='\u{200f}'     // zero width, and marks of direction
        | '\u{2028}'..='\u{202e}'     // line and paragraph separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}'     // invisible operators, isolates, deprecated format characters
        | '\u{2800}'                  // empty braille pattern
        | '\u{fe00}'..='\u{fe0f}'     // variants
        | '\u{feff}'                  // byte order mark
        | '\u{fff9}'..='\u{fffb}'     // interlinear annotations
        | '\u{e0000}'..='\u{e01ef}'   // tags and variants
    );
    !c.is_control() && !hidden
}

/// How many columns a line of ours has that is meant for a terminal.
const COLUMNS: usize = 80;

/// A text of ours broken at its blanks into lines of a terminal's width, with this indentation; those
/// after the first stand two columns further in. A word that is too long by itself stands alone.
///
/// A quotation is never broken and counts as nothing, so that text from elsewhere makes no line.
pub(crate) fn filled(text: &str, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut line, mut width) = (String::new(), indent);
    for word in words(text) {
        let its = columns(&word);
        if !line.is_empty() && width.saturating_add(its) >= COLUMNS {
            lines.push(std::mem::take(&mut line));
            width = indent.saturating_add(2);
        }
        if !line.is_empty() {
            line.push(' ');
            width = width.saturating_add(1);
        }
        line.push_str(&word);
        width = width.saturating_add(its);
    }
    lines.push(line);
    let further = |at: usize| if at == 0 { indent } else { indent.saturating_add(2) };
    lines.iter().enumerate().map(|(at, line)| " ".repeat(further(at)) + line).collect()
}

/// The words of a text, in which a quotation is no end of a word.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in text.chars() {
        is_quoted ^= c == '"';
        match words.last_mut() {
            Some(word) if c != ' ' || is_quoted => word.push(c),
            Some(_) | None => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn columns(word: &str) -> usize {
    word.split('"').step_by(2).map(|ours| ours.chars().count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_text_is_broken_at_blanks_and_not_within_quotations() {
        assert_eq!(filled("served: a, b", 6), ["      served: a, b"]);
        let ids = ["subnet-0a1b2c3d4e5f60023"; 4].join(", ");
        assert_eq!(
            filled(&ids, 6),
            [
                "      subnet-0a1b2c3d4e5f60023, subnet-0a1b2c3d4e5f60023,",
                "        subnet-0a1b2c3d4e5f60023, subnet-0a1b2c3d4e5f60023",
            ]
        );
        let (short, long) =
            (format!("is \"x y\", {ids}"), format!("is \"{}\", {ids}", "x y ".repeat(30)));
        assert_eq!(filled(&short, 6).len(), filled(&long, 6).len());
        assert_eq!(filled(&"x".repeat(99), 2), ["  ".to_owned() + &"x".repeat(99)]);
    }

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

    #[test]
    fn a_quotation_is_bounded_and_ends_where_we_end_it() {
        assert_eq!(quoted("shop"), "\"shop\"");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("\" — on its baseline"), "\"' — on its baseline\"");
        assert_eq!(quoted("”.\nDone “x"), "\"'. Done 'x\"");
        assert_eq!(quoted(&"é".repeat(120)), format!("\"{}\"", "é".repeat(120)));
        assert_eq!(quoted(&"é".repeat(121)), format!("\"{}…\"", "é".repeat(120)));
        assert_eq!(quoted_message(&"x".repeat(401)), format!("\"{}…\"", "x".repeat(400)));
    }

    #[test]
    fn a_word_needs_no_quotation_marks_and_whatever_is_none_has_them() {
        for plain in ["nat-1", "arn:aws:networkmanager::111122223333:core-network/c", "::/0"] {
            assert_eq!(word(plain), plain);
        }
        let long = "x".repeat(121);
        for odd in ["", "on its baseline", "nat-1\n", "a\"b", "ж", &long] {
            assert_eq!(word(odd), quoted(odd));
        }
    }

    #[test]
    fn an_error_is_cut_in_its_middle() {
        let whole = format!("`{}` is no id;\nwrite `x`", "é".repeat(978));
        assert_eq!(shortened(&whole), one_line(&whole));
        let long = format!("`{}` is no id; write `x`", "é".repeat(5000));
        let expected = format!("`{}…{}` is no id; write `x`", "é".repeat(299), "é".repeat(679));
        assert_eq!(shortened(&long), expected);
    }

    proptest! {
        #[test]
        fn a_quotation_has_two_marks_and_one_line(text in any::<String>()) {
            let said = quoted(&text);
            prop_assert_eq!(said.matches('"').count(), 2);
            prop_assert!(said.starts_with('"') && said.ends_with('"') && said.chars().count() <= 123);
            prop_assert_eq!(one_line(&said), said);
        }

        #[test]
        fn it_is_one_line_of_as_many_characters(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert_eq!(line.chars().count(), text.chars().count());
            prop_assert!(line.lines().count() <= 1 && !line.contains(char::is_control));
            prop_assert_eq!(one_line(&line), line);
        }
    }
}
