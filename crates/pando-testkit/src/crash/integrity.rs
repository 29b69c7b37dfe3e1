//! Asks SQLite itself whether a database file is sound, with whichever program is installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

const PRAGMA: &str = "PRAGMA integrity_check";
const PYTHON: &str = "import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(row[0])";

/// Fails unless `PRAGMA integrity_check` answers `ok`.
pub fn check(database: &Path) -> Result<()> {
    let mut shell = Command::new("sqlite3");
    shell.arg(database).arg(PRAGMA);
    let mut python = Command::new("python3");
    python.args(["-c", PYTHON]).arg(database).arg(PRAGMA);
    for mut command in [shell, python] {
        // Not installed: try the other one.
        let Ok(output) = command.output() else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(text.trim() == "ok", "integrity check of {}: {text}{errors}", database.display());
        return Ok(());
    }
    bail!("neither sqlite3 nor python3 is installed\nhint: apt-get install sqlite3")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_broken_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broken.db");
        std::fs::write(&path, vec![7; 8192]).unwrap();
        assert!(super::check(&path).unwrap_err().to_string().contains("integrity check"));
    }
}
