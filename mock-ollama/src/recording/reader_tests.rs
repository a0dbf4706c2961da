use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;

use super::Lines;
use crate::recording::limits::{MAX_BODY_NESTING, MAX_CHUNKS, MAX_FILE_BYTES};
use crate::recording::{Chunk, ReadError, Recording, RecordingProblem, arbitrary, read, to_string};

const HEAD: &str = concat!(
    r#"{"recording":1,"name":"t","origin":"synthetic","model":{"name":"m","capabilities":[]}}"#,
    "\n",
    r#"{"response":{"status":200,"headers":[]}}"#,
    "\n",
);

fn problem_of(text: &[u8]) -> Option<(u64, RecordingProblem)> {
    match read(text, "t.jsonl") {
        Err(ReadError::Malformed { line, problem, .. }) => Some((line, *problem)),
        _ => None,
    }
}

fn reads_back(recording: &Recording) -> bool {
    to_string(recording).is_ok_and(|text| read(text.as_bytes(), "t").is_ok_and(|again| again == *recording))
}

/// Returns the byte ranges of all chunk payloads in a recording's text: what stands between the first comma and the
/// closing bracket of an event line.
fn payloads(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let mut ranges = Vec::new();
    for line in text.split_inclusive('\n') {
        if let (true, Some(comma)) = (line.starts_with('['), line.find(',')) {
            ranges.push(start + comma + 1..start + line.len() - 2);
        }
        start += line.len();
    }
    ranges
}

proptest! {
    #[test]
    fn any_recording_round_trips(recording in arbitrary::recording()) {
        let text = to_string(&recording).unwrap();
        let again = read(text.as_bytes(), "t").unwrap();
        prop_assert_eq!(&again, &recording);
        prop_assert_eq!(to_string(&again).unwrap(), text);
    }

    #[test]
    fn a_changed_byte_inside_a_chunk_is_found(
        recording in arbitrary::recording(), at in any::<prop::sample::Index>(), change in 1..=255u8,
    ) {
        let mut text = to_string(&recording).unwrap();
        let places: Vec<usize> = payloads(&text).into_iter().flatten().collect();
        prop_assume!(!places.is_empty());
        let mut bytes = std::mem::take(&mut text).into_bytes();
        bytes[places[at.index(places.len())]] ^= change;
        prop_assert!(read(bytes.as_slice(), "t").is_err());
    }

    #[test]
    fn what_is_read_after_a_changed_byte_reads_back(
        recording in arbitrary::recording(), at in any::<prop::sample::Index>(), change in 1..=255u8,
    ) {
        let mut bytes = to_string(&recording).unwrap().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] ^= change;
        if let Ok(changed) = read(bytes.as_slice(), "t") {
            prop_assert!(reads_back(&changed));
        }
    }

    #[test]
    fn a_recording_cut_anywhere_is_found(recording in arbitrary::recording(), at in any::<prop::sample::Index>()) {
        let text = to_string(&recording).unwrap();
        let cut = &text.as_bytes()[..at.index(text.len())];
        // Whole exchanges at the end may be missing: what is left is a recording.
        match read(cut, "t") {
            Ok(shorter) => prop_assert_eq!(&shorter.exchanges[..], &recording.exchanges[..shorter.exchanges.len()]),
            Err(error) => prop_assert!(!error.is_io()),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(bytes.as_slice(), "t");
    }

    #[test]
    fn arbitrary_bytes_in_place_of_a_line_never_panic(
        recording in arbitrary::recording(), line in any::<prop::sample::Index>(), junk in r#"[\[{"]?.{0,40}"#,
    ) {
        let text = to_string(&recording).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let place = line.index(lines.len());
        lines[place] = &junk;
        if let Ok(changed) = read(lines.join("\n").as_bytes(), "t") {
            prop_assert!(reads_back(&changed));
        }
    }
}

