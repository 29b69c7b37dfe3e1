//! A bucket on this machine: an S3 server that keeps objects in a folder and checks signatures.
//!
//! It is made of the crates `s3s` and `s3s-fs`, which share no code with Pando's own client. For
//! tests and the lab only: it answers in plain HTTP, does not wait for the disk, and takes keys of
//! up to about 140 bytes.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Serves a bucket over a folder, in path style: http://ADDRESS/BUCKET/KEY.
#[derive(Debug, Parser)]
#[command(name = "pando-bucket", version)]
struct Cli {
    /// The folder that holds buckets, each a folder in it
    #[arg(long)]
    dir: PathBuf,
    /// A bucket that is made if it is missing
    #[arg(long, default_value = "files")]
    bucket: String,
    /// The address to listen on; port 0 takes a free one, which is printed
    #[arg(long, default_value = "127.0.0.1:0")]
    http: SocketAddr,
    #[arg(long, default_value = "pando")]
    access_key: String,
    #[arg(long, default_value = "pando-secret")]
    secret: String,
    /// End when the standard input does, and so with the process at its other end
    #[arg(long)]
    until_input_ends: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.until_input_ends {
        std::thread::spawn(|| {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
            std::process::exit(0);
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(cli))
}

async fn serve(cli: Cli) -> anyhow::Result<()> {
    std::fs::create_dir_all(cli.dir.join(&cli.bucket)).context("failed to make the bucket")?;
    let folder = FileSystem::new(&cli.dir).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(folder);
    builder.set_auth(SimpleAuth::from_single(cli.access_key, cli.secret));
    let service = builder.build();
    let listener = TcpListener::bind(cli.http).await;
    let listener = listener.with_context(|| format!("failed to listen on {}", cli.http))?;
    announce(&format!("http://{}", listener.local_addr()?))?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.context("failed to accept a connection")?;
        // Else heads and bodies of answers wait for each other.
        stream.set_nodelay(true).context("failed to set up a connection")?;
        connections.spawn(answer(stream, service.clone()));
        while connections.try_join_next().is_some() {}
    }
}

#[expect(clippy::print_stdout, reason = "whoever started it waits for this line")]
fn announce(url: &str) -> anyhow::Result<()> {
    println!("{url}");
    std::io::Write::flush(&mut std::io::stdout()).context("failed to tell the address")
}

async fn answer(stream: TcpStream, service: S3Service) {
    // A client that breaks its connection off is no failure.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
