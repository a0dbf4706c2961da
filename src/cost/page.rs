//! All of it as Markdown.

use crate::report::model::Host;
use crate::report::text::{Table, confidence, or_dash, plural};

use super::model::MedianInterval;
use super::{CostReport, CostRow, Decided, Metric, Size};

/// The whole page.
pub fn page(report: &CostReport) -> String {
    let mut text = String::from("# What a token costs the client\n\n");
    text.push_str(&setting(report));
    text.push_str(&curve(report));
    for size in &report.sizes {
        text.push_str(&section(report, size));
    }
    text
}

fn setting(report: &CostReport) -> String {
    let mut lines = vec![format!(
        "Answers of {}, {} after one to warm up, seed {}.",
        plural(report.tokens, "token"),
        plural(report.rounds, "round"),
        report.seed
    )];
    lines.push(match report.server_core {
        Some(core) => format!("The server keeps to core {core}, the agents to {}.", cores(&report.agent_cores)),
        None => {
            "Not pinned: server and agents have no core of their own here, and take time from each other.".to_owned()
        }
    });
    if let Some(host) = &report.environment.host {
        lines.push(of_host(host));
    }
    for left in &report.left_out {
        lines.push(format!(
            "Left out: {} agents need {} descriptors, and a process may have {} here.",
            left.agents, left.needed, left.limit
        ));
    }
    if !report.allocations_counted {
        lines.push("Allocations were not counted: this program was built without `count-allocations`.".to_owned());
    }
    lines.push(match &report.system_calls_uncounted {
        Some(why) => format!("System calls were not counted: {why}."),
        None => "System calls were counted in the round to warm up alone, since that takes time at each: one value, without \
                 an interval, by which nothing is ranked."
            .to_owned(),
    });
    lines.push(
        "Medians over rounds; in brackets a bootstrap interval of the median (95 %, too narrow for few rounds). A ratio is \
         taken within each round: to the floor, which is sockets and epoll on one thread, sends the same requests and parses \
         nothing."
            .to_owned(),
    );
    lines.join("\n") + "\n\n"
}

fn cores(cores: &[usize]) -> String {
    let names: Vec<String> = cores.iter().map(usize::to_string).collect();
    format!("{} {}", if cores.len() == 1 { "core" } else { "cores" }, names.join(", "))
}

fn of_host(host: &Host) -> String {
    let load = |load: Option<f64>| or_dash(load, |load| format!("{load:.2}"));
    format!(
        "{} {}, {}, {} build; load {} before, {} after.",
        host.os,
        host.arch,
        plural(host.cores, "core"),
        host.profile,
        load(host.load_before),
        load(host.load_after)
    )
}

/// CPU time by the number of agents: the curve.
fn curve(report: &CostReport) -> String {
    let Some(first) = report.sizes.first() else { return String::new() };
    let agents: Vec<String> = report.sizes.iter().map(|size| size.agents.to_string()).collect();
    let head: Vec<&str> = std::iter::once("agents").chain(agents.iter().map(String::as_str)).collect();
    let mut table = Table::new(&head);
    for row in first.rows.iter().skip(1) {
        let of = |size: &Size| {
            let row = size.rows.iter().find(|other| other.who == row.who);
            or_dash(row.and_then(|row| ratio(row, Metric::Cpu)), times)
        };
        table.row(std::iter::once(row.who.clone()).chain(report.sizes.iter().map(of)).collect());
    }
    format!("## CPU time per token, × the floor\n\n{}", table.markdown())
}

fn section(report: &CostReport, size: &Size) -> String {
    let mut text = format!("## {}, {}\n\n", plural(size.agents, "agent"), size.pace);
    let head: Vec<&str> = std::iter::once("× the floor").chain(Metric::RATIOS.iter().map(|of| of.title())).collect();
    let mut table = Table::new(&head);
    for row in size.rows.iter().skip(1) {
        let cells = Metric::RATIOS.iter().map(|&metric| or_dash(ratio(row, metric), times));
        table.row(std::iter::once(row.who.clone()).chain(cells).collect());
    }
    text.push_str(&table.markdown());
    text.push_str("On this host, per token where nothing else is said:\n\n");
    let head: Vec<&str> = std::iter::once("").chain(Metric::ALL.iter().map(|of| of.title())).collect();
    let mut table = Table::new(&head);
    for row in &size.rows {
        let cells = Metric::ALL.iter().map(|&metric| or_dash(value(row, metric), |of| metric.show(of.median)));
        table.row(std::iter::once(row.who.clone()).chain(cells).collect());
    }
    text.push_str(&table.markdown());
    text.push_str(&decisions(report, size));
    text
}

fn ratio(row: &CostRow, metric: Metric) -> Option<MedianInterval> {
    row.metrics.iter().find(|of| of.metric == metric.key())?.ratio
}

fn value(row: &CostRow, metric: Metric) -> Option<MedianInterval> {
    row.metrics.iter().find(|of| of.metric == metric.key()).map(|of| of.value)
}

/// `2.31 [2.25, 2.40]`.
fn times(of: MedianInterval) -> String {
    let show = |value: f64| if value.abs() < 99.95 { format!("{value:.2}") } else { format!("{value:.0}") };
    match (of.low, of.high) {
        (Some(low), Some(high)) => format!("{} [{}, {}]", show(of.median), show(low), show(high)),
        _ => show(of.median),
    }
}

fn decisions(report: &CostReport, size: &Size) -> String {
    let Some(first) = size.decisions.first() else { return String::new() };
    let pairs = plural(first.pairs, "pair");
    if first.rounds_needed.is_none_or(|needed| needed > report.rounds) {
        let needed = or_dash(first.rounds_needed, |needed| needed.to_string());
        return format!(
            "Nothing is ranked: telling {pairs} of variants apart takes {needed} rounds, and there are {}.\n\n",
            report.rounds
        );
    }
    let mut text =
        format!("What the evidence separates, at {} for all {pairs} of a line together:\n\n", confidence(0.95));
    for decided in &size.decisions {
        text.extend(["- ", &decision(decided), "\n"]);
    }
    text + "\n"
}

fn decision(decided: &Decided) -> String {
    let Some(metric) = Metric::ALL.into_iter().find(|metric| metric.key() == decided.metric) else {
        return String::new();
    };
    let mut said = Vec::new();
    let mut less: Vec<&str> = decided.separated.iter().map(|pair| pair.less.as_str()).collect();
    less.dedup();
    for (n, who) in less.iter().enumerate() {
        if less[..n].contains(who) {
            continue;
        }
        let more = decided.separated.iter().filter(|pair| pair.less == *who);
        let more: Vec<String> = more.map(|pair| format!("{} (by {})", pair.more, metric.show(pair.by))).collect();
        said.push(format!("{who} takes less than {}", listed(&more)));
    }
    let same: Vec<String> = decided.same.iter().map(|[a, b]| format!("{a} and {b}")).collect();
    if !same.is_empty() {
        said.push(if same.len() == decided.pairs {
            "no difference between any two".to_owned()
        } else {
            format!("no difference between {}", same.join("; between "))
        });
    }
    let undecided = decided.pairs - decided.separated.len() - decided.same.len();
    if undecided > 0 {
        said.push(format!("not decided: {undecided} of {}", plural(decided.pairs, "pair")));
    }
    format!(
        "{} (differences below {} do not matter): {}.",
        metric.phrase(),
        metric.show(decided.smallest_effect),
        said.join("; ")
    )
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