/// Hexadecimal digits of an escape have two cases, and letters can be escaped: neither lets a change through.
#[test]
fn every_change_of_every_byte_of_a_chunk_is_found() {
    let mut recording = read(include_bytes!("../../fixtures/recordings/json-generate.jsonl").as_slice(), "t").unwrap();
    let bytes = Bytes::from_static("\u{1b}é\n".as_bytes());
    let binary = Bytes::from_static(b"\xFF\xFE");
    recording.exchanges[0].chunks = vec![Chunk { at_us: 0, bytes }, Chunk { at_us: 0, bytes: binary }];
    let text = to_string(&recording).unwrap();
    let mut bytes = text.clone().into_bytes();
    for place in payloads(&text).into_iter().flatten() {
        for change in 1..=255 {
            bytes[place] ^= change;
            assert!(read(bytes.as_slice(), "t").is_err(), "{}", String::from_utf8_lossy(&bytes));
            bytes[place] ^= change;
        }
    }
}

fn bad_files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/bad/recording");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_malformed_file_is_rejected_with_a_message_that_helps() {
    for path in bad_files() {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let error = read(fs::read(&path).unwrap().as_slice(), &format!("{stem}.jsonl")).expect_err(stem);
        insta::assert_snapshot!(format!("bad-{stem}"), error);
    }
}

/// A file is named like the problem it has, with what else it shows behind `--`.
#[test]
fn every_problem_but_those_of_size_has_a_malformed_file() {
    let mut shown = BTreeSet::new();
    for path in bad_files() {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let (_, problem) = problem_of(&fs::read(&path).unwrap()).expect(stem);
        let debug = format!("{problem:?}");
        let variant: String = debug.chars().take_while(|c| c.is_alphanumeric()).collect();
        assert_eq!(kebab(&variant), stem.split("--").next().unwrap(), "{stem}");
        shown.insert(variant);
    }
    let source = include_str!("error.rs").split_once("pub enum RecordingProblem {").unwrap().1;
    let named = source.lines().filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase());
    let mut all: BTreeSet<String> =
        named.map(|line| line.chars().skip(4).take_while(|c| c.is_alphanumeric()).collect()).collect();
    for of_size in ["FileTooLarge", "TooManyChunks"] {
        assert!(all.remove(of_size), "{of_size}");
    }
    assert_eq!(all, shown);
}

fn kebab(variant: &str) -> String {
    let mut kebab = String::new();
    for (index, letter) in variant.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

#[test]
fn a_line_may_fill_the_recording_and_no_more() {
    let mut text = b"x".repeat(usize::try_from(MAX_FILE_BYTES).unwrap() - 1);
    text.push(b'\n');
    assert_eq!(Lines::new(&text[..], "t").next().unwrap().map(str::len), Some(text.len() - 1));
    text.insert(0, b'x');
    assert_eq!(Lines::new(&text[..], "t").next().unwrap_err().problem(), Some(&RecordingProblem::FileTooLarge));
    // An endless line is given up at the limit.
    let endless = BufReader::new(HEAD.as_bytes().chain(io::repeat(b'x')));
    assert!(
        matches!(read(endless, "t"), Err(ReadError::Malformed { problem, .. }) if *problem == RecordingProblem::FileTooLarge)
    );
}

#[test]
fn a_recording_may_have_as_many_chunks_as_the_limit_and_no_more() {
    let mut text = String::from(HEAD);
    for _ in 0..MAX_CHUNKS {
        text.push_str("[0,\"x\"]\n");
    }
    assert!(matches!(problem_of(text.as_bytes()), Some((_, RecordingProblem::Truncated(_)))));
    text.push_str("[0,\"x\"]\n");
    assert_eq!(problem_of(text.as_bytes()), Some((MAX_CHUNKS as u64 + 3, RecordingProblem::TooManyChunks)));
}

/// The same line again and again.
struct Endless<'a> {
    line: &'a [u8],
    at: usize,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.line[self.at..]).read(buffer)?;
        self.at = (self.at + read) % self.line.len();
        Ok(read)
    }
}

