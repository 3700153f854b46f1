//! From the wire's parameters to the calls that build a network from nothing.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::world::{DhcpConfiguration, DhcpValue, PrefixListEntry};

use super::parameters::{Parameters, missing};
use super::requests::{not_empty, query, specified_tags, tags_for};
use crate::ec2::addresses::{AddressCall, AssociateAddress};
use crate::ec2::beside::AddressFamily;
use crate::ec2::customer_lists::{
    CreateManagedPrefixList, ModifyManagedPrefixList, PrefixListCall,
};
use crate::ec2::errors::ApiError;
use crate::ec2::instances::{InstanceCall, Profile, RunInstances};
use crate::ec2::network::NetworkCall;
use crate::ec2::request::Request;

/// The call, if the action is one of these.
pub(crate) fn read(action: &str, p: &mut Parameters) -> Result<Option<Request>, ApiError> {
    if let Some(call) = network(action, p)? {
        return Ok(Some(Request::Network(call)));
    }
    if let Some(call) = address(action, p)? {
        return Ok(Some(Request::Address(call)));
    }
    if let Some(call) = prefix_list(action, p)? {
        return Ok(Some(Request::PrefixList(call)));
    }
    Ok(instance(action, p)?.map(Request::Instance))
}

fn network(action: &str, p: &mut Parameters) -> Result<Option<NetworkCall>, ApiError> {
    Ok(Some(match action {
        "CreateVpc" => create_vpc(p)?,
        "DeleteVpc" => NetworkCall::DeleteVpc { vpc_id: p.id("VpcId")? },
        "DeleteSubnet" => NetworkCall::DeleteSubnet { subnet_id: p.id("SubnetId")? },
        "DeleteSecurityGroup" => NetworkCall::DeleteSecurityGroup { group_id: p.id("GroupId")? },
        "RevokeSecurityGroupIngress" if p.has("SecurityGroupRuleId") => NetworkCall::RevokeRules {
            group_id: p.id("GroupId")?,
            security_group_rule_ids: p.texts("SecurityGroupRuleId")?,
        },
        "DescribeSecurityGroupRules" => {
            NetworkCall::DescribeSecurityGroupRules(query("SecurityGroupRuleId", p)?)
        }
        "CreateNetworkAcl" => NetworkCall::CreateNetworkAcl {
            vpc_id: p.id("VpcId")?,
            client_token: p.text("ClientToken"),
            tags: specified_tags("network-acl", p)?,
        },
        "DeleteNetworkAcl" => {
            NetworkCall::DeleteNetworkAcl { network_acl_id: p.id("NetworkAclId")? }
        }
        "CreateDhcpOptions" => create_dhcp_options(p)?,
        "DeleteDhcpOptions" => {
            NetworkCall::DeleteDhcpOptions { dhcp_options_id: p.id("DhcpOptionsId")? }
        }
        _ => return gateway(action, p),
    }))
}

fn create_vpc(p: &mut Parameters) -> Result<NetworkCall, ApiError> {
    p.ignore(&["InstanceTenancy", "Ipv6CidrBlockNetworkBorderGroup"]);
    Ok(NetworkCall::CreateVpc {
        cidr_block: Cidr::from(p.required("CidrBlock")?),
        amazon_provided_ipv6_cidr_block: p.flag("AmazonProvidedIpv6CidrBlock")?.unwrap_or(false),
        tags: specified_tags("vpc", p)?,
    })
}

fn gateway(action: &str, p: &mut Parameters) -> Result<Option<NetworkCall>, ApiError> {
    Ok(Some(match action {
        "CreateInternetGateway" => {
            NetworkCall::CreateInternetGateway { tags: specified_tags("internet-gateway", p)? }
        }
        "AttachInternetGateway" => NetworkCall::AttachInternetGateway {
            internet_gateway_id: p.id("InternetGatewayId")?,
            vpc_id: p.id("VpcId")?,
        },
        "DetachInternetGateway" => NetworkCall::DetachInternetGateway {
            internet_gateway_id: p.id("InternetGatewayId")?,
            vpc_id: p.id("VpcId")?,
        },
        "DeleteInternetGateway" => {
            NetworkCall::DeleteInternetGateway { internet_gateway_id: p.id("InternetGatewayId")? }
        }
        "CreateEgressOnlyInternetGateway" => NetworkCall::CreateEgressOnlyInternetGateway {
            vpc_id: p.id("VpcId")?,
            client_token: p.text("ClientToken"),
            tags: specified_tags("egress-only-internet-gateway", p)?,
        },
        "DeleteEgressOnlyInternetGateway" => NetworkCall::DeleteEgressOnlyInternetGateway {
            egress_only_internet_gateway_id: p.id("EgressOnlyInternetGatewayId")?,
        },
        _ => return Ok(None),
    }))
}

