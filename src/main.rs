//! The command line of runtime-lab.

fn main() {}