#[test]
fn a_recording_is_no_larger_than_the_limit() {
    let line = [b"x".repeat(1024 * 1024 - 1), b"\n".to_vec()].concat();
    let mut lines = Lines::new(BufReader::new(Endless { line: &line, at: 0 }), "t");
    let fit = MAX_FILE_BYTES / line.len() as u64;
    for _ in 0..fit {
        assert!(lines.next().unwrap().is_some());
    }
    assert_eq!(lines.next().unwrap_err().problem(), Some(&RecordingProblem::FileTooLarge));
}

#[test]
fn a_body_may_be_nested_as_deep_as_the_limit_and_no_deeper() {
    let text = |levels: usize| {
        let (header, response) = HEAD.split_once('\n').unwrap();
        let body = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let mut text = String::new();
        write!(text, "{header}\n{{\"request\":{{\"method\":\"POST\",\"path\":\"/\",\"body\":{body}}}}}\n{response}")
            .unwrap();
        text
    };
    assert!(matches!(problem_of(text(MAX_BODY_NESTING).as_bytes()), Some((3, RecordingProblem::Truncated(_)))));
    assert_eq!(problem_of(text(MAX_BODY_NESTING + 1).as_bytes()), Some((2, RecordingProblem::BodyNesting)));
    assert_eq!(problem_of(text(100_000).as_bytes()), Some((2, RecordingProblem::BodyNesting)));
}

#[rstest]
#[case::header("")]
#[case::request("HEADER{\"request\":")]
#[case::event("HEADER{\"response\":{\"status\":200,\"headers\":[]}}\n[0,")]
#[case::end("HEADER{\"response\":{\"status\":200,\"headers\":[]}}\n{\"end\":")]
fn a_line_nested_a_hundred_thousand_levels_deep_is_an_error(#[case] before: &str) {
    let before = before.replace("HEADER", HEAD.split_inclusive('\n').next().unwrap());
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{before}{}1{}\n", open.repeat(100_000), close.repeat(100_000));
        assert!(problem_of(text.as_bytes()).is_some());
    }
}

#[test]
fn a_reader_that_fails_is_not_a_malformed_recording() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("cable pulled"))
        }
    }
    let error = read(BufReader::new(HEAD.as_bytes().chain(Broken)), "t.jsonl").unwrap_err();
    assert!(error.is_io());
    assert_eq!(error.to_string(), "t.jsonl: cannot read the recording");
}

#[test]
fn header_keys_may_come_in_any_order_and_spacing() {
    let hello = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let text = format!(
        "{{ \"recording\": 1, \"model\": {{\"name\": \"m\"}}, \"origin\": \"synthetic\", \"name\": \"t\" }}\n\
         {{\"response\":{{\"headers\":[],\"status\":200}}}}\n[7,\"abc\"]\n\
         {{\"end\":{{\"how\":\"clean\",\"chunks\":1,\"bytes\":3,\"sha256\":\"{hello}\"}}}}\n"
    );
    assert!(reads_back(&read(text.as_bytes(), "t").unwrap()));
}

#[test]
fn the_example_in_the_documentation_is_canonical() {
    let documentation = include_str!("../../../docs/recording-format.md");
    let example = documentation.split_once("```jsonl\n").unwrap().1.split_once("```").unwrap().0;
    let recording = read(example.as_bytes(), "docs/recording-format.md").unwrap();
    assert_eq!(recording.exchanges.len(), 2);
    assert_eq!(to_string(&recording).unwrap(), example);
}

#[test]
fn the_documentation_states_the_limits() {
    let documentation = include_str!("../../../docs/recording-format.md");
    for limit in [MAX_CHUNKS as u64, MAX_FILE_BYTES, MAX_BODY_NESTING as u64] {
        assert!(documentation.contains(&format!("| {limit} |")), "{limit}");
    }
}
