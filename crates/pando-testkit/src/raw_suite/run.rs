//! Runs the cases against one proxy.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::cases;
use super::http2;
use super::seen::Seen;
use super::upstream::Upstream;
use super::{AnswerCase, Answered, RequestCase, Safe};

/// A proxy that has said nothing for so long waits for more.
const QUIET: Duration = Duration::from_millis(400);
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Where a proxy listens: for HTTP/1.1, and for HTTP/2 without TLS if it can.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub http1: SocketAddr,
    pub http2: Option<SocketAddr>,
}

/// How one case went.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub name: &'static str,
    pub clause: &'static str,
    /// What the RFC and safety ask for, in words.
    pub safe: &'static str,
    /// What was wrong, if anything was. `None`: safe.
    pub problem: Option<String>,
}

/// Runs all cases; `upstream` stands behind the proxy.
pub fn run(target: Target, upstream: &Upstream) -> Result<Vec<Outcome>> {
    run_part(target, upstream, 0, 1)
}

/// Runs every `parts`-th case, for several proxies of a kind at once: most of the time is spent
/// waiting for what must not come.
pub fn run_part(
    target: Target,
    upstream: &Upstream,
    part: usize,
    parts: usize,
) -> Result<Vec<Outcome>> {
    warm_up(target, upstream)?;
    let mut outcomes = Vec::new();
    let requests = cases::requests().into_iter().chain(http2::cases());
    for (index, mut case) in requests.enumerate().filter(|(index, _)| index % parts == part) {
        let token = format!("/x-{index}");
        case.mark(&token);
        let problem = match (case.http2, target.http2) {
            (true, None) => continue,
            _ => try_request(target, upstream, &case, &token).err(),
        };
        let safe = match case.safe {
            Safe::Refused => "refused",
            Safe::Harmless(_) => "refused or harmless",
            Safe::Passed(_) | Safe::PassedAs(..) => "passed on",
        };
        outcomes.push(Outcome { name: case.name, clause: case.clause, safe, problem });
    }
    for (_, case) in cases::answers().into_iter().enumerate().filter(|(i, _)| i % parts == part) {
        let problem = try_answer(target, upstream, &case).err();
        let safe = match case.safe {
            Answered::BadGateway => "502",
            Answered::Given(..) => "passed on",
            Answered::GivenOrBad(..) => "502 or harmless",
            Answered::CutShort => "cut short",
            Answered::NotPoisoned => "reaches nobody else",
        };
        outcomes.push(Outcome { name: case.name, clause: case.clause, safe, problem });
    }
    Ok(outcomes)
}

