//! A new process takes the listening sockets over from the one that runs, so that no connection
//! is refused in between, not even one that waits to be accepted.
//!
//! Protocol, over a socket at `balancer.control` that only its owner may use: the old process sends
//! how many sockets of each kind there are and which web servers have announced themselves, as one
//! line of JSON, then the sockets (`SCM_RIGHTS`, unix(7)). The new one says `ready` once it serves;
//! the old one then accepts nothing more, tells its clients to come again, and ends. If the new one
//! fails before that, the old one goes on as if nothing had been.

use std::fs;
use std::io::{self, BufRead as _, BufReader, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde_json::{Value as Json, json};
use tokio::net::UnixListener;
use tracing::{error, info};

use crate::listeners::Listeners;
use crate::members::Announcement;
use crate::shared::Shared;
use crate::upstream::Origin;

/// Sockets in one message; the system takes up to 253.
const SOCKETS_PER_MESSAGE: usize = 64;
const SOCKETS_MAX: usize = 4_096;
const LINE_BYTES_MAX: u64 = 1 << 20;
/// How long the new process may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a new process has taken over.
pub(crate) struct Taken {
    pub(crate) listeners: Listeners,
    pub(crate) members: Vec<Announcement>,
    stream: UnixStream,
}

/// Takes over from the process that listens at `path`; `None` if there is none.
pub(crate) fn take_over(path: &Path) -> anyhow::Result<Option<Taken>> {
    let stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if nobody(&error) => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to connect to {path:?}"));
        }
    };
    receive(stream).map(Some).context("failed to take the sockets over")
}

/// Fails if another balancer uses `path`: both would share the same addresses.
pub(crate) fn ensure_alone(path: &Path) -> anyhow::Result<()> {
    match UnixStream::connect(path) {
        Ok(_) => bail!(
            "a balancer runs here already (it listens at {path:?})\nhint: `pando balancer \
             --replace` takes over from it; another one needs another balancer.control"
        ),
        Err(_) => Ok(()),
    }
}

fn nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn receive(mut stream: UnixStream) -> anyhow::Result<Taken> {
    stream.set_read_timeout(Some(PATIENCE))?;
    // Byte by byte: what comes behind the line are sockets.
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        ensure!((line.len() as u64) < LINE_BYTES_MAX, "too long a line");
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    let head: Json = serde_json::from_slice(&line).context("not understood")?;
    let count = |name: &str| {
        let count = head[name].as_u64().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count <= SOCKETS_MAX).with_context(|| format!("no count of {name}"))
    };
    let (http, https, admin) = (count("http")?, count("https")?, count("admin")?);
    let mut sockets = receive_sockets(&stream, http + https + admin)?;
    let mut take = |count: usize| -> Vec<TcpListener> {
        sockets.drain(..count).map(TcpListener::from).collect()
    };
    let listeners = Listeners { http: take(http), https: take(https), admin: take(admin) };
    let members = head["members"].as_array().into_iter().flatten();
    let nobody = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let members = members.filter_map(|it| Announcement::parse(it.as_str()?, nobody).ok());
    let members = members.collect();
    Ok(Taken { listeners, members, stream })
}

fn receive_sockets(stream: &UnixStream, count: usize) -> anyhow::Result<Vec<OwnedFd>> {
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_PER_MESSAGE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut bytes = [IoSliceMut::new(&mut byte)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(stream.as_fd(), &mut bytes, &mut control, flags)?;
        ensure!(received.bytes > 0, "the other process ended");
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                sockets.extend(rights);
            }
        }
    }
    ensure!(sockets.len() == count, "{} sockets instead of {count}", sockets.len());
    Ok(sockets)
}

impl Taken {
    /// Tells the old process that it is no longer needed.
    pub(crate) fn ready(mut self) -> io::Result<()> {
        self.stream.write_all(b"ready\n")
    }
}

/// Waits for a process that wants to take over.
pub(crate) struct Handover {
    path: PathBuf,
    listener: UnixListener,
    sockets: Listeners,
}

