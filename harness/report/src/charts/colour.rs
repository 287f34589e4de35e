//! The colours: one per platform, some for the parts of a whole, and those that follow the theme of the page.

use std::fmt;

use plotters::style::RGBColor;

/// A colour in sRGB; displayed as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgb {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

impl Rgb {
    /// The colour of a hexadecimal number as web pages write it: `0xrrggbb`.
    pub const fn new(hex: u32) -> Self {
        let [_, red, green, blue] = hex.to_be_bytes();
        Self { red, green, blue }
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl From<Rgb> for RGBColor {
    fn from(Rgb { red, green, blue }: Rgb) -> Self {
        Self(red, green, blue)
    }
}

/// The colours of the known platforms: the hues of Okabe and Ito, moved until each has a contrast of 3 or more on white
/// and on `#111`, and any two stay apart under each kind of colour blindness (tests measure both).
const PLATFORMS: [(&str, Rgb); 5] = [
    ("native", Rgb::new(0x62_62_62)),
    ("wasmtime", Rgb::new(0x06_60_d8)),
    ("wasmer", Rgb::new(0xc6_5f_b6)),
    ("oci", Rgb::new(0x01_a8_65)),
    ("docker", Rgb::new(0xd9_6c_05)),
];

/// For platforms that came later.
const OTHERS: [Rgb; 4] = [Rgb::new(0x8b_5c_f6), Rgb::new(0xd6_45_4f), Rgb::new(0x0e_8f_a3), Rgb::new(0x8f_7a_1e)];

/// The colour of a platform, the same in every chart; all variants of a platform share it. A platform without a colour of
/// its own gets one by its name, the same in every run.
pub fn platform_colour(platform: &str) -> Rgb {
    // FNV-1a, since the hasher of the standard library promises nothing from one version to the next.
    let hash = platform.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let other = OTHERS[hash as usize % OTHERS.len()];
    PLATFORMS.iter().find(|(name, _)| *name == platform).map_or(other, |(_, colour)| *colour)
}

/// The colours of parts: the "light" scheme of Paul Tol (<https://sronpersonalpages.nl/~pault/>), made to be told apart by
/// the colour-blind and to carry dark text, and three more for wholes of many parts. Lighter and darker ones alternate, as
/// parts touch.
const PARTS: [Rgb; 12] = [
    Rgb::new(0x77_aa_dd),
    Rgb::new(0xee_dd_88),
    Rgb::new(0xee_88_66),
    Rgb::new(0x99_dd_ff),
    Rgb::new(0x44_bb_99),
    Rgb::new(0xff_aa_bb),
    Rgb::new(0xaa_aa_00),
    Rgb::new(0xdd_dd_dd),
    Rgb::new(0xbb_cc_33),
    Rgb::new(0xc8_a2_e0),
    Rgb::new(0xc2_a5_85),
    Rgb::new(0x9f_b3_c8),
];

/// The colour of the n-th part of a whole.
pub(super) fn part_colour(index: usize) -> Rgb {
    PARTS[index % PARTS.len()]
}

/// Text upon a part, in both themes.
pub(super) const ON_PART: Rgb = Rgb::new(0x11_11_11);

/// A colour that changes with the theme of the page. What is drawn in one has its class; the light colour is for programs
/// that know no CSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThemeColour {
    Text,
    Muted,
    Strong,
    Reference,
    Axis,
    Grid,
}

impl ThemeColour {
    pub(super) const ALL: [Self; 6] = [Self::Text, Self::Muted, Self::Strong, Self::Reference, Self::Axis, Self::Grid];

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Text => "fg",
            Self::Muted => "muted",
            Self::Strong => "strong",
            Self::Reference => "reference",
            Self::Axis => "axis",
            Self::Grid => "grid",
        }
    }

    pub(super) const fn light(self) -> Rgb {
        Rgb::new(match self {
            Self::Text | Self::Strong => 0x1f_23_28,
            Self::Muted => 0x59_63_6e,
            Self::Reference => 0x6e_77_81,
            Self::Axis => 0x8c_95_9f,
            Self::Grid => 0xe2_e5_e9,
        })
    }

    pub(super) const fn dark(self) -> Rgb {
        Rgb::new(match self {
            Self::Text | Self::Strong => 0xe6_ed_f3,
            Self::Muted => 0x9d_a7_b3,
            Self::Reference => 0x84_8d_97,
            Self::Axis => 0x6e_76_81,
            Self::Grid => 0x2f_35_3d,
        })
    }

    /// What of an element it colours: letters are filled, lines are stroked.
    pub(super) const fn property(self) -> &'static str {
        match self {
            Self::Text | Self::Muted => "fill",
            Self::Strong | Self::Reference | Self::Axis | Self::Grid => "stroke",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Linear = [f64; 3];

    /// What each kind of colour blindness makes of linear sRGB, complete: Machado, Oliveira and Fernandes (2009), table 1.
    const VISIONS: [[Linear; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ];

    fn linear(Rgb { red, green, blue }: Rgb) -> Linear {
        [red, green, blue].map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn dot(row: Linear, colour: Linear) -> f64 {
        row.iter().zip(colour).map(|(factor, channel)| factor * channel).sum()
    }

    /// WCAG 2.2.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let [one, other] = [one, other].map(|colour| dot([0.2126, 0.7152, 0.0722], linear(colour)) + 0.05);
        one.max(other) / one.min(other)
    }

    /// CIE L*a*b* under D65.
    fn lab(colour: Linear) -> Linear {
        let white = [0.9505, 1.0, 1.089];
        let rows = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];
        let mut f = [0.0; 3];
        for ((f, row), white) in f.iter_mut().zip(rows).zip(white) {
            let share = dot(row, colour) / white;
            *f = if share > 0.008_856 { share.cbrt() } else { 7.787 * share + 16.0 / 116.0 };
        }
        let [x, y, z] = f;
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn platforms_stand_out_in_both_themes() {
        for colour in PLATFORMS.map(|(_, colour)| colour).into_iter().chain(OTHERS) {
            for page in [Rgb::new(0xff_ff_ff), Rgb::new(0x11_11_11)] {
                assert!(contrast(colour, page) >= 3.0, "{colour} on {page}: {}", contrast(colour, page));
            }
        }
    }

    #[test]
    fn the_colour_blind_can_tell_platforms_apart() {
        for vision in VISIONS {
            let seen = PLATFORMS.map(|(name, colour)| {
                let colour = linear(colour);
                (name, lab(vision.map(|row| dot(row, colour).clamp(0.0, 1.0))))
            });
            for (index, (one, here)) in seen.iter().enumerate() {
                for (other, there) in &seen[index + 1..] {
                    let distance = here.iter().zip(there).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                    assert!(distance > 25.0, "{one} and {other}: {distance}");
                }
            }
        }
    }

    #[test]
    fn text_is_legible() {
        for part in PARTS {
            assert!(contrast(part, ON_PART) >= 4.5, "{part}");
        }
        for colour in [ThemeColour::Text, ThemeColour::Muted] {
            assert!(contrast(colour.light(), Rgb::new(0xff_ff_ff)) >= 4.5, "{colour:?}");
            assert!(contrast(colour.dark(), Rgb::new(0x11_11_11)) >= 4.5, "{colour:?}");
        }
    }

    #[test]
    fn a_platform_keeps_its_colour() {
        assert_eq!(platform_colour("wasmtime").to_string(), "#0660d8");
        assert_eq!(platform_colour("spin"), platform_colour("spin"));
        assert!(OTHERS.contains(&platform_colour("")));
    }
}
