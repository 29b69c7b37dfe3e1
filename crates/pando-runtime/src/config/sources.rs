//! Where settings come from, and the memory of it.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// The file that is read when it exists and no other is named.
pub const FILE_NAME: &str = "pando.toml";

/// What prefixes the names of environment variables; table and key are parted by `__`.
pub(super) const ENV_PREFIX: &str = "PANDO_";

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// `line` counts from 1.
    File {
        path: PathBuf,
        line: usize,
    },
    Env {
        variable: String,
    },
    Flag {
        flag: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Env { variable } => write!(f, "environment {variable}"),
            Origin::Flag { flag } => write!(f, "flag {flag}"),
        }
    }
}

/// The origin of each key, by `table.key`. Keys that are missing have their default.
#[derive(Debug, Clone, Default)]
pub struct Origins(pub(super) BTreeMap<String, Origin>);

impl Origins {
    /// Where the value of `key` (`table.key`) was given.
    pub fn of(&self, key: &str) -> &Origin {
        self.0.get(key).unwrap_or(&Origin::Default)
    }
}

/// Everything that settings are read from, gathered once.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(super) file: Option<PathBuf>,
    pub(super) env: BTreeMap<String, String>,
    /// Key, flag, text; later ones win.
    pub(super) flags: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// The environment of this process, and `file`, or `PANDO_CONFIG`, or `pando.toml` in the
    /// working directory if that exists. Variables that are not UTF-8 are passed over.
    pub fn of_process(file: Option<PathBuf>) -> Sources {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = file.or_else(|| env.get("PANDO_CONFIG").map(PathBuf::from));
        let usual = || Some(PathBuf::from(FILE_NAME)).filter(|path| path.exists());
        Sources { file: named.or_else(usual), env, flags: Vec::new() }
    }

    /// For tests: no file, no environment.
    pub fn empty() -> Sources {
        Sources::default()
    }

    /// Reads `path` as the file. It is a problem if it cannot be read.
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Sources {
        self.file = Some(path.into());
        self
    }

    pub fn with_env(mut self, variable: &str, value: &str) -> Sources {
        self.env.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Sets `key` (`table.key`) from the command line, if `text` is given.
    pub fn flag(&mut self, key: &'static str, flag: &'static str, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.flags.push((key, flag, text.into()));
        }
    }

    /// An environment variable that a setting names.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    /// The file that is read, if any.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}
