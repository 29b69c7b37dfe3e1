//! The nodes of a lab as a table: drawn anew each second on a terminal; elsewhere once, and then a
//! line for each change.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::output::{self, bold_green, cyan, green, red, yellow};

const HINT: &str = "in another terminal: pando lab load --for 60s | kill NODE | freeze NODE | logs NODE; \
                    here Ctrl-C stops it all";

/// The table in lines. With an earlier status of `span` ago it shows who used the processors since.
pub(super) fn lines(status: &Value, before: Option<(&Value, Duration)>) -> Vec<String> {
    let mut rows = vec![
        ["node", "what", "address", "state", "for", "pid", "CPU", "memory"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let nodes = status["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.extend(nodes.iter().map(|node| row(node, before)));
    let mut lines = vec![format!(
        "{} {}",
        bold_green(&format!("rung {}", status["rung"])),
        text(&status["title"])
    )];
    lines.extend(aligned(&rows));
    for cut in status["cuts"].as_array().map(Vec::as_slice).unwrap_or_default() {
        lines.push(red(&format!("cut: {} and {}", text(&cut[0]), text(&cut[1]))));
    }
    let superuser = &status["superuser"];
    lines.push(format!(
        "superuser {}, password {}",
        text(&superuser["email"]),
        text(&superuser["password"])
    ));
    lines
}

fn row(node: &Value, before: Option<(&Value, Duration)>) -> Vec<String> {
    let address = text(&node["address"]);
    let address = match node["entrance"].as_bool() {
        Some(true) => cyan(&format!("http://{address}")),
        _ => address.to_owned(),
    };
    let state = text(&node["state"]);
    let state = match state {
        "ready" => green(state),
        "starting" | "frozen" => yellow(state),
        _ => red(state),
    };
    let runs = node["pid"].is_u64();
    let or_nothing = |shown: String| if runs { shown } else { "-".to_owned() };
    vec![
        text(&node["name"]).to_owned(),
        text(&node["title"]).to_owned(),
        address,
        state,
        span(Duration::from_millis(node["since_ms"].as_u64().unwrap_or_default())),
        or_nothing(node["pid"].to_string()),
        or_nothing(busy(node, before)),
        or_nothing(HumanBytes(node["memory_bytes"].as_u64().unwrap_or_default()).to_string()),
    ]
}

/// Processor time since `before`, of 100% for one processor.
fn busy(node: &Value, before: Option<(&Value, Duration)>) -> String {
    let cpu_ms = |node: &Value| node["cpu_ms"].as_u64().unwrap_or_default();
    let shown = before.and_then(|(status, span)| {
        let nodes = status["nodes"].as_array()?;
        let earlier = nodes.iter().find(|other| other["name"] == node["name"])?;
        // Processes that ended took their time with them.
        let used = cpu_ms(node).saturating_sub(cpu_ms(earlier));
        let span_ms = u64::try_from(span.as_millis()).ok().filter(|ms| *ms > 0)?;
        Some(format!("{}%", used * 100 / span_ms))
    });
    shown.unwrap_or_else(|| format!("{:.1} s", Duration::from_millis(cpu_ms(node)).as_secs_f64()))
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Columns as wide as their widest cell, colours not counted.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |cell: &String| console::measure_text_width(cell);
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(width).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))));
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The table while a lab runs.
pub(super) struct Live {
    /// Its message is the table.
    bar: ProgressBar,
    last: Option<(Value, Instant)>,
    notes: Vec<String>,
}

/// What was done last, below the table.
const NOTES_MAX: usize = 5;

impl Live {
    pub(super) fn new() -> Live {
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{msg}").expect("it is a template"));
        Live { bar, last: None, notes: Vec::new() }
    }

    /// Something was done to the lab.
    pub(super) fn note(&mut self, outcome: &anyhow::Result<String>) {
        let note = match outcome {
            Ok(text) => text.clone(),
            Err(error) => red(&format!("{error:#}")),
        };
        if self.notes.len() == NOTES_MAX {
            self.notes.remove(0);
        }
        self.notes.push(note);
    }

    pub(super) fn show(&mut self, status: &Value) -> anyhow::Result<()> {
        let before = self.last.as_ref().map(|(status, at)| (status, at.elapsed()));
        if self.bar.is_hidden() {
            self.print(status)?;
        } else {
            let mut lines = lines(status, before);
            lines.extend(self.notes.iter().map(|note| format!("  {note}")));
            lines.push(HINT.to_owned());
            self.bar.set_message(lines.join("\n"));
            self.bar.tick();
        }
        self.last = Some((status.clone(), Instant::now()));
        Ok(())
    }

    /// The whole table at first, then what has changed.
    fn print(&mut self, status: &Value) -> anyhow::Result<()> {
        let Some((before, _)) = &self.last else {
            let lines = lines(status, None).join("\n");
            return Ok(output::print(&format!("{lines}\n{HINT}\n"))?);
        };
        let states = |status: &Value| -> BTreeMap<String, String> {
            let nodes = status["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
            nodes
                .iter()
                .map(|node| (text(&node["name"]).into(), text(&node["state"]).into()))
                .collect()
        };
        let (old, new) = (states(before), states(status));
        for (name, state) in new.iter().filter(|(name, state)| old.get(*name) != Some(*state)) {
            output::print(&format!("{name} is {state}\n"))?;
        }
        for note in self.notes.drain(..) {
            output::print(&format!("{note}\n"))?;
        }
        Ok(())
    }

    /// Leaves what was drawn last.
    pub(super) fn finish(self) {
        self.bar.abandon();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use console::strip_ansi_codes;
    use expect_test::expect;
    use serde_json::{Value, json};

    use super::{lines, span};

    fn status(cpu_ms: u64) -> Value {
        json!({
            "rung": 3, "title": "several web servers on one PostgreSQL",
            "superuser": { "email": "lab@example.com", "password": "secret" },
            "nodes": [
                { "name": "db-1", "title": "PostgreSQL", "entrance": false,
                  "address": "127.0.0.1:20001", "state": "ready", "since_ms": 125_000, "pid": 4711,
                  "cpu_ms": cpu_ms, "memory_bytes": 88_080_384 },
                { "name": "web-1", "title": "web server", "entrance": true,
                  "address": "127.0.0.1:20002", "state": "stopped", "since_ms": 3_000, "pid": null,
                  "cpu_ms": 0, "memory_bytes": 0 },
            ],
            "cuts": [["db-1", "web-1"]],
        })
    }

    #[test]
    fn columns_are_aligned_without_counting_colours() {
        let before = status(1_000);
        let lines = lines(&status(1_250), Some((&before, Duration::from_secs(1))));
        let plain: Vec<String> =
            lines.iter().map(|line| strip_ansi_codes(line).into_owned()).collect();
        expect![[r#"
            rung 3 several web servers on one PostgreSQL
              node   what        address                 state    for    pid   CPU  memory
              db-1   PostgreSQL  127.0.0.1:20001         ready    2 min  4711  25%  84.00 MiB
              web-1  web server  http://127.0.0.1:20002  stopped  3 s    -     -    -
            cut: db-1 and web-1
            superuser lab@example.com, password secret"#]]
        .assert_eq(&plain.join("\n"));
    }

    #[test]
    fn spans_are_short() {
        let spans = [7, 99, 100, 7_199, 7_200].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["7 s", "99 s", "1 min", "119 min", "2 h"]);
    }
}
