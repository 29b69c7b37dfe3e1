//! Runs the program to its end, or as a server.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use pando_testkit::wait_for;
use rustix::process::{Pid, Signal, kill_process};

const DEADLINE: Duration = Duration::from_secs(20);

/// The program with an environment of its own, working in `dir`.
pub(crate) fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pando"));
    command.args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    command
}

/// Runs the program to its end; shows exit code and output.
pub(crate) fn outcome(mut command: Command) -> String {
    let output = command.output().unwrap();
    let mut text = format!("exit {}\n", output.status.code().unwrap());
    for bytes in [output.stdout, output.stderr] {
        text.push_str(&String::from_utf8(bytes).unwrap());
    }
    text
}

/// A running `pando serve`; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    printed: Arc<Mutex<String>>,
}

impl Serving {
    /// Starts it and waits for the banner, which names the port.
    pub(crate) fn start(mut command: Command) -> Serving {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let mut server = Serving { child, address: String::new(), printed: Arc::clone(&printed) };
        // Reads on for ever, so that the server never waits for us.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let mut printed = printed.lock().unwrap();
                printed.push_str(&line.unwrap());
                printed.push('\n');
            }
        });
        server.address = wait_for("the banner", DEADLINE, || {
            if server.ended() {
                let mut errors = String::new();
                server.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                panic!("pando ended: {errors}");
            }
            let printed = server.printed.lock().unwrap();
            let address = printed.split_once("REST API:  http://");
            Ok(address.and_then(|(_, rest)| Some(rest.split_once("/api/\n")?.0.to_owned())))
        })
        .unwrap();
        server
    }

    /// Waits until it has printed `text`.
    pub(crate) fn expect_printed(&self, text: &str) {
        wait_for(text, DEADLINE, || Ok(self.printed.lock().unwrap().contains(text).then_some(())))
            .unwrap();
    }

    /// Waits until it accepts no connections any more.
    pub(crate) fn expect_closed(&self) {
        let refused = || Ok(TcpStream::connect(&self.address).is_err().then_some(()));
        wait_for("a refused connection", DEADLINE, refused).unwrap();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end; gives status and log.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = wait_for("the end of pando", DEADLINE, || Ok(self.child.try_wait()?)).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads from `stream` to its end.
pub(crate) fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

pub(crate) fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}
