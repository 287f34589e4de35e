//! `clean`: removing what was built.

use anyhow::Result;
use tare_runner::Layout;
use tare_runner::engine::Engine;

use crate::args::CleanArgs;
use crate::exit::Exit;
use crate::results;
use crate::screen::say;

/// Runs it. What cargo built stays: `cargo clean` is for that.
///
/// # Errors
/// When the engine or the disk refuses.
pub async fn execute(args: &CleanArgs) -> Result<Exit> {
    let layout = Layout::find()?;
    let engine = match Engine::connect().await {
        Ok(engine) => Some(engine),
        Err(error) => {
            say(&format!("images are not looked at: {error}"));
            None
        }
    };
    let mut removed = tare_runner::sweep(&layout, engine.as_ref()).await?;
    if let Some(engine) = &engine {
        removed.extend(engine.remove_images().await?.into_iter().map(|name| format!("image {name}")));
    }
    let mut folders = vec![layout.work.clone()];
    if args.results {
        folders.extend(results::runs(&layout.results())?.into_iter().map(|run| layout.results().join(run)));
        folders.push(layout.results().join("latest"));
    }
    for folder in folders {
        if folder.is_symlink() {
            fs_err::remove_file(&folder)?;
        } else if folder.is_dir() {
            fs_err::remove_dir_all(&folder)?;
        } else {
            continue;
        }
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
