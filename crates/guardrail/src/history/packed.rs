//! Text that may be longer than an item of the table.
//!
//! An item of DynamoDB's has 400 KB at most, names and all
//! (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).

use std::borrow::Cow;
use std::io::{self, Read, Write as _};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::item::Body;

/// How much one item holds, in bytes.
const PART_LIMIT: usize = 300_000;

/// How long a text may be, in bytes. What is read must fit into a function's memory, whatever
/// somebody wrote into the table.
const TEXT_LIMIT: usize = 16_000_000;

/// Why a text cannot be kept, or what is kept cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPacked {
    /// The text is too long.
    #[error("a text of more than {TEXT_LIMIT} bytes is not kept in the table")]
    TooLong,
    /// There is nothing to read.
    #[error("no part of the text is in the table")]
    NothingThere,
    /// The parts are not of one text, or one of them is not as it was written.
    #[error("the text in the table is damaged or lacks a part ({0} parts are there)")]
    Damaged(usize),
}

/// The text as the bodies of items, in their order: as it is in one where it fits, else compressed in
/// as many as it needs.
///
/// # Errors
/// When the text is too long to be read again.
pub fn pack(text: &str) -> Result<Vec<Body>, NotPacked> {
    if text.len() <= PART_LIMIT {
        return Ok(vec![Body::Text(text.to_owned())]);
    }
    if text.len() > TEXT_LIMIT {
        return Err(NotPacked::TooLong);
    }
    let packed = compressed(text).map_err(|_| NotPacked::TooLong)?;
    Ok(packed.chunks(PART_LIMIT).map(|part| Body::Packed(part.to_vec())).collect())
}

/// The text as the body of the one item that it has: as it is where it fits, else compressed. One that
/// is too long even so is refused by the table, by name.
pub fn pack_one(text: String) -> Body {
    if text.len() <= PART_LIMIT || text.len() > TEXT_LIMIT {
        return Body::Text(text);
    }
    compressed(&text).map_or(Body::Text(text), Body::Packed)
}

/// The text of the body of an item that is by itself.
///
/// # Errors
/// When it was changed, or is longer than any that is kept.
pub fn unpack_one(body: &Body) -> Result<Cow<'_, str>, NotPacked> {
    match body {
        Body::Text(text) => Ok(Cow::Borrowed(text)),
        Body::Packed(_) => unpacked(std::slice::from_ref(body)).map(Cow::Owned),
    }
}

