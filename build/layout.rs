//! Turns the tables of `abi/` into a list of macro calls, one for each row, for `src/abi/check.rs`.
//!
//! A row that Rust cannot express must be named in `NOT_IN_RUST`, with the reason; any other row that is not understood
//! stops the build.

use core::fmt::Write;
use std::collections::HashMap;
use std::path::Path;
use std::{env, fs};

/// Structs that begin with the fields of another one, which is an embedded field in Rust.
const HEADS: &[(&str, &str, &[&str])] = &[
    (
        "handle",
        "uv_handle_t",
        &[
            "uv_async_t",
            "uv_check_t",
            "uv_fs_event_t",
            "uv_fs_poll_t",
            "uv_idle_t",
            "uv_poll_t",
            "uv_prepare_t",
            "uv_process_t",
            "uv_signal_t",
            "uv_stream_t",
            "uv_timer_t",
            "uv_udp_t",
        ],
    ),
    ("stream", "uv_stream_t", &["uv_pipe_t", "uv_tcp_t", "uv_tty_t"]),
    (
        "req",
        "uv_req_t",
        &[
            "uv_connect_t",
            "uv_fs_t",
            "uv_getaddrinfo_t",
            "uv_getnameinfo_t",
            "uv_random_t",
            "uv_shutdown_t",
            "uv_udp_send_t",
            "uv_work_t",
            "uv_write_t",
        ],
    ),
];

/// Rows of `constants.tsv` without a Rust counterpart: (pattern, where `*` stands for anything; reason).
const NOT_IN_RUST: &[(&str, &str)] = &[
    ("HAVE_DIRENT_TYPES", "for the preprocessor"),
    ("UV_H", "include guard"),
    ("UV_*_H", "include guard"),
    ("UV_*_H_", "include guard"),
    ("UV_*_FIELDS", "declares fields; the layout tables check them"),
    ("UV_*_MAP(XX)", "a list for the preprocessor; its enumerators are checked"),
    ("UV_PRIVATE_REQ_TYPES", "declares nothing"),
    ("UV_PLATFORM_SEM_T", "a type; uv_sem_t is checked"),
    ("UV_EXTERN", "an attribute of C"),
    ("UV_DYNAMIC", "an attribute of C"),
    ("UV_ONCE_INIT", "an initialiser of C: pthread's"),
    ("UV__*", "private steps towards the UV_E* and UV_DIRENT_* enumerators, which are checked"),
    ("UV_FS_O_*", "the system's O_*, passed through"),
    ("UV_FS_UTIME_*", "floating point, NaN among them; tests/abi_layout.rs"),
    ("UV_IF_NAMESIZE", "an expression; tests/abi_layout.rs"),
    ("UV_MAXHOSTNAMESIZE", "an expression; tests/abi_layout.rs"),
    ("UV_LOOP_USE_IO_URING_SQPOLL", "defined as itself; the enumerator is checked"),
    ("UV_VERSION_*", "the table is of 1.52.2-dev, we offer 1.52.1; tests/abi_layout.rs"),
];

pub fn generate() {
    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let table = match (target("OS").as_str(), target("ARCH").as_str(), target("ENV").as_str()) {
        ("linux", "x86_64", "gnu") => "layout-x86_64.tsv",
        ("linux", "x86_64", "musl") => "layout-x86_64-musl.tsv",
        ("linux", "aarch64", "gnu") => "layout-aarch64.tsv",
        (os, arch, env) => {
            println!("cargo:warning=abi/ has no layout table for {arch}-{os}-{env}: layouts are not checked");
            ""
        }
    };
    let mut checks = String::new();
    if !table.is_empty() {
        layouts(&read(table), &mut checks);
    }
    constants(&read("constants.tsv"), &mut checks);
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("abi_checks.rs"), checks).expect("OUT_DIR can be written");
}

/// The rows of a table, without its heading.
fn read(table: &str) -> Vec<Vec<String>> {
    let path = Path::new("abi").join(table);
    println!("cargo:rerun-if-changed={}", path.display());
    println!("cargo:rerun-if-changed=build/layout.rs");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().skip(1).map(|line| line.split('\t').map(String::from).collect()).collect()
}

fn layouts(rows: &[Vec<String>], out: &mut String) {
    let mut fields: HashMap<&str, Vec<&str>> = HashMap::new();
    for row in rows.iter().filter(|row| row[0] == "field") {
        fields.entry(&row[1]).or_default().push(&row[2]);
    }
    let in_struct = |name: &str, field: &str| {
        let tag = format!("struct {}_s", name.trim_end_matches("_t"));
        fields.get(tag.as_str()).is_some_and(|all| all.contains(&field))
    };
    for row in rows {
        let [kind, c_type, field, size, at, note] = row.as_slice() else { panic!("six columns: {row:?}") };
        let name = rust_type(c_type);
        match kind.as_str() {
            "type" | "alias" => writeln!(out, "size!({name}, {size}, {at});"),
            "enum" if note.is_empty() => writeln!(out, "size!({name}, {size}, {at});"),
            "enum" => writeln!(out, "enumeration!({name}, {size}, {at}, {});", note == "signed"),
            "field" => {
                let mut path = String::new();
                let mut owner = name.as_str();
                let heads = |owner: &str| HEADS.iter().find(|(_, _, users)| users.contains(&owner));
                while let Some((embedded, head, _)) =
                    heads(owner).filter(|(_, head, _)| in_struct(head, field))
                {
                    path += &format!("{embedded}.");
                    owner = head;
                }
                let words: Vec<String> = field.split('.').map(rust_word).collect();
                writeln!(out, "field!({name}, {path}{}, {at}, {size});", words.join("."))
            }
            _ => panic!("unknown row {row:?}"),
        }
        .expect("writing to a String");
    }
}

fn constants(rows: &[Vec<String>], out: &mut String) {
    for row in rows {
        let [kind, _, name, value] = row.as_slice() else { panic!("four columns: {row:?}") };
        let excused = kind != "enumerator" && NOT_IN_RUST.iter().any(|(pattern, _)| matches(pattern, name));
        if !excused {
            writeln!(out, "constant!({name}, {value});").expect("writing to a String");
        }
    }
}

/// `struct uv_timer_s` is `uv_timer_t` in Rust; a struct without a typedef keeps its tag.
fn rust_type(c_type: &str) -> String {
    let name = c_type.trim_start_matches("struct ").trim_start_matches("union ").trim_start_matches("enum ");
    match name.strip_suffix("_s") {
        Some(stem) if name != "uv_cpu_times_s" => format!("{stem}_t"),
        _ => name.to_string(),
    }
}

fn rust_word(word: &str) -> String {
    let reserved = ["type", "loop", "async"].contains(&word);
    if reserved { format!("{word}_") } else { word.to_string() }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= pattern.len() - 1 && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}
