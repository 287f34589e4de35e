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

/// A text as a part of a line of Markdown, of a cell of a table too: nothing in it is HTML, a link or an image, or ends
/// the cell.
pub(crate) fn markdown(text: &str) -> String {
    let safe = line(&text.replace('\n', " "));
    safe.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace("](", "]\\(")
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
        let text = "<script>|`x`\n![p](https://host/p.png) \\| \u{1b}";
        assert_eq!(markdown(text), "&lt;script>\\|`x` ![p]\\(https://host/p.png) \\\\\\| \\\\u{1b}");
    }

    #[test]
    fn no_name_of_a_file_leads_elsewhere() {
        assert_eq!(file_name("../../etc/x y"), "-..-etc-x-y");
        assert_eq!(file_name("orders-startup_cold"), "orders-startup_cold");
        assert_eq!(file_name(&"x".repeat(300)).len(), LONGEST_FILE_NAME);
    }
}
