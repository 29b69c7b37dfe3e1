//! The command line: PocketBase's commands and flags, spelled as there, and our own.
//!
//! Source: PocketBase `pocketbase.go`, `cmd/serve.go`, `cmd/superuser.go`, `examples/base/main.go`.

mod files;
mod lab;

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
pub(crate) use files::{MoveFiles, Place};
pub(crate) use lab::{LabAction, LabAdd, LabLoad, LabLogs, LabUp};
use pando_runtime::config::{Setting, Sources};

use crate::balancer_command::Floating;

/// Our version, and that of the PocketBase whose API this program speaks.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (API of PocketBase 0.40.6)");

const EXAMPLES: &str = "\
First steps:
  pando superuser upsert me@example.com a-good-password
  pando serve                        # API at http://127.0.0.1:8090/api/

More:
  pando serve --http 0.0.0.0:80      # reachable from other machines
  pando serve --dir pb_data          # opens PocketBase's data directory in place
  pando config show --origin         # every setting, and where it comes from

Settings come from defaults < pando.toml < environment (PANDO_WEB__HTTP=…) < flags.";

const SERVE_EXAMPLES: &str = "\
Examples:
  pando serve
  pando serve --http 0.0.0.0:8090 --dir /var/lib/pando
  pando serve --https 0.0.0.0:443 --config pando.toml   # with web.tls_cert and web.tls_key
  pando serve --origins https://app.example.com,https://admin.example.com

The static site in ./pando_public, if there is one, is served at /. SIGTERM stops the server once
the requests that run are answered.";

const BALANCER_EXAMPLES: &str = "\
Examples:
  pando balancer --upstream 10.0.0.5:8090 --upstream 10.0.0.6:8090
  pando balancer --http :80 --https :443          # certificates from balancer.tls_dir
  pando balancer status                           # of the one that runs here
  pando balancer drain 10.0.0.5:8090              # gives it no more requests

Web servers with web.balancers set announce themselves; they need not be named. SIGHUP reads the
configuration again, SIGTERM stops once the requests that run are answered.";

const MOVE_EXAMPLES: &str = "\
Examples:
  pando move database --to postgres://pando:secret@db.example.com/pando --dry-run
  pando move database --to postgres://pando:secret@db.example.com/pando
  pando move database --status
  pando move database --undo

The server goes on serving; writes are held for some milliseconds at the end. A move that was
interrupted goes on when the same command is given again. For 24 hours it can be undone. Files
stay where they are: `pando move files`.";

/// A complete application backend in one program.
///
/// Collections with rules, users, files and realtime over HTTP: the API of PocketBase, whose
/// clients and data directories work unchanged.
#[derive(Debug, Parser)]
#[command(
    name = "pando",
    after_help = EXAMPLES,
    disable_version_flag = true,
    propagate_version = true,
    disable_help_subcommand = true,
    subcommand_required = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: GlobalFlags,
    /// PocketBase takes the flags of `serve` before it too.
    #[command(flatten)]
    early: ServeFlags,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the web server (default to 127.0.0.1:8090 if no domain is specified)
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Starts the load balancer, in front of several web servers
    #[command(after_help = BALANCER_EXAMPLES, args_conflicts_with_subcommands = true)]
    Balancer(BalancerArgs),
    /// Manage superusers
    #[command(subcommand)]
    Superuser(SuperuserAction),
    /// Moves a part of the application to where it can grow
    #[command(subcommand)]
    Move(MoveAction),
    /// Starts any rung on this machine, loads it, and breaks it on purpose
    #[command(subcommand)]
    Lab(LabAction),
    /// Checks or shows the configuration
    #[command(subcommand)]
    Config(ConfigAction),
    /// Prints the version
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The host names of the server; with them it listens on ports 80 and 443
    pub domains: Vec<String>,
    #[command(flatten)]
    flags: ServeFlags,
}

