//! Text that comes from elsewhere (names, reasons, versions, settings), made safe to show: it must not move the cursor of
//! a terminal, hide or reorder what stands beside it, or become markup.

/// A text in one line: control characters, line ends among them, and characters that change the direction of text are
/// shown as escapes.
pub(crate) fn line(text: &str) -> String {
    escaped(text, |_| false)
}

/// A text of several lines: control characters other than line ends, and characters that change the direction of text, are
/// shown as escapes.
pub fn lines(text: &str) -> String {
    escaped(text, |letter| letter == '\n')
}

/// A page as a whole: its own text has nothing to escape, and what its markup has kept apart from elements may still reorder
/// what stands beside it.
pub(crate) fn page(html: &str) -> String {
    lines(html)
}

/// A text as a part of a line of Markdown, as a whole entry of a list or cell of a table too: nothing in it is HTML, emphasis,
/// code, a link, an image, a heading or a list, or ends the cell. What means nothing to Markdown stays as it is: underscores
/// within words, tildes before numbers, brackets around marks and intervals.
pub(crate) fn markdown(text: &str) -> String {
    let text = line(&text.trim().replace('\n', " "));
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    for (place, letter) in text.char_indices() {
        let after = &text[place + letter.len_utf8()..];
        let is_within_word = before.is_alphanumeric() && after.starts_with(char::is_alphanumeric);
        let is_share = after.starts_with(|next: char| next.is_ascii_digit() || next == '>');
        let is_markup = match letter {
            '\\' | '|' | '*' | '`' => true,
            '_' => !is_within_word,
            '~' => !is_share,
            '[' => !is_aside(after),
            // At the beginning of a line: a heading, a quotation, a list.
            '#' | '>' | '+' | '-' => place == 0,
            '.' | ')' => place > 0 && place == digits && !after.starts_with(char::is_alphanumeric),
            _ => false,
        };
        match letter {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            _ if is_markup => safe.extend(['\\', letter]),
            _ => safe.push(letter),
        }
        before = letter;
    }
    safe
}

/// Whether a bracket, with what follows it, is neither a link, nor what a link refers to, nor a box to tick.
fn is_aside(after: &str) -> bool {
    after.split_once(']').is_some_and(|(inside, beyond)| {
        !inside.contains('[') && !matches!(inside, " " | "x" | "X") && !beyond.starts_with(['(', ':'])
    })
}

/// The longest name of a file that is made from a text, in characters.
const LONGEST_FILE_NAME: usize = 100;

/// A text as the name of a file, without folders or endings: what is no plain letter, digit, `-`, `_` or `.` is a dash.
pub(crate) fn file_name(text: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name: String = text.chars().take(LONGEST_FILE_NAME).map(safe).collect();
    name.trim_start_matches('.').to_owned()
}

fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_harmful(letter) && !is_kept(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// Whether a character is a control character, a separator of lines, or changes the direction of text.
fn is_harmful(letter: char) -> bool {
    let changes_direction =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') || changes_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_an_escape() {
        assert_eq!(line("a\u{1b}[2Jb\u{7}\u{202e}c\u{9b}1m"), "a\\u{1b}[2Jb\\u{7}\\u{202e}c\\u{9b}1m");
        assert_eq!((line("a\nb\tc"), lines("a\nb\tc")), ("a\\nb\\tc".into(), "a\nb\\tc".into()));
        assert_eq!(line("±2 % → “µ” 日本"), "±2 % → “µ” 日本");
    }

    #[test]
    fn nothing_becomes_markup_in_markdown() {
        for (text, safe) in [
            ("<script>|`x`\n![p](https://host/p.png)", r"&lt;script>\|\`x\` !\[p](https://host/p.png)"),
            (r"\| ", r"\\\|"),
            ("*bold* _slanted_ ~~gone~~", r"\*bold\* \_slanted\_ \~\~gone\~\~"),
            ("__init__", r"\_\_init\_\_"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("[1]: https://host", r"\[1]: https://host"),
            ("[a] [1](b) [x] [a[b](c)]", r"[a] \[1](b) \[x] \[a\[b](c)]"),
            ("# a", r"\# a"),
            ("> a", r"\> a"),
            ("- a", r"\- a"),
            ("+ a", r"\+ a"),
            ("12. a", r"12\. a"),
            ("1) a", r"1\) a"),
            ("\u{1b}", r"\\u{1b}"),
        ] {
            assert_eq!(markdown(text), safe, "{text}");
        }
    }

    #[test]
    fn what_means_nothing_to_markdown_stays_readable() {
        for text in ["startup_cold", "1.92 ~2% [1][2]", "~>999%", "210 ms [207 ms, 214 ms]", "a -> b", "1.5"] {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn no_name_of_a_file_leads_elsewhere() {
        assert_eq!(file_name("../../etc/x y"), "-..-etc-x-y");
        assert_eq!(file_name("orders-startup_cold"), "orders-startup_cold");
        assert_eq!(file_name(&"x".repeat(300)).len(), LONGEST_FILE_NAME);
    }
}
