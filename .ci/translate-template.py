"""Prints template.yaml as CloudFormation gets it: after SAM's transform, as JSON. Intrinsic functions stay as they are.

    python translate-template.py template.yaml [code-uri]

`code-uri` stands for what `sam package` would put in: one s3:// address for every function. Needs aws-sam-translator only;
asks AWS for nothing.
"""

import json
import os
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

# The translator wants to know a Region, for the partition of the ARNs it writes; none of ours depends on it.
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")


class NoManagedPolicies:
    """Every role in the template is written out, so no name of a managed policy has to be looked up."""

    def load(self):
        return {}


def translate(path: str, code_uri: str) -> dict:
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code_uri
    return transform(template, {}, NoManagedPolicies())


if __name__ == "__main__":
    print(json.dumps(translate(sys.argv[1], *(sys.argv[2:] or ["s3://bucket/code.zip"])), indent=2))
