use super::*;

const AGENTS: &str = "\
set,scenario,run,agent,model,server_port,num_gpu,num_ctx,temperature,calls,ttft_ms,load_ms,prompt_eval_ms,eval_ms,total_ms,tokens,execution_s
one,s,1,collector,m,1,,,,1,30,10,5,100,200,9,0.2
one,s,1,insight,m,1,80,512,0.8,1,40,10,5,100,220,9,0.22
";

const RUN: &str = "\
set,scenario,run,speedup,efficiency_pct,wall_s,sequential_s,contention
one,s,1,1.9,95,0.22,0.42,false
";

fn refusal(runs: &str, summary: &str) -> String {
    Published::parse(runs, summary, "there").unwrap_err().to_string()
}

#[test]
fn both_forms_are_read() {
    let sets = Published::parse(AGENTS, RUN, "there").unwrap();
    assert_eq!((sets.label, sets.pairs().len(), sets.agents[1].server_port), (Label::Set, 1, Some(1)));
    let as_runtime = |text: &str| text.replacen("set,", "runtime,", 1);
    let runtimes = Published::parse(&as_runtime(AGENTS), &as_runtime(RUN), "there").unwrap();
    assert_eq!(runtimes.label, Label::Runtime);
    assert_eq!((runtimes.agents, runtimes.runs), (sets.agents, sets.runs));
}

#[test]
fn a_bad_cell_is_refused_with_its_line_however_lines_end() {
    let bad = AGENTS.replacen(",9,0.22", ",many,0.22", 1);
    assert_eq!(refusal(&bad, RUN), "there/runs.csv:3: column `tokens`: invalid digit found in string");
    assert_eq!(refusal(&bad.replace('\n', "\r\n"), RUN), refusal(&bad, RUN));
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    let agents = |from: &str, to: &str| refusal(&AGENTS.replacen(from, to, 1), RUN);
    let runs = |from: &str, to: &str| refusal(AGENTS, &RUN.replacen(from, to, 1));
    let told = [
        agents("tokens", "words"),
        agents("execution_s", "execution_s,colour"),
        agents("calls", "tokens"),
        agents("set,", "kind,"),
        agents("set,", "runtime,"),
        agents("200,9", "200,0"),
        agents("30,10,5", "NaN,10,5"),
        agents(",0.2\n", "\n"),
        agents("one,s,1,c", "one,s,2,c"),
        agents("one,s,1,c", "one,s,1,a,m,1,,,,1,30,10,5,100,200,9,0.2\none,s,1,c"),
        runs("0.22", "0"),
        runs("0.42", "-1"),
        runs("false", "no"),
        runs("one,s,1,1", "one,s,1,1.9,95,0.22,0.42,false\none,s,1,1"),
        runs("one,s,1,1", "one,s,2,1.9,95,0.22,0.42,false\none,s,1,1"),
        refusal("", RUN),
        refusal(AGENTS.lines().next().unwrap(), RUN),
    ];
    insta::assert_snapshot!(told.join("\n"));
}
