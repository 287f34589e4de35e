//! Reports on disk: reports/<run>/ with index.html, summary.md and charts/.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use fs_err as fs;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};
use tare_report::{ChartFile, Content, markdown, page};

use crate::results::replace;
use crate::screen::say;

/// Pixels for each unit of a chart: sharp on a dense screen.
const SCALE: f32 = 2.0;

/// What stands for `sans-serif`, the first that the machine has.
const FAMILIES: &[&str] = &["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica"];

/// Renders a run into its folder under `reports`; returns the page's path.
///
/// # Errors
/// The disk takes no report, or a chart cannot be drawn.
pub fn write(reports: &Path, content: &Content<'_>) -> Result<PathBuf> {
    let folder = reports.join(&content.record.run);
    let charts = folder.join("charts");
    let index = folder.join("index.html");
    // Of an earlier rendering nothing stays: its charts may have other names, and its page would be there without them.
    if index.is_file() {
        fs::remove_file(&index)?;
    }
    if charts.is_dir() {
        fs::remove_dir_all(&charts)?;
    }
    fs::create_dir_all(&charts)?;
    let page = page(content);
    replace(&folder.join("summary.md"), markdown(content).as_bytes())?;
    for ChartFile { name, svg } in &page.charts {
        replace(&charts.join(format!("{name}.svg")), svg.as_bytes())?;
    }
    match fonts() {
        Some(fonts) => pictures(&charts, &page.charts, &Arc::new(fonts))?,
        None => {
            say("no font is installed: charts are written as SVG only (install fonts-dejavu-core or another for PNG)");
        }
    }
    // Last: where it is, all of it is.
    replace(&index, page.html.as_bytes())?;
    Ok(index)
}

/// The machine's fonts, with one that stands for `sans-serif`; `None` where it has none.
fn fonts() -> Option<Database> {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let named = |family: &&&str| fonts.faces().any(|face| face.families.iter().any(|(name, _)| name == **family));
    let first = || fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()));
    let family = FAMILIES.iter().find(named).map(|family| (*family).to_owned()).or_else(first)?;
    fonts.set_sans_serif_family(family);
    Some(fonts)
}

/// Draws charts as PNG, on white, each thread some of them.
fn pictures(folder: &Path, charts: &[ChartFile], fonts: &Arc<Database>) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = charts.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let draw = |charts: &[ChartFile]| -> Result<()> {
            let options = Options { fontdb: Arc::clone(fonts), ..Options::default() };
            for chart in charts {
                let png = picture(&chart.svg, &options).with_context(|| format!("the chart {} as PNG", chart.name))?;
                replace(&folder.join(format!("{}.png", chart.name)), &png)?;
            }
            Ok(())
        };
        let threads: Vec<_> = charts.chunks(share).map(|charts| scope.spawn(move || draw(charts))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn picture(svg: &str, options: &Options<'_>) -> Result<Vec<u8>> {
    let tree = Tree::from_str(svg, options)?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("it has no size")?;
    let mut pixmap = Pixmap::new(size.width(), size.height()).context("it has no size")?;
    pixmap.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixmap.as_mut());
    Ok(pixmap.encode_png()?)
}
