//! Strings and lists as JSON has them.

use core::fmt::{Result, Write};

/// Writes a string, with its quotes. What is no UTF-8 becomes U+FFFD.
pub fn string(out: &mut impl Write, bytes: &[u8]) -> Result {
    out.write_str("\"")?;
    for chunk in bytes.utf8_chunks() {
        escaped(out, chunk.valid())?;
        if !chunk.invalid().is_empty() {
            out.write_str("\u{fffd}")?;
        }
    }
    out.write_str("\"")
}

/// Writes each item, and commas.
pub fn list<W: Write, T>(
    out: &mut W,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut W, T) -> Result,
) -> Result {
    let mut separator = "";
    for item in items {
        out.write_str(separator)?;
        write(out, item)?;
        separator = ",";
    }
    Ok(())
}

fn escaped(out: &mut impl Write, plain: &str) -> Result {
    let mut rest = plain;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        let Some((before, from)) = rest.split_at_checked(at) else { break }; // what was found is a character
        out.write_str(before)?;
        let mut after = from.chars();
        match after.next() {
            Some(quoted @ ('"' | '\\')) => write!(out, "\\{quoted}")?,
            Some('\n') => out.write_str("\\n")?,
            Some('\t') => out.write_str("\\t")?,
            Some(control) => write!(out, "\\u{:04x}", u32::from(control))?,
            None => break,
        }
        rest = after.as_str();
    }
    out.write_str(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ds::text::Text;

    #[test]
    fn strings_are_escaped() {
        let mut text = Text::<100>::default();
        string(&mut text, b"a\"b\\c\n\t\x01\x7f \xc3\xa9 \xff\xc3.").unwrap();
        let expected = "\"a\\\"b\\\\c\\n\\t\\u0001\u{7f} \u{e9} \u{fffd}\u{fffd}.\"";
        assert_eq!(core::str::from_utf8(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn lists_have_commas_between() {
        for (items, expected) in [(&[][..], ""), (&[1], "1"), (&[1, 2, 3], "1,2,3")] {
            let mut text = Text::<10>::default();
            list(&mut text, items, |out, item| write!(out, "{item}")).unwrap();
            assert_eq!(core::str::from_utf8(text.as_bytes()), Ok(expected));
        }
    }
}
