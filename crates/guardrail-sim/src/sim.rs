//! The simulator: a world, the time, and what a call does to them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use guardrail::cloud::NatTraffic;
use guardrail::ec2::id::{EndpointId, InterfaceId, NatGatewayId, RouteTableId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{EndpointState, NatGatewayState, World};
use guardrail::probe::ProbeName;
use jiff::Timestamp;

use crate::ec2::beside::{self, Beside};
use crate::ec2::errors::ApiError;
use crate::ec2::request::{CreateNatGateway, CreateVpcEndpoint, Request, Response};
use crate::faults::{self, Fault};
use crate::ids::Ids;
use crate::throttle::{BucketUse, Buckets, Throttling};
use crate::time::Due;

/// How long things take, and how much trouble there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimOptions {
    /// From creation, or a change of subnets, to `available`: interface endpoints.
    pub interface_endpoint_ready: Duration,
    /// From creation to `available`: gateway endpoints.
    pub gateway_endpoint_ready: Duration,
    /// From `deleting` to `deleted`: endpoints.
    pub endpoint_deleted: Duration,
    /// From `pending` to `available`, and from `deleting` to `deleted`: NAT gateways.
    pub nat_gateway: Duration,
    /// How long a deleted endpoint or NAT gateway is still listed.
    pub lingers: Duration,
    /// How old the world is that a read sees. Calls that name something younger are refused as
    /// `NotFound`.
    pub visibility_delay: Duration,
    /// Whether EC2's token buckets apply: a call that finds its action's bucket empty is refused as
    /// `RequestLimitExceeded`.
    pub throttling: bool,
    /// The most gateway endpoints of the Region, and interface endpoints of a VPC; AWS's quotas (20
    /// and 50) are adjustable, so by default there is none.
    pub endpoint_quota: Option<usize>,
    /// The most a page holds; a request may ask for fewer.
    pub page_size: usize,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            interface_endpoint_ready: Duration::from_secs(90),
            gateway_endpoint_ready: Duration::from_secs(5),
            endpoint_deleted: Duration::from_secs(60),
            nat_gateway: Duration::from_secs(60),
            lingers: Duration::from_secs(600),
            visibility_delay: Duration::ZERO,
            throttling: false,
            endpoint_quota: None,
            page_size: 1000,
        }
    }
}

/// A call that was made, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When the call was made, in simulated time.
    pub at: Timestamp,
    /// The request as it was made.
    pub request: Request,
    /// Whether the caller was told that it worked.
    pub outcome: Result<(), ApiError>,
}

impl Recorded {
    /// Whether the call could change anything.
    pub fn is_write(&self) -> bool {
        self.request.is_write()
    }
}

/// EC2's VPC part in memory: a world that answers calls, changes, and lets time pass.
#[derive(Debug)]
pub struct Sim {
    pub(crate) world: World,
    pub(crate) now: Timestamp,
    pub(crate) options: SimOptions,
    pub(crate) ids: Ids,
    pub(crate) due: Vec<Due>,
    pub(crate) endpoint_tokens: BTreeMap<String, (CreateVpcEndpoint, EndpointId)>,
    pub(crate) table_tokens: BTreeMap<String, RouteTableId>,
    pub(crate) nat_tokens: BTreeMap<String, (CreateNatGateway, NatGatewayId)>,
    /// What the client tokens of other calls made, by the prefix of its id and the token.
    pub(crate) tokens: BTreeMap<String, String>,
    /// What there is that a world file has no section for.
    pub(crate) beside: Beside,
    /// Gateways, attachments and peerings that exist although no route names them: a world file has
    /// no section for them.
    pub(crate) gateways: BTreeSet<String>,
    /// The interfaces that AWS is to assign no public IPv4 address.
    pub(crate) without_public_ip: BTreeSet<InterfaceId>,
    /// When an id came to be, while it may not be visible yet.
    pub(crate) born: BTreeMap<String, Timestamp>,
    /// The sections the world came without: not "none", but not known.
    unknown: BTreeSet<Section>,
    /// What the world was, from when on; kept only where reads see an older world.
    history: VecDeque<(Timestamp, World, Beside)>,
    faults: Vec<Fault>,
    buckets: Buckets,
    calls: Vec<Recorded>,
    /// What it answers of the NAT gateways' last hour, which no call here makes.
    traffic: Vec<NatTraffic>,
    /// The probes that cannot be asked, and what Lambda says of each.
    pub(crate) broken_probes: BTreeMap<ProbeName, ApiError>,
    /// What the last call came to whose answer was lost.
    lost: Option<Result<Response, ApiError>>,
}