fn create_dhcp_options(p: &mut Parameters) -> Result<NetworkCall, ApiError> {
    let mut options = Vec::new();
    for mut option in p.groups("DhcpConfiguration")? {
        let values = option.texts("Value")?.into_iter().map(|value| DhcpValue { value });
        let values = values.collect();
        options.push(DhcpConfiguration { key: option.required("Key")?, values });
        option.finish()?;
    }
    Ok(NetworkCall::CreateDhcpOptions {
        dhcp_configurations: not_empty("DhcpConfiguration", options)?,
        tags: specified_tags("dhcp-options", p)?,
    })
}

fn address(action: &str, p: &mut Parameters) -> Result<Option<AddressCall>, ApiError> {
    Ok(Some(match action {
        "AllocateAddress" => {
            p.ignore(&["Domain", "NetworkBorderGroup"]);
            AddressCall::AllocateAddress { tags: specified_tags("elastic-ip", p)? }
        }
        "AssociateAddress" => AddressCall::AssociateAddress(AssociateAddress {
            allocation_id: p.required("AllocationId")?,
            instance_id: p.maybe_id("InstanceId")?,
            network_interface_id: p.maybe_id("NetworkInterfaceId")?,
            allow_reassociation: p.flag("AllowReassociation")?,
        }),
        "ReleaseAddress" => {
            p.ignore(&["NetworkBorderGroup"]);
            AddressCall::ReleaseAddress { allocation_id: p.required("AllocationId")? }
        }
        "DescribeAddresses" => {
            let public_ips = p.texts("PublicIp")?;
            AddressCall::DescribeAddresses { query: query("AllocationId", p)?, public_ips }
        }
        _ => return Ok(None),
    }))
}

fn prefix_list(action: &str, p: &mut Parameters) -> Result<Option<PrefixListCall>, ApiError> {
    Ok(Some(match action {
        "CreateManagedPrefixList" => {
            PrefixListCall::CreateManagedPrefixList(CreateManagedPrefixList {
                prefix_list_name: p.required("PrefixListName")?,
                entries: entries("Entry", p)?,
                max_entries: p.number("MaxEntries")?.ok_or_else(|| missing("MaxEntries"))?,
                address_family: address_family(p)?,
                client_token: p.text("ClientToken"),
                tags: specified_tags("prefix-list", p)?,
            })
        }
        "ModifyManagedPrefixList" => {
            let mut removed = Vec::new();
            for mut entry in p.groups("RemoveEntry")? {
                removed.push(Cidr::from(entry.required("Cidr")?));
                entry.finish()?;
            }
            PrefixListCall::ModifyManagedPrefixList(ModifyManagedPrefixList {
                prefix_list_id: p.id("PrefixListId")?,
                current_version: p.number("CurrentVersion")?,
                prefix_list_name: p.text("PrefixListName"),
                add_entries: entries("AddEntry", p)?,
                remove_entries: removed,
                max_entries: p.number("MaxEntries")?,
            })
        }
        "DeleteManagedPrefixList" => {
            PrefixListCall::DeleteManagedPrefixList { prefix_list_id: p.id("PrefixListId")? }
        }
        _ => return Ok(None),
    }))
}

fn entries(name: &str, p: &mut Parameters) -> Result<Vec<PrefixListEntry>, ApiError> {
    let mut all = Vec::new();
    for mut entry in p.groups(name)? {
        let cidr = Cidr::from(entry.required("Cidr")?);
        all.push(PrefixListEntry { cidr, description: entry.text("Description") });
        entry.finish()?;
    }
    Ok(all)
}

