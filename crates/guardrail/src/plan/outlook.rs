//! The VPC as steps would leave it: judged by the same code as the VPC that is there.

use crate::analysis::View;
use crate::analysis::required_service::{Health, health, required_services};
use crate::baseline::Baseline;
use crate::ec2::change::{Action, DnsAttribute, NewEndpoint, PrivateDns};
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{
    EndpointId, InterfaceId, PrefixListId, RouteTableId, SecurityGroupId, ServiceName, VpcId,
};
use crate::ec2::snapshot::{Section, Shared, Snapshot};
use crate::ec2::world::{
    DnsOptions, EndpointGroup, EndpointState, EndpointType, IpPermission, IpProtocol, IpRange,
    Ipv6Range, PrefixList, Route, RouteOrigin, RouteState, RouteTable, SecurityGroup, VpcEndpoint,
    World,
};
use crate::plan::{GroupRef, Step, StepId, Task};
use crate::rules::left_alone::Unserved;

/// How the id begins that stands for the endpoint that a step makes.
const MADE: &str = "vpce-madebystep";

/// The step that makes this endpoint; `None` for one that is there.
pub(super) fn made_by(endpoint: &EndpointId) -> Option<StepId> {
    endpoint.as_str().strip_prefix(MADE)?.parse().ok().map(StepId)
}

/// What is not served, without the ids that stand for endpoints that steps make: nobody could look them
/// up.
pub(super) fn without_made_ids(unserved: Vec<Unserved>) -> Vec<Unserved> {
    let named = |text: &str| {
        let mut parts = text.split(MADE);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |before, part| {
            before + "the new endpoint" + part.trim_start_matches(|it: char| it.is_ascii_digit())
        })
    };
    unserved.into_iter().map(|it| Unserved { obstacle: named(&it.obstacle), ..it }).collect()
}

/// A VPC as it would be once some steps are taken, and their effect shows.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    world: World,
    vpc: VpcId,
}

impl Outlook {
    /// The VPC of a snapshot, as it is.
    pub(super) fn of(snapshot: &Snapshot<'_>) -> Self {
        Self { world: world_of(snapshot), vpc: snapshot.scope.vpc.clone() }
    }

