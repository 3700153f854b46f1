"""The scenarios that moto and the simulator have to answer alike.

    scenarios.py URL build FOLDER    makes a network, and writes what `aws ec2 describe-*` prints of it to FOLDER
    scenarios.py URL run             runs the scenarios on it, and prints an object for every call

An object says what was called, and either the error code or what was answered: a part of a world file. Ids that a run made
are replaced by numbers in the order in which they were made; messages are not compared, nor what the world model does not
read.

Left out, because moto differs from what AWS documents:
- ModifyVpcEndpoint: writes and removes no pl- routes, ignores ResetPolicy and PrivateDnsEnabled, leaves interfaces as they
  are;
- CreateVpcEndpoint: a second gateway of a service for one table takes over the route; a bad service, a bad policy and
  another VPC's table are accepted; what does not exist has other codes, and an endpoint of an unknown table stays;
- interface endpoints: wrong interfaces, no default group, no conflicts of private DNS or of two subnets in one zone;
- DeleteVpcEndpoints: an endpoint stays listed as deleted without end; an unknown id is not Unsuccessful;
- DeleteRoute and ReplaceRoute of a local route or an endpoint's route: accepted;
- CreateRoute to a NAT gateway that does not exist or to nothing, or of an IPv6 destination that the table has: accepted; to
  an internet gateway that does not exist: another code;
- a route to a deleted NAT gateway stays active; NAT gateways are never pending or deleting; deleting an unknown one is an
  internal error, describing it an empty list;
- AssociateRouteTable of a subnet that has a table: moves it;
- DisassociateRouteTable and DeleteRouteTable of the main table: no such association; deleted;
- AuthorizeSecurityGroupIngress of a rule that is there with one that is not: adds the other; CreateSecurityGroup in a VPC
  that does not exist: accepted; CreateTags on what does not exist: another code;
- client tokens, dry runs, pages and unknown filters: ignored;
- the filters vpc-endpoint-id and route.destination-prefix-list-id: internal errors;
- DescribePrefixLists: no Cidrs; DescribeVpcEndpointServices: needs every service that moto has, installed.
"""

import json
import re
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

REGION = "eu-central-1"
S3 = f"com.amazonaws.{REGION}.s3"
DYNAMODB = f"com.amazonaws.{REGION}.dynamodb"
ID = re.compile(r"\b([a-z]+(?:-[a-z]+)*-)[0-9a-f]{17}\b")
# What differs from run to run, what the world model does not read, or what moto makes up otherwise than AWS.
VOLATILE = {
    "AvailabilityMode",  # of a NAT gateway: moto has none
    "AvailableIpAddressCount",
    "CreateTime",
    "CreationTimestamp",
    "DeleteTime",
    "DnsEntries",
    "EnableDns64",  # of a subnet: moto does not say it
    "NatGatewayAddresses",
    "PolicyDocument",  # the default policy, in other words
    "PrivateDnsEnabled",  # of a gateway endpoint: moto says true
}


def client(url):
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client("ec2", endpoint_url=url, region_name=REGION, config=config, **keys)


def named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def build(ec2, folder):
    """Two VPCs: one with subnets, tables, gateways and a group, the other with its main table only."""
    one, two = named("vpc", "one"), named("vpc", "two")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True, TagSpecifications=one)
    vpc = vpc["Vpc"]["VpcId"]
    ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=two)
    subnets = {}
    for name, block, zone in [("public", 0, "a"), ("private-a", 1, "a"), ("private-b", 2, "b"), ("spare", 3, "b")]:
        made = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.0.{block}.0/24",
            AvailabilityZone=REGION + zone,
            TagSpecifications=named("subnet", name),
        )
        subnets[name] = made["Subnet"]["SubnetId"]
    tables = {}
    for name in ["public", "private"]:
        made = ec2.create_route_table(VpcId=vpc, TagSpecifications=named("route-table", name))
        tables[name] = made["RouteTable"]["RouteTableId"]
    for subnet, table in [("public", "public"), ("private-a", "private"), ("private-b", "private")]:
        ec2.associate_route_table(SubnetId=subnets[subnet], RouteTableId=tables[table])
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)
    eigw = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    eigw = eigw["EgressOnlyInternetGatewayId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(
        SubnetId=subnets["public"], AllocationId=address, TagSpecifications=named("natgateway", "nat")
    )["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=tables["public"], DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
    ec2.create_route(
        RouteTableId=tables["public"], DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=eigw
    )
    ec2.create_route(RouteTableId=tables["private"], DestinationCidrBlock="192.168.0.0/16", NatGatewayId=nat)
    ec2.create_security_group(
        GroupName="endpoints", Description="d", VpcId=vpc, TagSpecifications=named("security-group", "endpoints")
    )
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=DYNAMODB,
        VpcEndpointType="Gateway",
        RouteTableIds=[tables["private"]],
        TagSpecifications=named("vpc-endpoint", "dynamodb"),
    )
    describe(ec2, Path(folder))