fn compressed(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// The text of these bodies, which are in the order that [`pack`] gave them.
///
/// # Errors
/// When a part is lacking or too many, when one was changed, and when the text is longer than any
/// that is kept.
pub fn unpack(parts: &[Body]) -> Result<String, NotPacked> {
    match parts {
        [] => Err(NotPacked::NothingThere),
        [Body::Text(text)] => Ok(text.clone()),
        [..] => unpacked(parts),
    }
}

fn unpacked(parts: &[Body]) -> Result<String, NotPacked> {
    let damaged = NotPacked::Damaged(parts.len());
    let mut packed = Vec::new();
    for part in parts {
        match part {
            Body::Packed(part) => packed.extend_from_slice(part),
            Body::Text(_) => return Err(damaged),
        }
    }
    let mut decoder = GzDecoder::new(packed.as_slice());
    let mut text = Vec::new();
    let limit = u64::try_from(TEXT_LIMIT).unwrap_or(u64::MAX);
    // One byte more than is allowed tells a text that is too long from one that just fits.
    match decoder.by_ref().take(limit.saturating_add(1)).read_to_end(&mut text) {
        Ok(length) if length > TEXT_LIMIT => return Err(NotPacked::TooLong),
        Ok(_) => {}
        Err(_) => return Err(damaged),
    }
    // What is left after the end is of another text.
    match decoder.into_inner() {
        [] => String::from_utf8(text).map_err(|_| damaged),
        [_, ..] => Err(damaged),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A text that hardly gets shorter, so that it needs several parts.
    fn long(length: usize) -> String {
        let mut state = 1u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + u8::try_from((state >> 33) % 90).unwrap())
        };
        (0..length).map(next).collect()
    }

    #[test]
    fn a_text_is_one_item_as_long_as_it_fits() {
        let fits = "x".repeat(PART_LIMIT);
        assert_eq!(pack(&fits), Ok(vec![Body::Text(fits.clone())]));
        assert_eq!(unpack(&[Body::Text(fits.clone())]), Ok(fits));
        assert_eq!(unpack(&pack("").unwrap()), Ok(String::new()));
    }

    #[test]
    fn a_longer_one_is_compressed_in_parts_of_bounded_size() {
        let (even, odd) = ("é".repeat(PART_LIMIT), long(1_000_000));
        for (text, expected) in [(even, 1), (odd, 3)] {
            let parts = pack(&text).unwrap();
            assert_eq!(parts.len(), expected);
            let length = |part: &Body| match part {
                Body::Packed(part) => part.len(),
                Body::Text(_) => panic!("it is compressed"),
            };
            assert!(parts.iter().all(|part| length(part) <= PART_LIMIT));
            assert_eq!(unpack(&parts), Ok(text));
        }
    }

    #[test]
    fn parts_that_lack_stand_otherwise_or_were_changed_are_an_error() {
        let whole = pack(&long(1_000_000)).unwrap();
        let damaged = |edit: fn(&mut Vec<Body>)| {
            let mut parts = whole.clone();
            edit(&mut parts);
            unpack(&parts)
        };
        let flip = |parts: &mut Vec<Body>| {
            if let Body::Packed(part) = &mut parts[1] {
                part[1000] ^= 1;
            }
        };
        assert_eq!(damaged(Vec::clear), Err(NotPacked::NothingThere));
        assert_eq!(damaged(|parts| drop(parts.pop())), Err(NotPacked::Damaged(2)));
        assert_eq!(damaged(|parts| drop(parts.remove(0))), Err(NotPacked::Damaged(2)));
        assert_eq!(damaged(|parts| drop(parts.remove(1))), Err(NotPacked::Damaged(2)));
        assert_eq!(damaged(|parts| parts.swap(0, 1)), Err(NotPacked::Damaged(3)));
        assert_eq!(damaged(|parts| parts.extend(parts.clone())), Err(NotPacked::Damaged(6)));
        assert_eq!(damaged(flip), Err(NotPacked::Damaged(3)));
        let mixed = [Body::Text("a".to_owned()), Body::Text("b".to_owned())];
        assert_eq!(unpack(&mixed), Err(NotPacked::Damaged(2)));
        assert_eq!(unpack(&[Body::Packed(Vec::new())]), Err(NotPacked::Damaged(1)));
        let no_text = |bytes: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            Body::Packed(encoder.finish().unwrap())
        };
        assert_eq!(unpack(&[no_text(b"\xff\xfe")]), Err(NotPacked::Damaged(1)));
    }

    /// A thousand times longer than what it is packed in.
    #[test]
    fn what_is_too_long_fills_no_memory() {
        let bomb = compressed(&"x".repeat(TEXT_LIMIT + 1)).unwrap();
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack(&[Body::Packed(bomb)]), Err(NotPacked::TooLong));
        let just_fits = "x".repeat(TEXT_LIMIT);
        assert_eq!(unpack(&pack(&just_fits).unwrap()), Ok(just_fits.clone()));
        assert_eq!(pack(&(just_fits + "x")), Err(NotPacked::TooLong));
    }

    proptest! {
        #[test]
        fn whatever_is_in_the_table_is_read_or_refused(parts in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let parts: Vec<Body> = parts.into_iter().map(Body::Packed).collect();
            prop_assert!(unpack(&parts).is_err());
        }
    }
}