impl Sim {
    /// A simulator of this world at this time.
    pub fn new(world: World, now: Timestamp, options: SimOptions) -> Self {
        let unknown = Section::ALL.into_iter().filter(|section| !world.has(*section)).collect();
        let mut sim = Self {
            ids: Ids::after(&world),
            gateways: gateways_named_in(&world),
            history: VecDeque::from([(Timestamp::MIN, world.clone(), Beside::default())]),
            buckets: Buckets::full(now),
            world,
            now,
            options,
            due: Vec::new(),
            endpoint_tokens: BTreeMap::new(),
            table_tokens: BTreeMap::new(),
            nat_tokens: BTreeMap::new(),
            tokens: BTreeMap::new(),
            beside: Beside::default(),
            born: BTreeMap::new(),
            unknown,
            faults: Vec::new(),
            calls: Vec::new(),
            traffic: Vec::new(),
            without_public_ip: BTreeSet::new(),
            broken_probes: BTreeMap::new(),
            lost: None,
        };
        sim.take_up_transitions();
        sim
    }

    /// The same with what was saved beside its world.
    #[must_use]
    pub fn with_beside(mut self, beside: Beside) -> Self {
        self.ids.skip_all(&beside);
        if let Some((_, _, first)) = self.history.front_mut() {
            first.clone_from(&beside);
        }
        self.beside = beside;
        self
    }

    /// The world as it is saved: a world file, with what it has no section for under
    /// `Simulator`.
    pub fn saved(&self) -> serde_json::Value {
        let mut saved = serde_json::json!(self.world());
        if let (serde_json::Value::Object(saved), false) = (&mut saved, self.beside.is_empty()) {
            saved.insert(beside::KEY.to_owned(), serde_json::json!(self.beside));
        }
        saved
    }

    /// Has it say this of what NAT gateways carried in the last hour; of others it has nothing to say.
    pub fn set_traffic(&mut self, traffic: Vec<NatTraffic>) {
        self.traffic = traffic;
    }

    pub(crate) fn traffic_of(&self, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        self.traffic.iter().filter(|told| nats.contains(&told.nat)).cloned().collect()
    }

    /// Answers a call as EC2 would, and records it.
    ///
    /// # Errors
    /// EC2's refusal, or the fault that was asked for.
    pub fn call(&mut self, request: &Request) -> Result<Response, ApiError> {
        let outcome = self.answer(request);
        let told = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.calls.push(Recorded { at: self.now, request: request.clone(), outcome: told });
        outcome
    }

    /// The simulated time now.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What somebody who sees everything at once would see: a world file again.
    pub fn world(&self) -> World {
        self.without_unknown(self.world.clone())
    }

    /// Every call so far, in the order it was made in, refused ones included.
    pub fn calls(&self) -> &[Recorded] {
        &self.calls
    }

    /// Forgets the calls so far, and gives them out.
    pub fn take_calls(&mut self) -> Vec<Recorded> {
        std::mem::take(&mut self.calls)
    }

    /// What the calls so far took of EC2's token buckets, one entry for each bucket that was drawn
    /// on; they are counted whether or not [`SimOptions::throttling`] is on.
    pub fn bucket_uses(&self) -> Vec<BucketUse> {
        self.buckets.uses()
    }

    /// What the last call came to if its answer was lost: CloudTrail records it all the same. Told
    /// once.
    pub fn take_lost(&mut self) -> Option<Result<Response, ApiError>> {
        self.lost.take()
    }

    /// How long things take, and how much trouble there is.
    pub fn options(&self) -> &SimOptions {
        &self.options
    }

    /// Makes calls fail from now on; the first fault that fits a call is used up first.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Makes a gateway, attachment or peering connection known that a world file has no section
    /// for.
    pub fn know_gateway(&mut self, id: impl Into<String>) {
        self.gateways.insert(id.into());
    }

    pub(crate) fn is_unknown(&self, section: Section) -> bool {
        self.unknown.contains(&section)
    }

    /// The world as a read sees it.
    pub(crate) fn visible(&self) -> &World {
        let delay = self.options.visibility_delay;
        match self.seen() {
            Some((_, world, _)) if !delay.is_zero() => world,
            Some(_) | None => &self.world,
        }
    }

    /// What a world has no section for, as a read sees it.
    pub(crate) fn visible_beside(&self) -> &Beside {
        match self.seen() {
            Some((_, _, beside)) if !self.options.visibility_delay.is_zero() => beside,
            Some(_) | None => &self.beside,
        }
    }

    fn seen(&self) -> Option<&(Timestamp, World, Beside)> {
        let delay = self.options.visibility_delay;
        let seen = self.history.iter().rev().find(|(since, ..)| later(*since, delay) <= self.now);
        seen.or(self.history.front())
    }

