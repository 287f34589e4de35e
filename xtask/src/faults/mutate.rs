//! Damaging the bytes of a file: the same seed, the same damage.

use fastrand::Rng;

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Cut off at any byte.
    Truncated,
    /// Some bits are turned over.
    Flipped,
    /// Two lines have changed places.
    Swapped,
    /// A number is none that is measured.
    Huge,
    /// A number is none at all.
    NotANumber,
    /// Characters that steer a terminal, within a text or anywhere.
    Control,
    /// A value is an array in an array, and so on, deeper than any reader has a stack for.
    Nested,
    /// A text is the path of a folder elsewhere.
    Path,
    /// The last value of a table has lost its end, as where a writer was killed.
    Torn,
    /// The last value of a row is one that nothing measures.
    Impossible,
    /// All that comes after the first line comes again and again.
    Repeated,
}

/// The folder elsewhere that an absolute path names.
pub const ELSEWHERE: &str = "/elsewhere-by-tare";

/// How deep.
const DEPTH: usize = 200_000;

/// How long a file becomes whose lines are repeated, in bytes.
const LONG: usize = 64 << 20;

/// The most bits that are turned over.
const BITS: usize = 8;

const HUGE: &[&str] =
    &["1e308", "-1e308", "1e999", "99999999999999999999999", "18446744073709551616", "-1", "4294967295"];
const NOT_NUMBERS: &[&str] = &["NaN", "nan", "inf", "-inf", "Infinity", "0x1p", "\"1\"", ""];
const CONTROL: &[&str] = &["\u{1b}]0;owned\u{7}", "\u{1b}[31m", "\u{202e}", "\r", "\0", "\u{9b}2J", "\\u001b[2J"];
const IMPOSSIBLE: &[&str] = &["NaN", "inf", "-inf", "-1", "1e308", "1e999", "", "many"];
const PATHS: &[&str] = &["../../elsewhere", "../..", "/elsewhere-by-tare", "a/../../../elsewhere", "."];

impl Damage {
    /// The bytes of a file, damaged.
    pub fn done(self, bytes: &[u8], random: &mut Rng) -> Vec<u8> {
        match self {
            Self::Truncated => bytes.get(..random.usize(..=bytes.len())).unwrap_or_default().to_vec(),
            Self::Flipped => flipped(bytes, random),
            Self::Swapped => swapped(bytes, random),
            Self::Huge => replaced(bytes, &numbers(bytes), &[chosen(HUGE, random)], random),
            Self::NotANumber => replaced(bytes, &numbers(bytes), &[chosen(NOT_NUMBERS, random)], random),
            Self::Nested => replaced(bytes, &numbers(bytes), &[&"[".repeat(DEPTH), "1", &"]".repeat(DEPTH)], random),
            Self::Path => replaced(bytes, &texts(bytes), &[chosen(PATHS, random)], random),
            Self::Torn => {
                let (begin, end) = values(bytes).pop().unwrap_or_default();
                // One that has a single digit keeps it, and loses the end of its line only.
                let kept = if begin + 1 < end { random.usize(begin + 1..end) } else { end };
                bytes.get(..kept).unwrap_or_default().to_vec()
            }
            Self::Repeated => {
                let head = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                let (head, rest) = bytes.split_at(head);
                [head, &rest.repeat(LONG.div_ceil(rest.len().max(1)).min(LONG))].concat()
            }
            Self::Impossible => replaced(bytes, &values(bytes), &[chosen(IMPOSSIBLE, random)], random),
            Self::Control => {
                let texts = texts(bytes);
                let place = match random.choice(&texts) {
                    Some((_, end)) if random.bool() => *end,
                    _ => random.usize(..=bytes.len()),
                };
                replaced(bytes, &[(place, place)], &[chosen(CONTROL, random)], random)
            }
        }
    }
}

/// A part of some bytes, from the one up to the other.
type Part = (usize, usize);

fn chosen<'a>(of: &[&'a str], random: &mut Rng) -> &'a str {
    random.choice(of).copied().unwrap_or_default()
}

fn flipped(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.usize(1..=BITS) {
        let bit = random.u32(..u8::BITS);
        if let Some(byte) = random.choice(&mut bytes) {
            *byte ^= 1 << bit;
        }
    }
    bytes
}

fn swapped(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if !lines.is_empty() {
        let (one, other) = (random.usize(..lines.len()), random.usize(..lines.len()));
        lines.swap(one, other);
    }
    lines.concat()
}

/// The bytes with something else in the place of one of these parts; where there is none, with bits turned over.
fn replaced(bytes: &[u8], parts: &[Part], by: &[&str], random: &mut Rng) -> Vec<u8> {
    let Some(&(begin, end)) = random.choice(parts) else { return flipped(bytes, random) };
    let (before, after) = (bytes.get(..begin).unwrap_or_default(), bytes.get(end..).unwrap_or_default());
    [before, by.concat().as_bytes(), after].concat()
}

/// Where numbers stand that no letter stands beside.
fn numbers(bytes: &[u8]) -> Vec<Part> {
    let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let mut found = Vec::new();
    let mut begin = 0;
    while let Some(rest) = bytes.get(begin..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().take_while(|byte| is_number(byte)).count();
        let has_digit = rest.iter().take(length).any(u8::is_ascii_digit);
        let before = begin.checked_sub(1).and_then(|before| bytes.get(before));
        if has_digit && !is_word(before) && !is_word(rest.get(length)) {
            found.push((begin, begin + length));
        }
        begin += length.max(1);
    }
    found
}

