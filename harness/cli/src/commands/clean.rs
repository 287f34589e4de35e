//! `clean`: removing what was built.

use anyhow::Result;
use tare_runner::Layout;
use tare_runner::engine::{Engine, Swept};

use crate::args::CleanArgs;
use crate::exit::Exit;
use crate::machine;
use crate::results;
use crate::screen::say;

/// Runs it. What cargo built stays: `cargo clean` is for that.
///
/// # Errors
/// When the engine or the disk refuses.
pub async fn execute(args: &CleanArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let _alone = machine::take_now()?;
    let engine = match Engine::connect().await {
        Ok(engine) => Some(engine),
        Err(error) => {
            say(&format!("images are not looked at: {error}"));
            None
        }
    };
    let Swept { mut removed, unknown } = tare_runner::sweep(&layout, engine.as_ref()).await?;
    for what in unknown {
        say(&format!("left alone: {what}: it runs for a run that cannot be seen from here"));
    }
    if let Some(engine) = &engine {
        removed.extend(engine.remove_images().await?.into_iter().map(|name| format!("image {name}")));
    }
    let mut folders = vec![layout.work.clone()];
    if args.results {
        let (runs, others) = results::folders(&layout.results())?;
        for name in others.into_iter().filter(|name| name != results::BASELINE) {
            say(&format!("left alone: {}: it holds no run's record", layout.relative(&layout.results().join(name))));
        }
        folders.extend(runs.into_iter().filter(|name| name != results::BASELINE).map(|run| layout.results().join(run)));
        let latest = layout.results().join(results::LATEST);
        if latest.is_symlink() {
            fs_err::remove_file(&latest)?;
            removed.push(layout.relative(&latest));
        }
    }
    for folder in folders.into_iter().filter(|folder| folder.is_dir() && !folder.is_symlink()) {
        fs_err::remove_dir_all(&folder)?;
        removed.push(layout.relative(&folder));
    }
    if removed.is_empty() {
        say("nothing to remove");
    }
    for what in removed {
        say(&format!("removed {what}"));
    }
    Ok(Exit::Done)
}
