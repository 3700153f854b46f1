//! The local parts, installed and built: nothing but Python 3 and Rust has to be there.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where everything is.
#[derive(Debug)]
pub struct Parts {
    /// The Python that has the local parts.
    pub python: PathBuf,
    /// Where the functions' binaries are.
    pub built: PathBuf,
    /// A folder for what is made on the way.
    pub folder: PathBuf,
    /// The folder of each function's zip.
    pub(crate) zips: PathBuf,
}

/// The functions, by the names of their packages and of their folders in the template.
pub const FUNCTIONS: [&str; 3] = ["detect", "sweep", "repair"];

const NO_PYTHON: &str = "the tests of the whole pipeline need Python 3.10 or later, with its module venv, as `python3` on the PATH";

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The parts, installed and built once; other processes of tests wait for it.
pub fn parts() -> &'static Parts {
    static PARTS: OnceLock<Parts> = OnceLock::new();
    PARTS.get_or_init(|| {
        let built = built();
        let target = built.parent().unwrap();
        let folder = target.join("local-parts");
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let python = python(&folder, &repository().join("tests/local/requirements.txt"));
        build(target, &built, &[]);
        let zips = zip(&folder, &built, &python);
        Parts { python, built, folder, zips }
    })
}

/// Where the functions' binaries are, built once; nothing else has to be there.
pub fn functions() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let built = built();
        build(built.parent().unwrap(), &built, &[]);
        built
    };
    BUILT.get_or_init(build).clone()
}

/// `guardrail` with the commands that reach AWS, built once. It stands beside the one without them, which
/// other tests are about.
pub(crate) fn live_command() -> &'static Path {
    static COMMAND: OnceLock<PathBuf> = OnceLock::new();
    COMMAND.get_or_init(|| {
        let Parts { built, folder, .. } = parts();
        let target = built.parent().unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        build(target, built, &["--features", "guardrail-cli/live"]);
        let command = folder.join("guardrail-live");
        let _ = fs::remove_file(&command);
        fs::copy(built.join("guardrail"), &command).unwrap();
        build(target, built, &[]);
        command
    })
}

/// The folder of what this test or benchmark was built with: `target/debug/deps/<test>`, or
/// `target/release/<benchmark>`.
fn built() -> PathBuf {
    let test = env::current_exe().unwrap();
    let beside = test.parent().unwrap();
    let is_test = beside.ends_with("deps");
    if is_test { beside.parent().unwrap().to_owned() } else { beside.to_owned() }
}

/// The Python of an environment with what these requirements say, made anew when they changed;
/// other processes wait for it.
pub fn python(folder: &Path, wanted: &Path) -> PathBuf {
    let environment = folder.join("python");
    fs::create_dir_all(folder).unwrap();
    let lock = File::create(folder.join("python.lock")).unwrap();
    lock.lock().unwrap();
    let (python, installed) = (environment.join("bin/python"), environment.join("installed.txt"));
    if fs::read(&installed).ok() != Some(fs::read(wanted).unwrap()) {
        let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
        let found = Command::new("python3")
            .args(["-c", check])
            .output()
            .is_ok_and(|output| output.status.success());
        assert!(found, "{NO_PYTHON}");
        let _ = fs::remove_dir_all(&environment);
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--no-deps",
            ])
            .arg("--requirement")
            .arg(wanted));
        fs::copy(wanted, &installed).unwrap();
    }
    python
}

/// Builds every binary, with these arguments of cargo's besides. Testing one package alone does not build
/// the functions, and old ones would be worse than none.
fn build(target: &Path, built: &Path, also: &[&str]) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(repository())
        .args(["build", "--quiet", "--workspace", "--bins", "--target-dir"])
        .arg(target);
    if built.ends_with("release") {
        cargo.arg("--release");
    }
    cargo.args(also);
    run(&mut cargo);
}

/// Each function as a zip. What Lambda starts in it is a script that starts the function where it
/// was built: one with its debug symbols in a zip, for every stack of every test, would take most
/// of the tests' time.
fn zip(folder: &Path, built: &Path, python: &Path) -> PathBuf {
    let zips = folder.join("zips").join(built.file_name().unwrap());
    for function in FUNCTIONS {
        let at = zips.join(function);
        let (script, wanted) = (
            at.join("bootstrap"),
            format!("#!/bin/sh\nexec '{}'\n", built.join(function).display()),
        );
        if fs::read_to_string(&script).ok().as_ref() != Some(&wanted)
            || !at.join("code.zip").exists()
        {
            fs::create_dir_all(&at).unwrap();
            fs::write(&script, wanted).unwrap();
            run(Command::new("chmod").arg("755").arg(&script));
            run(Command::new(python).current_dir(&at).args([
                "-m",
                "zipfile",
                "-c",
                "code.zip",
                "bootstrap",
            ]));
        }
    }
    zips
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{said}", output.status);
}

/// SAM's transform of the template, intrinsic functions as they are.
pub fn translated_template() -> serde_json::Value {
    let script = repository().join(".ci/translate-template.py");
    let output = Command::new(&parts().python)
        .arg(script)
        .arg(repository().join("template.yaml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
