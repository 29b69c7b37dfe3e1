//! Two balancers in networks of their own: one address that moves between them by keepalived, and
//! two addresses of which clients take the other one.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pando_lab::{Lab, Options, Rung};
use pando_testkit::process::{self, Signal};
use pando_testkit::{HttpClient, Request, wait_for};

use super::program;

const DEADLINE: Duration = Duration::from_secs(30);
/// A client gives up a request after that, tries included.
const PATIENCE: Duration = Duration::from_secs(12);
const CLIENTS: usize = 8;

/// A lab with two balancers before two web servers.
fn lab(dir: &Path) -> Option<Lab> {
    let options = Options {
        isolate: true,
        synced: false,
        web_count: Some(2),
        balancer_count: Some(2),
        ..Options::new(Rung::Three, dir, program())
    };
    match Lab::up(&options, |_| true) {
        Ok(lab) => Some(lab),
        Err(error) => {
            let refusal = format!("{error:#}");
            assert!(refusal.contains("hint: start the lab as root"), "{refusal}");
            None
        }
    }
}

/// Clients that only read, and try again at the next of their addresses, as browsers do.
struct Readers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<(usize, Duration)>>,
}

impl Readers {
    fn start(addresses: &[SocketAddr]) -> Readers {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |number: usize| {
            let (stop, addresses) = (Arc::clone(&stop), addresses.to_vec());
            thread::spawn(move || read(&addresses, number, &stop))
        };
        Readers { threads: (0..CLIENTS).map(start).collect(), stop }
    }

    /// The longest that a read took. Fails if one failed.
    fn finish(self) -> Duration {
        self.stop.store(true, Relaxed);
        let ended = self.threads.into_iter().map(|thread| thread.join().unwrap());
        let (counts, longest): (Vec<_>, Vec<_>) = ended.unzip();
        assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
        longest.into_iter().max().unwrap()
    }
}

fn read(addresses: &[SocketAddr], number: usize, stop: &AtomicBool) -> (usize, Duration) {
    let client = |addr: &SocketAddr| HttpClient::new(*addr).with_timeout(Duration::from_secs(1));
    let mut clients: Vec<_> = addresses.iter().map(client).collect();
    let (mut at, mut count, mut longest) = (number, 0, Duration::ZERO);
    while !stop.load(Relaxed) {
        let begun = Instant::now();
        loop {
            let outcome = clients[at % addresses.len()].send(&Request::get("/api/health"));
            match outcome {
                Ok(answer) if answer.status == 200 => break,
                Ok(answer) => panic!("{} {}", answer.status, answer.text()),
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error:#}"),
            }
            at += 1;
        }
        count += 1;
        longest = longest.max(begun.elapsed());
    }
    (count, longest)
}

/// A keepalived in the network of a balancer; gone when dropped.
struct Keepalived(Child);

impl Keepalived {
    fn start(lab: &Lab, number: usize, floating: IpAddr) -> Keepalived {
        let name = format!("balancer-{number}");
        let other = lab.site(&format!("balancer-{}", 3 - number)).unwrap().address.ip();
        let site = lab.site(&name).unwrap();
        let admin = SocketAddr::new(site.address.ip(), 8081);
        let file = |name: &str| site.dir.join(name);
        fs::write(file("check.toml"), format!("[balancer]\nadmin = \"{admin}\"\n")).unwrap();
        let printed = Command::new(program())
            .arg("--config")
            .arg(file("check.toml"))
            .args(["balancer", "keepalived", "--interface", "eth0"])
            .args(["--number", &number.to_string(), "--peer", &other.to_string()])
            .args(["--address", &format!("{floating}/24")])
            .output()
            .unwrap();
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        fs::write(file("keepalived.conf"), printed.stdout).unwrap();
        let log = File::create(file("keepalived.log")).unwrap();
        // The networks are numbered as the nodes are: a database and two web servers come before.
        let namespace = format!("{}-{}", prefix(lab), number + 2);
        let child = Command::new("ip")
            .args(["netns", "exec", &namespace, "keepalived", "--dont-fork", "--log-console"])
            .args(["--log-detail", "--vrrp", "--use-file"])
            .arg(file("keepalived.conf"))
            .arg("--pid")
            .arg(file("keepalived.pid"))
            .arg("--vrrp_pid")
            .arg(file("vrrp.pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Keepalived(child)
    }
}

impl Drop for Keepalived {
    fn drop(&mut self) {
        // Its child ends with it only if it is asked politely.
        let asked = process::signal(Signal::TERM, &[self.0.id()]);
        let ended = wait_for("keepalived's end", DEADLINE, || Ok(self.0.try_wait()?));
        if asked.is_err() || ended.is_err() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn prefix(lab: &Lab) -> String {
    let record = fs::read(lab.folder().path().join("lab.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    record["network"]["prefix"].as_str().unwrap().to_owned()
}

/// Waits until balancer `number` has the address.
fn wait_for_holder(lab: &Lab, number: usize, floating: IpAddr) {
    let namespace = format!("{}-{}", prefix(lab), number + 2);
    wait_for(&format!("the address at balancer {number}"), DEADLINE, || {
        let shown = Command::new("ip").args(["-netns", &namespace, "address", "show"]).output()?;
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        Ok(text.contains(&format!("inet {floating}/")).then_some(()))
    })
    .unwrap();
}

#[test]
fn one_address_moves_to_the_balancer_that_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut lab) = lab(dir.path()) else { return };
    let IpAddr::V4(own) = lab.site("balancer-1").unwrap().address.ip() else { panic!() };
    let [a, b, c, _] = own.octets();
    let floating = IpAddr::from([a, b, c, 250]);
    let both = [1, 2].map(|number| Keepalived::start(&lab, number, floating));
    wait_for_holder(&lab, 1, floating);
    let readers = Readers::start(&[SocketAddr::new(floating, 8080)]);
    lab.kill("balancer-1").unwrap();
    wait_for_holder(&lab, 2, floating);
    lab.start("balancer-1").unwrap();
    wait_for_holder(&lab, 1, floating);
    lab.freeze("balancer-1").unwrap();
    wait_for_holder(&lab, 2, floating);
    let longest = readers.finish();
    assert!(longest < Duration::from_secs(8), "{longest:?}");
    drop(both);
    lab.down().unwrap();
}

#[test]
fn of_two_addresses_clients_take_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut lab) = lab(dir.path()) else { return };
    assert_eq!(lab.entrances().len(), 2);
    let readers = Readers::start(&lab.entrances());
    lab.kill("balancer-1").unwrap();
    lab.start("balancer-1").unwrap();
    lab.freeze("balancer-2").unwrap();
    thread::sleep(Duration::from_secs(1));
    lab.thaw("balancer-2").unwrap();
    lab.stop("balancer-2").unwrap();
    lab.start("balancer-2").unwrap();
    let longest = readers.finish();
    assert!(longest < Duration::from_secs(4), "{longest:?}");
    lab.down().unwrap();
}
