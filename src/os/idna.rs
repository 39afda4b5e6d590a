//! Host names as the name servers want them: ASCII, with each label of other characters as `xn--` and its Punycode (RFC 3492).
//!
//! Like the reference, this maps nothing: letters keep their case, and no character is refused. Different from it, all that is no UTF-8
//! is refused; the reference takes some of it, such as a character whose end is missing, for another character.

use crate::abi::errno::{Errno, Result};
use crate::ds::text::Text;
use core::fmt;

/// The most bytes that a name can have in ASCII.
pub const LONGEST: usize = 255;

/// A name in ASCII.
pub type AsciiName = Text<{ LONGEST + 1 }>;

/// What separates labels: the full stop, and those of Chinese and Japanese texts. All become the first.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// A name, of which no byte is 0, in ASCII. `UV_EINVAL` if it is empty, no UTF-8, or too long.
pub fn to_ascii(name: &[u8]) -> Result<AsciiName> {
    let name = core::str::from_utf8(name).map_err(|_| Errno::EINVAL)?;
    let mut ascii = AsciiName::default();
    // No character gets by with less than a byte.
    if name.is_empty() || name.chars().count() > LONGEST || push_name(name, &mut ascii).is_err() {
        return Err(Errno::EINVAL);
    }
    Ok(ascii)
}

fn push_name(name: &str, out: &mut AsciiName) -> fmt::Result {
    for (index, label) in name.split(DOTS).enumerate() {
        if index > 0 {
            out.push(b".")?;
        }
        if label.is_ascii() {
            out.push(label.as_bytes())?;
        } else {
            out.push(b"xn--")?;
            push_punycode(label, out)?;
        }
    }
    Ok(())
}

/// The numbers of RFC 3492, section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 0x80;

/// The Punycode of a label: its ASCII characters, a hyphen if there are any, and then, in ascending order, where the others belong among
/// them. A position is the number of steps that a decoder makes from the last one, through all places of all characters. The label
/// has at most [`LONGEST`] characters, so the numbers stay small.
fn push_punycode(label: &str, out: &mut AsciiName) -> fmt::Result {
    let codes = || label.chars().map(u32::from);
    for code in codes().filter(|&code| code < INITIAL_N) {
        out.push(&[code as u8])?;
    }
    let basic = codes().filter(|&code| code < INITIAL_N).count() as u32;
    if basic > 0 {
        out.push(b"-")?;
    }
    let (mut n, mut delta, mut bias, mut placed) = (INITIAL_N, 0, INITIAL_BIAS, basic);
    while let Some(next) = codes().filter(|&code| code >= n).min() {
        delta += (next - n) * (placed + 1);
        for code in codes().filter(|&code| code <= next) {
            if code < next {
                delta += 1;
                continue;
            }
            push_number(delta, bias, out)?;
            placed += 1;
            bias = adapt(delta, placed, placed == basic + 1);
            delta = 0;
        }
        delta += 1;
        n = next + 1;
    }
    Ok(())
}

/// A number with digits of varying weight, the least first; the last digit is below its threshold.
fn push_number(number: u32, bias: u32, out: &mut AsciiName) -> fmt::Result {
    let mut rest = number;
    let mut k = BASE;
    loop {
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if rest < threshold {
            return out.push(&[digit(rest)]);
        }
        let above = rest - threshold;
        out.push(&[digit(threshold + above % (BASE - threshold))])?;
        rest = above / (BASE - threshold);
        k += BASE;
    }
}

/// `a` to `z` for 0 to 25, `0` to `9` for 26 to 35.
fn digit(value: u32) -> u8 {
    let value = value as u8;
    if value < 26 { b'a' + value } else { b'0' + (value - 26) }
}

/// The bias for the next number, from the last one: what is near makes for short numbers.
fn adapt(delta: u32, placed: u32, first: bool) -> u32 {
    let delta = delta / if first { DAMP } else { 2 };
    let mut delta = delta + delta / placed.max(1);
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::std_instead_of_core, clippy::alloc_instead_of_core)] // a test may
mod tests {
    use super::*;

    fn ascii(name: impl AsRef<[u8]>) -> Result<std::string::String> {
        to_ascii(name.as_ref()).map(|ascii| ascii.as_c_str().to_str().unwrap().into())
    }

