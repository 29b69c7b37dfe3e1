//! The words of `pando move files`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

pub(super) const EXAMPLES: &str = "\
Examples:
  export PANDO_S3_SECRET=…
  pando move files --to s3 --bucket files --endpoint https://s3.example.com --region eu-west-1 \\
    --access-key KEY --dry-run
  pando move files --to s3      # to the bucket that the settings name, if it is not enabled yet
  pando move files --to folder  # back
  pando move files --status

The server goes on serving and taking uploads; no file is missing at any moment. A move that was
interrupted goes on when the same command is given again.";

/// Where files can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// The folder: files.dir, or storage in the data directory
    Folder,
    /// A bucket of an object store with Amazon's S3 protocol
    S3,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("files_what").required(true).args(["to", "undo", "finish", "status"]))]
pub(crate) struct MoveFiles {
    /// Where the files shall be
    #[arg(long, value_name = "PLACE")]
    pub to: Option<Place>,
    /// The name of the bucket [default: what the settings say, as for what follows]
    #[arg(long, requires = "to", value_name = "NAME")]
    pub bucket: Option<String>,
    /// The server of the bucket: `https://s3.example.com`
    #[arg(long, requires = "to", value_name = "URL")]
    pub endpoint: Option<String>,
    /// The region of the bucket
    #[arg(long, requires = "to", value_name = "REGION")]
    pub region: Option<String>,
    /// Whose rights are used. The secret comes from the variable PANDO_S3_SECRET, or from a file
    #[arg(long, requires = "to", value_name = "KEY")]
    pub access_key: Option<String>,
    /// A file with the secret
    #[arg(long, requires = "to", value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Names the bucket in the path of URLs and not in the host
    #[arg(long, requires = "to")]
    pub path_style: bool,
    /// Only says what would move, how long it takes, and what is in the way
    #[arg(long, requires = "to")]
    pub dry_run: bool,
    /// Does not ask
    #[arg(long, requires = "to")]
    pub yes: bool,
    /// Gives up a move that is not over; moves back one that is
    #[arg(long)]
    pub undo: bool,
    /// Ends the time in which files are looked for in their old place, too
    #[arg(long)]
    pub finish: bool,
    /// Says where the files are
    #[arg(long)]
    pub status: bool,
}
