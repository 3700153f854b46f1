//! A world with nothing of anybody's in it yet: what a Region has by itself.

use guardrail::ec2::id::{AccountId, Region};
use guardrail::ec2::partition::Partition;
use guardrail::ec2::world::{
    DhcpConfiguration, DhcpOptions, DhcpValue, EndpointService, EndpointType, PrefixList,
    ServiceType, World,
};

/// Services that have interface endpoints, with the start of their private names where that is not
/// the service's own.
/// <https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>
const INTERFACE: [(&str, &str); 26] = [
    ("autoscaling", "autoscaling"),
    ("cloudformation", "cloudformation"),
    ("ec2", "ec2"),
    ("ec2messages", "ec2messages"),
    ("ecr.api", "api.ecr"),
    ("ecr.dkr", "*.dkr.ecr"),
    ("ecs", "ecs"),
    ("ecs-agent", "ecs-a"),
    ("ecs-telemetry", "ecs-t"),
    ("eks", "eks"),
    ("eks-auth", "eks-auth"),
    ("elasticloadbalancing", "elasticloadbalancing"),
    ("events", "events"),
    ("execute-api", "*.execute-api"),
    ("guardduty-data", "guardduty-data"),
    ("kinesis-streams", "kinesis"),
    ("kms", "kms"),
    ("lambda", "lambda"),
    ("logs", "logs"),
    ("monitoring", "monitoring"),
    ("secretsmanager", "secretsmanager"),
    ("sns", "sns"),
    ("sqs", "sqs"),
    ("ssm", "ssm"),
    ("ssmmessages", "ssmmessages"),
    ("sts", "sts"),
];

/// AWS's prefix lists, with an id and a block each. The ids are made up, and the blocks are those
/// for documentation (RFC 5737): nobody is to take them for a service's addresses.
const LISTS: [(&str, &str, &str); 2] = [
    ("s3", "pl-0000000000000003a", "203.0.113.0/25"),
    ("dynamodb", "pl-0000000000000003b", "203.0.113.128/25"),
];

/// The world of an account that has nothing yet in this Region, where every section is known: three
/// zones, gateway endpoints for S3 and DynamoDB with their prefix lists, interface endpoints for the
/// services that are asked for most, and the Region's default set of DHCP options.
pub fn empty_world(account: &AccountId, region: &Region) -> World {
    World {
        region: Some(region.clone()),
        account_id: Some(account.clone()),
        vpcs: Some(Vec::new()),
        subnets: Some(Vec::new()),
        route_tables: Some(Vec::new()),
        vpc_endpoints: Some(Vec::new()),
        nat_gateways: Some(Vec::new()),
        security_groups: Some(Vec::new()),
        network_interfaces: Some(Vec::new()),
        prefix_lists: Some(prefix_lists(region)),
        vpc_endpoint_services: Some(services(region)),
        network_acls: Some(Vec::new()),
        dhcp_options: Some(default_dhcp_options(region).into_iter().collect()),
        internet_gateways: Some(Vec::new()),
        egress_only_internet_gateways: Some(Vec::new()),
        vpc_attributes: Some(Default::default()),
    }
}

fn prefix_lists(region: &Region) -> Vec<PrefixList> {
    let list = |(service, id, block): (&str, &str, &str)| {
        Some(PrefixList {
            prefix_list_id: id.parse().ok()?,
            prefix_list_name: format!("com.amazonaws.{region}.{service}"),
            owner_id: Some("AWS".to_owned()),
            cidrs: Some(vec![block.into()]),
            entries: None,
        })
    };
    LISTS.into_iter().filter_map(list).collect()
}

fn services(region: &Region) -> Vec<EndpointService> {
    let domain = match Partition::of(region).as_str() {
        "aws-cn" => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    let service = |name: &str, kind: EndpointType, private: Option<&str>| {
        let zones =
            ["a", "b", "c"].iter().filter_map(|zone| format!("{region}{zone}").parse().ok());
        Some(EndpointService {
            service_name: format!("com.amazonaws.{region}.{name}").parse().ok()?,
            service_type: vec![ServiceType { service_type: kind }],
            availability_zones: zones.collect(),
            private_dns_name: private.map(|name| format!("{name}.{region}.{domain}")),
            private_dns_names: Vec::new(),
            vpc_endpoint_policy_supported: true,
            acceptance_required: false,
            supported_ip_address_types: Vec::new(),
        })
    };
    let gateways = ["s3", "dynamodb", "s3express"];
    let gateways = gateways.into_iter().map(|name| service(name, EndpointType::Gateway, None));
    let both = [("s3", "*.s3"), ("dynamodb", "dynamodb")].into_iter().chain(INTERFACE);
    let interfaces =
        both.map(|(name, private)| service(name, EndpointType::Interface, Some(private)));
    gateways.chain(interfaces).flatten().collect()
}

/// "Amazon-provided DNS", and the Region's domain name.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html>
fn default_dhcp_options(region: &Region) -> Option<DhcpOptions> {
    let domain = match region.as_str() {
        "us-east-1" => "ec2.internal".to_owned(),
        other => format!("{other}.compute.internal"),
    };
    let option = |key: &str, value: String| DhcpConfiguration {
        key: key.to_owned(),
        values: vec![DhcpValue { value }],
    };
    Some(DhcpOptions {
        dhcp_options_id: "dopt-0000000000000000d".parse().ok()?,
        dhcp_configurations: vec![
            option("domain-name", domain),
            option("domain-name-servers", "AmazonProvidedDNS".to_owned()),
        ],
    })
}
