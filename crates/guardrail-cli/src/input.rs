//! Files in, values out; and one clear error where a file is not what it should be.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use guardrail::baseline::Baseline;
use guardrail::ec2::world::World;
use guardrail::ec2::world_file::{self, LoadError};
use guardrail::event::Evidence;
use guardrail_sim::Beside;
use serde_json::Value;

use crate::arguments::{BaselineArgs, WorldArgs};
use crate::error::BadInput;

/// The world and the baseline that the arguments name.
pub(crate) fn world_args(arguments: &WorldArgs) -> Result<(World, Baseline), BadInput> {
    Ok((world(&arguments.world)?, baseline_args(&arguments.baseline_args)?))
}

/// The baseline that the arguments name, in the mode that they name.
pub(crate) fn baseline_args(arguments: &BaselineArgs) -> Result<Baseline, BadInput> {
    let baseline =
        arguments.baseline.as_deref().map_or_else(|| Ok(Baseline::default()), baseline)?;
    Ok(match arguments.mode {
        Some(mode) => baseline.with_mode(mode.into()),
        None => baseline,
    })
}

/// A baseline file.
pub(crate) fn baseline(path: &Path) -> Result<Baseline, BadInput> {
    Baseline::parse(&text(path)?).map_err(|error| BadInput::Baseline {
        name: path.display().to_string(),
        faults: error.faults,
    })
}

/// A world of one or more files and folders.
pub(crate) fn world(paths: &[PathBuf]) -> Result<World, BadInput> {
    let named = |file: PathBuf| Ok((file.display().to_string(), text(&file)?));
    let folder = |path: &PathBuf| files(path)?.into_iter().map(named).collect();
    let folders: Result<Vec<_>, BadInput> = paths.iter().map(folder).collect();
    Ok(world_file::merge(folders?)?)
}

/// What the simulator saved beside the last of these worlds that has anything.
pub(crate) fn beside(paths: &[PathBuf]) -> Result<Beside, BadInput> {
    let mut last = Beside::default();
    // Standard input is read by now.
    let files = paths.iter().filter(|path| path.as_os_str() != "-").map(|path| files(path));
    for path in files.collect::<Result<Vec<_>, _>>()?.concat() {
        let broken = |error: serde_json::Error| {
            BadInput::World(LoadError::In {
                file: path.display().to_string(),
                error: Box::new(LoadError::NotJson(error.to_string())),
            })
        };
        let saved = serde_json::from_str(&text(&path)?).map_err(broken)?;
        let saved = Beside::of_saved(&saved).map_err(broken)?;
        if !saved.is_empty() {
            last = saved;
        }
    }
    Ok(last)
}

/// The file itself, or the JSON files of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, BadInput> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |reason| BadInput::Unreadable { path: path.to_owned(), reason };
    let entries = std::fs::read_dir(path).map_err(unreadable)?;
    let all: Result<Vec<PathBuf>, _> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = all.map_err(unreadable)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort_unstable();
    if files.is_empty() { Err(BadInput::EmptyFolder { path: path.to_owned() }) } else { Ok(files) }
}

/// The records of a file, each with the JSON it was read from; `-` is standard input.
pub(crate) fn records(path: &Path) -> Result<Vec<(Value, Evidence)>, BadInput> {
    let name = path.display().to_string();
    let records = guardrail::event::parse_with_source(&text(path)?)
        .map_err(|reason| BadInput::Event { name: name.clone(), reason })?;
    if records.is_empty() { Err(BadInput::NoRecord { name }) } else { Ok(records) }
}

fn text(path: &Path) -> Result<String, BadInput> {
    let unreadable = |reason| BadInput::Unreadable { path: path.to_owned(), reason };
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let text = String::from_utf8(bytes.map_err(unreadable)?)
        .map_err(|_| BadInput::NotUtf8 { path: path.to_owned() })?;
    // Windows marks UTF-8 so.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Refuses a file that could not be written in the end, before any work is done for it.
pub(crate) fn writable(path: &Path) -> Result<(), BadInput> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable = |reason| BadInput::Unwritable { path: path.to_owned(), reason };
    if path.is_dir() {
        return Err(unwritable(std::io::ErrorKind::IsADirectory.into()));
    }
    std::fs::metadata(folder).map_err(unwritable).map(|_| ())
}

/// Writes a file whole or not at all: first beside it, then in its place.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), BadInput> {
    let unwritable = |reason| BadInput::Unwritable { path: path.to_owned(), reason };
    let beside = path.with_extension("json.part");
    std::fs::write(&beside, text).map_err(unwritable)?;
    std::fs::rename(&beside, path).map_err(unwritable)
}