    fn check(name: &str, expected: &str) {
        assert_eq!(ascii(name), Ok(expected.into()), "{name}");
    }

    /// RFC 3492, section 7.1.
    #[test]
    fn samples_of_the_rfc() {
        for (name, expected) in [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("他們爲什麽不說中文", "ihqwctvzc91f659drss3x8bo0yb"),
            ("Pročprostěnemluvíčesky", "Proprostnemluvesky-uyb24dma41a"),
            ("למההםפשוטלאמדבריםעברית", "4dbcagdahymbxekheh6e0a7fei0b"),
            ("यहलोगहिन्दीक्योंनहींबोलसकतेहैं", "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd"),
            ("なぜみんな日本語を話してくれないのか", "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa"),
            (
                "세계의모든사람들이한국어를이해한다면얼마나좋을까",
                "989aomsvi5e83db1d2a355cv1e0vak1dwrv93d5xbh15a0dt30a5jpsd879ccm6fea98c",
            ),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("PorquénopuedensimplementehablarenEspañol", "PorqunopuedensimplementehablarenEspaol-fmd56a"),
            ("TạisaohọkhôngthểchỉnóitiếngViệt", "TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g"),
            ("3年B組金八先生", "3B-ww4c5e180e575a65lsy2b"),
            ("安室奈美恵-with-SUPER-MONKEYS", "-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n"),
            ("Hello-Another-Way-それぞれの場所", "Hello-Another-Way--fc4qua05auwb3674vfr0b"),
            ("ひとつ屋根の下2", "2-u9tlzr9756bt3uc0v"),
            ("MajiでKoiする5秒前", "MajiKoi5-783gue6qz075azm5e"),
            ("パフィーdeルンバ", "de-jg4avhby1noc0d"),
            ("そのスピードで", "d9juau41awczczp"),
        ] {
            assert_eq!(ascii(name).unwrap().strip_prefix("xn--"), Some(expected), "{name}");
        }
    }

    #[test]
    fn ascii_stays_as_it_is() {
        for name in
            ["a", ".", "..", "a.", ".com", "localhost", "EXAMPLE.org", "-> $1.00 <-", "xn--a-.b", "\x7f"]
        {
            check(name, name);
        }
    }

    #[test]
    fn each_label_is_converted_by_itself() {
        check("bücher.example", "xn--bcher-kva.example");
        check("ü.ü.", "xn--tda.xn--tda.");
        check("a..ü", "a..xn--tda");
        check(".ü", ".xn--tda");
        check("Ü.XN--ü", "xn--wca.xn--XN---3ra");
        check("\u{80}.\u{10ffff}", "xn--a.xn--dn32g");
        check("💩.la", "xn--ls8h.la");
    }

    #[test]
    fn other_full_stops_become_the_usual_one() {
        for name in ["mañana.com", "mañana。com", "mañana．com", "mañana｡com"] {
            check(name, "xn--maana-pta.com");
        }
        check("。", ".");
        check("a。", "a.");
    }

    #[test]
    fn what_is_no_utf8_is_refused() {
        for name in [
            b"".as_slice(),
            b"\xff",
            b"a\xff.b",
            b"\xc0\x80",
            b"\xc1\x80.com",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc3",
            b"a\xc3",
            b"\xc3.",
            b"\xe2\x82",
            b"a\xf0\x9f",
            b"a.\x80",
            b"\xedRG!",
            b"\xf5sj",
        ] {
            assert_eq!(ascii(name), Err(Errno::EINVAL), "{name:?}");
        }
    }

    #[test]
    fn the_longest_has_255_bytes_in_ascii() {
        let long = "a".repeat(LONGEST + 1);
        check(&long[..LONGEST], &long[..LONGEST]);
        assert_eq!(ascii(&long), Err(Errno::EINVAL));
        let length = |name: std::string::String| ascii(name).map(|ascii| ascii.len());
        assert_eq!(length(std::format!("{}ü", &long[..247])), Ok(LONGEST));
        assert_eq!(length(std::format!("{}ü", &long[..248])), Err(Errno::EINVAL));
        assert_eq!(length("\u{10ffff}".repeat(247)), Ok(LONGEST));
        assert_eq!(length("\u{10ffff}".repeat(248)), Err(Errno::EINVAL));
        assert_eq!(length("ü".repeat(1 << 20)), Err(Errno::EINVAL));
    }
}
