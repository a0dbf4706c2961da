//! The check of `Host`, against pages that rebind their name to this machine (`server/routes.go`).

use std::net::IpAddr;

/// Endings of names that never come from the public name system.
const SUFFIXES: [&str; 3] = [".localhost", ".local", ".internal"];

/// What the check says of a request to a loopback listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostVerdict {
    /// It names an address of this machine or of a private network.
    Address,
    /// It names a machine that is allowed; `OPTIONS` ends here with 204.
    Name,
    /// It is answered 403.
    Forbidden,
}

/// Checks what a request says in `Host`; `own` are this machine's names and addresses.
pub fn check_host(host: &str, own: &[String]) -> HostVerdict {
    let host = without_port(host);
    if let Ok(address) = host.parse::<IpAddr>()
        && (is_near(address.to_canonical()) || own.iter().any(|known| known.parse() == Ok(address)))
    {
        return HostVerdict::Address;
    }
    let host = host.to_lowercase();
    let named = host.is_empty()
        || host == "localhost"
        || own.iter().any(|known| known.to_lowercase() == host)
        || SUFFIXES.iter().any(|suffix| host.ends_with(suffix));
    if named { HostVerdict::Name } else { HostVerdict::Forbidden }
}

fn is_near(address: IpAddr) -> bool {
    let private = match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    private || address.is_loopback() || address.is_unspecified()
}

/// The host before the port; all of it where there is no port, brackets included (`net.SplitHostPort`).
fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once("]:").map_or(host, |(address, _)| address);
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{HostVerdict, check_host};

    fn check(host: &str) -> HostVerdict {
        check_host(host, &["Workshop".to_owned(), "203.0.113.7".to_owned()])
    }

    #[rstest]
    #[case("127.0.0.1:11434")]
    #[case("127.8.8.8")]
    #[case("[::1]:11434")]
    #[case("::1")]
    #[case("0.0.0.0:1")]
    #[case("10.1.2.3")]
    #[case("172.16.0.1")]
    #[case("192.168.1.1:80")]
    #[case("[fd00::1]:80")]
    #[case("[::ffff:127.0.0.1]:80")]
    #[case::this_machine("203.0.113.7:80")]
    fn a_near_address_passes(#[case] host: &str) {
        assert_eq!(check(host), HostVerdict::Address);
    }

    #[rstest]
    #[case("")]
    #[case("localhost")]
    #[case("LocalHost:11434")]
    #[case("x.local")]
    #[case("a.b.internal:80")]
    #[case("x.LOCALHOST")]
    #[case::this_machine("workshop:11434")]
    fn w_018_a_local_name_passes(#[case] host: &str) {
        assert_eq!(check(host), HostVerdict::Name);
    }

    #[rstest]
    #[case("example.com")]
    #[case("8.8.8.8:80")]
    #[case("172.32.0.1")]
    #[case("[2001:db8::1]:80")]
    #[case("localhost.example.com")]
    #[case("local")]
    #[case::brackets_without_a_port("[::1]")]
    fn w_018_another_host_is_forbidden(#[case] host: &str) {
        assert_eq!(check(host), HostVerdict::Forbidden);
    }

    proptest! {
        #[test]
        fn any_name_of_the_public_name_system_is_forbidden(name in "[a-z]{1,9}", end in "(com|org|net|io)", port: u16) {
            prop_assert_eq!(check(&format!("{name}.{end}:{port}")), HostVerdict::Forbidden);
        }

        #[test]
        fn any_loopback_address_passes(a: u8, b: u8, c: u8) {
            prop_assert_eq!(check(&format!("127.{a}.{b}.{c}")), HostVerdict::Address);
        }
    }
}
