//! Every address and name that no request may reach, in every spelling, and the neighbours that are ordinary.
//!
//! Sources, as of 2025-10-09: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), with
//! multicast (RFC 5771, RFC 4291), and the IANA Special-Use Domain Names (RFC 6761).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use keyfob::egress::address::{Reach, reach};
use keyfob::egress::guard::{self, Policy};
use proptest::prelude::*;
use url::Url;

/// The registry of IPv4, smaller blocks within larger ones included.
const IPV4: &[(&str, u32)] = &[
    ("0.0.0.0", 8),
    ("0.0.0.0", 32),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.0.0", 29),
    ("192.0.0.8", 32),
    ("192.0.0.9", 32),
    ("192.0.0.10", 32),
    ("192.0.0.170", 32),
    ("192.0.0.171", 32),
    ("192.0.2.0", 24),
    ("192.31.196.0", 24),
    ("192.52.193.0", 24),
    ("192.88.99.0", 24),
    ("192.88.99.2", 32),
    ("192.168.0.0", 16),
    ("192.175.48.0", 24),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
    ("255.255.255.255", 32),
    // Not registered: Azure's platform address.
    ("168.63.129.16", 32),
];

/// The registry of IPv6, and what lies outside global unicast.
const IPV6: &[(&str, u32)] = &[
    ("::", 8),
    ("::", 96),
    ("::", 128),
    ("::1", 128),
    ("::ffff:0:0", 96),
    ("::ffff:0:0:0", 96),
    ("64:ff9b::", 96),
    ("64:ff9b:1::", 48),
    ("100::", 64),
    ("100:0:0:1::", 64),
    ("2001::", 23),
    ("2001::", 32),
    ("2001:1::1", 128),
    ("2001:1::2", 128),
    ("2001:1::3", 128),
    ("2001:2::", 48),
    ("2001:3::", 32),
    ("2001:4:112::", 48),
    ("2001:10::", 28),
    ("2001:20::", 28),
    ("2001:30::", 28),
    ("2001:db8::", 32),
    ("2002::", 16),
    ("2620:4f:8000::", 48),
    ("3fff::", 20),
    ("5f00::", 16),
    ("fc00::", 7),
    ("fe80::", 10),
    ("fec0::", 10),
    ("ff00::", 8),
    // Not registered any more: the 6bone.
    ("3ffe::", 16),
];

/// Names of the registry, of private networks and of metadata services.
const NAMES: &[&str] = &[
    "localhost",
    "localhost6.localhost",
    "printer.local",
    "vault.internal",
    "metadata.google.internal",
    "metadata",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.tencentyun.com",
    "metadata.platformequinix.com",
    "facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion",
    "a.test",
    "a.invalid",
    "a.example",
    "a.alt",
    "router.home.arpa",
    "1.0.0.10.in-addr.arpa",
    "8.e.f.ip6.arpa",
    "ipv4only.arpa",
    "resolver.arpa",
    "service.arpa",
    "eap-noob.arpa",
    "6tisch.arpa",
    "wiki.corp",
    "nas.home",
    "relay.mail",
    "nas.lan",
    "wiki.intranet",
    "a.private",
    "host.localdomain",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "host.docker.internal",
    "gateway.docker.internal",
];

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn v6(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// The first, middle and last address of a block.
fn ends_4(first: &str, length: u32) -> [u32; 3] {
    let (first, rest) = (v4(first).to_bits(), u32::MAX.checked_shr(length).unwrap_or(0));
    [first, first + rest / 2, first + rest]
}

fn ends_6(first: &str, length: u32) -> [u128; 3] {
    let (first, rest) = (v6(first).to_bits(), u128::MAX.checked_shr(length).unwrap_or(0));
    [first, first + rest / 2, first + rest]
}

fn registered_4(bits: u32) -> bool {
    IPV4.iter().map(|(first, length)| ends_4(first, *length)).any(|[first, _, last]| (first..=last).contains(&bits))
}

fn registered_6(bits: u128) -> bool {
    let unicast = ends_6("2000::", 3);
    !(unicast[0]..=unicast[2]).contains(&bits)
        || IPV6
            .iter()
            .map(|(first, length)| ends_6(first, *length))
            .any(|[first, _, last]| (first..=last).contains(&bits))
}

/// Whether a request to a host would be refused, whether because the guard says so or because it is no host at all.
fn is_refused(host: &str) -> bool {
    Url::parse(&format!("https://{host}/")).map_or(true, |url| guard::destination(&url, Policy::default()).is_err())
}

#[test]
fn the_first_middle_and_last_address_of_every_registered_block_is_not_public() {
    let v4 = IPV4.iter().flat_map(|(first, length)| ends_4(first, *length)).map(|bits| IpAddr::V4(bits.into()));
    let v6 = IPV6.iter().flat_map(|(first, length)| ends_6(first, *length)).map(|bits| IpAddr::V6(bits.into()));
    for address in v4.chain(v6) {
        assert_ne!(reach(address), Reach::Public, "{address}");
    }
}

#[test]
fn the_neighbours_of_every_registered_block_are_public_unless_they_are_registered_too() {
    let mut neighbours = 0;
    for [first, _, last] in IPV4.iter().map(|(first, length)| ends_4(first, *length)) {
        for bits in
            [first.checked_sub(1), last.checked_add(1)].into_iter().flatten().filter(|bits| !registered_4(*bits))
        {
            assert_eq!(reach(IpAddr::V4(bits.into())), Reach::Public, "{}", Ipv4Addr::from_bits(bits));
            neighbours += 1;
        }
    }
    for [first, _, last] in IPV6.iter().map(|(first, length)| ends_6(first, *length)) {
        for bits in
            [first.checked_sub(1), last.checked_add(1)].into_iter().flatten().filter(|bits| !registered_6(*bits))
        {
            assert_eq!(reach(IpAddr::V6(bits.into())), Reach::Public, "{}", Ipv6Addr::from_bits(bits));
            neighbours += 1;
        }
    }
    assert!(neighbours > 25, "{neighbours}");
}

/// An IPv4 address as browsers and C libraries read it, and in the IPv6 addresses that carry one.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let (bits, [a, b, c, d]) = (address.to_bits(), address.octets());
    let (ab, cd, bcd) = (bits >> 16, bits & 0xffff, bits & 0x00ff_ffff);
    let percent: String = address.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let wide: String = address.to_string().chars().map(full_width).collect();
    let (server, client) = ("4136:e378", !bits);
    vec![
        address.to_string(),
        format!("{address}."),
        bits.to_string(),
        format!("0x{bits:x}"),
        format!("0X{bits:08X}"),
        format!("0{bits:o}"),
        format!("{a}.{bcd}"),
        format!("{a}.{b}.{cd}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.0x{b:x}.{cd}"),
        percent,
        address.to_string().replace('.', "%2E"),
        address.to_string().replace('.', "。"),
        wide,
        format!("user@{address}"),
        format!("{address}:443"),
        format!("[::ffff:{address}]"),
        format!("[::FFFF:{ab:X}:{cd:X}]"),
        format!("[0:0:0:0:0:ffff:{ab:x}:{cd:x}]"),
        format!("[::ffff:0:{address}]"),
        format!("[::{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{address}]"),
        format!("[2002:{ab:x}:{cd:x}::1]"),
        format!("[2001:0:{server}:8000:63bf:{:x}:{:x}]", client >> 16, client & 0xffff),
        format!("[fe80::{address}%25eth0]"),
        format!("[::ffff:{address}%251]"),
    ]
}