/// Where the last values of the rows of a table are, but for its head.
fn values(bytes: &[u8]) -> Vec<Part> {
    let ends = (0..bytes.len()).filter(|place| bytes.get(*place) == Some(&b'\n')).skip(1);
    let begin =
        |end: usize| bytes.get(..end)?.iter().rposition(|byte| matches!(byte, b',' | b'\n')).map(|comma| comma + 1);
    ends.filter_map(|end| Some((begin(end)?, end))).collect()
}

/// Where what stands in quotation marks is, without them; in a table without any, what stands between commas.
fn texts(bytes: &[u8]) -> Vec<Part> {
    let mark = if bytes.contains(&b'"') { b'"' } else { b',' };
    let marks: Vec<usize> = (0..bytes.len()).filter(|place| bytes.get(*place) == Some(&mark)).collect();
    let step = if mark == b'"' { 2 } else { 1 };
    let pairs = marks.iter().zip(marks.iter().skip(1)).step_by(step);
    let is_line = |begin: usize, end: usize| bytes.get(begin..end).is_some_and(|text| !text.contains(&b'\n'));
    pairs.map(|(begin, end)| (begin + 1, *end)).filter(|(begin, end)| is_line(*begin, *end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[Damage] = &[
        Damage::Truncated,
        Damage::Flipped,
        Damage::Swapped,
        Damage::Huge,
        Damage::NotANumber,
        Damage::Control,
        Damage::Nested,
        Damage::Path,
        Damage::Torn,
        Damage::Impossible,
    ];

    const JSON: &[u8] = b"{\n  \"run\": \"r1\",\n  \"rounds\": 20,\n  \"share\": 0.5\n}\n";

    fn text(damage: Damage, of: &[u8], seed: u64) -> String {
        String::from_utf8_lossy(&damage.done(of, &mut Rng::with_seed(seed))).into_owned()
    }

    #[test]
    fn the_same_seed_does_the_same_damage_and_others_do_other() {
        let of = b"run,name,value\nr1,\"a\",25.5\nr1,\"b\",1234.5\n";
        for damage in ALL {
            let done: Vec<String> = (0..50).map(|seed| text(*damage, of, seed)).collect();
            assert_eq!(done, (0..50).map(|seed| text(*damage, of, seed)).collect::<Vec<_>>(), "{damage:?}");
            assert!(done.iter().any(|other| *other != done[0]), "{damage:?} is always the same");
            assert!(done.iter().any(|other| other.as_bytes() != of), "{damage:?} does nothing");
        }
    }

    #[test]
    fn any_bytes_can_be_damaged() {
        for of in [&b""[..], b"\n", b"\"", b"1", b"\0\xff\xfe", b"a,b\n1,2\n"] {
            for (damage, seed) in ALL.iter().flat_map(|damage| (0..20).map(move |seed| (damage, seed))) {
                damage.done(of, &mut Rng::with_seed(seed));
            }
        }
    }

    #[test]
    fn numbers_and_texts_are_found_where_they_are() {
        let part = |of: &[u8], parts: Vec<Part>| -> Vec<String> {
            parts.into_iter().map(|(begin, end)| String::from_utf8_lossy(&of[begin..end]).into_owned()).collect()
        };
        assert_eq!(part(JSON, numbers(JSON)), ["20", "0.5"]);
        assert_eq!(part(JSON, texts(JSON)), ["run", "r1", "rounds", "share"]);
        let table = b"run,x\nr1,-2.5,b\n";
        assert_eq!(part(table, numbers(table)), ["-2.5"]);
        assert_eq!(part(table, texts(table)), ["-2.5"]);
    }

    #[test]
    fn each_damage_is_what_it_says() {
        assert!(JSON.starts_with(text(Damage::Truncated, JSON, 3).as_bytes()));
        assert!((0..200).any(|seed| text(Damage::Huge, JSON, seed).contains("\"rounds\": 1e308")));
        assert!((0..200).any(|seed| text(Damage::NotANumber, JSON, seed).contains("\"share\": NaN")));
        assert!((0..200).any(|seed| text(Damage::Path, JSON, seed).contains(&format!("\"run\": \"{ELSEWHERE}\""))
            || text(Damage::Path, JSON, seed).contains("\"run\": \"../../elsewhere\"")));
        assert!(text(Damage::Nested, JSON, 1).contains(&"[".repeat(DEPTH)));
        let repeated = text(Damage::Repeated, b"run\n1\n2\n", 1);
        assert!(repeated.starts_with("run\n1\n2\n1\n2\n") && repeated.len() >= LONG && !repeated.contains("2\nrun"));
        let table = b"run,value\nr1,25.5\nr1,1234.5\n";
        let torn: Vec<String> = (0..200).map(|seed| text(Damage::Torn, table, seed)).collect();
        assert!(torn.iter().all(|torn| torn.starts_with("run,value\nr1,25.5\nr1,1") && torn.len() < table.len() - 1));
        let impossible = (0..200).map(|seed| text(Damage::Impossible, table, seed));
        let (one, other): (Vec<_>, Vec<_>) = impossible.partition(|text| text.ends_with("\nr1,1234.5\n"));
        assert!(
            one.iter().any(|text| text.contains("\nr1,NaN\n")) && other.iter().any(|text| text.ends_with("\nr1,-1\n"))
        );
        let mut lines: Vec<String> = text(Damage::Swapped, JSON, 5).lines().map(str::to_owned).collect();
        let mut sound: Vec<String> = String::from_utf8_lossy(JSON).lines().map(str::to_owned).collect();
        lines.sort();
        sound.sort();
        assert_eq!(lines, sound);
    }
}
