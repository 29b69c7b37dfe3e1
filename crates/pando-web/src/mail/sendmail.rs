//! The program `sendmail` of this machine.
//!
//! Source: PocketBase `tools/mailer/sendmail.go`.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::MailError;

/// Where it is looked for before the search path.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/bin"];

/// Hands a whole message over; the addresses stand in its headers.
pub(super) async fn send(message: &[u8]) -> Result<(), MailError> {
    let program = find().ok_or(MailError::NoSendmail)?;
    let mut child = Command::new(program)
        .args(["-i", "-t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(MailError::Sendmail)?;
    if let Some(mut input) = child.stdin.take() {
        // Line ends as programs on this machine expect them.
        let text = String::from_utf8_lossy(message).replace("\r\n", "\n");
        input.write_all(text.as_bytes()).await.map_err(MailError::Sendmail)?;
    }
    let status = child.wait().await.map_err(MailError::Sendmail)?;
    if status.success() { Ok(()) } else { Err(MailError::Refused(status)) }
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = FOLDERS.iter().map(PathBuf::from).chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join("sendmail")).find(|file| file.is_file())
}
