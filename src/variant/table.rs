//! The one table of variants.

/// Calls a macro with the table of variants: `with_variants!([callback] arguments)` is `callback! { (arguments) rows }`.
///
/// A row is `{ feature, Id, id, "name", (client), (policy), [prefixes of the names of its threads] }`. The list of threads
/// is complete: an agent that is polled or woken by any other thread runs on something that the row does not name.
#[macro_export]
macro_rules! with_variants {
    ([$($callback:tt)+] $($arguments:tt)*) => {
        $($callback)+! {
            ($($arguments)*)
            { "runtime-tokio-default", TokioDefault, tokio_default, "tokio-default",
              (Reqwest), (AsReceived), ["tokio-default"] }
            { "runtime-tokio-localset", TokioLocalset, tokio_localset, "tokio-localset",
              (Reqwest), (AsReceived), ["tokio-localset"] }
            { "runtime-async-std", AsyncStd, async_std, "async-std",
              (Hyper), (AsReceived), ["async-std", "async-io"] }
            { "runtime-smol", Smol, smol, "smol",
              (Hyper), (AsReceived), ["smol", "async-io"] }
            { "runtime-smol-1kb", Smol1kb, smol_1kb, "smol-1kb",
              (Hyper 1024), (AtMost 1024), ["smol-1kb", "async-io"] }
        }
    };
}

/// Makes one test of each variant that is compiled in: `name::tokio_default`, `name::smol_1kb`, …
///
/// ```
/// use runtime_lab::variant::Variant;
///
/// runtime_lab::for_each_variant! {
///     fn has_a_name(variant: Variant) {
///         assert!(!variant.name().is_empty());
///     }
/// }
/// # fn main() {}
/// ```
///
/// `cargo nextest run -E 'test(/::smol_1kb$/)'` then runs the tests of one variant.
#[macro_export]
macro_rules! for_each_variant {
    ($(#[$meta:meta])* fn $name:ident($variant:ident: Variant) $body:block) => {
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its surroundings")]
            use super::*;
            #[allow(dead_code, reason = "a build without variants has nothing to check")]
            fn check($variant: $crate::variant::Variant) $body
            $crate::with_variants!([$crate::variant_tests] $(#[$meta])*);
        }
    };
}

/// The callback of [`for_each_variant!`](crate::for_each_variant).
#[doc(hidden)]
#[macro_export]
macro_rules! variant_tests {
    ($arguments:tt $({ $feature:literal, $id:ident, $snake:ident, $($rest:tt)* })*) => {
        $($crate::variant_tests! { @one $arguments $feature $id $snake })*
    };
    (@one ($(#[$meta:meta])*) $feature:literal $id:ident $snake:ident) => {
        #[cfg(feature = $feature)]
        #[test]
        $(#[$meta])*
        fn $snake() {
            check($crate::variant::Variant::$id);
        }
    };
}