#[derive(Debug, Args)]
pub(crate) struct BalancerArgs {
    #[command(subcommand)]
    pub action: Option<BalancerAction>,
    /// TCP address to listen for HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// TCP address to listen for HTTPS [default: no HTTPS]
    #[arg(long, value_name = "ADDRESS")]
    https: Option<String>,
    /// A web server, HOST:PORT or https://HOST:PORT; give it for each
    #[arg(long = "upstream", value_name = "ADDRESS")]
    upstreams: Vec<String>,
    /// Takes over the listeners of the balancer that runs here, which then stops
    #[arg(long)]
    pub replace: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BalancerAction {
    /// Shows the upstreams and what the balancer thinks of them
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Gives an upstream no more requests, until it announces itself again
    Drain {
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Ends with 0 if new connections should come to the balancer that runs here, else with 1
    Ready,
    /// Prints a configuration of keepalived with which two balancers share addresses
    #[command(after_help = KEEPALIVED_EXAMPLES)]
    Keepalived(KeepalivedArgs),
}

const KEEPALIVED_EXAMPLES: &str = "\
Examples, on each of the two machines with its own number:
  pando balancer keepalived --number 1 --interface eth0 --address 10.0.0.100/24 \\
    --peer 10.0.0.3 > /etc/keepalived/keepalived.conf

One address: balancer 1 has it, and balancer 2 while 1 is not ready. Two addresses: each has its own,
and both while the other is not ready; name both to clients. The balancers must listen on all
interfaces (balancer.http = \":80\"). Settings by the environment are not seen by keepalived's check.";

#[derive(Debug, Args)]
pub(crate) struct KeepalivedArgs {
    /// Which of the two this one is
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub number: u8,
    /// The network interface of the addresses
    #[arg(long, value_name = "NAME", value_parser = interface)]
    pub interface: String,
    /// An address that clients know, with its network: 10.0.0.100/24; give it for each
    #[arg(long = "address", value_name = "ADDRESS", required = true, value_parser = Floating::parse)]
    pub addresses: Vec<Floating>,
    /// The other balancer's own address, for networks without multicast
    #[arg(long, value_name = "ADDRESS")]
    pub peer: Option<std::net::IpAddr>,
    /// The first number of VRRP's; no other router in the network may have it, or those after it
    #[arg(long, value_name = "NUMBER", default_value_t = 51, value_parser = clap::value_parser!(u8).range(1..))]
    pub router_id: u8,
}

/// A name that the system could give to an interface, and that keepalived reads as one word.
fn interface(text: &str) -> Result<String, String> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
    match (1..16).contains(&text.len()) && text.bytes().all(sound) {
        true => Ok(text.to_owned()),
        false => Err("must be the name of a network interface, such as eth0".to_owned()),
    }
}

#[derive(Debug, Args)]
struct ServeFlags {
    /// TCP address to listen for the HTTP server
    /// (if domain args are specified - default to 0.0.0.0:80, otherwise - default to 127.0.0.1:8090)
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// TCP address to listen for the HTTPS server
    /// (if domain args are specified - default to 0.0.0.0:443, otherwise - no HTTPS).
    /// The incoming HTTP traffic is then redirected to HTTPS
    #[arg(long, value_name = "ADDRESS")]
    https: Option<String>,
    /// CORS allowed domain origins list [default: *]
    #[arg(long, value_name = "ORIGINS")]
    origins: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalFlags {
    /// The configuration file [default: pando.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory [default: pando_data], or the folder of a lab [default: pando_lab]
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<String>,
    /// The directory to serve static files [default: pando_public]
    #[arg(long = "publicDir", global = true, value_name = "DIR")]
    public_dir: Option<String>,
    /// Fallback the request to index.html on missing static path, e.g. when pretty urls are used
    /// with SPA [default: true]
    #[arg(long = "indexFallback", global = true, value_name = "BOOL", value_parser = go_bool,
        num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    index_fallback: Option<bool>,
    /// The env variable whose value of 32 characters will be used as encryption key for the app
    /// settings
    #[arg(long = "encryptionEnv", global = true, value_name = "NAME")]
    encryption_env: Option<String>,
    /// The default SELECT queries timeout in seconds [default: 30]
    #[arg(long = "queryTimeout", global = true, value_name = "SECONDS")]
    query_timeout: Option<u32>,
    /// Enable dev mode: detailed, readable log lines, one for each request too
    #[arg(long, global = true, value_name = "BOOL", value_parser = go_bool,
        num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    dev: Option<bool>,
    /// Prints the version
    #[arg(short = 'v', long, global = true, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(flatten)]
    foreign: ForeignFlags,
}

/// PocketBase's flags for what Pando does not have. Refusing them by name says more than "unknown".
#[derive(Debug, Args)]
struct ForeignFlags {
    #[arg(long = "hooksDir", global = true, hide = true)]
    hooks_dir: Option<String>,
    #[arg(long = "hooksPool", global = true, hide = true)]
    hooks_pool: Option<String>,
    #[arg(long = "hooksWatch", global = true, hide = true, num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    hooks_watch: Option<String>,
    #[arg(long = "migrationsDir", global = true, hide = true)]
    migrations_dir: Option<String>,
    #[arg(long, global = true, hide = true, num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    automigrate: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuperuserAction {
    /// Creates a new superuser
    #[command(
        override_usage = "pando superuser create EMAIL PASSWORD",
        after_help = "Example:\n  pando superuser create test@example.com 1234567890"
    )]
    Create(Words),
    /// Creates, or updates if email exists, a single superuser
    #[command(
        override_usage = "pando superuser upsert EMAIL PASSWORD",
        after_help = "Example:\n  pando superuser upsert test@example.com 1234567890"
    )]
    Upsert(Words),
    /// Changes the password of a single superuser
    #[command(
        override_usage = "pando superuser update EMAIL PASSWORD",
        after_help = "Example:\n  pando superuser update test@example.com 1234567890"
    )]
    Update(Words),
    /// Deletes an existing superuser
    #[command(
        override_usage = "pando superuser delete EMAIL",
        after_help = "Example:\n  pando superuser delete test@example.com"
    )]
    Delete(Words),
    /// Creates a new OTP for the specified superuser
    #[command(
        override_usage = "pando superuser otp EMAIL",
        after_help = "Example:\n  pando superuser otp test@example.com"
    )]
    Otp(Words),
}