def describe(ec2, folder):
    def write(name, section):
        section.pop("ResponseMetadata", None)
        (folder / f"{name}.json").write_text(json.dumps(section, default=lambda at: at.isoformat()))

    write("account", {"Region": REGION, "AccountId": "123456789012"})
    write("vpcs", ec2.describe_vpcs())
    write("subnets", ec2.describe_subnets())
    write("tables", ec2.describe_route_tables())
    write("endpoints", ec2.describe_vpc_endpoints())
    write("nat", ec2.describe_nat_gateways())
    write("groups", ec2.describe_security_groups())
    write("interfaces", ec2.describe_network_interfaces())
    lists = ec2.describe_managed_prefix_lists()
    write("lists", lists)
    for one in lists["PrefixLists"]:
        write(one["PrefixListId"], ec2.get_managed_prefix_list_entries(PrefixListId=one["PrefixListId"]))
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        for attribute in ["enableDnsSupport", "enableDnsHostnames"]:
            answer = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
            write(f"{vpc['VpcId']}-{attribute}", answer)
    gateway = [{"ServiceType": "Gateway"}]
    write("services", {"ServiceDetails": [{"ServiceName": name, "ServiceType": gateway} for name in [S3, DYNAMODB]]})


class Run:
    """Makes calls and prints what came of them."""

    def __init__(self, ec2):
        self.ec2 = ec2
        self.scenario = ""
        self.found = set()
        self.made = {}

    def call(self, operation, **parameters):
        """Calls, prints, and gives the answer, or nothing when it was refused."""
        try:
            answer = getattr(self.ec2, operation)(**parameters)
            said = said_by(answer)
        except ClientError as error:
            answer = {}
            said = {"code": error.response["Error"]["Code"]}
        except ResponseParserError:
            answer, said = {}, {"code": "not an answer of EC2"}
        self.say({"scenario": self.scenario, "call": operation, "with": parameters, **said})
        return answer

    def say(self, said):
        def number(match):
            there = match.group() in self.found
            return match.group() if there else self.made.setdefault(match.group(), f"{match[1]}{len(self.made):04}")

        print(ID.sub(number, json.dumps(said, sort_keys=True)))

    def look(self, operation, section):
        """What is there before the scenarios keeps its id."""
        answer = getattr(self.ec2, operation)()
        self.found.update(match.group() for match in ID.finditer(json.dumps(answer, default=str)))
        names = {}
        for thing in answer[section]:
            for tag in thing.get("Tags", []):
                if tag["Key"] == "Name":
                    names[tag["Value"]] = thing
        return names


# The answers that hold one thing, and the section of a world file that it belongs to.
SINGLE = {
    "Vpc": "Vpcs",
    "Subnet": "Subnets",
    "RouteTable": "RouteTables",
    "VpcEndpoint": "VpcEndpoints",
    "NatGateway": "NatGateways",
}
SECTIONS = {*SINGLE.values(), "SecurityGroups", "NetworkInterfaces", "PrefixLists"}
ATTRIBUTES = {"EnableDnsSupport", "EnableDnsHostnames"}
NEW_IDS = {"AssociationId", "NewAssociationId", "GroupId"}


def said_by(answer):
    """The part of a world file in an answer, the new ids in it, or neither."""
    sections = {SINGLE.get(key, key): [value] if key in SINGLE else value for key, value in answer.items()}
    if ATTRIBUTES & sections.keys():
        return {"world": {key: sections[key] for key in sections if key in ATTRIBUTES | {"VpcId"}}}
    world = {key: steady(value) for key, value in sections.items() if key in SECTIONS}
    return {"world": world} if world else {"ids": {key: answer[key] for key in NEW_IDS & answer.keys()}}


