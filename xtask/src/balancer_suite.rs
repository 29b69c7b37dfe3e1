//! `cargo xtask balancer-suite`: malformed and smuggling input through Pando, nginx and HAProxy.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use pando_testkit::raw_suite::{self, Outcome, Target, Upstream};
use pando_testkit::server::find_binary;
use pando_testkit::{Product, Proxy, ProxyConfig, ProxyProduct};

use crate::{setup, workspace};

const USAGE: &str = "usage: cargo xtask balancer-suite [--only pando,nginx,haproxy] [--save]

Sends raw bytes to each proxy and looks at what reaches the upstream behind it, and the other way
round. Each case names its clause; the table shows what was not safe.

  --only LIST  which proxies
  --save       writes the table to bench/results/balancer-suite.md";

/// How long a proxy waits in this suite: short, since many cases are never whole.
const PATIENCE_S: u32 = 2;

/// Runs the command.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut products, mut save) = (ProxyProduct::ALL.to_vec(), false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--only" => {
                let list = args.next().map(String::as_str).unwrap_or_default();
                let named = |product: &ProxyProduct| list.split(',').any(|it| it == product.name());
                products.retain(named);
            }
            "--save" => save = true,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        }
    }
    setup::peers(&["nginx", "haproxy"])?;
    let pando = find_binary(Product::Pando)?;
    let mut columns = BTreeMap::new();
    let mut names = Vec::new();
    for product in products {
        println!("running the suite against {} …", product.name());
        let upstream = Upstream::start()?;
        let config = ProxyConfig { patience_s: PATIENCE_S, ..ProxyConfig::new(&[upstream.addr()]) };
        let config = config.set("check_path", "").set("eject_failures", "0");
        let proxy = Proxy::start(product, &pando, &config)?;
        let at = proxy.addresses();
        let target = Target { http1: at.http, http2: Some(at.http2) };
        columns.insert(names.len(), raw_suite::run(target, &upstream)?);
        names.push(format!("{} ({})", product.name(), product.version(&pando)?));
    }
    let report = render(&names, &columns);
    println!("{report}");
    if save {
        let path = workspace::root().join("bench/results/balancer-suite.md");
        std::fs::write(&path, &report)?;
        println!("saved as {}", path.display());
    }
    Ok(())
}

fn render(names: &[String], columns: &BTreeMap<usize, Vec<Outcome>>) -> String {
    let mut text = String::from("# Malformed and smuggling input\n\n");
    text.push_str(
        "By `cargo xtask balancer-suite`. What is not in the second table was safe in all.\n\n",
    );
    text.push_str("| proxy | safe |\n| --- | --- |\n");
    for (index, name) in names.iter().enumerate() {
        let outcomes = &columns[&index];
        let safe = outcomes.iter().filter(|outcome| outcome.problem.is_none()).count();
        let _ = writeln!(text, "| {name} | {safe} of {} |", outcomes.len());
    }
    let _ = write!(text, "\n| case | clause | safe is |");
    for name in names {
        let _ = write!(text, " {} |", name.split(' ').next().unwrap_or_default());
    }
    let _ = writeln!(text, "\n| --- | --- | --- |{}", " --- |".repeat(names.len()));
    let Some(first) = columns.get(&0) else { return text };
    for (row, outcome) in first.iter().enumerate() {
        let cells: Vec<String> = columns
            .values()
            .map(|column| column.get(row).and_then(|it| it.problem.as_deref()).map(cell))
            .map(Option::unwrap_or_default)
            .collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let Outcome { name, clause, safe, .. } = outcome;
        let _ = writeln!(text, "| {name} | {clause} | {safe} | {} |", cells.join(" | "));
    }
    text
}

fn cell(problem: &str) -> String {
    let short: String = problem.chars().take(120).collect();
    short.replace('|', "\\|").replace(['\r', '\n'], " ")
}