    /// Whether this id is old enough to be known to every part of EC2.
    pub(crate) fn is_settled(&self, id: &str) -> bool {
        self.born.get(id).is_none_or(|born| later(*born, self.options.visibility_delay) <= self.now)
    }

    /// Takes note of the world as it is from `since` on.
    pub(crate) fn remember(&mut self, since: Timestamp) {
        if self.options.visibility_delay.is_zero() {
            return;
        }
        self.history.push_back((since, self.world.clone(), self.beside.clone()));
        let oldest_seen = |history: &VecDeque<(Timestamp, World, Beside)>| {
            history
                .get(1)
                .is_some_and(|(next, ..)| later(*next, self.options.visibility_delay) <= self.now)
        };
        while oldest_seen(&self.history) {
            self.history.pop_front();
        }
    }

    fn answer(&mut self, request: &Request) -> Result<Response, ApiError> {
        let throttling = if self.options.throttling { Throttling::On } else { Throttling::Off };
        self.buckets.take(request, self.now, throttling)?;
        let fault = faults::next(&mut self.faults, request.operation());
        let Some((error, happens)) = fault else { return self.perform(request) };
        if happens {
            // The caller is told the fault, whatever the call itself came to: that is what a lost
            // answer is.
            self.lost = Some(self.perform(request));
        }
        Err(error)
    }

    fn perform(&mut self, request: &Request) -> Result<Response, ApiError> {
        let is_dry = matches!(request, Request::DryRun(_));
        let response = if is_dry || is_section_read(request) {
            self.read(request)?
        } else {
            self.write(request)?
        };
        if request.is_write() {
            self.catch_up();
            self.remember(self.now);
        }
        Ok(response)
    }

    #[expect(clippy::too_many_lines, reason = "a line or two for each of EC2's calls")]
    fn write(&mut self, request: &Request) -> Result<Response, ApiError> {
        use Request::*;
        match request {
            CreateRoute { route_table_id, destination, target } => {
                self.create_route(route_table_id, destination, target)
            }
            ReplaceRoute { route_table_id, destination, target } => {
                self.replace_route(route_table_id, destination, target)
            }
            DeleteRoute { route_table_id: id, destination } => self.delete_route(id, destination),
            CreateRouteTable { vpc_id, client_token, tags } => {
                self.create_route_table(vpc_id, client_token.as_deref(), tags)
            }
            DeleteRouteTable { route_table_id } => self.delete_route_table(route_table_id),
            AssociateRouteTable { route_table_id, subnet_id } => {
                self.associate_subnet(route_table_id, subnet_id)
            }
            AssociateGateway { route_table_id: id, gateway_id } => {
                self.associate_gateway(id, gateway_id)
            }
            DisassociateRouteTable { association_id } => self.disassociate(association_id),
            ReplaceRouteTableAssociation { association_id, route_table_id } => {
                self.replace_association(association_id, route_table_id)
            }
            CreateVpcEndpoint(wanted) => self.create_endpoint(wanted),
            ModifyVpcEndpoint(change) => self.modify_endpoint(change),
            DeleteVpcEndpoints { vpc_endpoint_ids } => Ok(self.delete_endpoints(vpc_endpoint_ids)),
            CreateNatGateway(wanted) => self.create_nat_gateway(wanted),
            DeleteNatGateway { nat_gateway_id } => self.delete_nat_gateway(nat_gateway_id),
            CreateSubnet { vpc_id, cidr_block, availability_zone, tags } => {
                self.create_subnet(vpc_id, cidr_block, availability_zone.as_ref(), tags)
            }
            ModifySubnetAttribute { subnet_id: id, attribute } => {
                self.modify_subnet_attribute(id, *attribute)
            }
            ModifyVpcAttribute { vpc_id, attribute, value } => {
                self.modify_vpc_attribute(vpc_id, *attribute, *value)
            }
            AssociateVpcCidrBlock { vpc_id, cidr_block } => self.associate_cidr(vpc_id, cidr_block),
            ModifyNetworkInterfaceAttribute { network_interface_id: id, source_dest_check } => {
                self.modify_interface(id, *source_dest_check)
            }
            AssociatePublicIp { network_interface_id: id, value } => {
                self.associate_public_ip(id, *value)
            }
            DisassociateAddress { association_id } => self.disassociate_address(association_id),
            CreateSecurityGroup { group_name, description, vpc_id, tags } => {
                self.create_group(group_name, description, vpc_id, tags)
            }
            AuthorizeSecurityGroupIngress { group_id, ip_permissions } => {
                self.authorize(group_id, ip_permissions)
            }
            RevokeSecurityGroupIngress { group_id: id, ip_permissions: p } => self.revoke(id, p),
            CreateNetworkAclEntry { network_acl_id: id, entry } => self.create_acl_entry(id, entry),
            ReplaceNetworkAclEntry { network_acl_id: id, entry } => {
                self.replace_acl_entry(id, entry)
            }
            DeleteNetworkAclEntry { network_acl_id: id, rule_number, egress } => {
                self.delete_acl_entry(id, *rule_number, *egress)
            }
            ReplaceNetworkAclAssociation { association_id, network_acl_id } => {
                self.replace_acl_association(association_id, network_acl_id)
            }
            AssociateDhcpOptions { dhcp_options_id, vpc_id } => {
                self.associate_dhcp_options(dhcp_options_id, vpc_id)
            }
            Network(call) => self.change_network(call),
            Address(call) => self.change_addresses(call),
            PrefixList(call) => self.change_prefix_lists(call),
            Instance(call) => self.change_instances(call),
            CreateTags { resources, tags } => self.create_tags(resources, tags),
            DeleteTags { resources, tags } => self.delete_tags(resources, tags),
            DryRun(_)
            | DescribeVpcs(_)
            | DescribeSubnets(_)
            | DescribeRouteTables(_)
            | DescribeVpcEndpoints(_)
            | DescribeNatGateways(_)
            | DescribeSecurityGroups(_)
            | DescribeNetworkAcls(_)
            | DescribeDhcpOptions(_)
            | DescribeNetworkInterfaces(_)
            | DescribePrefixLists(_)
            | DescribeManagedPrefixLists(_)
            | DescribeVpcEndpointServices(_)
            | DescribeInternetGateways(_)
            | DescribeEgressOnlyInternetGateways(_)
            | DescribeInstances(_)
            | DescribeVpcAttribute { .. }
            | GetManagedPrefixListEntries { .. } => self.read(request),
        }
    }

