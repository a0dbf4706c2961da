//! Request heads as Go reads them: what is refused, in which words, and what is not.

use proptest::prelude::*;
use rstest::rstest;

use super::super::{MAX_HEAD_BYTES, Parsed, Parser};
use super::{BadRequest, BodyLength, RequestHead, Version};

fn read(bytes: &[u8]) -> Result<RequestHead, BadRequest> {
    let mut parser = Parser::default();
    parser.push(bytes);
    match parser.parse_next()? {
        Parsed::Request(request) => Ok(request.head),
        other => panic!("{other:?} of {}", String::from_utf8_lossy(bytes)),
    }
}

fn with_fields(fields: &str) -> Result<RequestHead, BadRequest> {
    read(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes())
}

#[rstest]
#[case::no_version("GET /", BadRequest::Malformed)]
#[case::no_target("GET  HTTP/1.1", BadRequest::Malformed)]
#[case::space_in_the_target("GET /api/t ags HTTP/1.1", BadRequest::Malformed)]
#[case::space_before("  GET / HTTP/1.1", BadRequest::Malformed)]
#[case::space_behind("GET / HTTP/1.1 ", BadRequest::Malformed)]
#[case::method("G(T / HTTP/1.1", BadRequest::Malformed)]
#[case::no_method(" / HTTP/1.1", BadRequest::Malformed)]
#[case::small_letters("GET / http/1.1", BadRequest::Malformed)]
#[case::long_version("GET / HTTP/1.10", BadRequest::Malformed)]
#[case::short_version("GET / HTTP/2", BadRequest::Malformed)]
#[case::relative_target("GET api/tags HTTP/1.1", BadRequest::Malformed)]
#[case::target_with_a_bad_escape("GET /api/%zz HTTP/1.1", BadRequest::Malformed)]
#[case::old("GET / HTTP/0.9", BadRequest::Version)]
#[case::new("GET / HTTP/2.0", BadRequest::Version)]
#[case::preface_of_another_target("PRI / HTTP/2.0", BadRequest::Version)]
fn a_request_line_that_go_refuses(#[case] line: &str, #[case] error: BadRequest) {
    assert_eq!(read(format!("{line}\r\nHost: a\r\n\r\n").as_bytes()), Err(error));
}

#[rstest]
#[case::of_1_0("GET / HTTP/1.0", Version::Http10)]
#[case::of_a_later_1("GET / HTTP/1.9", Version::Http11)]
#[case::any_token("b-r_e~w! / HTTP/1.1", Version::Http11)]
#[case::absolute("GET HTTP://evil.example/ HTTP/1.1", Version::Http11)]
#[case::query_with_a_bad_escape("GET /?%zz HTTP/1.1", Version::Http11)]
fn a_request_line_that_go_takes(#[case] line: &str, #[case] version: Version) {
    assert_eq!(read(format!("{line}\nHost: a\n\n").as_bytes()).unwrap().version, version);
}

#[rstest]
#[case::none("GET / HTTP/1.1\r\n\r\n", BadRequest::MissingHost)]
#[case::blank_after_the_name("GET / HTTP/1.1\r\nHost : a\r\n\r\n", BadRequest::MissingHost)]
#[case::two("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", BadRequest::ManyHosts)]
#[case::blank_inside("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", BadRequest::BadHost)]
#[case::slash("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", BadRequest::BadHost)]
#[case::not_ascii("GET / HTTP/1.1\r\nHost: é\r\n\r\n", BadRequest::BadHost)]
#[case::malformed_before_a_bad_name("GET / HTTP/1.1\r\nA b: c\r\nHost: ^\r\n\r\n", BadRequest::BadHost)]
fn a_host_that_go_refuses(#[case] head: &str, #[case] error: BadRequest) {
    assert_eq!(read(head.as_bytes()), Err(error));
}

