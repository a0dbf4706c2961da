//! The same workload without tasks or HTTP, for scale.
