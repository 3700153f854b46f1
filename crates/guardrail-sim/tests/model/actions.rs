//! What people and tools do besides, and CloudTrail's records of it.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{
    EndpointState, EndpointType, IpPermission, IpProtocol, IpRange, World,
};
use guardrail_sim::{CreateVpcEndpoint, ModifyVpcEndpoint, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::scene::{ACCOUNT, REGION, id, service, vpc};

/// What somebody else does, in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    AddNatRoute(usize),
    DeleteNatRoute(usize),
    DeleteGateway,
    DeleteInterface,
    CreateGateway,
    CreateInterface,
    ToMainTable,
    ToOwnTable,
    PrivateDnsOff,
    PrivateDnsOn,
    ShutGroup,
    OpenGroup,
    TableOffGateway,
    DnsHostnamesOff,
    NewTableWithNatRoute,
}

/// The eight kinds that the exhaustive search takes.
pub(crate) const EIGHT: [Deed; 8] = [
    Deed::AddNatRoute(1),
    Deed::DeleteNatRoute(1),
    Deed::DeleteGateway,
    Deed::DeleteInterface,
    Deed::CreateInterface,
    Deed::ToMainTable,
    Deed::PrivateDnsOff,
    Deed::ShutGroup,
];

/// How often it is chosen among the others, what it is called, and what is done, each so many seconds
/// after the one before.
pub(crate) type Behaviour = (usize, &'static str, &'static [(u64, Deed)]);

/// What a person or a tool does one after the other.
pub(crate) const BEHAVIOURS: [Behaviour; 16] = [
    (6, "a NAT route is added", &[(0, Deed::AddNatRoute(1))]),
    (3, "a NAT route is added to the other table", &[(0, Deed::AddNatRoute(2))]),
    (2, "a NAT route is deleted by a person", &[(0, Deed::DeleteNatRoute(1))]),
    (3, "the gateway endpoint is deleted", &[(0, Deed::DeleteGateway)]),
    (3, "the interface endpoint is deleted", &[(0, Deed::DeleteInterface)]),
    (3, "a subnet gets the main table", &[(0, Deed::ToMainTable)]),
    (1, "a subnet gets its table back", &[(0, Deed::ToOwnTable)]),
    (3, "private DNS is switched off", &[(0, Deed::PrivateDnsOff)]),
    (1, "the gateway endpoint is made by a person", &[(0, Deed::CreateGateway)]),
    (1, "private DNS is switched on by a person", &[(0, Deed::PrivateDnsOn)]),
    (3, "the endpoint's group is shut", &[(0, Deed::ShutGroup)]),
    (1, "the endpoint's group is opened by a person", &[(0, Deed::OpenGroup)]),
    (2, "a table is taken off the gateway endpoint", &[(0, Deed::TableOffGateway)]),
    (1, "DNS host names are switched off", &[(0, Deed::DnsHostnamesOff)]),
    (
        4,
        "Terraform replaces an endpoint within the grace",
        &[(0, Deed::DeleteInterface), (62, Deed::CreateInterface)],
    ),
    (
        3,
        "CloudFormation makes a table, leads it out and gives it a subnet",
        &[(0, Deed::ToMainTable), (4, Deed::NewTableWithNatRoute), (7, Deed::ToOwnTable)],
    ),
];

fn destination() -> guardrail::ec2::world::Destination {
    serde_json::from_value(json!({"CidrBlock": "0.0.0.0/0"})).unwrap()
}

fn https() -> Vec<IpPermission> {
    let cidr: Cidr = serde_json::from_value(json!("10.0.0.0/16")).unwrap();
    vec![IpPermission {
        ip_protocol: IpProtocol::Tcp,
        from_port: Some(443),
        to_port: Some(443),
        ip_ranges: vec![IpRange { cidr_ip: cidr, description: None }],
        ..IpPermission::default()
    }]
}