#[rstest]
#[case::empty("GET / HTTP/1.1\r\nHost:\r\n\r\n", "")]
#[case::none_in_1_0("GET / HTTP/1.0\r\n\r\n", "")]
#[case::none_for_a_tunnel("CONNECT a:80 HTTP/1.1\r\n\r\n", "a:80")]
#[case::of_the_target("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "b")]
#[case::odd_but_allowed("GET / HTTP/1.1\r\nHost: [::1]%_~!\r\n\r\n", "[::1]%_~!")]
fn a_host_that_go_takes(#[case] head: &str, #[case] host: &str) {
    assert_eq!(read(head.as_bytes()).unwrap().host(), host);
}

#[rstest]
#[case::no_colon("bad field\r\n", BadRequest::Malformed)]
#[case::no_name(": x\r\n", BadRequest::Malformed)]
#[case::name("a(b: x\r\n", BadRequest::Malformed)]
#[case::tab_in_a_name("a\tb: x\r\n", BadRequest::Malformed)]
#[case::space_in_a_name("a b: x\r\n", BadRequest::BadName)]
#[case::space_after_a_name("a : x\r\n", BadRequest::BadName)]
#[case::control_character("a: \u{1}\r\n", BadRequest::Malformed)]
#[case::zero("a: \0\r\n", BadRequest::Malformed)]
#[case::carriage_return("a: b\rc\r\n", BadRequest::Malformed)]
#[case::delete("a: \u{7f}\r\n", BadRequest::Malformed)]
#[case::length("Content-Length: x\r\n", BadRequest::BadLength)]
#[case::length_with_a_sign("Content-Length: +5\r\n", BadRequest::BadLength)]
#[case::negative_length("Content-Length: -1\r\n", BadRequest::BadLength)]
#[case::empty_length("Content-Length:\r\n", BadRequest::BadLength)]
#[case::list_of_lengths("Content-Length: 5, 5\r\n", BadRequest::BadLength)]
#[case::two_lengths("Content-Length: 1\r\nContent-Length: 2\r\n", BadRequest::BadLength)]
#[case::length_of_64_bits("Content-Length: 9223372036854775808\r\n", BadRequest::BadLength)]
#[case::length_beside_a_coding("Transfer-Encoding: chunked\r\nContent-Length: x\r\n", BadRequest::BadLength)]
#[case::coding("Transfer-Encoding: gzip\r\n", BadRequest::UnsupportedCoding)]
#[case::no_coding("Transfer-Encoding: identity\r\n", BadRequest::UnsupportedCoding)]
#[case::empty_coding("Transfer-Encoding:\r\n", BadRequest::UnsupportedCoding)]
#[case::list_of_codings("Transfer-Encoding: gzip, chunked\r\n", BadRequest::UnsupportedCoding)]
#[case::two_codings("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", BadRequest::UnsupportedCoding)]
#[case::trailer("Transfer-Encoding: chunked\r\nTrailer: x, content-length\r\n", BadRequest::Malformed)]
fn a_field_that_go_refuses(#[case] fields: &str, #[case] error: BadRequest) {
    assert_eq!(with_fields(fields), Err(error));
}

#[rstest]
#[case::blanks("X: \t a \t\r\n", "a")]
#[case::no_blank("x:a\r\n", "a")]
#[case::not_ascii("X: é\r\n", "é")]
#[case::tab_inside("X: a\tb\r\n", "a\tb")]
#[case::folded("X: a \r\n \t b\r\n\tc\r\n", "a b c")]
#[case::folded_after_nothing("X:\r\n a\r\n", "a")]
#[case::line_feed_alone("X: a\nY: b\n", "a")]
#[case::beside_a_thousand_others(&("X: a\r\n".to_owned() + &"Y: b\r\n".repeat(1000)), "a")]
fn a_field_that_go_takes(#[case] fields: &str, #[case] value: &str) {
    assert_eq!(with_fields(fields).unwrap().header("X"), Some(value));
}

#[rstest]
#[case::one("Content-Length: 0\r\n")]
#[case::leading_zeros("Content-Length: 000\r\n")]
#[case::the_same_twice("Content-Length: 0\r\nContent-Length: 0\r\n")]
fn a_length_that_go_takes(#[case] fields: &str) {
    assert_eq!(with_fields(fields).unwrap().length, BodyLength::Exact(0));
}

