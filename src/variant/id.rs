//! A row of the table that is compiled in.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ChunkPolicy;

/// The HTTP stack of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// reqwest on its own tokio runtime.
    Reqwest,
    /// hyper over the runtime's own sockets.
    Hyper {
        /// The most bytes that one read asks for; hyper's own growing buffer when absent.
        read_cap: Option<NonZeroUsize>,
    },
}

/// What is said of a variant in the table. Whether it is so, introspection has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The name, as flags and reports spell it.
    pub name: &'static str,
    /// The HTTP stack.
    pub client: ClientKind,
    /// In what pieces bytes reach the agent.
    pub policy: ChunkPolicy,
    /// The prefixes of the names of all threads that may poll or wake an agent.
    pub threads: &'static [&'static str],
}

#[allow(unused_macros, reason = "a build without variants has no row to expand")]
macro_rules! client {
    (Reqwest) => {
        ClientKind::Reqwest
    };
    (Hyper) => {
        ClientKind::Hyper { read_cap: None }
    };
    (Hyper $cap:literal) => {
        ClientKind::Hyper { read_cap: NonZeroUsize::new($cap) }
    };
}

#[allow(unused_macros, reason = "a build without variants has no row to expand")]
macro_rules! policy {
    (AsReceived) => {
        ChunkPolicy::AsReceived
    };
    ($policy:ident $bytes:literal) => {
        ChunkPolicy::$policy(NonZeroUsize::new($bytes).expect("the table has no policy of 0 bytes"))
    };
}

macro_rules! define_variant {
    (() $({ $feature:literal, $id:ident, $snake:ident, $name:literal,
            $client:tt, $policy:tt, [$($thread:literal),*] })*) => {
        /// One of the variants that are compiled in: an executor, its reactor and its client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum Variant {
            $(#[doc = concat!("`", $name, "`")] #[cfg(feature = $feature)] $id,)*
        }

        impl Variant {
            /// The variants that are compiled in, in the order of reports.
            pub const ALL: &'static [Self] = &[$(#[cfg(feature = $feature)] Self::$id,)*];

            /// What the table says of it.
            pub const fn facts(self) -> &'static Facts {
                match self {
                    $(#[cfg(feature = $feature)] Self::$id => const {
                        &Facts {
                            name: $name,
                            client: client! $client,
                            policy: policy! $policy,
                            threads: &[$($thread),*],
                        }
                    },)*
                }
            }
        }

        /// The names of all rows, compiled in or not.
        const NAMES: &[&str] = &[$($name),*];
    };
}

crate::with_variants!([define_variant]);

impl Variant {
    /// The name, as flags and reports spell it.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// In what pieces bytes reach the agent.
    pub const fn policy(self) -> ChunkPolicy {
        self.facts().policy
    }

    /// The most bytes that one read of the client asks for, where it is capped.
    pub const fn read_cap(self) -> Option<NonZeroUsize> {
        match self.facts().client {
            ClientKind::Reqwest => None,
            ClientKind::Hyper { read_cap } => read_cap,
        }
    }

    /// Whether a thread of this name may poll or wake an agent of this variant.
    pub fn owns_thread(self, name: &str) -> bool {
        self.facts().threads.iter().any(|prefix| name.starts_with(prefix))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No variant of that name is compiled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownVariant {
    /// The table has the name, this program was built without it.
    #[error(
        "the variant `{name}` is not compiled in: this program was built without the feature `runtime-{name}`; it has {}",
        compiled_in()
    )]
    NotCompiledIn {
        /// The name.
        name: String,
    },
    /// The table has no such name.
    #[error("no variant is called `{name}`; this program has {}", compiled_in())]
    NoSuchName {
        /// The name.
        name: String,
    },
}

/// The names that are compiled in, for error messages.
fn compiled_in() -> String {
    let names: Vec<&str> = Variant::ALL.iter().map(|variant| variant.name()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|variant| variant.name() == text);
        found.ok_or_else(|| {
            let name = text.to_owned();
            if NAMES.contains(&text) {
                UnknownVariant::NotCompiledIn { name }
            } else {
                UnknownVariant::NoSuchName { name }
            }
        })
    }
}

impl From<Variant> for String {
    fn from(variant: Variant) -> Self {
        variant.name().to_owned()
    }
}

impl TryFrom<String> for Variant {
    type Error = UnknownVariant;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::for_each_variant! {
        fn its_name_reads_back(variant: Variant) {
            assert_eq!(variant.to_string().parse(), Ok(variant));
        }
    }

    crate::for_each_variant! {
        fn a_read_cap_is_also_the_most_it_hands_on(variant: Variant) {
            let handed_on = match variant.policy() {
                ChunkPolicy::AtMost(bytes) => Some(bytes),
                ChunkPolicy::AsReceived | ChunkPolicy::AtLeast(_) => None,
            };
            assert_eq!(variant.read_cap(), handed_on);
        }
    }

    #[test]
    fn a_feature_and_its_variant_have_the_same_name() {
        macro_rules! pairs {
            (() $({ $feature:literal, $id:ident, $snake:ident, $name:literal, $($rest:tt)* })*) => {
                [$(($feature, $name)),*]
            };
        }
        for (feature, name) in crate::with_variants!([pairs]) {
            assert_eq!(feature, format!("runtime-{name}"));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_names_that_exist() {
        let refused = "smoll".parse::<Variant>().unwrap_err().to_string();
        let names: Vec<_> = Variant::ALL.iter().map(ToString::to_string).collect();
        let listed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        assert_eq!(refused, format!("no variant is called `smoll`; this program has {listed}"));
    }
}
