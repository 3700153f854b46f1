"""Builds a private VPC in an empty simulator with boto3, and prints what it made as JSON."""

import json
import sys
import time

import boto3
from botocore.exceptions import ClientError


def client(service, region="eu-central-1", **credentials):
    given = {"aws_access_key_id": "AKIASIMULATED", "aws_secret_access_key": "x"} | credentials
    return boto3.client(service, region_name=region, endpoint_url=sys.argv[1], **given)


def named(kind, *tags):
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags]}]


def refused(call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


ec2 = client("ec2")
vpc = ec2.create_vpc(
    CidrBlock="10.0.0.0/16",
    TagSpecifications=named("vpc", ("vpc-guardrail", "managed")),
)["Vpc"]["VpcId"]
ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc)

public = ec2.create_subnet(
    VpcId=vpc,
    CidrBlock="10.0.0.0/24",
    AvailabilityZone="eu-central-1a",
    TagSpecifications=named("subnet", ("Tier", "public")),
)["Subnet"]["SubnetId"]
table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
ec2.associate_route_table(RouteTableId=table, SubnetId=public)

address = ec2.allocate_address(Domain="vpc")["AllocationId"]
nat = [
    ec2.create_nat_gateway(SubnetId=public, AllocationId=address, ClientToken="once")["NatGateway"]
    for _ in range(2)
]
assert nat[0]["NatGatewayId"] == nat[1]["NatGatewayId"], nat

private = ec2.create_subnet(
    VpcId=vpc,
    CidrBlock="10.0.1.0/24",
    AvailabilityZone="eu-central-1a",
    TagSpecifications=named("subnet", ("Tier", "private")),
)["Subnet"]["SubnetId"]
inner = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
bound = ec2.associate_route_table(RouteTableId=inner, SubnetId=private)["AssociationId"]
ec2.create_route(
    RouteTableId=inner, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat[0]["NatGatewayId"]
)

instance = ec2.run_instances(
    ImageId="ami-12345678", InstanceType="t3.nano", MinCount=1, MaxCount=1, SubnetId=private
)["Instances"][0]
profile = ec2.associate_iam_instance_profile(
    InstanceId=instance["InstanceId"], IamInstanceProfile={"Name": "ssm"}
)["IamInstanceProfileAssociation"]
groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
rules = ec2.describe_security_group_rules(
    Filters=[{"Name": "group-id", "Values": [groups["SecurityGroups"][0]["GroupId"]]}]
)["SecurityGroupRules"]
listed = ec2.create_managed_prefix_list(
    PrefixListName="partners",
    MaxEntries=3,
    AddressFamily="IPv4",
    Entries=[{"Cidr": "203.0.113.0/25", "Description": "one"}],
)["PrefixList"]
changed = ec2.modify_managed_prefix_list(
    PrefixListId=listed["PrefixListId"],
    CurrentVersion=listed["Version"],
    AddEntries=[{"Cidr": "203.0.113.128/25"}],
)["PrefixList"]

group = ec2.create_security_group(GroupName="endpoints", Description="endpoints", VpcId=vpc)["GroupId"]
ec2.authorize_security_group_ingress(
    GroupId=group,
    IpPermissions=[
        {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
        }
    ],
)
for service in ("s3", "dynamodb"):
    ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.eu-central-1.{service}", RouteTableIds=[inner]
    )
made = [
    ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=vpc,
        ServiceName=f"com.amazonaws.eu-central-1.{service}",
        SubnetIds=[private],
        SecurityGroupIds=[group],
        PrivateDnsEnabled=True,
    )["VpcEndpoint"]["VpcEndpointId"]
    for service in ("ssm", "ssmmessages", "ec2messages")
]
while {it["State"] for it in ec2.describe_vpc_endpoints(VpcEndpointIds=made)["VpcEndpoints"]} != {
    "available"
}:
    time.sleep(0.1)
if sys.argv[2] == "private":
    ec2.delete_route(RouteTableId=inner, DestinationCidrBlock="0.0.0.0/0")

role = client("sts").assume_role(
    RoleArn="arn:aws:iam::444455556666:role/reader", RoleSessionName="test"
)["Credentials"]
there = client(
    "ec2",
    aws_access_key_id=role["AccessKeyId"],
    aws_secret_access_key=role["SecretAccessKey"],
    aws_session_token=role["SessionToken"],
)
here = [it["VpcId"] for it in ec2.describe_vpcs()["Vpcs"]]
print(
    json.dumps(
        {
            "vpcs": len(here),
            "elsewhere": len(client("ec2", "eu-west-1").describe_vpcs()["Vpcs"]),
            "other account": there.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["OwnerId"],
            "after it": len(ec2.describe_vpcs()["Vpcs"]),
            "nat": nat[0]["NatGatewayAddresses"][0]["PublicIp"],
            "addresses": [it["PublicIp"] for it in ec2.describe_addresses()["Addresses"]],
            "instance": instance["State"]["Name"],
            "profile": profile["IamInstanceProfile"]["Arn"],
            "rules": sorted((it["IsEgress"], it["IpProtocol"]) for it in rules),
            "list": [listed["Version"], changed["Version"]],
            "refused": [
                refused(ec2.delete_vpc, VpcId=vpc),
                refused(ec2.delete_subnet, SubnetId=public),
                refused(ec2.delete_internet_gateway, InternetGatewayId=igw),
                refused(ec2.release_address, AllocationId=address),
                refused(ec2.disassociate_route_table, AssociationId="rtbassoc-0"),
            ],
            "bound": bool(bound),
        }
    )
)
