//! What holds of several dialects.

mod fold;
mod foreign;
mod read;
mod request;
mod search;
mod tools;

use super::{DIALECTS, RecordedBody, Unreadable, of};
use crate::generation::{Dialect, Generation, ParsedRequest, Refusal};
use crate::http::Reply;
use crate::recording::Exchange;

fn decode(dialect: Dialect, body: &[u8]) -> Result<ParsedRequest, Refusal> {
    super::decode(of(dialect), of(dialect).route(), body)
}

fn fold(dialect: Dialect, exchange: &Exchange) -> Result<Reply, Unreadable> {
    of(dialect).fold(&RecordedBody::of(exchange))
}

fn read(dialect: Dialect, exchange: &Exchange) -> Result<Generation, Unreadable> {
    super::read(of(dialect), exchange)
}

#[test]
fn each_dialect_has_one_row() {
    for row in DIALECTS {
        assert_eq!((of(row.name()).route(), super::at(row.route()).unwrap().name()), (row.route(), row.name()));
    }
}
