//! What the machine gives to this process.

use std::num::NonZero;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The number of processors this process may use, control groups considered.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// A runtime for all asynchronous work of the process, with a thread per processor.
pub fn async_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores())
        .thread_name("pando")
        .enable_all()
        .build()
}

/// A runtime for one thread that serves by itself, sharing nothing with others.
pub fn async_runtime_of_one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Where the program `name` is: the first of the folders in `PATH` that has it.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| executable(path))
}

fn executable(path: &Path) -> bool {
    let data = path.metadata();
    data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// What this machine is called.
pub fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Raises the limit on open files to what the system allows, and returns it; `None` is no limit.
/// Each connection is an open file, and many systems start processes with a limit of 1,024.
pub fn raise_open_files_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn programs_are_found_in_the_folders_of_the_shell() {
        let shell = super::find_program("sh").unwrap();
        assert!(shell.is_absolute() && shell.ends_with("sh"), "{shell:?}");
        assert_eq!(super::find_program("no such program"), None);
    }

    #[test]
    fn there_is_at_least_one_core() {
        assert!(super::cores() >= 1);
    }

    #[test]
    fn the_limit_on_open_files_is_not_lowered() {
        let first = super::raise_open_files_limit();
        assert_eq!(super::raise_open_files_limit(), first);
        assert!(first.is_none_or(|files| files >= 64));
    }
}