fn full_width(c: char) -> char {
    match c {
        '.' => '．',
        digit => char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')).unwrap(),
    }
}

#[test]
fn every_registered_ipv4_address_is_refused_in_every_spelling() {
    for bits in IPV4.iter().flat_map(|(first, length)| ends_4(first, *length)) {
        for host in spellings(Ipv4Addr::from_bits(bits)) {
            assert!(is_refused(&host), "{host}");
        }
    }
}

#[test]
fn every_registered_ipv6_address_is_refused_in_every_spelling() {
    for bits in IPV6.iter().flat_map(|(first, length)| ends_6(first, *length)) {
        let address = Ipv6Addr::from_bits(bits);
        let groups = address.segments();
        let long: Vec<String> = groups.iter().map(|group| format!("{group:04X}")).collect();
        let plain = address.to_string();
        for host in [
            format!("[{plain}]"),
            format!("[{}]", plain.to_uppercase()),
            format!("[{}]", long.join(":")),
            format!("[{plain}]:443"),
            format!("[{plain}%25eth0]"),
            format!("%5B{plain}%5D"),
            plain.clone(),
        ] {
            assert!(is_refused(&host), "{host}");
        }
    }
}

#[test]
fn every_special_use_name_is_refused_in_every_spelling() {
    for name in NAMES {
        let percent: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let wide: String = name.chars().map(|c| if c == '-' { c } else { wide_letter(c) }).collect();
        for host in [
            (*name).to_owned(),
            name.to_uppercase(),
            format!("{name}."),
            format!("{name}.."),
            if name.contains('.') { format!("deep.below.{name}") } else { format!("{name}:8443") },
            percent,
            name.replace('.', "%2e"),
            name.replace('.', "。"),
            name.replace('.', "｡"),
            wide,
            format!("{name}:443"),
            format!("a\u{ad}{name}"),
        ] {
            assert!(is_refused(&host), "{host}");
        }
    }
}

fn wide_letter(c: char) -> char {
    match c {
        '.' => '．',
        c => char::from_u32(u32::from(c) - u32::from('!') + u32::from('！')).unwrap(),
    }
}

#[test]
fn names_that_only_look_like_reserved_ones_are_allowed() {
    for name in ["notlocalhost.com", "local.net", "internal.example.com", "my-test.dev", "onion.io", "homearpa.org"] {
        assert!(!is_refused(name), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// An oracle of its own: the table above, as ranges of integers.
    #[test]
    fn an_ipv4_address_is_public_just_where_no_registry_has_it(bits in any::<u32>()) {
        prop_assert_eq!(reach(IpAddr::V4(bits.into())) == Reach::Public, !registered_4(bits));
    }

    #[test]
    fn an_address_is_refused_as_a_host_whatever_it_is(bits in any::<u128>(), four in any::<u32>()) {
        let six = format!("[{}]", Ipv6Addr::from_bits(bits));
        prop_assert!(is_refused(&six), "{}", six);
        for host in spellings(Ipv4Addr::from_bits(four)) {
            prop_assert!(is_refused(&host), "{}", host);
        }
    }

    #[test]
    fn no_text_whatsoever_is_a_host_that_is_special(host in "\\PC{1,30}") {
        let Ok(url) = Url::parse(&format!("https://{host}/")) else { return Ok(()) };
        let Ok(origin) = guard::destination(&url, Policy::default()) else { return Ok(()) };
        let name = origin.as_str().trim_start_matches("https://").split(':').next().unwrap().to_owned();
        prop_assert!(name.parse::<IpAddr>().is_err() && name.contains('.') && name.is_ascii() && !name.ends_with('.'));
        let is_below = |reserved: &&str| name.strip_suffix(*reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        prop_assert!(!NAMES.iter().any(is_below), "{}", name);
    }
}
