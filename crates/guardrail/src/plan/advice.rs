//! What the reader of a plan should know of the traffic that the plan moves or cuts off. It is
//! advice: no step is planned or left by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outlook::Outlook;
use super::{GroupRef, Plan, Task};
use crate::analysis::View;
use crate::analysis::route::{InternetExit, RouteClass, classify};
use crate::analysis::served::has_ipv6;
use crate::analysis::well_known::without_endpoint;
use crate::ec2::change::{Action, NewEndpoint};
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{NatGatewayId, RouteTableId, ServiceName, SubnetId};
use crate::ec2::world::{Destination, Route, RouteTable};

/// What a plan that moves or cuts off traffic comes to, beside what it promises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Advice {
    /// The well-known services that no endpoint of the VPC covers once the plan's steps are taken, by
    /// their short names; named only where a route goes.
    pub without_endpoint: Vec<String>,
    /// The NAT gateways that the traffic goes through now.
    pub nat_gateways: Vec<NatGatewayLeft>,
    /// What else to look at before.
    pub cautions: Vec<Caution>,
}

/// A NAT gateway that traffic is moved away from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NatGatewayLeft {
    /// The gateway.
    pub nat: NatGatewayId,
    /// Its public addresses, as far as they were read: what it carries seems to come from them.
    pub public_ips: Vec<String>,
    /// Whether a route that leads to it goes.
    pub loses_route: bool,
}

/// What to look at before traffic is moved or cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Caution {
    /// Open connections break: packets of them take another way, or none
    /// (docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html).
    OpenConnections,
    /// Open connections stay on their way out when a name moves, because only a new connection asks for
    /// the name; so they break when that way goes.
    OpenConnectionsStay,
    /// S3's endpoints lead to no bucket of another Region (the same page).
    BucketsInOtherRegions,
    /// Whether clients' own security groups let TCP 443 out to the endpoints was not looked at.
    ClientSecurityGroups,
    /// These subnets have IPv4 and IPv6 and lose an IPv6 route: their clients try IPv6 first under
    /// names that answer over both, and an endpoint may answer over IPv4 only.
    Ipv6Names {
        /// The subnets.
        subnets: Vec<SubnetId>,
    },
}

impl Advice {
    /// The advice on this plan, made from this view; `None` for a plan that takes no traffic from a
    /// way out.
    pub fn of(view: &View<'_>, plan: &Plan) -> Option<Self> {
        let moves: Vec<Move<'_>> = plan
            .steps
            .iter()
            .filter_map(|step| match &step.task {
                Task::Change(action) => Move::of(action, view),
                Task::Await(_) => None,
            })
            .collect();
        let removes = moves.iter().any(Move::is_removal);
        let nat_gateways = nat_gateways(view, &moves);
        if !removes && nat_gateways.is_empty() {
            return None;
        }
        let uncovered = match removes {
            true => uncovered_after(view, plan),
            false => Vec::new(),
        };
        Some(Self { without_endpoint: uncovered, nat_gateways, cautions: cautions(view, &moves) })
    }

    /// The NAT gateways that a route is taken from.
    pub fn losing_routes(&self) -> Vec<NatGatewayId> {
        let losing = self.nat_gateways.iter().filter(|left| left.loses_route);
        losing.map(|left| left.nat.clone()).collect()
    }
}

/// What a step moves.
enum Move<'p> {
    /// A name: clients of every subnet.
    Name {
        /// Whether it is S3's, or S3's is among them.
        of_s3: bool,
    },
    /// A gateway service's route: clients under these tables.
    Gateway(&'p [RouteTableId], Option<&'p ServiceName>),
    /// A route that goes.
    Removal(&'p RouteTableId, &'p Destination),
}

