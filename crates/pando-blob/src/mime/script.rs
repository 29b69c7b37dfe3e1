//! Checks of programs by the interpreter that their first line names.

use super::Head;
use super::scan::{Scan, is_space};

/// The interpreter may be followed by anything (`python3.11`).
const ANY_END: bool = false;
/// The interpreter must be the whole word.
const WHOLE_WORD: bool = true;

pub(super) fn php(head: Head<'_>) -> bool {
    let starts: [&[u8]; 4] = [b"<?PHP", b"<?\n", b"<?\r", b"<? "];
    let page = starts.iter().any(|start| {
        head.bytes.len() > start.len() && super::scan::starts_with_any_case(head.bytes, start)
    });
    page || run_by(head, &["/usr/local/bin/", "/usr/bin/", ENV], &["php"], ANY_END)
}

pub(super) fn javascript(head: Head<'_>) -> bool {
    run_by(head, &["/bin/", "/usr/bin/", ENV], &["node"], ANY_END)
}

pub(super) fn lua(head: Head<'_>) -> bool {
    run_by(head, &["/usr/bin/", "/usr/local/bin/", ENV], &["lua"], WHOLE_WORD)
}

pub(super) fn perl(head: Head<'_>) -> bool {
    run_by(head, &["/usr/bin/", ENV], &["perl"], WHOLE_WORD)
}

pub(super) fn python(head: Head<'_>) -> bool {
    run_by(head, &["/usr/bin/", "/usr/local/bin/", ENV], &["python"], ANY_END)
}

pub(super) fn ruby(head: Head<'_>) -> bool {
    run_by(head, &["/usr/bin/", "/usr/local/bin/", ENV], &["ruby"], ANY_END)
}

pub(super) fn tcl(head: Head<'_>) -> bool {
    run_by(head, &["/usr/bin/", "/usr/local/bin/", ENV], &["tcl", "wish"], ANY_END)
}

pub(super) fn shell(head: Head<'_>) -> bool {
    run_by(head, &["/bin/"], &["sh", "bash", "csh", "dash", "ksh", "tcsh", "zsh"], WHOLE_WORD)
        || run_by(head, &["/usr/local/bin/", ENV], SHELLS, WHOLE_WORD)
}

const SHELLS: &[&str] = &["bash", "csh", "dash", "ksh", "tcsh", "zsh"];
/// Stands for `/usr/bin/env NAME` and `/usr/bin/env -S NAME`.
const ENV: &str = "env";

fn run_by(head: Head<'_>, folders: &[&str], names: &[&str], whole_word: bool) -> bool {
    let Some(rest) = head.bytes.strip_prefix(b"#!") else { return false };
    let line = Scan(rest).line().trim_ascii_start();
    folders.iter().any(|folder| {
        let rest = match *folder {
            ENV => after_env(line),
            folder => line.strip_prefix(folder.as_bytes()),
        };
        rest.is_some_and(|rest| {
            names
                .iter()
                .filter_map(|name| rest.strip_prefix(name.as_bytes()))
                .any(|after| !whole_word || after.first().is_none_or(|byte| is_space(*byte)))
        })
    })
}

/// What follows `/usr/bin/env`, a `-S` left out.
fn after_env(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"/usr/bin/env")?;
    let name = rest.trim_ascii_start();
    if name.len() == rest.len() {
        return None;
    }
    match name.strip_prefix(b"-S") {
        Some(rest) if rest.first().is_some_and(|byte| is_space(*byte)) => {
            Some(rest.trim_ascii_start())
        }
        _ => Some(name),
    }
}