    /// The VPC once these steps are taken too.
    #[must_use]
    pub(super) fn after<'s>(mut self, steps: impl IntoIterator<Item = &'s Step>) -> Self {
        for step in steps {
            if let Task::Change(action) = &step.task {
                self.make(step.id, action);
            }
        }
        self
    }

    /// The VPC once the owners of services have accepted the endpoints that steps make: until then
    /// their names lead nowhere else than now.
    #[must_use]
    pub(super) fn once_accepted(mut self) -> Self {
        let made = |endpoint: &&mut VpcEndpoint| {
            endpoint.state == EndpointState::PendingAcceptance
                && made_by(&endpoint.vpc_endpoint_id).is_some()
        };
        for endpoint in self.world.vpc_endpoints.iter_mut().flatten().filter(made) {
            endpoint.state = EndpointState::Available;
        }
        self
    }

    /// Lends the VPC to somebody who looks at it; `None` where it cannot be told whose it is.
    pub(super) fn look<T>(
        &self,
        baseline: &Baseline,
        look: impl FnOnce(&View<'_>) -> T,
    ) -> Option<T> {
        let shared = Shared::of(&self.world);
        let snapshot = Snapshot::one(&self.world, &shared, &self.vpc).ok()??;
        let required_services = required_services(baseline, &snapshot.scope.region, &shared);
        Some(look(&View::of(baseline, &snapshot, &required_services)))
    }

    fn make(&mut self, step: StepId, action: &Action<GroupRef>) {
        match action {
            Action::EnableVpcDns { vpc, attribute } => {
                let of_vpc = self.world.vpc_attributes.as_mut().and_then(|all| all.get_mut(vpc));
                if let Some(attributes) = of_vpc {
                    match attribute {
                        DnsAttribute::Support => attributes.enable_dns_support = Some(true),
                        DnsAttribute::Hostnames => attributes.enable_dns_hostnames = Some(true),
                    }
                }
            }
            Action::CreateSecurityGroup { vpc, name, .. } => {
                let Some(id) = made_group(step) else { return };
                self.world.security_groups.get_or_insert_default().push(SecurityGroup {
                    group_id: id,
                    group_name: name.clone(),
                    description: String::new(),
                    vpc_id: Some(vpc.clone()),
                    owner_id: None,
                    ip_permissions: Vec::new(),
                    tags: Vec::new(),
                });
            }
            Action::AuthorizeHttps { group, cidrs } => self.admit(group, cidrs),
            Action::RevokeIngress { group, rule } => self.revoke(group, rule),
            Action::CreateEndpoint { vpc, service, kind, policy, .. } => {
                self.create(step, (vpc, service, policy), kind);
            }
            Action::ModifyEndpoint {
                endpoint,
                add_route_tables,
                add_subnets,
                add_groups,
                private_dns,
            } => {
                let groups: Vec<SecurityGroupId> = add_groups.iter().filter_map(group_id).collect();
                let service = self.endpoint(endpoint).and_then(|it| it.service_name.clone());
                let is_free = !self.is_held_by_another(service.as_ref(), endpoint);
                if let Some(there) = self.endpoint(endpoint) {
                    there.route_table_ids.extend(add_route_tables.iter().cloned());
                    there.subnet_ids.extend(add_subnets.iter().cloned());
                    there.groups.extend(groups.into_iter().map(attached));
                    if is_free {
                        turn_on(there, *private_dns);
                    }
                }
                self.lead(add_route_tables, endpoint, service.as_ref());
            }
            Action::SetEndpointPolicy { endpoint, policy, .. } => {
                if let Some(there) = self.endpoint(endpoint) {
                    there.policy_document = Some(policy.clone());
                }
            }
            Action::DeleteRoute { table, destination, .. } => {
                if let Some(table) = self.table(table) {
                    table.routes.retain(|route| !route.goes_to(destination));
                }
            }
            Action::StopAutomaticAddress { address: None, .. } => {}
            Action::StopAutomaticAddress { interface, address: Some(address) }
            | Action::DisassociateAddress { interface, address, .. } => {
                self.lose_address(interface, address);
            }
            Action::DisablePublicIpOnLaunch { subnet } => {
                let mut subnets = self.world.subnets.iter_mut().flatten();
                if let Some(subnet) = subnets.find(|there| there.subnet_id == *subnet) {
                    subnet.map_public_ip_on_launch = false;
                }
            }
        }
    }

    fn lose_address(&mut self, interface: &InterfaceId, address: &str) {
        let mut interfaces = self.world.network_interfaces.iter_mut().flatten();
        if let Some(its) = interfaces.find(|there| there.network_interface_id == *interface) {
            its.lose_public_address(address);
        }
    }

    fn revoke(&mut self, group: &GroupRef, rule: &IpPermission) {
        let id = group_id(group);
        let mut groups = self.world.security_groups.iter_mut().flatten();
        if let Some(group) = groups.find(|there| Some(&there.group_id) == id.as_ref()) {
            group.ip_permissions = group.rules();
            group.ip_permissions.retain(|there| !there.admits_the_same_as(rule));
        }
    }

    fn admit(&mut self, group: &GroupRef, cidrs: &[Cidr]) {
        let id = group_id(group);
        let mut groups = self.world.security_groups.iter_mut().flatten();
        let Some(group) = groups.find(|there| Some(&there.group_id) == id.as_ref()) else { return };
        let (v6, v4): (Vec<&Cidr>, Vec<&Cidr>) =
            cidrs.iter().partition(|cidr| cidr.as_str().contains(':'));
        group.ip_permissions.push(IpPermission {
            ip_protocol: IpProtocol::Tcp,
            from_port: Some(443),
            to_port: Some(443),
            ip_ranges: v4
                .into_iter()
                .map(|c| IpRange { cidr_ip: c.clone(), description: None })
                .collect(),
            ipv6_ranges: v6
                .into_iter()
                .map(|c| Ipv6Range { cidr_ipv6: c.clone(), description: None })
                .collect(),
            ..IpPermission::default()
        });
    }

    fn create(
        &mut self,
        step: StepId,
        (vpc, service, policy): (&VpcId, &ServiceName, &Option<String>),
        kind: &NewEndpoint<GroupRef>,
    ) {
        let Ok(id) = format!("{MADE}{step}").parse::<EndpointId>() else { return };
        let mut made = VpcEndpoint::new(id.clone(), vpc.clone(), service.clone());
        made.policy_document.clone_from(policy);
        match kind {
            NewEndpoint::Gateway { route_tables } => {
                made.vpc_endpoint_type = Some(EndpointType::Gateway);
                made.route_table_ids.clone_from(route_tables);
                self.lead(route_tables, &id, Some(service));
            }
            NewEndpoint::Interface { subnets, groups, private_dns } => {
                made.vpc_endpoint_type = Some(EndpointType::Interface);
                made.subnet_ids.clone_from(subnets);
                if self.waits_for_acceptance(service) {
                    made.state = EndpointState::PendingAcceptance;
                }
                made.groups = groups.iter().filter_map(group_id).map(attached).collect();
                if !self.is_held_by_another(Some(service), &id) {
                    turn_on(&mut made, *private_dns);
                }
            }
        }
        self.world.vpc_endpoints.get_or_insert_default().push(made);
    }

    /// Writes the routes that AWS writes for a gateway endpoint.
    fn lead(&mut self, tables: &[RouteTableId], to: &EndpointId, service: Option<&ServiceName>) {
        let lists = self.world.prefix_lists.iter().flatten();
        let is_its = |list: &&PrefixList| {
            list.is_awss() == Some(true)
                && service.is_some_and(|service| list.prefix_list_name == service.as_str())
        };
        let list = lists.into_iter().find(is_its).map(|list| list.prefix_list_id.clone());
        // Where the list was not read, its ranges are not known either, and nothing counts on them.
        let list = list.or_else(|| "pl-notread".parse::<PrefixListId>().ok());
        for id in tables {
            if let Some(table) = self.table(id) {
                table.routes.push(Route {
                    destination_prefix_list_id: list.clone(),
                    gateway_id: Some(to.to_string()),
                    state: Some(RouteState::Active),
                    origin: Some(RouteOrigin::CreateRoute),
                    ..Route::default()
                });
            }
        }
    }

    /// Whether another endpoint holds the service's private name: EC2 refuses it to a second one
    /// (docs.aws.amazon.com/vpc/latest/privatelink/interface-endpoints.html).
    fn is_held_by_another(&self, service: Option<&ServiceName>, than: &EndpointId) -> bool {
        let holds = |endpoint: &&VpcEndpoint| {
            endpoint.service_name.as_ref() == service
                && endpoint.vpc_endpoint_id != *than
                && endpoint.kind() == EndpointType::Interface
                && endpoint.holds_name_in_vpc()
                && match health(endpoint) {
                    Health::Works | Health::Coming => true,
                    Health::Gone | Health::Broken => false,
                }
        };
        self.world.vpc_endpoints.iter().flatten().any(|endpoint| holds(&endpoint))
    }

    /// Whether the service's owner has to accept an endpoint before it acts.
    fn waits_for_acceptance(&self, service: &ServiceName) -> bool {
        let mut offers = self.world.vpc_endpoint_services.iter().flatten();
        offers.any(|offer| {
            offer.service_name == *service
                && offer.is(&EndpointType::Interface)
                && offer.acceptance_required
        })
    }

    fn endpoint(&mut self, id: &EndpointId) -> Option<&mut VpcEndpoint> {
        let mut endpoints = self.world.vpc_endpoints.iter_mut().flatten();
        endpoints.find(|there| there.vpc_endpoint_id == *id)
    }

    fn table(&mut self, id: &RouteTableId) -> Option<&mut RouteTable> {
        let mut tables = self.world.route_tables.iter_mut().flatten();
        tables.find(|there| there.route_table_id == *id)
    }
}