impl RequestCase {
    /// Makes its target tell it from others: parts of a request are seen only when the proxy gives
    /// it up, and that may be while the next one runs.
    fn mark(&mut self, token: &str) {
        let plain = b" /x ";
        if let Some(at) = self.send.windows(plain.len()).position(|it| it == plain)
            && !self.http2
        {
            self.send.splice(at + 1..at + 3, token.bytes());
        }
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn warm_up(target: Target, upstream: &Upstream) -> Result<()> {
    let answer = exchange(target.http1, b"GET /warm HTTP/1.1\r\nHost: a.example\r\n\r\n")?;
    anyhow::ensure!(answer.starts_with(b"HTTP/1.1 200"), "the proxy does not work");
    upstream.take();
    Ok(())
}

fn try_request(
    target: Target,
    upstream: &Upstream,
    case: &RequestCase,
    token: &str,
) -> Result<(), String> {
    let statuses = if case.http2 {
        let addr = target.http2.ok_or("no listener of HTTP/2")?;
        http2::exchange(addr, &case.send).map_err(|error| format!("{error:#}"))?
    } else {
        let answer = exchange(target.http1, &case.send).map_err(|error| format!("{error:#}"))?;
        statuses(&answer)
    };
    let (seen, scraps) = upstream.take();
    for seen in &seen {
        if let Some(unsound) = seen.unsound() {
            return Err(format!("the upstream got {unsound}"));
        }
    }
    let passed = |bodies: &[&str]| same_requests(&seen, bodies);
    // Interim answers are no refusals.
    let finals: Vec<u16> = statuses.iter().copied().filter(|status| *status >= 200).collect();
    match case.safe {
        Safe::Refused if !seen.is_empty() => Err(format!("passed on: {}", shown(&seen))),
        Safe::Refused if finals.iter().any(|status| *status < 400) => {
            Err(format!("answered {finals:?}"))
        }
        Safe::Refused if scraps.iter().any(|scrap| contains(scrap, token.as_bytes())) => {
            Err("the upstream got a part of it".to_owned())
        }
        Safe::Refused => Ok(()),
        Safe::Harmless(_) if seen.is_empty() && finals.iter().all(|status| *status >= 400) => {
            Ok(())
        }
        Safe::Harmless(bodies) => harmless(&seen, bodies),
        Safe::Passed(bodies) => passed(bodies).and_then(|()| all_good(&finals, bodies.len())),
        Safe::PassedAs(bodies, looks) => passed(bodies)
            .and_then(|()| all_good(&finals, bodies.len()))
            .and_then(|()| looks(&seen)),
    }
}

/// What was passed on is a beginning of what may be: a proxy may stop at any request.
fn harmless(seen: &[Seen], bodies: &[&str]) -> Result<(), String> {
    match seen.len() <= bodies.len() {
        true => same_requests(seen, &bodies[..seen.len()]),
        false => Err(format!("passed on: {}", shown(seen))),
    }
}

fn same_requests(seen: &[Seen], bodies: &[&str]) -> Result<(), String> {
    let found: Vec<String> =
        seen.iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect();
    match found == bodies {
        true => Ok(()),
        false => Err(format!("the upstream got {}", shown(seen))),
    }
}

fn all_good(finals: &[u16], count: usize) -> Result<(), String> {
    match finals.len() == count && finals.iter().all(|status| *status < 400) {
        true => Ok(()),
        false => Err(format!("answered {finals:?}")),
    }
}

fn shown(seen: &[Seen]) -> String {
    let one =
        |it: &Seen| format!("{:?} {:?}", it.request_line(), String::from_utf8_lossy(&it.body));
    let all: Vec<String> = seen.iter().map(one).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn try_answer(target: Target, upstream: &Upstream, case: &AnswerCase) -> Result<(), String> {
    upstream.script(&case.answer, case.closes);
    let request = format!("{} /answer HTTP/1.1\r\nHost: a.example\r\n\r\n", case.method);
    let answer =
        exchange(target.http1, request.as_bytes()).map_err(|error| format!("{error:#}"))?;
    let finals: Vec<u16> = statuses(&answer).into_iter().filter(|status| *status >= 200).collect();
    let body = body_of(&answer);
    let bad = finals.iter().all(|status| *status >= 500) && finals.len() <= 1;
    let given = |status, text: &str| finals == [status] && body.as_deref() == Some(text.as_bytes());
    let text = || String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
    let outcome = match case.safe {
        Answered::BadGateway => bad,
        Answered::Given(status, text) => given(status, text),
        Answered::GivenOrBad(status, text) => bad || given(status, text),
        Answered::CutShort => bad || (finals.len() == 1 && body.is_none()),
        Answered::NotPoisoned => finals.len() <= 1,
    };
    // Whatever it was, the next clients get their own answers.
    for _ in 0..3 {
        let after = exchange(target.http1, b"GET /after HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let after = after.map_err(|error| format!("{error:#}"))?;
        if statuses(&after) != [200] || body_of(&after).as_deref() != Some(b"after") {
            let text = String::from_utf8_lossy(&after[..after.len().min(200)]).into_owned();
            return Err(format!("the next client got {text:?}"));
        }
    }
    upstream.take();
    if outcome { Ok(()) } else { Err(format!("answered {:?}", text())) }
}

/// Sends bytes and reads until nothing more comes.
fn exchange(addr: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(addr).context("failed to connect to the proxy")?;
    stream.set_read_timeout(Some(QUIET))?;
    stream.set_nodelay(true)?;
    // A proxy that refuses early may have closed before all is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            Err(_) => break,
        }
        if answer.len() > ANSWER_BYTES_MAX || complete(&answer, bytes) {
            break;
        }
    }
    Ok(answer)
}

/// Whether no more can come, to save the wait: one whole answer to what looks like one request.
fn complete(answer: &[u8], request: &[u8]) -> bool {
    let one = request.windows(4).filter(|window| window == b"\r\n\r\n").count() == 1
        && request.ends_with(b"\r\n\r\n")
        && !request.starts_with(b"HEAD");
    one && statuses(answer).iter().filter(|status| **status >= 200).count() == 1
        && body_of(answer).is_some_and(|_| has_length(answer))
}

fn has_length(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    text.contains("content-length:") || text.ends_with("\r\n0\r\n\r\n")
}

/// The statuses of the answers in `bytes`, as a client that trusts their lengths reads them.
fn statuses(bytes: &[u8]) -> Vec<u16> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(status) = status(rest) {
        found.push(status);
        let Some(end) = head_end(rest) else { break };
        let length =
            if status < 200 || matches!(status, 204 | 304) { 0 } else { body_length(rest) };
        rest = rest.get(end + length..).unwrap_or_default();
    }
    found
}

fn status(bytes: &[u8]) -> Option<u16> {
    let line = bytes.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn field(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// The length of the body, framing included, of the answer at the start of `bytes`.
fn body_length(bytes: &[u8]) -> usize {
    let Some(end) = head_end(bytes) else { return 0 };
    let (head, body) = bytes.split_at(end);
    match (field(head, "content-length"), field(head, "transfer-encoding")) {
        (Some(length), _) => length.parse().unwrap_or(body.len()),
        (None, Some(_)) => body
            .windows(5)
            .position(|window| window == b"0\r\n\r\n")
            .map_or(body.len(), |at| at + 5),
        (None, None) => body.len(),
    }
}

/// The body of the last answer, if it is whole.
fn body_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    while status(rest).is_some_and(|status| status < 200) {
        rest = &rest[head_end(rest)?..];
    }
    let end = head_end(rest)?;
    let (head, body) = rest.split_at(end);
    if matches!(status(rest), Some(204 | 304)) {
        return Some(Vec::new());
    }
    match (field(head, "content-length"), field(head, "transfer-encoding")) {
        (Some(length), _) => Some(body.get(..length.parse().ok()?)?.to_vec()),
        (None, Some(_)) => {
            let (mut whole, mut rest) = (Vec::new(), body);
            loop {
                let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
                let size = std::str::from_utf8(&rest[..line_end]).ok()?;
                let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
                rest = &rest[line_end + 2..];
                if size == 0 {
                    return Some(whole);
                }
                whole.extend_from_slice(rest.get(..size)?);
                rest = rest.get(size + 2..)?;
            }
        }
        (None, None) => Some(body.to_vec()),
    }
}
