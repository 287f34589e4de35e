//! Labels at the ends of lines: beside the end where nothing is there, otherwise in a column, with a line to the end.

use super::place::{Area, Spot, apart};

/// The height of a label with its distance to the next.
pub(super) const HEIGHT: f64 = 16.0;

/// What a label keeps from what it names.
const GAP: f64 = 8.0;

/// Where a label stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Placed {
    /// Beside the end of its line.
    Beside(Area),
    /// In the column.
    Aside(Area),
}

impl Placed {
    pub(super) fn area(&self) -> Area {
        match self {
            Self::Beside(area) | Self::Aside(area) => *area,
        }
    }
}

/// What must stay visible, and where labels may stand.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    /// The area of the lines.
    pub inside: Area,
    /// The column at its right; labels begin at its left edge.
    pub column: Area,
    /// Straight lines; a point is one that ends where it begins.
    pub lines: Vec<(Spot, Spot)>,
    /// Other text.
    pub taken: Vec<Area>,
}

/// A place for each label, given the end of its line and its width. No two overlap, none covers a line, and no line from a
/// column to an end crosses one, as long as the column is high enough for all.
pub(super) fn place(scene: &Scene, labels: &[(Spot, f64)]) -> Vec<Placed> {
    let mut beside: Vec<Option<Area>> = Vec::new();
    for &(end, width) in labels {
        let is_free = |area: &Area| {
            let near = Area::new(area.left - 2.0, area.top - 1.0, area.width + 4.0, area.height + 2.0);
            scene.inside.holds(area)
                && !scene.lines.iter().any(|&(from, to)| near.touches(from, to))
                && !scene.taken.iter().chain(beside.iter().flatten()).any(|other| near.overlaps(other))
        };
        let found = candidates(end, width).into_iter().find(is_free);
        beside.push(found);
    }
    loop {
        let aside = column(scene, labels, &beside);
        let leaders: Vec<(Spot, Spot)> =
            aside.iter().zip(labels).filter_map(|(area, (end, _))| Some((*end, leader_end(&(*area)?)))).collect();
        let crossed = |area: &Area| leaders.iter().any(|&(from, to)| area.touches(from, to));
        // One that is crossed goes to the column too; that adds a line, which may cross others.
        match beside.iter_mut().find(|place| place.as_ref().is_some_and(crossed)) {
            Some(place) => *place = None,
            None => return beside.iter().zip(aside).filter_map(|(beside, aside)| either(*beside, aside)).collect(),
        }
    }
}

fn either(beside: Option<Area>, aside: Option<Area>) -> Option<Placed> {
    beside.map(Placed::Beside).or(aside.map(Placed::Aside))
}

/// Where the line that leads to a label in the column ends.
pub(super) fn leader_end(area: &Area) -> Spot {
    (area.left - 4.0, area.top + area.height / 2.0)
}

/// Right of the end, above it, below it.
fn candidates((x, y): Spot, width: f64) -> [Area; 5] {
    let (height, half) = (HEIGHT - 2.0, (HEIGHT - 2.0) / 2.0);
    [
        (x + GAP, y - half),
        (x + GAP, y - height - 2.0),
        (x + GAP, y + 2.0),
        (x - width / 2.0, y - height - GAP),
        (x - width / 2.0, y + GAP),
    ]
    .map(|(left, top)| Area::new(left, top, width, height))
}

/// The places of those that are not beside their ends.
fn column(scene: &Scene, labels: &[(Spot, f64)], beside: &[Option<Area>]) -> Vec<Option<Area>> {
    let is_aside = |index: &usize| beside[*index].is_none();
    let aside: Vec<usize> = (0..labels.len()).filter(is_aside).collect();
    let wishes: Vec<f64> = aside.iter().map(|&index| labels[index].0.1).collect();
    let middles = apart(&wishes, HEIGHT, scene.column.top, scene.column.bottom());
    let mut places = vec![None; labels.len()];
    for (index, middle) in aside.into_iter().zip(middles) {
        let height = HEIGHT - 2.0;
        places[index] = Some(Area::new(scene.column.left, middle - height / 2.0, labels[index].1, height));
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scene(lines: Vec<(Spot, Spot)>) -> Scene {
        let inside = Area::new(50.0, 20.0, 450.0, 420.0);
        Scene { inside, column: Area::new(520.0, 20.0, 240.0, 420.0), lines, taken: Vec::new() }
    }

    #[test]
    fn a_label_stands_beside_its_line_if_nothing_is_there() {
        let placed = place(&scene(vec![((60.0, 100.0), (200.0, 100.0))]), &[((200.0, 100.0), 80.0)]);
        assert_eq!(placed, [Placed::Beside(Area::new(208.0, 93.0, 80.0, 14.0))]);
        let crowded = scene(vec![((60.0, 100.0), (200.0, 100.0)), ((0.0, 100.0), (500.0, 100.0))]);
        assert!(matches!(place(&crowded, &[((495.0, 100.0), 80.0)])[..], [Placed::Aside(_)]));
    }

    proptest! {
        #[test]
        fn labels_overlap_neither_each_other_nor_any_line(
            ends in prop::collection::vec(((60.0..500.0_f64, 20.0..440.0_f64), 20.0..220.0_f64), 0..26),
        ) {
            let lines: Vec<(Spot, Spot)> = ends.iter().map(|&(end, _)| ((50.0, 430.0), end)).collect();
            let placed = place(&scene(lines.clone()), &ends);
            prop_assert_eq!(placed.len(), ends.len());
            let leaders: Vec<(Spot, Spot)> = placed
                .iter()
                .zip(&ends)
                .filter_map(|(placed, (end, _))| match placed {
                    Placed::Aside(area) => Some((*end, leader_end(area))),
                    Placed::Beside(_) => None,
                })
                .collect();
            for (index, one) in placed.iter().enumerate() {
                for other in &placed[index + 1..] {
                    prop_assert!(!one.area().overlaps(&other.area()), "{one:?} {other:?}");
                }
                for &(from, to) in lines.iter().chain(&leaders) {
                    prop_assert!(!one.area().touches(from, to), "{one:?} {from:?} {to:?}");
                }
            }
        }
    }
}
