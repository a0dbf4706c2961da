//! JSON as Go reads and writes it, with the texts of its errors.
//!
//! | file | what |
//! | --- | --- |
//! | `encode` | JSON as Go's encoder writes it |
//! | `fmt` | values as Go's `fmt` prints them |
//! | `scan` | the first JSON value of a body, or the text of its first syntax error |
//! | `value` | a JSON value with its number texts |
//! | `decode` | values checked against Go types |
//! | `fields` | decoded fields, taken out by name |

mod decode;
mod encode;
pub(crate) mod fields;
pub(crate) mod fmt;
mod scan;
mod value;

pub(crate) use decode::{DecodeError, GoStruct, GoType, base64_error, decode, decode_as, decode_type};
pub(crate) use encode::{error_body, is_zero, lossy_text, rfc3339, string, to_string};
pub(crate) use scan::{Scanned, is_cut, parse, scan};
pub(crate) use value::Json;