def steady(value):
    """Without what is volatile, such as all states but a route's and an association's: nothing is pending in moto."""
    if isinstance(value, list):
        return [steady(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: steady(one) for key, one in value.items() if key not in VOLATILE}
    if "State" in kept and "Origin" not in kept and len(kept) > 1:
        kept["State"] = "any"
    return kept


def filters(**wanted):
    names = {name.replace("__", ".").replace("_", "-"): value for name, value in wanted.items()}
    return [{"Name": name, "Values": value if isinstance(value, list) else [value]} for name, value in names.items()]


def tagged(key, *values):
    return [{"Name": f"tag:{key}", "Values": list(values)}]


def run(ec2):
    r = Run(ec2)
    vpcs = r.look("describe_vpcs", "Vpcs")
    at = {
        "vpc": vpcs["one"]["VpcId"],
        "other": vpcs["two"]["VpcId"],
        "subnets": {name: subnet["SubnetId"] for name, subnet in r.look("describe_subnets", "Subnets").items()},
        "tables": r.look("describe_route_tables", "RouteTables"),
        "nat": r.look("describe_nat_gateways", "NatGateways")["nat"]["NatGatewayId"],
        "group": r.look("describe_security_groups", "SecurityGroups")["endpoints"]["GroupId"],
        "endpoint": r.look("describe_vpc_endpoints", "VpcEndpoints")["dynamodb"]["VpcEndpointId"],
        "lists": {},
    }
    r.look("describe_network_interfaces", "NetworkInterfaces")
    r.look("describe_managed_prefix_lists", "PrefixLists")
    for one in ec2.describe_managed_prefix_lists()["PrefixLists"]:
        at["lists"][one["PrefixListName"]] = one["PrefixListId"]
    public = at["tables"]["public"]["Routes"]
    at["igw"] = next(route["GatewayId"] for route in public if route.get("GatewayId", "").startswith("igw-"))
    at["eigw"] = next(filter(None, (route.get("EgressOnlyInternetGatewayId") for route in public)))
    at["tables"] = {name: table["RouteTableId"] for name, table in at["tables"].items()}
    for scenario in SCENARIOS:
        r.scenario, r.made = scenario.__name__, {}
        scenario(r, at)


def reading_vpcs(r, at):
    for chosen in [
        [],
        filters(vpc_id=at["vpc"]),
        filters(vpc_id=[at["vpc"], at["other"]]),
        filters(cidr="10.1.0.0/16"),
        filters(is_default="true"),
        filters(is_default="false"),
        filters(tag_key="Name"),
        filters(tag_key="Nothing"),
        filters(state="available"),
        tagged("Name", "one"),
        tagged("Name", "o*", "nothing"),
        tagged("Name", "t?o"),
        filters(vpc_id=at["vpc"]) + tagged("Name", "two"),
    ]:
        r.call("describe_vpcs", Filters=chosen)
    r.call("describe_vpcs", VpcIds=[at["other"]])


def reading_subnets(r, at):
    for chosen in [
        [],
        filters(vpc_id=at["vpc"]),
        filters(subnet_id=at["subnets"]["public"]),
        filters(availability_zone=REGION + "b", vpc_id=at["vpc"]),
        filters(cidr_block="10.0.1.0/24"),
        filters(map_public_ip_on_launch="true"),
        filters(state="available", vpc_id=at["vpc"]),
        tagged("Name", "private-*"),
    ]:
        r.call("describe_subnets", Filters=chosen)


def reading_tables(r, at):
    for chosen in [
        [],
        filters(vpc_id=at["vpc"]),
        filters(route_table_id=at["tables"]["private"]),
        filters(association__main="true"),
        filters(association__main="true", vpc_id=at["vpc"]),
        filters(association__subnet_id=at["subnets"]["private-a"]),
        filters(association__subnet_id=at["subnets"]["spare"]),
        filters(association__route_table_id=at["tables"]["public"]),
        filters(route__nat_gateway_id=at["nat"]),
        filters(route__gateway_id=at["igw"]),
        filters(route__gateway_id=at["endpoint"]),
        filters(route__destination_cidr_block="0.0.0.0/0"),
        tagged("Name", "p*"),
    ]:
        r.call("describe_route_tables", Filters=chosen)
    r.call("describe_route_tables", RouteTableIds=[at["tables"]["public"], at["tables"]["private"]])


def reading_the_rest(r, at):
    for chosen in [
        filters(vpc_id=at["vpc"]),
        filters(service_name=DYNAMODB),
        filters(service_name=S3),
        filters(vpc_endpoint_type="Gateway"),
        filters(vpc_endpoint_type="Interface"),
        tagged("Name", "dynamodb"),
    ]:
        r.call("describe_vpc_endpoints", Filters=chosen)
    r.call("describe_vpc_endpoints", VpcEndpointIds=[at["endpoint"]])
    for chosen in [
        filters(vpc_id=at["vpc"]),
        filters(vpc_id=at["other"]),
        filters(subnet_id=at["subnets"]["public"]),
        filters(nat_gateway_id=at["nat"]),
        filters(state="available"),
        filters(state="deleted"),
        tagged("Name", "nat"),
    ]:
        r.call("describe_nat_gateways", Filters=chosen)
    for chosen in [
        filters(vpc_id=at["vpc"]),
        filters(group_name="endpoints"),
        filters(group_name="default", vpc_id=at["other"]),
        filters(group_id=at["group"]),
        tagged("Name", "endpoints"),
    ]:
        r.call("describe_security_groups", Filters=chosen)
    r.call("describe_managed_prefix_lists")
    r.call("describe_managed_prefix_lists", Filters=filters(owner_id="AWS"))
    r.call("describe_managed_prefix_lists", Filters=filters(prefix_list_name=S3))
    r.call("describe_managed_prefix_lists", PrefixListIds=[at["lists"][DYNAMODB]])
    entries = r.ec2.get_managed_prefix_list_entries(PrefixListId=at["lists"][S3])["Entries"]
    r.say({"scenario": "entries", "blocks": sorted(entry["Cidr"] for entry in entries)})


def what_does_not_exist(r, at):
    none = "0123456789abcdef0"
    table = at["tables"]["private"]
    r.call("describe_vpcs", VpcIds=[f"vpc-{none}"])
    r.call("describe_subnets", SubnetIds=[f"subnet-{none}"])
    r.call("describe_route_tables", RouteTableIds=[f"rtb-{none}"])
    r.call("describe_vpc_endpoints", VpcEndpointIds=[f"vpce-{none}"])
    r.call("describe_security_groups", GroupIds=[f"sg-{none}"])
    r.call("describe_network_interfaces", NetworkInterfaceIds=[f"eni-{none}"])
    r.call("describe_vpc_attribute", VpcId=f"vpc-{none}", Attribute="enableDnsSupport")
    r.call("modify_vpc_attribute", VpcId=f"vpc-{none}", EnableDnsSupport={"Value": True})
    r.call("create_route", RouteTableId=f"rtb-{none}", DestinationCidrBlock="1.2.3.0/24", NatGatewayId=at["nat"])
    r.call("delete_route", RouteTableId=f"rtb-{none}", DestinationCidrBlock="1.2.3.0/24")
    r.call("create_route_table", VpcId=f"vpc-{none}")
    r.call("delete_route_table", RouteTableId=f"rtb-{none}")
    r.call("associate_route_table", RouteTableId=f"rtb-{none}", SubnetId=at["subnets"]["spare"])
    r.call("associate_route_table", RouteTableId=table, SubnetId=f"subnet-{none}")
    r.call("disassociate_route_table", AssociationId=f"rtbassoc-{none}")
    r.call("replace_route_table_association", AssociationId=f"rtbassoc-{none}", RouteTableId=table)
    r.call("create_subnet", VpcId=f"vpc-{none}", CidrBlock="10.0.9.0/24")
    r.call("create_nat_gateway", SubnetId=f"subnet-{none}", ConnectivityType="private")
    r.call("authorize_security_group_ingress", GroupId=f"sg-{none}", IpPermissions=https("10.0.0.0/16"))
    r.call("revoke_security_group_ingress", GroupId=f"sg-{none}", IpPermissions=https("10.0.0.0/16"))
    r.call("modify_subnet_attribute", SubnetId=f"subnet-{none}", MapPublicIpOnLaunch={"Value": True})


def dns_attributes(r, at):
    for value in [True, False]:
        r.call("modify_vpc_attribute", VpcId=at["vpc"], EnableDnsHostnames={"Value": value})
        for attribute in ["enableDnsSupport", "enableDnsHostnames"]:
            r.call("describe_vpc_attribute", VpcId=at["vpc"], Attribute=attribute)


def subnets_made(r, at):
    wanted = {"AvailabilityZone": REGION + "a", "TagSpecifications": named("subnet", "new")}
    made = r.call("create_subnet", VpcId=at["other"], CidrBlock="10.1.1.0/24", **wanted)
    r.call("create_subnet", VpcId=at["other"], CidrBlock="10.1.1.0/25", **wanted)
    r.call("create_subnet", VpcId=at["other"], CidrBlock="10.2.0.0/24", **wanted)
    r.call("modify_subnet_attribute", SubnetId=made["Subnet"]["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    r.call("describe_subnets", Filters=filters(vpc_id=at["other"]))
    r.call("describe_subnets", Filters=filters(map_public_ip_on_launch="true", vpc_id=at["other"]))


def new_table(r, at, vpc="vpc"):
    made = r.call("create_route_table", VpcId=at[vpc], TagSpecifications=named("route-table", "new"))
    return made["RouteTable"]["RouteTableId"]


def routes(r, at):
    table = new_table(r, at)

    def look():
        r.call("describe_route_tables", RouteTableIds=[table])

    anywhere = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    r.call("replace_route", **anywhere, NatGatewayId=at["nat"])
    r.call("delete_route", **anywhere)
    r.call("create_route", **anywhere, NatGatewayId=at["nat"])
    look()
    r.call("create_route", **anywhere, NatGatewayId=at["nat"])
    r.call("create_route", **anywhere, GatewayId=at["igw"])
    look()
    r.call("replace_route", **anywhere, GatewayId=at["igw"])
    look()
    six = {"RouteTableId": table, "DestinationIpv6CidrBlock": "::/0"}
    r.call("create_route", **six, EgressOnlyInternetGatewayId=at["eigw"])
    r.call("create_route", RouteTableId=table, DestinationCidrBlock="10.9.0.0/16", NatGatewayId=at["nat"])
    listed = {"RouteTableId": table, "DestinationPrefixListId": at["lists"][S3]}
    r.call("create_route", **listed, NatGatewayId=at["nat"])
    look()
    r.call("delete_route", **listed)
    r.call("delete_route", **six)
    r.call("delete_route", **anywhere)
    r.call("delete_route", **anywhere)
    look()
    r.call("delete_route_table", RouteTableId=table)
    r.call("delete_route_table", RouteTableId=table)


def associations(r, at):
    first, second = new_table(r, at), new_table(r, at)
    made = r.call("associate_route_table", RouteTableId=first, SubnetId=at["subnets"]["spare"])
    r.call("delete_route_table", RouteTableId=first)
    r.call("describe_route_tables", Filters=filters(association__subnet_id=at["subnets"]["spare"]))
    made = r.call("replace_route_table_association", AssociationId=made["AssociationId"], RouteTableId=second)
    r.call("describe_route_tables", RouteTableIds=[first])
    r.call("describe_route_tables", RouteTableIds=[second])
    r.call("disassociate_route_table", AssociationId=made["NewAssociationId"])
    r.call("disassociate_route_table", AssociationId=made["NewAssociationId"])
    r.call("describe_route_tables", Filters=filters(association__subnet_id=at["subnets"]["spare"]))
    r.call("delete_route_table", RouteTableId=first)


def main_table(r, at):
    main = filters(association__main="true", vpc_id=at["other"])
    old = r.call("describe_route_tables", Filters=main)["RouteTables"][0]
    new = new_table(r, at, "other")
    was = old["Associations"][0]["RouteTableAssociationId"]
    r.call("replace_route_table_association", AssociationId=was, RouteTableId=new)
    r.call("describe_route_tables", Filters=main)
    r.call("describe_route_tables", RouteTableIds=[old["RouteTableId"]])
    r.call("delete_route_table", RouteTableId=old["RouteTableId"])
    r.call("describe_route_tables", Filters=filters(vpc_id=at["other"]))


def gateway_endpoints(r, at):
    first, second = new_table(r, at), new_table(r, at)
    wanted = {"VpcId": at["vpc"], "ServiceName": S3, "VpcEndpointType": "Gateway"}
    made = r.call(
        "create_vpc_endpoint", **wanted, RouteTableIds=[first, second], TagSpecifications=named("vpc-endpoint", "s3")
    )
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    r.call("describe_vpc_endpoints", VpcEndpointIds=[endpoint])
    r.call("describe_vpc_endpoints", Filters=filters(service_name=S3, vpc_id=at["vpc"]))
    r.call("describe_route_tables", RouteTableIds=[first])
    r.call("describe_route_tables", Filters=filters(route__gateway_id=endpoint))
    r.call("create_tags", Resources=[endpoint], Tags=[{"Key": "Owner", "Value": "x"}, {"Key": "Name", "Value": "y"}])
    r.call("describe_vpc_endpoints", Filters=tagged("Owner", "x"))
    r.call("delete_tags", Resources=[endpoint], Tags=[{"Key": "Owner"}, {"Key": "Name", "Value": "other"}])
    r.call("describe_vpc_endpoints", VpcEndpointIds=[endpoint])
    r.call("delete_vpc_endpoints", VpcEndpointIds=[endpoint])
    r.call("describe_route_tables", RouteTableIds=[first])
    r.call("describe_route_tables", RouteTableIds=[second])
    r.call("describe_route_tables", Filters=filters(route__gateway_id=endpoint))


def https(*blocks):
    return [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": block} for block in blocks]}]


def security_groups(r, at):
    wanted = {"GroupName": "new", "Description": "d", "VpcId": at["vpc"]}
    group = r.call("create_security_group", **wanted, TagSpecifications=named("security-group", "new"))["GroupId"]
    r.call("create_security_group", **wanted)

    def ask(operation, permissions):
        r.call(f"{operation}_security_group_ingress", GroupId=group, IpPermissions=permissions)
        r.call("describe_security_groups", GroupIds=[group])

    ask("authorize", https("10.0.0.0/16"))
    ask("authorize", https("10.0.0.0/16"))
    ask("authorize", https("10.1.0.0/16", "10.2.0.0/16"))
    six = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}
    ask("authorize", [six])
    ask("authorize", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": at["group"]}]}])
    by_list = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": [{"PrefixListId": at["lists"][S3]}]}
    ask("authorize", [by_list])
    ask("revoke", https("10.9.0.0/16"))
    ask("revoke", https("10.0.0.0/16"))
    ask("revoke", https("10.0.0.0/16"))
    ask("revoke", [six])
    ask("revoke", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": at["group"]}]}])
    ask("revoke", [by_list])


def nat_gateways(r, at):
    wanted = {"SubnetId": at["subnets"]["public"], "ConnectivityType": "private"}
    made = r.call("create_nat_gateway", **wanted, TagSpecifications=named("natgateway", "new"))
    nat = made["NatGateway"]["NatGatewayId"]
    r.call("describe_nat_gateways", NatGatewayIds=[nat])
    r.call("describe_nat_gateways", Filters=filters(vpc_id=at["vpc"]))
    r.call("delete_nat_gateway", NatGatewayId=nat)


def tags(r, at):
    table = at["tables"]["private"]
    r.call("create_tags", Resources=[table, at["vpc"]], Tags=[{"Key": "k", "Value": "1"}])
    r.call("create_tags", Resources=[table], Tags=[{"Key": "k", "Value": "2"}])
    r.call("describe_route_tables", Filters=tagged("k", "2"))
    r.call("describe_route_tables", Filters=tagged("k", "1"))
    r.call("describe_vpcs", Filters=filters(tag_key="k"))
    r.call("delete_tags", Resources=[table], Tags=[{"Key": "k", "Value": "1"}])
    r.call("describe_route_tables", Filters=filters(tag_key="k"))
    r.call("delete_tags", Resources=[table, at["vpc"]], Tags=[{"Key": "k"}])
    r.call("describe_route_tables", Filters=filters(tag_key="k"))


SCENARIOS = [
    reading_vpcs,
    reading_subnets,
    reading_tables,
    reading_the_rest,
    what_does_not_exist,
    dns_attributes,
    subnets_made,
    routes,
    associations,
    main_table,
    gateway_endpoints,
    security_groups,
    nat_gateways,
    tags,
]


if __name__ == "__main__":
    url, task, *rest = sys.argv[1:]
    {"build": build, "run": run}[task](client(url), *rest)
