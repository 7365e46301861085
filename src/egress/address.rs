//! Which IP addresses are public. It knows the special-purpose registries; it does not resolve names.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190) and, for IPv6, the
//! IANA IPv6 Global Unicast assignments. The promise is one-sided: no address that leads into a private network is called
//! public. So a block counts as a whole although a piece of it may be reachable (192.0.0.9), and an IPv6 address that
//! carries an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64) is never public, whatever it carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// An ordinary address of the public Internet.
    Public,
    /// This machine: 127.0.0.0/8 or `::1`, in their own spelling.
    Loopback,
    /// Everything else: private, link-local, metadata, multicast, documentation, embedded, reserved …
    Special,
}

/// Tells how far an address reaches.
#[must_use]
pub fn reach(address: IpAddr) -> Reach {
    let special = match address {
        _ if address.is_loopback() => return Reach::Loopback,
        IpAddr::V4(address) => IPV4.iter().any(|(block, length)| shares_prefix_4(address, *block, *length)),
        IpAddr::V6(address) => {
            let (block, length) = GLOBAL_UNICAST;
            !shares_prefix_6(address, block, length)
                || IPV6.iter().any(|(block, length)| shares_prefix_6(address, *block, *length))
        }
    };
    if special { Reach::Special } else { Reach::Public }
}

/// Special-purpose blocks of IPv4.
const IPV4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),            // "this network", RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private use, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared address space (CGNAT), RFC 6598; Alibaba's metadata
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's platform address: not registered, not public either
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, RFC 3927; the metadata of most clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private use, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // IETF protocol assignments, RFC 6890; Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation, RFC 5737
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112, RFC 7535
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // AMT, RFC 7450
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relay anycast, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private use, RFC 1918
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112, RFC 7534
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, RFC 1112; limited broadcast, RFC 8190
];

/// The only block from which IANA assigns global unicast addresses. Outside it lie unspecified, loopback, mapped,
/// compatible, NAT64, discard-only, segment-routing, unique-local, link-local, site-local and multicast addresses.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Special-purpose blocks of IPv6 within [`GLOBAL_UNICAST`].
const IPV6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // IETF protocol assignments, RFC 2928: Teredo, ORCHID …
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, RFC 3056
    (Ipv6Addr::new(0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112, RFC 7534
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16), // 6bone, given back, RFC 3701
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
];

fn shares_prefix_4(address: Ipv4Addr, block: Ipv4Addr, length: u32) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
}

fn shares_prefix_6(address: Ipv6Addr, block: Ipv6Addr, length: u32) -> bool {
    (address.to_bits() ^ block.to_bits()).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every block that must not be reached, and the neighbours that may be.
    #[test]
    fn every_special_purpose_ipv4_block_is_refused_to_its_edges() {
        let blocks = [
            ("this network", "0.0.0.0", "0.255.255.255"),
            ("private 10", "10.0.0.0", "10.255.255.255"),
            ("shared", "100.64.0.0", "100.127.255.255"),
            ("azure", "168.63.129.16", "168.63.129.16"),
            ("link-local", "169.254.0.0", "169.254.255.255"),
            ("private 172", "172.16.0.0", "172.31.255.255"),
            ("protocol", "192.0.0.0", "192.0.0.255"),
            ("documentation 1", "192.0.2.0", "192.0.2.255"),
            ("as112 delegation", "192.31.196.0", "192.31.196.255"),
            ("amt", "192.52.193.0", "192.52.193.255"),
            ("6to4 relay", "192.88.99.0", "192.88.99.255"),
            ("private 192", "192.168.0.0", "192.168.255.255"),
            ("as112", "192.175.48.0", "192.175.48.255"),
            ("benchmarking", "198.18.0.0", "198.19.255.255"),
            ("documentation 2", "198.51.100.0", "198.51.100.255"),
            ("documentation 3", "203.0.113.0", "203.0.113.255"),
            ("multicast to broadcast", "224.0.0.0", "255.255.255.255"),
        ];
        for (name, first, last) in blocks {
            let (first, last): (Ipv4Addr, Ipv4Addr) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(reach(first.into()), Reach::Special, "{name} {first}");
            assert_eq!(reach(last.into()), Reach::Special, "{name} {last}");
            if let (Some(before), false) = (first.to_bits().checked_sub(1), name == "multicast to broadcast") {
                assert_eq!(reach(Ipv4Addr::from_bits(before).into()), Reach::Public, "before {name}");
            }
            if let (Some(after), false) = (last.to_bits().checked_add(1), name == "multicast to broadcast") {
                assert_eq!(reach(Ipv4Addr::from_bits(after).into()), Reach::Public, "after {name}");
            }
        }
    }

    #[test]
    fn metadata_addresses_of_the_clouds_are_refused() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
        ] {
            assert_eq!(reach(address.parse().unwrap()), Reach::Special, "{address}");
        }
    }

    #[test]
    fn every_special_purpose_ipv6_block_is_refused() {
        let addresses = [
            ("unspecified", "::"),
            ("mapped private", "::ffff:10.0.0.1"),
            ("mapped loopback", "::ffff:127.0.0.1"),
            ("mapped public", "::ffff:8.8.8.8"),
            ("translated", "::ffff:0:10.0.0.1"),
            ("compatible loopback", "::127.0.0.1"),
            ("compatible public", "::8.8.8.8"),
            ("nat64 of a private address", "64:ff9b::10.0.0.1"),
            ("nat64 of a public address", "64:ff9b::8.8.8.8"),
            ("local nat64", "64:ff9b:1::10.0.0.1"),
            ("discard", "100::1"),
            ("dummy", "100:0:0:1::1"),
            ("teredo", "2001::1"),
            ("teredo of a private address", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
            ("port control", "2001:1::1"),
            ("benchmarking", "2001:2::1"),
            ("amt", "2001:3::1"),
            ("as112", "2001:4:112::1"),
            ("orchid", "2001:10::1"),
            ("orchid 2", "2001:20::1"),
            ("drone ids", "2001:30::1"),
            ("end of the protocol assignments", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("documentation", "2001:db8::1"),
            ("6to4 of a private address", "2002:a00:1::1"),
            ("6to4 of a public address", "2002:808:808::1"),
            ("as112 delegation", "2620:4f:8000::1"),
            ("6bone", "3ffe::1"),
            ("documentation 2", "3fff::1"),
            ("segment routing", "5f00::1"),
            ("unassigned", "4000::1"),
            ("unique local", "fc00::1"),
            ("unique local, locally assigned", "fdff:ffff::1"),
            ("link-local", "fe80::1"),
            ("site-local", "fec0::1"),
            ("multicast", "ff02::1"),
        ];
        for (name, address) in addresses {
            assert_eq!(reach(address.parse().unwrap()), Reach::Special, "{name} {address}");
        }
    }

    #[test]
    fn loopback_is_its_own_class() {
        for address in ["127.0.0.1", "127.255.255.254", "::1"] {
            assert_eq!(reach(address.parse().unwrap()), Reach::Loopback, "{address}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "126.255.255.255",
            "128.0.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2003::1",
        ] {
            assert_eq!(reach(address.parse().unwrap()), Reach::Public, "{address}");
        }
    }
}