/// The world with this one VPC in it.
fn world_of(snapshot: &Snapshot<'_>) -> World {
    let read = |section| !snapshot.missing.contains(&section);
    macro_rules! section {
        ($section:ident, $things:expr) => {
            read(Section::$section).then(|| $things.into_iter().map(|it| (*it).clone()).collect())
        };
    }
    let shared = snapshot.shared;
    let attached = snapshot.endpoints.iter().flat_map(|endpoint| &endpoint.groups);
    let others = attached.filter_map(|group| shared.groups.get(&group.group_id));
    let others = others.filter(|group| group.vpc_id.as_ref() != Some(&snapshot.scope.vpc));
    let groups = snapshot.groups.iter().chain(others);
    let attributes = snapshot.attributes.filter(|_| read(Section::VpcAttributes));
    World {
        region: Some(snapshot.scope.region.clone()),
        account_id: Some(snapshot.scope.account.clone()),
        vpcs: Some(vec![snapshot.vpc.clone()]),
        subnets: section!(Subnets, &snapshot.subnets),
        route_tables: section!(RouteTables, &snapshot.route_tables),
        vpc_endpoints: section!(VpcEndpoints, &snapshot.endpoints),
        nat_gateways: section!(NatGateways, &snapshot.nat_gateways),
        security_groups: section!(SecurityGroups, groups),
        network_interfaces: section!(NetworkInterfaces, &snapshot.interfaces),
        network_acls: section!(NetworkAcls, &snapshot.network_acls),
        prefix_lists: read(Section::PrefixLists).then(|| shared.prefix_lists.to_vec()),
        vpc_endpoint_services: read(Section::VpcEndpointServices).then(|| shared.services.to_vec()),
        internet_gateways: None,
        egress_only_internet_gateways: None,
        dhcp_options: read(Section::DhcpOptions).then(|| shared.dhcp_options.to_vec()),
        vpc_attributes: attributes
            .map(|attributes| [(snapshot.scope.vpc.clone(), *attributes)].into_iter().collect()),
    }
}

