//! JSON that is printed, logged or sent: text from elsewhere in it is cleaned and bounded as it is in
//! text for people, because terminals and chat show JSON too.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use super::{MESSAGE_LIMIT, is_shown};

/// Fields with texts for a shell of our own, which stay to the letter.
const SCRIPTS: [&str; 2] = ["script", "undo_script"];

/// Fields with sentences of our own, in which each piece from elsewhere is bounded already; lists of
/// ids make them long.
const SENTENCES: [&str; 8] =
    ["summary", "what", "how", "via", "class", "command", "undo", "no_run"];

/// A value as one line of JSON, in which no text holds what is not shown, and only texts of our own
/// are longer than a message of AWS's may be. Ids and words of AWS's are as they are.
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = Vec::new();
    // Our own types have text keys only, and memory takes everything, so this cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, Cleaning::default()));
    String::from_utf8(out).unwrap_or_default()
}

/// Writes JSON as usual, but for what stands in strings.
#[derive(Default)]
struct Cleaning {
    is_key: bool,
    key: String,
    /// The keys of the arrays that are open.
    arrays: Vec<String>,
    written: usize,
}

impl Cleaning {
    fn is_script(&self) -> bool {
        !self.is_key && SCRIPTS.contains(&self.key.as_str())
    }

    /// Writes a character, as far as there is room; `None` stands for one that is not shown.
    fn put<W: ?Sized + Write>(&mut self, writer: &mut W, shown: Option<&[u8]>) -> io::Result<()> {
        let is_bounded = self.is_key || !SENTENCES.contains(&self.key.as_str());
        let full = is_bounded && self.written >= MESSAGE_LIMIT;
        let is_first_too_many = self.written == MESSAGE_LIMIT;
        self.written = self.written.saturating_add(1);
        match (full, is_first_too_many) {
            (true, true) => writer.write_all("…".as_bytes()),
            (true, false) => Ok(()),
            (false, _) => writer.write_all(shown.unwrap_or(b" ")),
        }
    }
}

impl Formatter for Cleaning {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.arrays.push(self.key.clone());
        CompactFormatter.begin_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.key = self.arrays.last().cloned().unwrap_or_default();
        CompactFormatter.begin_array_value(writer, first)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.arrays.pop();
        CompactFormatter.end_array(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.is_key = true;
        self.key.clear();
        CompactFormatter.begin_object_key(writer, first)
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.is_key = false;
        CompactFormatter.end_object_key(writer)
    }

    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.written = 0;
        CompactFormatter.begin_string(writer)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if self.is_key {
            self.key.push_str(fragment);
        }
        if self.is_script() {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut bytes = [0; 4];
        fragment.chars().try_for_each(|c| {
            let text = is_shown(c).then(|| &*c.encode_utf8(&mut bytes)).map(str::as_bytes);
            self.put(writer, text)
        })
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        if self.is_script() {
            return CompactFormatter.write_char_escape(writer, escape);
        }
        match escape {
            CharEscape::Quote => self.put(writer, Some(br#"\""#)),
            CharEscape::ReverseSolidus => self.put(writer, Some(br"\\")),
            CharEscape::Solidus => self.put(writer, Some(b"/")),
            CharEscape::Backspace
            | CharEscape::FormFeed
            | CharEscape::LineFeed
            | CharEscape::CarriageReturn
            | CharEscape::Tab
            | CharEscape::AsciiControl(_) => self.put(writer, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::json as shown;
    use crate::shown::one_line;

    fn read(value: &Value) -> Value {
        serde_json::from_str(&shown(value)).unwrap()
    }

    #[test]
    fn what_is_plain_is_as_it_is() {
        let plain = json!({"vpc": "vpc-0a1", "list": ["a", ["b"], {"c": null}], "n": 1.5, "t": true,
            "odd": "a \"b\" \\ c/d größer 東京", "": {}});
        assert_eq!(shown(&plain), plain.to_string());
    }

    #[test]
    fn what_is_not_shown_is_a_space_in_every_string_and_every_key() {
        for c in ['\u{9b}', '\u{2028}', '\u{202e}', '\u{85}', '\u{feff}', '\u{1b}', '\n', '\t'] {
            let text = format!("a{c}b");
            let given = json!({"vpc_name": text, "tags": [{"key": text, "value": [text]}],
                "summary": text, text.clone(): 1});
            let expected = json!({"vpc_name": "a b", "tags": [{"key": "a b", "value": ["a b"]}],
                "summary": "a b", "a b": 1});
            assert_eq!(read(&given), expected, "{c:?}");
        }
    }

    #[test]
    fn only_texts_of_our_own_are_long_and_only_scripts_have_lines() {
        let long = "\"é".repeat(300);
        let cut: String = long.chars().take(400).chain(['…']).collect();
        let given = json!({"actor": long, "what": long, "items": ["x", long, {"summary": long}, long],
            "what_not": long, "drift": {"summary": {"actor": long}}});
        let expected = json!({"actor": cut, "what": long, "items": ["x", cut, {"summary": long}, cut],
            "what_not": cut, "drift": {"summary": {"actor": cut}}});
        assert_eq!(read(&given), expected);
        let script = json!({"script": format!("( set -eu\n\t{long})\n"), "undo_script": null});
        assert_eq!(read(&script), script);
    }

    proptest! {
        #[test]
        fn it_is_json_of_one_line(text in any::<String>(), key in any::<String>()) {
            let said = shown(&json!({key: text.clone(), "actor": text}));
            prop_assert_eq!(&one_line(&said), &said);
            let read: Value = serde_json::from_str(&said).unwrap();
            prop_assert!(read["actor"].as_str().unwrap().chars().count() <= 401);
        }
    }
}
