//! The program `sendmail` of this machine.
//!
//! Source: PocketBase `tools/mailer/sendmail.go`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use pando_runtime::host::find_program;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::MailError;

/// Where it is looked for, before the folders that the shell looks in.
const FILES: [&str; 2] = ["/usr/sbin/sendmail", "/usr/bin/sendmail"];

/// Hands a whole message over; the addresses stand in its headers.
pub(super) async fn send(message: &[u8]) -> Result<(), MailError> {
    let file = FILES.iter().map(PathBuf::from).find(|file| file.is_file());
    let file = file.or_else(|| find_program("sendmail")).ok_or(MailError::NoSendmail)?;
    send_by(&file, message).await
}

async fn send_by(program: &Path, message: &[u8]) -> Result<(), MailError> {
    let mut child = Command::new(program)
        .args(["-i", "-t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => MailError::NoSendmail,
            _ => MailError::Sendmail(error),
        })?;
    if let Some(mut input) = child.stdin.take() {
        // Line ends as programs on this machine expect them.
        let text = String::from_utf8_lossy(message).replace("\r\n", "\n");
        input.write_all(text.as_bytes()).await.map_err(MailError::Sendmail)?;
    }
    let status = child.wait().await.map_err(MailError::Sendmail)?;
    if status.success() { Ok(()) } else { Err(MailError::Refused(status)) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Runs `script` as the program; returns the outcome and what it wrote into the file `out`.
    async fn outcome(script: &str) -> (Result<(), MailError>, String) {
        let dir = tempfile::tempdir().unwrap();
        let (program, out) = (dir.path().join("sendmail"), dir.path().join("out"));
        let script = format!("#!/bin/sh\nout={}\n{script}\n", out.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
        let outcome = send_by(&program, b"To: a@b.co\r\n\r\nHi\r\n").await;
        (outcome, std::fs::read_to_string(out).unwrap_or_default())
    }

    #[tokio::test]
    async fn it_gets_options_and_message() {
        let (outcome, out) = outcome(r#"{ echo "$@"; cat; } > "$out""#).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(out, "-i -t\nTo: a@b.co\n\nHi\n");
    }

    #[tokio::test]
    async fn its_failures_are_ours() {
        let (outcome, _) = outcome("cat > /dev/null; exit 75").await;
        assert!(matches!(outcome, Err(MailError::Refused(status)) if status.code() == Some(75)));
        let missing = send_by(Path::new("/no/such/sendmail"), b"").await;
        assert!(matches!(missing, Err(MailError::NoSendmail)));
    }
}
