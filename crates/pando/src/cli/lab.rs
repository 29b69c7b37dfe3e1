//! The command line of `pando lab`.

use std::{num::NonZero, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use pando_lab::load::Mix;
use pando_runtime::config::{Seconds, Setting as _};

const UP_EXAMPLES: &str = "\
Examples:
  pando lab up --rung 3                 # PostgreSQL, three web servers, a balancer, on free ports
  pando lab up --rung 3 --install       # as root: installs the packages that are missing, too
  pando lab up --rung 3 --nats          # the same with NATS between the web servers
  pando lab up --rung 3 --isolate       # as root: a network for each node, so that `cut` works

It runs until Ctrl-C or `pando lab down`; data and logs stay in the folder, and the next start goes
on with them. Meanwhile, in another terminal:
  pando lab load --for 60s              # clients that record everything; at the end a verdict
  pando lab kill web-2                  # and start, stop, freeze, thaw, cut, heal, add
  pando lab logs web-2 --follow";

const LOAD_EXAMPLES: &str = "\
Examples:
  pando lab load --for 60s
  pando lab load --clients 64 --rate 500 --mix view=50,create=20,update=20,delete=10
  pando lab load --for 30s & sleep 10; pando lab kill web-2; pando lab start web-2; wait

Each second it prints rate, latency and errors. At the end it says whether an acknowledged write was
lost, one was done twice, something stale was read, or an event was missed. Exit code 1 if so.";

#[derive(Debug, Subcommand)]
pub(crate) enum LabAction {
    /// Starts all nodes of a rung, shows how they are, and stops them at Ctrl-C
    #[command(after_help = UP_EXAMPLES)]
    Up(LabUp),
    /// Stops the lab, also what is left of one that was killed; data and logs stay
    Down,
    /// Shows how the nodes are
    Status {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Starts a node that was stopped or killed
    Start(LabNode),
    /// Stops a node in order: a web server answers what it has begun
    Stop(LabNode),
    /// Kills all processes of a node (SIGKILL), as a crash of its machine would
    Kill(LabNode),
    /// Holds a node up (SIGSTOP): its connections stay open and nothing answers
    Freeze(LabNode),
    /// Lets a frozen node go on
    Thaw(LabNode),
    /// Loses everything between a node and the others; needs a lab with --isolate
    Cut {
        /// As `pando lab status` calls it
        node: String,
        /// Only between it and that node, or `clients`: this machine [default: all other nodes]
        #[arg(long, value_name = "NODE")]
        from: Option<String>,
    },
    /// Undoes cuts
    Heal {
        /// Only those of this node [default: all]
        node: Option<String>,
        /// Only those between it and that node, or `clients`
        #[arg(long, value_name = "NODE")]
        from: Option<String>,
    },
    /// Adds a node and starts it
    Add {
        #[arg(value_enum)]
        what: LabAdd,
    },
    /// Shows what nodes have printed
    Logs(LabLogs),
    /// Sends requests, shows rate, latency and errors, and judges what the clients saw
    #[command(after_help = LOAD_EXAMPLES)]
    Load(LabLoad),
    /// Waits for the end of the lab that started it
    #[command(hide = true)]
    Guard,
}

#[derive(Debug, Args)]
pub(crate) struct LabUp {
    /// 1: one server on SQLite, 2: PostgreSQL, 3: a load balancer and several web servers
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3))]
    pub rung: u32,
    /// How many web servers [default: 1, from rung 3 on 3]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub web: Option<u32>,
    /// NATS brings what web servers tell each other, instead of the database
    #[arg(long)]
    pub nats: bool,
    /// How many load balancers; without one, clients speak to the web servers [default: from rung 3
    /// on 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=8))]
    pub balancers: Option<u32>,
    /// Gives each node a network of its own, so that `pando lab cut` works; needs root
    #[arg(long)]
    pub isolate: bool,
    /// Deletes the data of the lab that was in the folder before
    #[arg(long)]
    pub fresh: bool,
    /// Installs missing Debian packages; needs root
    #[arg(long)]
    pub install: bool,
    /// Databases do not sync to the disk: quicker, and safe as long as the machine stays on
    #[arg(long)]
    pub no_sync: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LabNode {
    /// As `pando lab status` calls it
    pub node: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabAdd {
    /// A web server
    Web,
}

#[derive(Debug, Args)]
pub(crate) struct LabLogs {
    /// As `pando lab status` calls it [default: all]
    pub node: Option<String>,
    /// Goes on until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// How many lines of each node to begin with
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    pub lines: usize,
}

#[derive(Debug, Args)]
pub(crate) struct LabLoad {
    /// How long, such as 30s or 5min [default: until Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Clients that send requests, each one after the other
    #[arg(long, value_name = "COUNT", default_value = "16")]
    pub clients: NonZero<u16>,
    /// Clients that listen to realtime events
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    pub subscribers: u16,
    /// Requests per second of all clients together [default: as fast as they are answered]
    #[arg(long, value_name = "COUNT")]
    pub rate: Option<NonZero<u32>>,
    /// How often they do what, by weight: view, list, create, update, delete, increment, login
    /// [default: view=50,list=8,create=10,update=20,delete=6,increment=5,login=1]
    #[arg(long, value_parser = mix)]
    pub mix: Option<Mix>,
    /// How long a client waits for an answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub deadline: Duration,
    /// Each client stays with one server instead of a random one for each request
    #[arg(long)]
    pub pinned: bool,
    /// Other draws
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

fn duration(text: &str) -> Result<Duration, String> {
    let read = Seconds::from_text(text).map(Seconds::duration);
    read.ok_or_else(|| format!("must be {}", Seconds::EXPECTS))
}

fn mix(text: &str) -> Result<Mix, String> {
    Mix::parse(text).map_err(|error| format!("{error:#}"))
}