/// Counted and judged by the command, which answers as PocketBase does.
#[derive(Debug, Args)]
pub(crate) struct Words {
    #[arg(hide = true)]
    pub words: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MoveAction {
    /// Moves the records from SQLite to PostgreSQL, while the server runs
    #[command(after_help = MOVE_EXAMPLES)]
    Database(MoveDatabase),
    /// Moves the files of records to a bucket (S3) or back, while the server runs
    #[command(after_help = files::EXAMPLES)]
    Files(MoveFiles),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["to", "undo", "finish", "status"]))]
pub(crate) struct MoveDatabase {
    /// An empty database on PostgreSQL 15 or later: postgres://user:password@host:port/name
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Only says what would move, how long it takes, and what cannot be moved
    #[arg(long, requires = "to")]
    pub dry_run: bool,
    /// Does not ask
    #[arg(long, requires = "to")]
    pub yes: bool,
    /// Moves back, with all that was written meanwhile; or gives up a move that is not over
    #[arg(long)]
    pub undo: bool,
    /// Ends the time in which the move can be undone
    #[arg(long)]
    pub finish: bool,
    /// Says where the records are
    #[arg(long)]
    pub status: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Tells all that is wrong with the configuration (exit code 78 if anything is)
    Check,
    /// Prints the effective configuration as a pando.toml; secrets are hidden
    Show {
        /// Say where each value was given
        #[arg(long)]
        origin: bool,
    },
    /// Prints the reference of all keys, in Markdown
    #[command(hide = true)]
    Reference,
}

