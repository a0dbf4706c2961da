//! Promises of the server that are about real time.

mod wall_clock {
    //! Real time is the subject here: each gate tries three times, and may say that the host was too busy to tell.

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

    /// What a drop may take.
    const MOST_DROP: Duration = Duration::from_millis(100);

    const TRIES: usize = 3;

    /// A stream of 2,000 chunks, one every 0.5 ms.
    fn long() -> Recording {
        let mut recording = builtin::recording("tiny-short").unwrap().unwrap();
        recording.exchanges[0].chunks =
            (1..=CHUNKS).map(|k| Chunk::new(k * 500, format!("{{\"response\":\"{k}\",\"done\":false}}\n"))).collect();
        recording
    }

    /// Replays the recording to a client that reads all of it, and hands out the server's journal entry.
    fn replay(recording: &Recording) -> Entry {
        let server = MockOllama::builder().recordings([recording.clone()]).pace(Pace::recorded()).start().unwrap();
        ask(&server, recording).read_to_end(&mut Vec::new()).unwrap();
        server.finish().unwrap().entries.remove(0)
    }

    /// A client that has asked for the recording.
    fn ask(server: &MockOllama, recording: &Recording) -> TcpStream {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        let request = recording.exchanges[0].request.as_ref().unwrap();
        let Some(RequestBody::Json(body)) = &request.body else { panic!("no JSON body") };
        let body = body.to_string();
        let fields = format!("Host: localhost\r\nConnection: close\r\nContent-Length: {}", body.len());
        client.write_all(format!("POST {} HTTP/1.1\r\n{fields}\r\n\r\n{body}", request.path).as_bytes()).unwrap();
        client
    }

    /// How much later than at its beginning the server was at the end: medians over a hundred chunks each, which do
    /// not see the moments when the host was away.
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

    /// One round of a gate.
    enum Round {
        /// The promise was kept, and the control was seen to break it.
        Kept(String),
        /// It was not kept.
        Broken(String),
        /// The control passed: the round says nothing.
        Blind(String),
    }

    /// Plays up to three rounds. One in which the promise is kept passes the gate; it fails when a round broke the
    /// promise and the host was there to keep it; else nothing can be said.
    fn gate(name: &str, mut round: impl FnMut() -> Round) {
        let (mut said, mut broken) = (Vec::new(), false);
        for _ in 0..TRIES {
            match round() {
                Round::Kept(why) => return report(name, "pass", &why),
                Round::Broken(why) => {
                    broken |= !machine_is_away();
                    said.push(why);
                }
                Round::Blind(why) => said.push(format!("the control passed: {why}")),
            }
        }
        let why = said.join("; ");
        if broken {
            report(name, "fail", &why);
            panic!("{name}: {why}");
        }
        println!("INCONCLUSIVE: {why}");
        report(name, "inconclusive", &why);
    }

    #[test]
    fn a_recorded_pace_is_kept_chunk_by_chunk_and_does_not_drift() {
        let recording = long();
        gate("no drift over 2,000 chunks", || {
            let entry = replay(&recording);
            assert_eq!((entry.fate, entry.chunks.len() as u64), (Fate::Complete, CHUNKS));
            for (sent, recorded) in entry.chunks.iter().zip(&recording.exchanges[0].chunks) {
                let due = sent.due.saturating_since(entry.received);
                assert_eq!(due, Duration::from_micros(recorded.at_us), "a chunk is due at its recorded time");
                assert!(sent.written.unwrap() >= sent.due, "no chunk leaves early");
            }
            let (ours, control) = (drift(&entry), drift_of_a_sleep_per_token());
            let why = format!("drift {ours:?}, of a sleep per token {control:?}");
            match (ours <= MOST_DRIFT, control <= MOST_DRIFT) {
                (_, true) => Round::Blind(why),
                (true, false) => Round::Kept(why),
                (false, false) => Round::Broken(why),
            }
        });
    }

    #[test]
    fn a_dropped_server_is_gone_within_100_ms_whatever_streams_are_open() {
        let recording = long();
        gate("gone within 100 ms", || {
            let server = MockOllama::builder().recordings([recording.clone()]).pace(Pace::stepped()).start().unwrap();
            let clients: Vec<TcpStream> = (0..50).map(|_| ask(&server, &recording)).collect();
            server.in_flight(clients.len()).within(Duration::from_secs(20)).wait().unwrap();
            let start = Instant::now();
            drop(server);
            let took = start.elapsed();
            // The control is a server that lets its streams end before it goes.
            let start = Instant::now();
            replay(&recording);
            let control = start.elapsed();
            let why = format!("{took:?} with {} streams open, {control:?} when one is waited for", clients.len());
            match (took <= MOST_DROP, control <= MOST_DROP) {
                (_, true) => Round::Blind(why),
                (true, false) => Round::Kept(why),
                (false, false) => Round::Broken(why),
            }
        });
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
