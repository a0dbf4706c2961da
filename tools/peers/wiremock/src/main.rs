//! `peer-wiremock ADDR FILE`: answers `/api/generate` with the file.

use std::future::pending;
use std::net::TcpListener;

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("usage: peer-wiremock ADDR FILE");
    let (addr, file) = (argument(), argument());
    let body = std::fs::read(file).expect("the file can be read");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = TcpListener::bind(addr).expect("the address is free");
        // Recorded, every request would be kept for ever.
        let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
        let answer = ResponseTemplate::new(200).set_body_raw(body, "application/x-ndjson");
        Mock::given(method("POST")).and(path("/api/generate")).respond_with(answer).mount(&server).await;
        pending::<()>().await;
    });
}