impl<'p> Move<'p> {
    fn of(action: &'p Action<GroupRef>, view: &View<'_>) -> Option<Self> {
        match action {
            Action::EnableVpcDns { .. } => {
                let endpoints = view.snapshot.endpoints.iter();
                let mut named = endpoints.filter(|e| e.exists() && e.holds_name_in_vpc());
                Some(Self::Name { of_s3: named.any(|e| is_of_s3(e.service_name.as_ref())) })
            }
            Action::CreateEndpoint {
                kind: NewEndpoint::Gateway { route_tables }, service, ..
            } => Some(Self::Gateway(route_tables, Some(service))),
            Action::CreateEndpoint {
                kind: NewEndpoint::Interface { private_dns, .. },
                service,
                ..
            } => private_dns.is_on().then(|| Self::Name { of_s3: is_of_s3(Some(service)) }),
            Action::ModifyEndpoint { endpoint, private_dns, .. } if private_dns.is_on() => {
                let there = view.snapshot.endpoint(endpoint);
                let service = there.and_then(|endpoint| endpoint.service_name.as_ref());
                Some(Self::Name { of_s3: is_of_s3(service) })
            }
            Action::ModifyEndpoint { add_route_tables, .. } => {
                (!add_route_tables.is_empty()).then_some(Self::Gateway(add_route_tables, None))
            }
            Action::DeleteRoute { table, destination, .. } => {
                Some(Self::Removal(table, destination))
            }
            Action::CreateSecurityGroup { .. }
            | Action::AuthorizeHttps { .. }
            | Action::SetEndpointPolicy { .. }
            | Action::RevokeIngress { .. }
            | Action::DisablePublicIpOnLaunch { .. }
            | Action::StopAutomaticAddress { .. }
            | Action::DisassociateAddress { .. } => None,
        }
    }

    fn is_removal(&self) -> bool {
        match self {
            Self::Removal(..) => true,
            Self::Name { .. } | Self::Gateway(..) => false,
        }
    }

    /// Whether it takes traffic from this route.
    fn takes_from(&self, table: &RouteTable, route: &Route) -> bool {
        match self {
            Self::Name { .. } => true,
            Self::Gateway(tables, _) => tables.contains(&table.route_table_id),
            Self::Removal(of, destination) => {
                **of == table.route_table_id && route.goes_to(destination)
            }
        }
    }
}

/// The NAT gateways behind the routes that traffic is taken from, by id.
fn nat_gateways(view: &View<'_>, moves: &[Move<'_>]) -> Vec<NatGatewayLeft> {
    let mut losing: BTreeMap<NatGatewayId, bool> = BTreeMap::new();
    let used = view.topology.tables.iter().filter(|used| !used.users.is_empty());
    for table in used.map(|used| used.table) {
        for route in &table.routes {
            let of_route = || moves.iter().filter(|it| it.takes_from(table, route));
            if of_route().next().is_some()
                && let Some(nat) = nat_behind(route, table, view)
            {
                *losing.entry(nat).or_default() |= of_route().any(Move::is_removal);
            }
        }
    }
    let left = losing.into_iter().map(|(nat, loses_route)| {
        let seen = view.snapshot.nat_gateways.iter().filter(|seen| seen.nat_gateway_id == nat);
        let addresses = seen.flat_map(|seen| &seen.nat_gateway_addresses);
        let public_ips = addresses.filter_map(|address| address.public_ip.clone()).collect();
        NatGatewayLeft { nat, public_ips, loses_route }
    });
    left.collect()
}

/// The public NAT gateway that a route leads out through.
fn nat_behind(route: &Route, table: &RouteTable, view: &View<'_>) -> Option<NatGatewayId> {
    match classify(route, table, view.snapshot, &view.topology) {
        RouteClass::Internet(exit) => nat_of(&exit).cloned(),
        RouteClass::Local
        | RouteClass::Endpoint(_)
        | RouteClass::Inside(_)
        | RouteClass::MayLeadOut(_)
        | RouteClass::Unknown(_) => None,
    }
}

fn nat_of(exit: &InternetExit) -> Option<&NatGatewayId> {
    match exit {
        InternetExit::NatGateway(id) | InternetExit::RegionalNatGateway(id) => Some(id),
        InternetExit::Detour(detour) => nat_of(&detour.exit),
        InternetExit::GoneNatGateway(_)
        | InternetExit::InternetGateway(_)
        | InternetExit::EgressOnlyInternetGateway(_)
        | InternetExit::CarrierGateway(_)
        | InternetExit::NatInstance(..) => None,
    }
}

/// The well-known services that no endpoint covers once the plan's steps are taken.
fn uncovered_after(view: &View<'_>, plan: &Plan) -> Vec<String> {
    let outlook = Outlook::of(view.snapshot).after(&plan.steps);
    let uncovered = outlook.look(view.baseline, without_endpoint).unwrap_or_default();
    uncovered.into_iter().map(|it| it.service.to_owned()).collect()
}

fn is_of_s3(service: Option<&ServiceName>) -> bool {
    service.is_some_and(|name| name.as_str().ends_with(".s3"))
}

