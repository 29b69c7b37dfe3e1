//! Orders to a running lab, over a socket in its folder.
//!
//! Protocol: one line of JSON each way. `["kill", "web-2"]` is answered with `["done", "…"]` or
//! `["failed", "…"]`. Only who may write to the folder may connect.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::folder::Folder;
use crate::lab::Lab;
use crate::node::Kind;
use crate::sweep::sweep;
use crate::wait::wait_for;

const LINE_BYTES_MAX: u64 = 1 << 20;

/// An order is sent at once after the connection is made.
const ORDER_WITHIN: Duration = Duration::from_secs(2);

/// A database that has crashed may take a minute to start.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

/// What can be asked of a running lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Down,
    Status,
    Start(String),
    Stop(String),
    Kill(String),
    Freeze(String),
    Thaw(String),
    Cut(String, Option<String>),
    Heal(Option<String>, Option<String>),
    Add(Kind),
}

impl Order {
    /// As it goes over the socket. An empty word stands for what is not named.
    fn words(&self) -> Vec<&str> {
        match self {
            Order::Down => vec!["down"],
            Order::Status => vec!["status"],
            Order::Start(node) => vec!["start", node],
            Order::Stop(node) => vec!["stop", node],
            Order::Kill(node) => vec!["kill", node],
            Order::Freeze(node) => vec!["freeze", node],
            Order::Thaw(node) => vec!["thaw", node],
            Order::Cut(node, from) => vec!["cut", node, from.as_deref().unwrap_or("")],
            Order::Heal(node, from) => {
                vec!["heal", node.as_deref().unwrap_or(""), from.as_deref().unwrap_or("")]
            }
            Order::Add(kind) => vec!["add", kind.prefix()],
        }
    }

    fn read(words: &[String]) -> Result<Order> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let named = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        Ok(match words.as_slice() {
            ["down"] => Order::Down,
            ["status"] => Order::Status,
            ["start", node] => Order::Start((*node).to_owned()),
            ["stop", node] => Order::Stop((*node).to_owned()),
            ["kill", node] => Order::Kill((*node).to_owned()),
            ["freeze", node] => Order::Freeze((*node).to_owned()),
            ["thaw", node] => Order::Thaw((*node).to_owned()),
            ["cut", node, from] => Order::Cut((*node).to_owned(), named(from)),
            ["heal", node, from] => Order::Heal(named(node), named(from)),
            ["add", kind] => Order::Add(Kind::of_prefix(kind).context("unknown kind of node")?),
            _ => bail!("unknown order {words:?}"),
        })
    }

    /// Carries it out; what to tell whoever gave it. [`Order::Down`] is for the caller.
    pub fn perform(&self, lab: &mut Lab) -> Result<String> {
        Ok(match self {
            Order::Down => String::new(),
            Order::Status => lab.status()?.json().to_string(),
            Order::Start(node) => lab.start(node).map(|()| format!("{node} is ready"))?,
            Order::Stop(node) => lab.stop(node).map(|()| format!("{node} has stopped"))?,
            Order::Kill(node) => lab.kill(node).map(|()| format!("{node} is dead"))?,
            Order::Freeze(node) => lab.freeze(node).map(|()| format!("{node} is frozen"))?,
            Order::Thaw(node) => lab.thaw(node).map(|()| format!("{node} goes on"))?,
            Order::Cut(node, from) => {
                lab.cut(node, from.as_deref())?;
                let from = from.as_deref().unwrap_or("all other nodes");
                format!("{node} is cut off from {from}")
            }
            Order::Heal(node, from) => {
                lab.heal(node.as_deref(), from.as_deref())?;
                "the network is whole again there".to_owned()
            }
            Order::Add(kind) => format!("{} is ready", lab.add(*kind)?),
        })
    }
}

/// Where a running lab listens.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// Whoever gave an order and waits.
#[derive(Debug)]
pub struct Asker(UnixStream);