impl Deed {
    /// The call, in a VPC of this world; `None` where there is nothing to do it to.
    pub(crate) fn request(self, world: &World, mark: &str) -> Option<Request> {
        let table = |n: usize| id("rtb", mark, n).parse().unwrap();
        let group = || id("sg", mark, 1).parse().unwrap();
        let of = |short: &str| {
            let name = service(short);
            let all = world.vpc_endpoints.iter().flatten();
            let mut alive = all.filter(|it| {
                let is_alive =
                    matches!(it.state, EndpointState::Available | EndpointState::Pending);
                it.vpc_id == vpc(mark)
                    && it.service_name.as_ref().is_some_and(|it| it.as_str() == name)
                    && is_alive
            });
            alive.next().map(|it| it.vpc_endpoint_id.clone())
        };
        let modify = |short: &str, edit: &dyn Fn(&mut ModifyVpcEndpoint)| {
            let mut change = ModifyVpcEndpoint::new(of(short)?);
            edit(&mut change);
            Some(Request::ModifyVpcEndpoint(Box::new(change)))
        };
        let delete =
            |short: &str| Some(Request::DeleteVpcEndpoints { vpc_endpoint_ids: vec![of(short)?] });
        Some(match self {
            Self::AddNatRoute(n) => Request::CreateRoute {
                route_table_id: table(n),
                destination: destination(),
                target: RouteTarget::from(id("nat", mark, 1)),
            },
            Self::NewTableWithNatRoute => return Self::AddNatRoute(3).request(world, mark),
            Self::DeleteNatRoute(n) => {
                Request::DeleteRoute { route_table_id: table(n), destination: destination() }
            }
            Self::DeleteGateway => return delete("s3"),
            Self::DeleteInterface => return delete("ssm"),
            Self::CreateGateway => {
                let mut wanted = CreateVpcEndpoint::new(vpc(mark), service("s3"));
                wanted.route_table_ids = vec![table(1), table(2)];
                Request::CreateVpcEndpoint(Box::new(wanted))
            }
            Self::CreateInterface => {
                let mut wanted = CreateVpcEndpoint::new(vpc(mark), service("ssm"));
                wanted.vpc_endpoint_type = Some(EndpointType::Interface);
                wanted.subnet_ids = [1, 2].map(|n| id("subnet", mark, n).parse().unwrap()).to_vec();
                wanted.security_group_ids = vec![group()];
                wanted.private_dns_enabled = Some(true);
                Request::CreateVpcEndpoint(Box::new(wanted))
            }
            Self::ToMainTable => return associate(world, mark, 3),
            Self::ToOwnTable => return associate(world, mark, 1),
            Self::PrivateDnsOff => {
                return modify("ssm", &|it| it.private_dns_enabled = Some(false));
            }
            Self::PrivateDnsOn => return modify("ssm", &|it| it.private_dns_enabled = Some(true)),
            Self::ShutGroup => {
                Request::RevokeSecurityGroupIngress { group_id: group(), ip_permissions: https() }
            }
            Self::OpenGroup => Request::AuthorizeSecurityGroupIngress {
                group_id: group(),
                ip_permissions: https(),
            },
            Self::TableOffGateway => {
                return modify("s3", &|it| it.remove_route_table_ids = vec![table(2)]);
            }
            Self::DnsHostnamesOff => Request::ModifyVpcAttribute {
                vpc_id: vpc(mark),
                attribute: DnsAttribute::Hostnames,
                value: false,
            },
        })
    }
}

/// The first subnet gets another table.
fn associate(world: &World, mark: &str, table: usize) -> Option<Request> {
    let subnet = id("subnet", mark, 1);
    let tables = world.route_tables.iter().flatten();
    let bound = tables.flat_map(|table| &table.associations);
    let mut its = bound.filter(|it| it.subnet_id.as_ref().is_some_and(|it| it.as_str() == subnet));
    Some(Request::ReplaceRouteTableAssociation {
        association_id: its.next()?.route_table_association_id.clone()?,
        route_table_id: id("rtb", mark, table).parse().unwrap(),
    })
}

/// The role of the guardrail's own calls.
pub(crate) const REPAIR_ROLE: &str = "arn:aws:iam::111122223333:role/vpc-guardrail-repair";

/// Who made a call: a person, or the guardrail.
fn identity(is_own: bool) -> Value {
    match is_own {
        false => json!({"type": "IAMUser", "userName": "karin.vogel"}),
        true => json!({
            "type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/vpc-guardrail-repair/r",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": REPAIR_ROLE}},
        }),
    }
}

/// The call as EventBridge brings CloudTrail's record of it.
pub(crate) fn event(request: &Request, number: usize, at: Timestamp, own: Option<&str>) -> Value {
    let parameters = match request {
        Request::CreateRoute { route_table_id, .. }
        | Request::DeleteRoute { route_table_id, .. } => {
            json!({"routeTableId": route_table_id})
        }
        Request::CreateVpcEndpoint(wanted) => {
            json!({"CreateVpcEndpointRequest": {"VpcId": wanted.vpc_id}})
        }
        Request::ModifyVpcEndpoint(change) => {
            json!({"ModifyVpcEndpointRequest": {"VpcEndpointId": change.vpc_endpoint_id}})
        }
        Request::DeleteVpcEndpoints { vpc_endpoint_ids } => {
            let ids: Vec<Value> =
                vpc_endpoint_ids.iter().map(|id| json!({"content": id, "tag": 1})).collect();
            json!({"DeleteVpcEndpointsRequest": {"VpcEndpointId": ids}})
        }
        Request::ReplaceRouteTableAssociation { association_id, route_table_id } => {
            json!({"associationId": association_id, "routeTableId": route_table_id})
        }
        Request::RevokeSecurityGroupIngress { group_id, .. }
        | Request::AuthorizeSecurityGroupIngress { group_id, .. } => json!({"groupId": group_id}),
        Request::ModifyVpcAttribute { vpc_id, .. }
        | Request::CreateSecurityGroup { vpc_id, .. } => json!({"vpcId": vpc_id}),
        other => panic!("no record is written of {other:?}"),
    };
    let id = format!("e-{number}");
    let time = Timestamp::from_second(at.as_second()).unwrap().to_string();
    json!({
        "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "account": ACCOUNT,
        "region": REGION, "time": time,
        "detail": {
            "eventVersion": "1.11", "eventTime": time, "eventSource": "ec2.amazonaws.com",
            "eventName": request.operation(), "awsRegion": REGION, "recipientAccountId": ACCOUNT,
            "eventID": id, "userIdentity": identity(own.is_some()), "requestID": own,
            "requestParameters": parameters,
        },
    })
}