fn cautions(view: &View<'_>, moves: &[Move<'_>]) -> Vec<Caution> {
    let is_name = |it: &Move<'_>| matches!(it, Move::Name { .. });
    let has_buckets = |it: &Move<'_>| match it {
        Move::Removal(..) => true,
        // Which service an existing endpoint is for does not stand in the change of it.
        Move::Gateway(_, service) => service.is_none_or(|name| is_of_s3(Some(name))),
        Move::Name { of_s3 } => *of_s3,
    };
    let subnets = losing_ipv6(view, moves);
    let all = [
        moves.iter().any(|it| !is_name(it)).then_some(Caution::OpenConnections),
        moves.iter().any(is_name).then_some(Caution::OpenConnectionsStay),
        moves.iter().any(has_buckets).then_some(Caution::BucketsInOtherRegions),
        Some(Caution::ClientSecurityGroups),
        (!subnets.is_empty()).then_some(Caution::Ipv6Names { subnets }),
    ];
    all.into_iter().flatten().collect()
}

/// The subnets with IPv4 and IPv6 whose table loses a route for IPv6.
fn losing_ipv6(view: &View<'_>, moves: &[Move<'_>]) -> Vec<SubnetId> {
    let loses = |id: &RouteTableId| {
        moves.iter().any(|it| match it {
            Move::Removal(table, destination) => *table == id && is_for_ipv6(destination, view),
            Move::Name { .. } | Move::Gateway(..) => false,
        })
    };
    let losing = view.topology.subnets.iter().filter(|placed| {
        let is_dual_stack = !placed.subnet.ipv6_native && has_ipv6(placed.subnet);
        is_dual_stack && placed.table.is_some_and(|table| loses(&table.route_table_id))
    });
    losing.map(|placed| placed.subnet.subnet_id.clone()).collect()
}

