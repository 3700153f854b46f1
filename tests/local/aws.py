"""AWS calls through boto3, for a program that has no SDK of its own: a line of JSON in, a line of JSON out.

    {"service": "sqs", "operation": "receive_message", "parameters": {…}}  →  {"result": {…}} or {"error": {…}}

Endpoints, Region and credentials come from the environment, as with every SDK.
"""

import functools
import json
import sys

import boto3
from botocore.exceptions import ClientError

client = functools.cache(boto3.client)


def plain(value):
    return value.read().decode() if hasattr(value, "read") else str(value)


for line in sys.stdin:
    call = json.loads(line)
    try:
        answer = {"result": getattr(client(call["service"]), call["operation"])(**call["parameters"])}
    except ClientError as error:
        answer = {"error": error.response["Error"]}
    except Exception as error:
        answer = {"error": {"Code": type(error).__name__, "Message": str(error)}}
    print(json.dumps(answer, default=plain), flush=True)