impl Cli {
    /// Reads a command line. Asking for help or the version is an `Err` too, without `use_stderr`.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let mut args: Vec<OsString> = args.into_iter().collect();
        if args.len() <= 1 {
            // As PocketBase: the bare program explains itself.
            args = vec!["pando".into(), "-h".into()];
        }
        let mut command = Cli::command().version(VERSION);
        for early in ["http", "https", "origins"] {
            command = command.mut_arg(early, |arg| arg.hide(true));
        }
        let cli = Cli::from_arg_matches(&command.clone().try_get_matches_from(args)?)?;
        cli.check().map_err(|message| {
            clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, message + "\n")
                .with_cmd(&command)
        })?;
        Ok(cli)
    }

    fn check(&self) -> Result<(), String> {
        let ForeignFlags { hooks_dir, migrations_dir, .. } = &self.global.foreign;
        if hooks_dir.is_some() || migrations_dir.is_some() {
            return Err("JavaScript hooks and migrations (--hooksDir, --migrationsDir) exist in \
                        PocketBase only\nhint: leave the flag out; Pando's own tables are \
                        migrated by themselves"
                .to_owned());
        }
        let ServeFlags { http, https, origins } = &self.early;
        let early = http.is_some() || https.is_some() || !origins.is_empty();
        match self.command {
            Command::Serve(_) => Ok(()),
            _ if early => Err("--http, --https and --origins belong to `pando serve`".to_owned()),
            _ => Ok(()),
        }
    }

    /// File and environment of the process, and the flags of this command line.
    pub(crate) fn sources(&self) -> Sources {
        let mut sources = Sources::of_process(self.global.config.clone());
        self.add_flags(&mut sources);
        sources
    }

    pub(crate) fn add_flags(&self, sources: &mut Sources) {
        let global = &self.global;
        let text = |flag: Option<bool>| flag.map(|on| on.to_string());
        sources.flag("store.dir", "--dir", global.dir.clone());
        sources.flag("store.encryption_env", "--encryptionEnv", global.encryption_env.clone());
        let seconds = global.query_timeout.map(|seconds| seconds.to_string());
        sources.flag("store.query_timeout", "--queryTimeout", seconds);
        sources.flag("web.public_dir", "--publicDir", global.public_dir.clone());
        sources.flag("web.index_fallback", "--indexFallback", text(global.index_fallback));
        if global.dev == Some(true) {
            sources.flag("log.level", "--dev", Some("debug"));
            sources.flag("log.format", "--dev", Some("pretty"));
            sources.flag("log.access", "--dev", Some("true"));
        }
        self.early.add_to(sources);
        if let Command::Serve(serve) = &self.command {
            serve.flags.add_to(sources);
            let domains = Some(serve.domains.join(",")).filter(|text| !text.is_empty());
            sources.flag("web.domains", "serve DOMAIN", domains);
        }
        if let Command::Balancer(balancer) = &self.command {
            sources.flag("balancer.http", "--http", balancer.http.clone());
            sources.flag("balancer.https", "--https", balancer.https.clone());
            let upstreams = Some(balancer.upstreams.join(",")).filter(|text| !text.is_empty());
            sources.flag("balancer.upstreams", "--upstream", upstreams);
        }
    }
}

impl ServeFlags {
    fn add_to(&self, sources: &mut Sources) {
        // PocketBase takes an empty address for its default.
        let given = |flag: &Option<String>| flag.clone().filter(|text| !text.is_empty());
        sources.flag("web.http", "--http", given(&self.http));
        sources.flag("web.https", "--https", given(&self.https));
        let origins = Some(self.origins.join(",")).filter(|text| !text.is_empty());
        sources.flag("web.origins", "--origins", origins);
    }
}

/// What `pando version` prints.
pub(crate) fn version() -> String {
    format!("pando {VERSION}")
}

fn go_bool(text: &str) -> Result<bool, String> {
    bool::from_text(text).ok_or_else(|| format!("must be {}", bool::EXPECTS))
}

#[cfg(test)]
mod tests;
