"""The standard incident repaired by a plain Python function, to measure the guardrail's repair function against.

It speaks the Lambda Runtime API itself, as a custom runtime does, and does what such functions usually do: read with one call
after the other, create what is missing, wait, delete the NAT route, look again, publish. Nothing else uses it.
"""

import json
import os
import time
import urllib.request

import boto3
from botocore.config import Config

SERVICES = ("s3", "dynamodb")
RUNTIME = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"

settings = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=2, read_timeout=10)
ec2 = boto3.client("ec2", config=settings)
sns = boto3.client("sns", config=settings)


def pages(operation, key, **arguments):
    return [item for page in ec2.get_paginator(operation).paginate(**arguments) for item in page[key]]


def observe(vpc):
    in_vpc = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    return {
        "subnets": pages("describe_subnets", "Subnets", **in_vpc),
        "tables": pages("describe_route_tables", "RouteTables", **in_vpc),
        "endpoints": pages("describe_vpc_endpoints", "VpcEndpoints", **in_vpc),
        "nats": pages("describe_nat_gateways", "NatGateways", Filter=in_vpc["Filters"]),
        "groups": pages("describe_security_groups", "SecurityGroups", **in_vpc),
        "attributes": [
            ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name) for name in ("enableDnsSupport", "enableDnsHostnames")
        ],
        "vpc": ec2.describe_vpcs(**in_vpc)["Vpcs"],
    }


def private_tables(seen):
    def is_private(subnet):
        return any(tag["Key"] == "Tier" and tag["Value"].lower() == "private" for tag in subnet.get("Tags", []))

    private = {subnet["SubnetId"] for subnet in seen["subnets"] if is_private(subnet)}
    return [
        table for table in seen["tables"] if any(a.get("SubnetId") in private for a in table.get("Associations", []))
    ]


def repair(scope):
    vpc, region = scope["vpc"], scope["region"]
    seen = observe(vpc)
    done = []
    tables = private_tables(seen)
    for service in SERVICES:
        name = f"com.amazonaws.{region}.{service}"
        found = [e for e in seen["endpoints"] if e["ServiceName"] == name and e["State"].lower() == "available"]
        if not found:
            created = ec2.create_vpc_endpoint(
                VpcId=vpc, ServiceName=name, VpcEndpointType="Gateway", RouteTableIds=[t["RouteTableId"] for t in tables]
            )["VpcEndpoint"]["VpcEndpointId"]
            while ec2.describe_vpc_endpoints(VpcEndpointIds=[created])["VpcEndpoints"][0]["State"].lower() != "available":
                time.sleep(5)
            done.append(f"created {created}")
    for table in tables:
        for route in table["Routes"]:
            if "NatGatewayId" in route and route.get("DestinationCidrBlock") == "0.0.0.0/0":
                ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
                done.append(f"deleted {table['RouteTableId']} 0.0.0.0/0")
    after = observe(vpc)
    sns.publish(
        TopicArn=os.environ["GUARDRAIL_TOPIC_ARN"],
        Subject=f"repaired {vpc}",
        Message=json.dumps({"done": done, "routes": sum(len(t["Routes"]) for t in after["tables"])}),
    )


def main():
    while True:
        with urllib.request.urlopen(RUNTIME + "next") as answer:
            request, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
        for record in event["Records"]:
            repair(json.loads(record["body"])["scope"])
        answer = json.dumps({"batchItemFailures": []}).encode()
        urllib.request.urlopen(urllib.request.Request(RUNTIME + request + "/response", data=answer)).close()


main()
