//! NAT64: what a client sends to an IPv6 address that DNS64 made of an IPv4 one. A route for
//! `64:ff9b::/96` has to take it to a NAT gateway, and from there it goes on as IPv4
//! (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use guardrail::ec2::id::{NatGatewayId, SubnetId};
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{NatGatewayState, Route, RouteState};

use crate::client::Client;
use crate::names::ends;
use crate::packet::{
    HTTPS, Met, crosses, leads_there, reaches_interface, subnet, table_of, winners,
};

/// The address that DNS64 makes.
fn made_of(to: Ipv4Addr) -> IpAddr {
    let bits =
        u128::from(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0)) | u128::from(u32::from(to));
    IpAddr::V6(bits.into())
}

/// Whether the client gets to a public address of a service.
pub(crate) fn reaches_public(met: Met<'_>, client: &Client, service: &str, to: Ipv4Addr) -> bool {
    gets_out(met, client, to, &|nat| {
        leads_there(met, client, (service, to.into()), nat, &mut Vec::new())
    })
}

/// Whether the client gets to an interface of an endpoint, for which it comes from the NAT gateway.
pub(crate) fn reaches_its_interface(
    met: Met<'_>,
    client: &Client,
    (to, there): (Ipv4Addr, &SubnetId),
    groups: &[&str],
) -> bool {
    gets_out(met, client, to, &|nat| {
        let Some(its) = subnet(met.now, nat) else { return !client.doubts };
        let nets = its.cidrs().into_iter().filter_map(|cidr| cidr.net());
        let mut own = nets.flat_map(ends).filter(IpAddr::is_ipv4);
        own.all(|from| {
            let comes = Client {
                subnet: nat.clone(),
                v4: Some(from),
                v6: None,
                nat64: false,
                ..client.clone()
            };
            reaches_interface(met, &comes, from, (to.into(), there), groups)
        })
    })
}

/// Whether every route that may take the packet leads to what makes IPv4 of it, and it gets on there.
fn gets_out(
    met: Met<'_>,
    client: &Client,
    to: Ipv4Addr,
    gets_on: &dyn Fn(&SubnetId) -> bool,
) -> bool {
    let (to, port) = (made_of(to), i32::from(client.port));
    let Some(table) = table_of(met.now, &client.subnet) else { return client.outside };
    let winners = winners(met.now, table, to, client.doubts);
    let takes = |route: &&Route| match route.target() {
        _ if route.state == Some(RouteState::Blackhole) => false,
        Some(RouteTarget::NatGateway(id)) => makes_ipv4(met, client, &id, gets_on),
        None
        | Some(
            RouteTarget::Local
            | RouteTarget::InternetGateway(_)
            | RouteTarget::EgressOnlyInternetGateway(_)
            | RouteTarget::VpcEndpoint(_),
        ) => false,
        // What is behind these is nobody's to know.
        Some(_) => client.outside,
    };
    crosses(met, &client.subnet, true, (to, HTTPS), true)
        && crosses(met, &client.subnet, false, (to, port), true)
        && !winners.is_empty()
        && winners.iter().all(takes)
}

fn makes_ipv4(
    met: Met<'_>,
    client: &Client,
    id: &NatGatewayId,
    gets_on: &dyn Fn(&SubnetId) -> bool,
) -> bool {
    let mut all = met.now.nat_gateways.iter().flatten();
    let Some(nat) = all.find(|nat| nat.nat_gateway_id == *id) else { return client.outside };
    let works = nat.state == Some(NatGatewayState::Available);
    works && nat.subnet_id.as_ref().map_or(client.outside, gets_on)
}