impl Handover {
    /// Listens at `path`, for those who want `sockets`.
    pub(crate) fn listen(path: &Path, sockets: Listeners) -> anyhow::Result<Handover> {
        let failed = || format!("failed to listen at {path:?} (balancer.control)");
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(failed);
            }
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path).with_context(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(failed)?;
        Ok(Handover { path: path.to_owned(), listener, sockets })
    }

    /// Hands over when asked, until that has worked or the process stops.
    pub(crate) async fn run(self, shared: Arc<Shared>) -> anyhow::Result<()> {
        let Handover { path, listener, sockets } = self;
        let sockets = Arc::new(sockets);
        let stopping = shared.life.stopping.clone();
        while let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await {
            let stream = accepted.context("failed to accept at the control socket")?.0;
            let stream = stream.into_std()?;
            let (giving, members) = (Arc::clone(&sockets), members(&shared));
            let given = tokio::task::spawn_blocking(move || give(stream, &giving, &members));
            match given.await? {
                Ok(true) => {
                    info!("another process has taken over");
                    shared.closed.cancel();
                    shared.life.leave();
                    // The file is the other one's now.
                    return Ok(());
                }
                // Somebody only looked whether we are here.
                Ok(false) => {}
                Err(error) => {
                    let error = format!("{error:#}");
                    error!(error, "another process failed to take over, serving on");
                }
            }
        }
        // It may be gone already.
        let _ = fs::remove_file(path);
        Ok(())
    }
}

/// The web servers that have announced themselves and have not left.
fn members(shared: &Shared) -> Vec<String> {
    let all = shared.pool.all().into_iter();
    let registered = all.filter(|it| it.origin == Origin::Registered && !it.control().leaving);
    registered.map(|upstream| upstream.address.to_string()).collect()
}

/// Gives the sockets away; true once the other process serves.
fn give(mut stream: UnixStream, sockets: &Listeners, members: &[String]) -> anyhow::Result<bool> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Listeners { http, https, admin } = sockets;
    let head = json!({
        "http": http.len(), "https": https.len(), "admin": admin.len(), "members": members,
    });
    match stream.write_all(format!("{head}\n").as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
        outcome => outcome?,
    }
    let all: Vec<_> = [http, https, admin].into_iter().flatten().map(AsFd::as_fd).collect();
    for part in all.chunks(SOCKETS_PER_MESSAGE) {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_PER_MESSAGE))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        ensure!(control.push(SendAncillaryMessage::ScmRights(part)), "no room for sockets");
        let sent =
            sendmsg(stream.as_fd(), &[IoSlice::new(b".")], &mut control, SendFlags::NOSIGNAL);
        match sent {
            Err(rustix::io::Errno::PIPE) => return Ok(false),
            outcome => outcome?,
        };
    }
    let mut answer = String::new();
    match BufReader::new(&stream).take(LINE_BYTES_MAX).read_line(&mut answer) {
        Ok(0) => Ok(false),
        Ok(_) if answer == "ready\n" => Ok(true),
        Ok(_) => bail!("it said {answer:?}"),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(false),
        Err(error) => Err(error).context("it did not say that it is ready"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn sockets_and_members_change_hands() {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = Listeners {
            http: (0..100).map(|_| listen()).collect(),
            https: vec![listen()],
            admin: Vec::new(),
        };
        let last = sockets.http[99].local_addr().unwrap();
        // One who waits to be accepted is handed over, too.
        let _waiting = TcpStream::connect(last).unwrap();
        let (old, new) = UnixStream::pair().unwrap();
        let giving = std::thread::spawn(move || {
            let given = give(old, &sockets, &["http://10.0.0.1:8090".to_owned()]).unwrap();
            drop(sockets);
            given
        });
        let taken = receive(new).unwrap();
        assert_eq!(taken.members.len(), 1);
        let counts = [&taken.listeners.http, &taken.listeners.https, &taken.listeners.admin];
        assert_eq!(counts.map(Vec::len), [100, 1, 0]);
        let heir = taken.listeners.http[99].try_clone().unwrap();
        taken.ready().unwrap();
        assert!(giving.join().unwrap());
        assert_eq!(heir.local_addr().unwrap(), last);
        heir.accept().unwrap();
    }

    #[test]
    fn who_only_looks_takes_nothing() {
        let (old, new) = UnixStream::pair().unwrap();
        drop(new);
        assert!(!give(old, &Listeners::default(), &[]).unwrap());
    }
}