    /// A section the world came without stays absent: one thing made in it does not make the rest
    /// known.
    fn without_unknown(&self, mut world: World) -> World {
        let unknown: Vec<Section> = self.unknown.iter().copied().collect();
        world.refresh(World::default(), &unknown);
        world
    }

    /// What a loaded world is in the middle of goes on.
    fn take_up_transitions(&mut self) {
        let mut due = Vec::new();
        for endpoint in self.world.vpc_endpoints.iter().flatten() {
            let id = endpoint.vpc_endpoint_id.clone();
            match endpoint.state {
                EndpointState::Pending => due.push(self.endpoint_ready(&endpoint.kind(), id)),
                EndpointState::Deleting => due.push(self.endpoint_deleted(id)),
                EndpointState::Deleted => due.push(self.endpoint_gone(id)),
                EndpointState::PendingAcceptance
                | EndpointState::Available
                | EndpointState::Rejected
                | EndpointState::Failed
                | EndpointState::Expired
                | EndpointState::Partial
                | EndpointState::Other(_) => {}
            }
        }
        for nat in self.world.nat_gateways.iter().flatten() {
            let id = nat.nat_gateway_id.clone();
            match nat.state {
                Some(NatGatewayState::Pending) => due.push(self.nat_ready(id)),
                Some(NatGatewayState::Deleting) => due.push(self.nat_deleted(id)),
                Some(NatGatewayState::Deleted) => due.push(self.nat_gone(id)),
                Some(
                    NatGatewayState::Available
                    | NatGatewayState::Failed
                    | NatGatewayState::Other(_),
                )
                | None => {}
            }
        }
        self.due.extend(due);
    }
}

/// Whether the request describes what a world has a section for; what it has none for is described
/// where it is changed.
fn is_section_read(request: &Request) -> bool {
    let elsewhere = matches!(
        request,
        Request::Network(_) | Request::Address(_) | Request::PrefixList(_) | Request::Instance(_)
    );
    !request.is_write() && !elsewhere
}

/// `time` later; the end of time where there is no such moment.
pub(crate) fn later(at: Timestamp, time: Duration) -> Timestamp {
    at.checked_add(time).unwrap_or(Timestamp::MAX)
}

fn gateways_named_in(world: &World) -> BTreeSet<String> {
    let tables = || world.route_tables.iter().flatten();
    let targets = tables()
        .flat_map(|table| &table.routes)
        .filter_map(|route| route.target().map(String::from));
    let edges = tables().flat_map(|table| &table.associations).filter_map(|a| a.gateway_id.clone());
    let attached = world.internet_gateways.iter().flatten();
    let attached = attached.map(|gateway| gateway.internet_gateway_id.to_string());
    let egress_only = world.egress_only_internet_gateways.iter().flatten();
    let egress_only = egress_only.map(|it| it.egress_only_internet_gateway_id.to_string());
    targets.chain(edges).chain(attached).chain(egress_only).collect()
}
