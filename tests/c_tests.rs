//! Runs the C tests of c_tests/ as cases of their own: every test of every program in every variant of the library.
//!
//! The programs are built by `make c_tests`. `ours` runs on the shared library in UV_LIB_DIR, `static` has the library
//! linked in, `reference` runs the very same programs on the library in UV_REF_DIR. A test that cannot run here says
//! so with exit status 77; its reason is appended to UV_SKIPPED_FILE, because test runners count it as passed.

#![allow(clippy::disallowed_types, clippy::expect_used)] // the rules of the library, which this is not

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

const SKIPPED: i32 = 77;

struct Variant {
    name: &'static str,
    programs: PathBuf,
    /// The folder of the shared library; none for programs that carry the library in them.
    library: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Runners that start a process for each case name it; then only its program needs to be asked for its tests.
    let wanted = arguments.filter.as_deref().filter(|_| arguments.exact);
    let mut trials = Vec::new();
    for variant in variants() {
        trials.extend(trials_of(&variant, wanted));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn folder(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn variants() -> Vec<Variant> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = folder("UV_C_TESTS_DIR").unwrap_or_else(|| root.join("target/c_tests"));
    let mut name = shared.file_name().unwrap_or_default().to_owned();
    name.push("_static");
    let linked_in = shared.with_file_name(name);
    let ours = folder("UV_LIB_DIR").unwrap_or_else(|| root.join("out/lib"));

    let mut all = vec![
        Variant { name: "ours", programs: shared.clone(), library: Some(ours) },
        Variant { name: "static", programs: linked_in, library: None },
    ];
    match folder("UV_REF_DIR") {
        Some(reference) if reference.join("libuv.so.1").exists() => {
            all.push(Variant { name: "reference", programs: shared, library: Some(reference) });
        }
        _ => eprintln!("NOTE: no libuv.so.1 in UV_REF_DIR: the C tests do not run on the reference library"),
    }
    all
}

/// The tests of a variant; when it is not built, one that says so: a failure if the caller named the folder.
fn trials_of(variant: &Variant, wanted: Option<&str>) -> Vec<Trial> {
    let library = variant.library.as_deref().map(|folder| folder.join("libuv.so.1"));
    let missing = match &library {
        Some(library) if !library.exists() => Some(library.clone()),
        _ if !variant.programs.is_dir() => Some(variant.programs.clone()),
        _ => None,
    };
    if let Some(missing) = missing {
        let reason = format!("{} is not there: run `make c_tests`", missing.display());
        eprintln!("NOTE: {reason}");
        let wanted = folder("UV_C_TESTS_DIR").is_some();
        return vec![Trial::ignorable_test(format!("{}::built", variant.name), move || {
            if wanted { Err(reason.into()) } else { Ok(Completion::ignored_with(reason)) }
        })];
    }
    let mut programs: Vec<PathBuf> = fs::read_dir(&variant.programs)
        .expect("the folder of the C tests is readable")
        .map(|entry| entry.expect("the folder of the C tests is readable").path())
        .filter(|path| path.is_file() && path.extension().is_none())
        .collect();
    programs.sort();
    programs.iter().flat_map(|program| trials_in(variant, program, wanted)).collect()
}

fn command(program: &Path, library: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    if let Some(library) = library {
        command.env("LD_LIBRARY_PATH", library).env("UV_TEST_LIBRARY", library);
    }
    command
}

fn trials_in(variant: &Variant, program: &Path, wanted: Option<&str>) -> Vec<Trial> {
    let subject = program.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{}::{subject}::", variant.name);
    if wanted.is_some_and(|name| !name.starts_with(&prefix)) {
        return Vec::new();
    }
    let listing = match command(program, variant.library.as_deref()).arg("--list").output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => return vec![broken(prefix, String::from_utf8_lossy(&output.stderr).into_owned())],
        Err(error) => return vec![broken(prefix, error.to_string())],
    };
    let trial = |test: &str| {
        let name = format!("{prefix}{test}");
        let (test, program, library) = (test.to_owned(), program.to_owned(), variant.library.clone());
        Trial::ignorable_test(name.clone(), move || run(&name, &program, library.as_deref(), &test))
    };
    listing.lines().map(trial).collect()
}

fn broken(prefix: String, reason: String) -> Trial {
    Trial::test(format!("{prefix}starts"), move || Err(reason.into()))
}

fn run(name: &str, program: &Path, library: Option<&Path>, test: &str) -> Result<Completion, Failed> {
    let output = command(program, library).arg(test).output()?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Ok(Completion::Completed),
        Some(SKIPPED) => {
            let reason = text.lines().last().unwrap_or_default().to_owned();
            if let Some(path) = folder("UV_SKIPPED_FILE") {
                let mut file = OpenOptions::new().create(true).append(true).open(path)?;
                file.write_all(format!("{name}: {reason}\n").as_bytes())?;
            }
            Ok(Completion::ignored_with(reason))
        }
        _ => Err(format!("{} {test}: {}\n{text}", program.display(), output.status).into()),
    }
}