impl Control {
    /// Listens in a folder whose lab this process is, from [`crate::Progress::Begun`] on.
    pub fn bind(folder: &Folder) -> Result<Control> {
        let path = folder.path().join(folder.socket_name());
        // The lab has the folder's lock, so what is there was left over.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(Short::of(folder)?.socket(folder));
        let listener = listener.with_context(|| format!("failed to make {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Control { listener, path })
    }

    /// The next order, if one waits.
    pub fn poll(&self) -> Result<Option<(Order, Asker)>> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error).context("failed to take an order"),
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(ORDER_WITHIN))?;
        stream.set_write_timeout(Some(ORDER_WITHIN))?;
        match read_line(&stream).and_then(|words| Order::read(&words)) {
            Ok(order) => Ok(Some((order, Asker(stream)))),
            Err(error) => {
                Asker(stream).tell(&Err(error));
                Ok(None)
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // One that stays behind is removed by the next lab.
        let _ = fs::remove_file(&self.path);
    }
}

impl Asker {
    /// Answers. Whoever asked may be gone.
    pub fn tell(self, outcome: &Result<String>) {
        let line = match outcome {
            Ok(text) => ["done".to_owned(), text.clone()],
            Err(error) => ["failed".to_owned(), format!("{error:#}")],
        };
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let _ = write_line(&self.0, &line);
    }
}

/// Gives an order to the lab in a folder; what it says. Fails if none runs there.
pub fn ask(folder: &Folder, order: &Order) -> Result<String> {
    let stream = connect(folder)?;
    let no_lab =
        || format!("no lab runs in {}\nhint: pando lab up --rung 3", folder.path().display());
    exchange(&stream.with_context(no_lab)?, order)
}

/// Stops the lab in a folder in order or, if it was killed, what it has left.
pub fn down(folder: &Folder) -> Result<String> {
    if let Some(stream) = connect(folder)? {
        exchange(&stream, &Order::Down)?;
        wait_for("the end of the lab", ANSWER_WITHIN, || folder.try_lock())?;
        return Ok("the lab has stopped".to_owned());
    }
    let lock = folder.try_lock()?.context("a lab is about to start or to stop there")?;
    Ok(match sweep(folder, &lock)? {
        0 => "no lab ran there".to_owned(),
        count => format!("the lab had been killed; {count} processes that it left are stopped"),
    })
}

/// `None` if nobody listens.
fn connect(folder: &Folder) -> Result<Option<UnixStream>> {
    let Ok(short) = Short::of(folder) else {
        bail!("there is no lab in {}\nhint: pando lab up", folder.path().display())
    };
    match UnixStream::connect(short.socket(folder)) {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(error).context("failed to reach the lab")
        }
        Err(_) => Ok(None),
    }
}

fn exchange(stream: &UnixStream, order: &Order) -> Result<String> {
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    write_line(stream, &order.words())?;
    let answer = read_line(stream).context("the lab does not answer")?;
    match <[String; 2]>::try_from(answer) {
        Ok([outcome, text]) if outcome == "done" => Ok(text),
        Ok([_, text]) => bail!(text),
        Err(_) => bail!("the lab answered something else"),
    }
}

fn read_line(stream: &UnixStream) -> Result<Vec<String>> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line)?;
    ensure!(!line.is_empty(), "the other side is gone");
    Ok(serde_json::from_str(&line)?)
}

fn write_line(mut stream: &UnixStream, words: &[&str]) -> Result<()> {
    let mut line = serde_json::to_vec(words)?;
    line.push(b'\n');
    Ok(stream.write_all(&line)?)
}

/// A short name of a folder: the address of a socket has room for 107 bytes, a path has more.
struct Short(File);

impl Short {
    fn of(folder: &Folder) -> io::Result<Short> {
        File::open(folder.path()).map(Short)
    }

    /// Where the socket is, for as long as this lives.
    fn socket(&self, folder: &Folder) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{}", self.0.as_raw_fd(), folder.socket_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use crate::node::Kind;

    #[test]
    fn orders_arrive_as_they_were_given() {
        let name = || "web-2".to_owned();
        let orders = [
            Order::Down,
            Order::Status,
            Order::Start(name()),
            Order::Stop(name()),
            Order::Kill(name()),
            Order::Freeze(name()),
            Order::Thaw(name()),
            Order::Cut(name(), None),
            Order::Cut(name(), Some("db-1".to_owned())),
            Order::Heal(None, None),
            Order::Heal(Some(name()), Some("clients".to_owned())),
            Order::Add(Kind::Web),
        ];
        for order in orders {
            let words: Vec<String> = order.words().into_iter().map(str::to_owned).collect();
            assert_eq!(Order::read(&words).unwrap(), order);
        }
        assert!(Order::read(&["dance".to_owned()]).is_err());
    }
}
