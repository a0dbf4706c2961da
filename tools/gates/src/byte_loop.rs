//! What the framer is held against.

use std::hint::black_box;

use runtime_lab::ndjson::MAX_LINE_BYTES;

/// Does what the framer does, looking at every byte. It checks the same limit and copies every line, as simple code does.
///
/// # Panics
///
/// At a line longer than the framer allows.
pub fn byte_by_byte(body: &[u8], piece: usize) -> u64 {
    let mut line = Vec::new();
    let mut lines = 0;
    for piece in body.chunks(piece) {
        for &byte in piece {
            if byte == b'\n' {
                black_box(&line);
                lines += 1;
                line.clear();
            } else {
                assert!(line.len() < MAX_LINE_BYTES, "the lines are short");
                line.push(byte);
            }
        }
    }
    lines
}
