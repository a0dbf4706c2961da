use super::*;

#[test]
fn a_buffer_takes_as_many_lines_as_fill_it() {
    assert_eq!([1.0, 100.0, 1_024.0, 5_000.0].map(lines_collected), [1_024, 11, 1, 1]);
}

#[test]
fn the_size_of_a_line_is_that_of_real_ones_with_another_name() {
    let (short, long) = (line_bytes("m").unwrap(), line_bytes("gemma3:latest").unwrap());
    assert!((long - short - 12.0).abs() < 1e-9, "{short} {long}");
    assert!((90.0..130.0).contains(&long), "{long}");
}