fn address_family(p: &mut Parameters) -> Result<AddressFamily, ApiError> {
    match p.required("AddressFamily")?.as_str() {
        "IPv4" => Ok(AddressFamily::IPv4),
        "IPv6" => Ok(AddressFamily::IPv6),
        other => {
            let message = format!("Value ({other}) for parameter AddressFamily is invalid");
            Err(ApiError::invalid_value(message))
        }
    }
}

fn instance(action: &str, p: &mut Parameters) -> Result<Option<InstanceCall>, ApiError> {
    Ok(Some(match action {
        "RunInstances" => InstanceCall::RunInstances(run_instances(p)?),
        "TerminateInstances" => {
            p.ignore(&["Force", "SkipOsShutdown"]);
            InstanceCall::TerminateInstances {
                instance_ids: not_empty("InstanceId", p.ids("InstanceId")?)?,
            }
        }
        "AssociateIamInstanceProfile" => InstanceCall::AssociateIamInstanceProfile {
            instance_id: p.id("InstanceId")?,
            iam_instance_profile: profile(p)?.ok_or_else(|| missing("IamInstanceProfile"))?,
        },
        "ReplaceIamInstanceProfileAssociation" => {
            InstanceCall::ReplaceIamInstanceProfileAssociation {
                association_id: p.id("AssociationId")?,
                iam_instance_profile: profile(p)?.ok_or_else(|| missing("IamInstanceProfile"))?,
            }
        }
        "DisassociateIamInstanceProfile" => {
            InstanceCall::DisassociateIamInstanceProfile { association_id: p.id("AssociationId")? }
        }
        "DescribeIamInstanceProfileAssociations" => {
            InstanceCall::DescribeIamInstanceProfileAssociations(query("AssociationId", p)?)
        }
        _ => return Ok(None),
    }))
}

/// What an instance is made of inside is not simulated; what it has of a network is. Its one
/// interface may be described by the call's own parameters or as its first interface.
fn run_instances(p: &mut Parameters) -> Result<RunInstances, ApiError> {
    p.ignore(&[
        "BlockDeviceMapping",
        "CreditSpecification",
        "DisableApiStop",
        "DisableApiTermination",
        "EbsOptimized",
        "InstanceInitiatedShutdownBehavior",
        "KeyName",
        "MetadataOptions",
        "Monitoring",
        "UserData",
    ]);
    let mut interfaces = p.groups("NetworkInterface")?;
    if interfaces.len() > 1 {
        let message = "Instances with more than one network interface are not simulated";
        return Err(ApiError::new("UnsupportedOperation", message));
    }
    let mut first = interfaces.pop().unwrap_or_default();
    first.ignore(&["DeleteOnTermination", "Description", "DeviceIndex"]);
    let subnet = first.maybe_id("SubnetId")?;
    let mut groups = first.ids("SecurityGroupId")?;
    let public = first.flag("AssociatePublicIpAddress")?;
    first.finish()?;
    groups.extend(p.ids("SecurityGroupId")?);
    let subnet = match subnet {
        Some(subnet) => subnet,
        None => p.id("SubnetId")?,
    };
    Ok(RunInstances {
        image_id: p.required("ImageId")?,
        instance_type: p.text("InstanceType").unwrap_or_else(|| "m1.small".to_owned()),
        min_count: p.number("MinCount")?.ok_or_else(|| missing("MinCount"))?,
        max_count: p.number("MaxCount")?.ok_or_else(|| missing("MaxCount"))?,
        subnet_id: subnet,
        security_group_ids: groups,
        associate_public_ip_address: public,
        iam_instance_profile: profile(p)?,
        client_token: p.text("ClientToken"),
        tags: tags_for("instance", &["volume", "network-interface"], p)?,
    })
}

fn profile(p: &mut Parameters) -> Result<Option<Profile>, ApiError> {
    let mut given = p.group("IamInstanceProfile")?;
    let profile = match (given.text("Arn"), given.text("Name")) {
        (Some(arn), None) => Some(Profile::Arn(arn)),
        (None, Some(name)) => Some(Profile::Name(name)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            let message = "The parameter 'iamInstanceProfile.name' may not be used in combination with \
                 'iamInstanceProfile.arn'";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    };
    given.finish()?;
    Ok(profile)
}