/// Whether a route there carries IPv6 to IPv6: what it carries to `64:ff9b::/96` becomes IPv4
/// (docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html).
fn is_for_ipv6(destination: &Destination, view: &View<'_>) -> bool {
    let is_v6 = |cidr: &Cidr| cidr.as_str().contains(':') && !cidr.as_str().starts_with("64:ff9b:");
    match destination {
        Destination::CidrBlock(_) => false,
        Destination::Ipv6CidrBlock(cidr) => is_v6(cidr),
        Destination::PrefixList(id) => {
            let mut lists = view.snapshot.shared.prefix_lists.iter();
            let list = lists.find(|list| list.prefix_list_id == *id);
            list.and_then(|list| list.blocks()).is_some_and(|all| all.into_iter().any(is_v6))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, interface_endpoint};

    fn advice(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Option<Advice> {
        let mut fixture = Fixture::compliant();
        for name in ["appmesh", "kms", "sts"] {
            let name = format!("com.amazonaws.eu-central-1.{name}");
            let names = json!([{"PrivateDnsName": "name.example"}]);
            let offer = json!({"ServiceName": name, "ServiceType": [{"ServiceType": "Interface"}],
                "AvailabilityZones": ["eu-central-1a", "eu-central-1b"], "PrivateDnsNames": names});
            fixture.add("VpcEndpointServices", offer);
        }
        let addresses = json!([{"PublicIp": "203.0.113.10", "PrivateIp": "10.0.0.5"},
            {"PrivateIp": "10.0.0.6"}, {"PublicIp": "203.0.113.11"}]);
        fixture.set("nat-1", "NatGatewayAddresses", addresses);
        edit(&mut fixture);
        let (_, plan) = fixture.plan("test");
        fixture.view(|view, _| Advice::of(view, &plan))
    }

    fn left(loses_route: bool) -> Vec<NatGatewayLeft> {
        let public_ips = ["203.0.113.10", "203.0.113.11"].map(str::to_owned).to_vec();
        vec![NatGatewayLeft { nat: "nat-1".parse().unwrap(), public_ips, loses_route }]
    }

    fn nat(w: &mut Fixture) -> &mut Fixture {
        w.route("rtb-a", "0.0.0.0/0", "nat-1")
    }

    const ALL: [Caution; 3] =
        [Caution::OpenConnections, Caution::BucketsInOtherRegions, Caution::ClientSecurityGroups];

    #[test]
    fn a_route_that_goes_is_told_with_what_goes_with_it() {
        let expected = Advice {
            without_endpoint: vec!["sts".to_owned(), "kms".to_owned()],
            nat_gateways: left(true),
            cautions: ALL.to_vec(),
        };
        assert_eq!(advice(nat), Some(expected.clone()));
        assert_eq!(
            expected.losing_routes(),
            left(true).into_iter().map(|it| it.nat).collect::<Vec<_>>()
        );
        // An endpoint covers its service, and so does one that the plan makes.
        let kms_only = advice(|w| {
            let sts = interface_endpoint("vpce-sts", "sts");
            nat(w).add("VpcEndpoints", sts)
        });
        assert_eq!(kms_only.unwrap().without_endpoint, ["kms"]);
        let made =
            advice(|w| nat(w).baseline("interface_endpoints", json!({"services": ["ssm", "sts"]})));
        assert_eq!(made.unwrap().without_endpoint, ["kms"]);
    }

    #[test]
    fn what_leaves_the_traffic_where_it_is_needs_no_advice() {
        assert_eq!(advice(|w| w), None);
        // A name that is turned on where no NAT gateway is used.
        assert_eq!(advice(|w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))), None);
        assert_eq!(advice(|w| w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true))), None);
    }

    /// The route stays, for one service is not served: the others move all the same.
    #[test]
    fn a_name_moves_traffic_of_every_table_and_breaks_nothing_open() {
        let named = advice(|w| {
            w.route("rtb-b", "0.0.0.0/0", "nat-1")
                .set("vpce-ssm", "PrivateDnsEnabled", json!(false))
                .set("vpce-ssmmessages", "State", json!("failed"))
        });
        let expected = Advice {
            without_endpoint: Vec::new(),
            nat_gateways: left(false),
            cautions: vec![Caution::OpenConnectionsStay, Caution::ClientSecurityGroups],
        };
        assert_eq!(named, Some(expected));
    }

    #[test]
    fn s3s_name_leads_to_no_bucket_of_another_region() {
        let s3 = json!({"ServiceName": "com.amazonaws.eu-central-1.s3",
            "ServiceType": [{"ServiceType": "Interface"}],
            "AvailabilityZones": ["eu-central-1a", "eu-central-1b"],
            "PrivateDnsNames": [{"PrivateDnsName": "s3.eu-central-1.amazonaws.com"}]});
        let named = advice(|w| {
            w.route("rtb-b", "0.0.0.0/0", "nat-1")
                .add("VpcEndpointServices", s3)
                .set("vpce-ssmmessages", "State", json!("failed"))
                .baseline("interface_endpoints", json!({"services": ["ssm", "ssmmessages", "s3"]}))
        });
        let expected = [
            Caution::OpenConnectionsStay,
            Caution::BucketsInOtherRegions,
            Caution::ClientSecurityGroups,
        ];
        assert_eq!(named.map(|advice| advice.cautions), Some(expected.to_vec()));
    }

    #[test]
    fn a_gateway_endpoint_moves_traffic_of_its_tables() {
        let moved = |table| {
            advice(|w| {
                w.route(table, "0.0.0.0/0", "nat-1")
                    .set("vpce-ssmmessages", "State", json!("failed"))
                    .set("vpce-s3", "RouteTableIds", json!(["rtb-b"]))
                    .drop_route("rtb-a", "pl-s3")
            })
        };
        let expected = Advice {
            without_endpoint: Vec::new(),
            nat_gateways: left(false),
            cautions: ALL.to_vec(),
        };
        assert_eq!(moved("rtb-a"), Some(expected));
        assert_eq!(moved("rtb-b"), None);
    }

    #[test]
    fn an_ipv6_route_is_missed_by_subnets_with_both() {
        let cautions = |destination: &'static str, both: bool| {
            let advice = advice(|w| {
                let v6 = json!([{"Ipv6CidrBlock": "2001:db8::/64",
                    "Ipv6CidrBlockState": {"State": "associated"}}]);
                let v6 = if both { v6 } else { json!([]) };
                w.set("subnet-pria", "Ipv6CidrBlockAssociationSet", v6).route(
                    "rtb-a",
                    destination,
                    "eigw-1",
                )
            });
            advice.map(|advice| advice.cautions)
        };
        let subnets = vec!["subnet-pria".parse().unwrap()];
        let mut all = ALL.to_vec();
        assert_eq!(cautions("::/0", false), Some(all.clone()));
        assert_eq!(cautions("64:ff9b::/96", true), Some(all.clone()));
        all.push(Caution::Ipv6Names { subnets });
        assert_eq!(cautions("::/0", true), Some(all));
    }
}
