//! How wide text is, without a font at hand.

/// Widths in hundredths of the font's size, as `DejaVu Sans` has them: of the fonts that `system-ui` may turn out to be it is
/// among the widest, so that what has room in it has room in the others.
const WIDTHS: [(&str, u16); 12] = [
    ("'ijlIJ", 29),
    (" ,.·/:;\\|f-\u{a0}", 36),
    ("()[]tr!", 41),
    ("\"*_`–°sz?cL", 56),
    ("Fkvxye", 62),
    ("TYaoPESbdghnpqu$0123456789{}µ", 64),
    ("KAVBRXZ", 69),
    ("CUHN", 75),
    ("DG&OQw", 82),
    ("#+<=>^~±×≤≥M", 86),
    ("%mW", 99),
    ("@—…", 100),
];

/// What an unknown character takes: those of East Asia fill the square.
const UNKNOWN: u16 = 100;

/// An upper estimate of the width of a text, in the unit of `size`.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let of = |letter: char| WIDTHS.iter().find(|(letters, _)| letters.contains(letter)).map_or(UNKNOWN, |(_, w)| *w);
    text.chars().map(of).map(f64::from).sum::<f64>() / 100.0 * size
}

/// The text, or as much of its beginning as has room, with an ellipsis.
pub(super) fn shortened(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.into();
    }
    let mut kept: String = text.into();
    while kept.pop().is_some() {
        let shorter = format!("{}…", kept.trim_end());
        if width(&shorter, size) <= room {
            return shorter;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_shortened() {
        assert_eq!(shortened("docker/scratch", 12.0, 200.0), "docker/scratch");
        let shorter = shortened("docker/scratch", 12.0, 60.0);
        assert!(shorter.starts_with("docker") && shorter.ends_with('…'), "{shorter}");
        assert!(width(&shorter, 12.0) <= 60.0);
        assert_eq!(shortened("docker", 12.0, 3.0), "");
        assert_eq!(shortened("", 12.0, 0.0), "");
    }
}