#[test]
fn a_transfer_coding_means_nothing_in_1_0() {
    let head = read(b"GET / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n").unwrap();
    assert_eq!(head.length, BodyLength::Exact(0));
}

#[rstest]
#[case::unmet("Expect: 200-ok\r\nContent-Length: 5\r\n", true, false)]
#[case::met("Expect: 100-Continue\r\n", false, true)]
#[case::met_among_others("Expect: x 100-continue\r\n", false, true)]
#[case::empty("Expect:\r\n", false, true)]
#[case::close("Connection: a, Close\r\n", false, false)]
fn an_expectation_that_is_not_met_ends_the_connection(
    #[case] fields: &str,
    #[case] is_unmet: bool,
    #[case] keeps_alive: bool,
) {
    let head = with_fields(fields).unwrap();
    assert_eq!((head.expects_the_unknown(), head.keeps_alive()), (is_unmet, keeps_alive));
}

#[rstest]
#[case::after_a_post("POST", b"\r\n\r\n", true)]
#[case::too_many_after_a_post("POST", b"\r\n\r\n\n", false)]
#[case::after_another_method("GET", b"\r\n", false)]
fn old_clients_may_send_line_ends_after_a_post(#[case] method: &str, #[case] ends: &[u8], #[case] is_read: bool) {
    let mut parser = Parser::default();
    parser.push(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    assert!(matches!(parser.parse_next(), Ok(Parsed::Request(_))));
    for byte in ends.iter().chain(b"GET / HTTP/1.1\r\nHost: a\r\n") {
        parser.push(&[*byte]);
        if parser.parse_next() != Ok(Parsed::Incomplete) {
            assert!(!is_read);
            return;
        }
    }
    parser.push(b"\n");
    assert!(matches!(parser.parse_next(), Ok(Parsed::Request(_))) && is_read);
}

#[test]
fn a_head_may_be_as_long_as_its_limit_and_no_longer() {
    let of = |length: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(length - 32));
    assert_eq!(of(100).len(), 100);
    assert!(read(of(MAX_HEAD_BYTES).as_bytes()).is_ok());
    assert_eq!(read(of(MAX_HEAD_BYTES + 1).as_bytes()), Err(BadRequest::HeadTooLarge));
}

/// What requests are made of, and what spoils them.
const WORDS: [&[u8]; 22] = [
    b"GET ",
    b"POST ",
    b"/ ",
    b"http://a/%41 ",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"Host: a\r\n",
    b"X: y\r\n",
    b"Expect: x\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n",
    b"2;x\r\nab\r\n",
    b"\0",
    b"\xff",
    b"abc",
];

/// Everything that the parser says of these bytes, which come in pieces of this size.
fn outcome(bytes: &[u8], size: usize) -> Vec<String> {
    let mut parser = Parser::new(200, 100);
    let mut seen = Vec::new();
    for piece in bytes.chunks(size) {
        parser.push(piece);
        loop {
            match parser.parse_next() {
                Ok(Parsed::Incomplete) => break,
                Ok(parsed) => seen.push(format!("{parsed:?}")),
                Err(error) => {
                    seen.push(format!("{error:?} {:?}", parser.take_broken(error)));
                    return seen;
                }
            }
        }
    }
    seen
}

proptest! {
    #[test]
    fn words_of_requests_mean_the_same_however_they_are_cut(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..24),
        size in 1_usize..9,
    ) {
        let bytes = words.concat();
        prop_assert_eq!(outcome(&bytes, size), outcome(&bytes, bytes.len().max(1)));
    }

    #[test]
    fn any_bytes_mean_the_same_however_they_are_cut(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        size in 1_usize..9,
        begins in any::<bool>(),
    ) {
        let bytes = if begins { [b"GET / HTTP/1.1\r\nHost: a\r\n", bytes.as_slice()].concat() } else { bytes };
        prop_assert_eq!(outcome(&bytes, size), outcome(&bytes, bytes.len().max(1)));
    }
}