fn made_group(step: StepId) -> Option<SecurityGroupId> {
    format!("sg-madebystep{step}").parse().ok()
}

fn group_id(group: &GroupRef) -> Option<SecurityGroupId> {
    match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(step) => made_group(*step),
    }
}

fn attached(group_id: SecurityGroupId) -> EndpointGroup {
    EndpointGroup { group_id, group_name: None }
}

fn turn_on(endpoint: &mut VpcEndpoint, private_dns: PrivateDns) {
    if private_dns.is_on() {
        endpoint.private_dns_enabled = true;
        if let Some(inbound) = private_dns.for_inbound_only() {
            let options = endpoint.dns_options.get_or_insert_with(DnsOptions::default);
            options.private_dns_only_for_inbound_resolver_endpoint = Some(inbound);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::baseline::Mode;
    use crate::ec2::world::{Destination, Subnet};
    use crate::fixture::Fixture;

    /// The fixture's VPC after these actions, as steps 1, 2, ….
    fn after(edit: fn(&mut Fixture) -> &mut Fixture, actions: &[Action<GroupRef>]) -> World {
        let step = |(id, action): (u32, &Action<GroupRef>)| Step {
            id: StepId(id),
            rules: Vec::new(),
            mode: Mode::Repair,
            task: Task::Change(action.clone()),
            after: Vec::new(),
            held: None,
        };
        let steps: Vec<Step> = (1..).zip(actions).map(step).collect();
        Fixture::edited(edit).view(|view, _| Outlook::of(view.snapshot).after(&steps).world)
    }

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    fn ssm() -> ServiceName {
        id("com.amazonaws.eu-central-1.ssm")
    }

    fn made(world: &World) -> &VpcEndpoint {
        world.vpc_endpoints.as_ref().unwrap().last().unwrap()
    }

    fn create(kind: NewEndpoint<GroupRef>, service: ServiceName) -> Action<GroupRef> {
        Action::CreateEndpoint {
            vpc: id("vpc-1"),
            service,
            kind,
            policy: None,
            token: "t".to_owned(),
        }
    }

    #[test]
    fn attributes_and_flags() {
        fn bend(w: &mut Fixture) -> &mut Fixture {
            w.world["VpcAttributes"]["vpc-1"] =
                json!({"EnableDnsSupport": false, "EnableDnsHostnames": false});
            w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true))
        }
        let world = after(
            bend,
            &[
                Action::EnableVpcDns { vpc: id("vpc-1"), attribute: DnsAttribute::Support },
                Action::DisablePublicIpOnLaunch { subnet: id("subnet-pria") },
            ],
        );
        let attributes = world.vpc_attributes.unwrap()[&id::<VpcId>("vpc-1")];
        assert_eq!(
            (attributes.enable_dns_support, attributes.enable_dns_hostnames),
            (Some(true), Some(false))
        );
        let flags = |subnet: &Subnet| subnet.map_public_ip_on_launch;
        assert_eq!(world.subnets.unwrap().iter().filter(|it| flags(it)).count(), 0);
    }

    #[test]
    fn a_group_that_is_made_and_opened_is_attached_to_what_is_made() {
        let group = GroupRef::MadeBy(StepId(1));
        let world = after(
            |w| w.remove("vpce-ssm"),
            &[
                Action::CreateSecurityGroup {
                    vpc: id("vpc-1"),
                    name: "g".to_owned(),
                    description: String::new(),
                },
                Action::AuthorizeHttps {
                    group: group.clone(),
                    cidrs: vec!["10.0.0.0/16".into(), "2001:db8::/56".into()],
                },
                create(
                    NewEndpoint::Interface {
                        subnets: vec![id("subnet-pria")],
                        groups: vec![group],
                        private_dns: PrivateDns::on_for(&ssm()),
                    },
                    ssm(),
                ),
            ],
        );
        let endpoint = made(&world);
        assert_eq!(
            endpoint.subnet_ids,
            ["subnet-pria".parse().unwrap()] as [crate::ec2::id::SubnetId; 1]
        );
        assert!(endpoint.holds_name_in_vpc() && endpoint.exists());
        let groups = world.security_groups.as_ref().unwrap();
        let own = groups.iter().find(|it| it.group_id == endpoint.groups[0].group_id).unwrap();
        let rule = &own.ip_permissions[0];
        assert_eq!(
            (rule.ip_ranges[0].cidr_ip.as_str(), rule.ipv6_ranges[0].cidr_ipv6.as_str()),
            ("10.0.0.0/16", "2001:db8::/56")
        );
    }

    #[test]
    fn a_name_that_is_held_goes_to_no_second_endpoint() {
        let place = || NewEndpoint::Interface {
            subnets: vec![id("subnet-pria")],
            groups: Vec::new(),
            private_dns: PrivateDns::on_for(&ssm()),
        };
        let world = after(|w| w, &[create(place(), ssm())]);
        assert!(!made(&world).holds_name_in_vpc());
        let world =
            after(|w| w.set("vpce-ssm", "State", json!("failed")), &[create(place(), ssm())]);
        assert!(made(&world).holds_name_in_vpc());
    }

    #[test]
    fn gateway_endpoints_write_their_routes_and_routes_go() {
        let s3: ServiceName = id("com.amazonaws.eu-central-1.s3");
        let routes = |world: &World, table: &str| -> Vec<String> {
            let mut tables = world.route_tables.iter().flatten();
            let table = tables.find(|it| it.route_table_id.as_str() == table).unwrap();
            let line = |route: &Route| {
                format!("{} {}", route.destination().unwrap(), route.target().unwrap())
            };
            table.routes.iter().map(line).collect()
        };
        let place = NewEndpoint::Gateway { route_tables: vec![id("rtb-a")] };
        let world = after(|w| w.delete_gateway("vpce-s3"), &[create(place, s3)]);
        assert_eq!(
            routes(&world, "rtb-a"),
            ["10.0.0.0/16 local", "pl-dynamodb vpce-dynamodb", "pl-s3 vpce-madebystep1"]
        );
        let world = after(
            |w| {
                w.set("vpce-s3", "RouteTableIds", json!(["rtb-a"]));
                w.drop_route("rtb-b", "pl-s3").route("rtb-b", "0.0.0.0/0", "nat-1")
            },
            &[
                Action::ModifyEndpoint {
                    endpoint: id("vpce-s3"),
                    add_route_tables: vec![id("rtb-b")],
                    add_subnets: Vec::new(),
                    add_groups: Vec::new(),
                    private_dns: PrivateDns::Off,
                },
                Action::DeleteRoute {
                    table: id("rtb-b"),
                    destination: Destination::CidrBlock("0.0.0.0/0".into()),
                    target: "nat-1".to_owned().into(),
                },
            ],
        );
        assert_eq!(
            routes(&world, "rtb-b"),
            ["10.0.0.0/16 local", "pl-dynamodb vpce-dynamodb", "pl-s3 vpce-s3"]
        );
    }
}
