//! The pace of a replay in real time.

mod wall_clock {
    //! Real time is the subject here: each gate tries three times, and may say that the machine was too busy to tell.

    use std::fs::OpenOptions;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    use mock_ollama::MockOllama;
    use mock_ollama::catalog::builtin;
    use mock_ollama::journal::{Entry, Fate};
    use mock_ollama::recording::{Chunk, Recording, RequestBody};
    use mock_ollama::schedule::Pace;

    const CHUNKS: u64 = 2_000;
    const GAP: Duration = Duration::from_micros(500);

    /// A sleep per token is late by its overshoot times the number of tokens: with 60 µs, 120 ms here.
    const MOST_DRIFT: Duration = Duration::from_millis(20);

    const TRIES: usize = 3;

    /// A stream of 2,000 chunks, one every 0.5 ms.
    fn long() -> Recording {
        let mut recording = builtin::recording("tiny-short").unwrap().unwrap();
        recording.exchanges[0].chunks = (1..=CHUNKS)
            .map(|k| Chunk { at_us: k * 500, bytes: format!("{{\"response\":\"{k}\",\"done\":false}}\n").into() })
            .collect();
        recording
    }

    /// Replays the recording to a client that reads all of it, and hands out the server's journal entry.
    fn replay(recording: &Recording) -> Entry {
        let server = MockOllama::builder().recordings([recording.clone()]).pace(Pace::recorded()).start().unwrap();
        let mut client = TcpStream::connect(server.addr()).unwrap();
        let request = recording.exchanges[0].request.as_ref().unwrap();
        let Some(RequestBody::Json(body)) = &request.body else { panic!("no JSON body") };
        let body = body.to_string();
        let fields = format!("Host: localhost\r\nConnection: close\r\nContent-Length: {}", body.len());
        client.write_all(format!("POST {} HTTP/1.1\r\n{fields}\r\n\r\n{body}", request.path).as_bytes()).unwrap();
        client.read_to_end(&mut Vec::new()).unwrap();
        server.finish().unwrap().entries.remove(0)
    }

    /// How much later than at its beginning the server was at the end: medians over a hundred chunks each, which do
    /// not see the moments when the machine was away.
    fn drift(entry: &Entry) -> Duration {
        let late = |chunks: &[mock_ollama::journal::ChunkSent]| {
            let mut late: Vec<Duration> =
                chunks.iter().map(|chunk| chunk.written.unwrap().saturating_since(chunk.due)).collect();
            late.sort_unstable();
            late[late.len() / 2]
        };
        late(&entry.chunks[entry.chunks.len() - 100..]).saturating_sub(late(&entry.chunks[..100]))
    }

    /// The drift of the control: a sleep per token.
    fn drift_of_a_sleep_per_token() -> Duration {
        let start = Instant::now();
        for _ in 0..CHUNKS {
            std::thread::sleep(GAP);
        }
        let planned = GAP * u32::try_from(CHUNKS).unwrap();
        start.elapsed().saturating_sub(planned)
    }

    /// Tells `.ci/run` what a gate said.
    fn report(gate: &str, verdict: &str, why: &str) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/verdicts.jsonl");
        let line = serde_json::json!({ "gate": gate, "variant": "mock-ollama", "verdict": verdict, "why": why });
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    #[test]
    fn a_recorded_pace_is_kept_chunk_by_chunk_and_does_not_drift() {
        let recording = long();
        let mut said = Vec::new();
        for _ in 0..TRIES {
            let entry = replay(&recording);
            assert_eq!((entry.fate, entry.chunks.len() as u64), (Fate::Complete, CHUNKS));
            for (sent, recorded) in entry.chunks.iter().zip(&recording.exchanges[0].chunks) {
                let due = sent.due.saturating_since(entry.received);
                assert_eq!(due, Duration::from_micros(recorded.at_us), "a chunk is due at its recorded time");
                assert!(sent.written.unwrap() >= sent.due, "no chunk leaves early");
            }
            let (ours, control) = (drift(&entry), drift_of_a_sleep_per_token());
            said.push(format!("drift {ours:?}, of a sleep per token {control:?}"));
            // A round in which the control would have passed says nothing.
            if control > MOST_DRIFT && ours <= MOST_DRIFT {
                return report("no-drift", "pass", &said.join("; "));
            }
        }
        let why = said.join("; ");
        if drift_of_a_sleep_per_token() > MOST_DRIFT && said.len() == TRIES && !machine_is_away() {
            report("no-drift", "fail", &why);
            panic!("a replay drifts: {why}");
        }
        println!("INCONCLUSIVE: {why}");
        report("no-drift", "inconclusive", &why);
    }

    /// Whether a thread that sleeps a millisecond is, at the median, more than another one late.
    fn machine_is_away() -> bool {
        let mut late: Vec<Duration> = (0..50)
            .map(|_| {
                let start = Instant::now();
                std::thread::sleep(Duration::from_millis(1));
                start.elapsed().saturating_sub(Duration::from_millis(1))
            })
            .collect();
        late.sort_unstable();
        late[25] > Duration::from_millis(1)
    }
}
