//! Reports on disk: reports/<run>/ with index.html, summary.md and charts/.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use fs_err as fs;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};
use tare_report::{ChartFile, Content, markdown, page};
use tare_runner::sys::owner::Owner;
use tare_runner::sys::temporary;

use crate::screen::say;

/// Pixels for each unit of a chart: sharp on a dense screen.
const SCALE: f32 = 2.0;

/// What stands for `sans-serif`, the first that the machine has.
const FAMILIES: &[&str] = &["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica"];

/// Renders a run into the folder of this name under `reports`; returns the page's path. It is rendered beside that folder and
/// takes its place when it is whole: a disk that is full leaves the earlier report as it was.
///
/// # Errors
/// The disk takes no report, or a chart cannot be drawn.
pub fn write(reports: &Path, name: &str, content: &Content<'_>) -> Result<PathBuf> {
    fs::create_dir_all(reports)?;
    let folder = reports.join(name);
    // Of those that were ended while they rendered.
    temporary::remove_in(reports, Owner::is_dead);
    let rendered = temporary::folder_in(reports).with_context(|| format!("cannot write into {}", reports.display()))?;
    render(rendered.path(), content)?;
    fs::set_permissions(rendered.path(), Permissions::from_mode(0o755))?;
    if folder.symlink_metadata().is_err() {
        fs::rename(rendered.path(), &folder)?;
    } else {
        // Not named after this process: what is in it may be all that there is of a report.
        let old = tempfile::Builder::new().prefix(&format!(".{name}.old.")).tempdir_in(reports)?;
        let earlier = old.path().join("report");
        if let Err(error) = replace(&folder, rendered.path(), &earlier) {
            // What is still there may be somebody's own.
            if earlier.symlink_metadata().is_ok() {
                let kept = old.keep();
                return Err(error.context(format!("the earlier report is kept in {}", kept.display())));
            }
            return Err(error);
        }
    }
    Ok(folder.join("index.html"))
}

/// Puts a rendered report in the place of an earlier one, which is moved to `old`. What somebody else has put beside that stays.
fn replace(folder: &Path, rendered: &Path, old: &Path) -> Result<()> {
    fs::rename(folder, old)?;
    if let Err(error) = fs::rename(rendered, folder) {
        fs::rename(old, folder)?;
        return Err(error.into());
    }
    if old.is_symlink() {
        return Ok(());
    }
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let kept = folder.join(entry.file_name());
        if !kept.exists() {
            fs::rename(entry.path(), kept)?;
        }
    }
    Ok(())
}

fn render(folder: &Path, content: &Content<'_>) -> Result<()> {
    let charts = folder.join("charts");
    fs::create_dir(&charts)?;
    let page = page(content);
    fs::write(folder.join("summary.md"), markdown(content))?;
    for ChartFile { name, svg } in &page.charts {
        fs::write(charts.join(format!("{name}.svg")), svg)?;
    }
    match fonts() {
        Some(fonts) => pictures(&charts, &page.charts, &Arc::new(fonts))?,
        None => {
            say("no font is installed: charts are written as SVG only (install fonts-dejavu-core or another for PNG)");
        }
    }
    Ok(fs::write(folder.join("index.html"), page.html)?)
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
                fs::write(folder.join(format!("{}.png", chart.name)), png)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_an_earlier_one_and_of_nothing_else() {
        let reports = tempfile::tempdir().unwrap();
        let path = |name: &str| reports.path().join(name);
        for folder in ["r1", "new"] {
            fs::create_dir(path(folder)).unwrap();
            fs::write(path(folder).join("index.html"), folder).unwrap();
        }
        fs::write(path("r1").join("notes.txt"), "mine").unwrap();
        replace(&path("r1"), &path("new"), &path("old")).unwrap();
        assert_eq!(fs::read_to_string(path("r1").join("index.html")).unwrap(), "new");
        assert_eq!(fs::read_to_string(path("r1").join("notes.txt")).unwrap(), "mine");
        // Where there is nothing to put there, the earlier one stays.
        assert!(replace(&path("r1"), &path("none"), &path("old2")).is_err());
        assert_eq!(fs::read_to_string(path("r1").join("index.html")).unwrap(), "new");
    }
}
