"""Checks of the translated template that need AWS's list of actions, and one that checkov gets wrong.

    python check-template.py translated.json

Needs parliament, whose package carries that list: which condition keys and resource types each action knows.
"""

import json
import re
import sys

from parliament import analyze_policy_string, iam_definition, is_arn_match

# What a pseudo parameter or a reference stands for, in a form that AWS would accept where the template uses it.
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "guardrail",
    "AWS::URLSuffix": "amazonaws.com",
}
ARN_OF = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:eu-central-1:123456789012:table/{}",
    "AWS::KMS::Key": "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "AWS::Lambda::Function": "arn:aws:lambda:eu-central-1:123456789012:function:{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:eu-central-1:123456789012:log-group:{}:*",
    "AWS::SNS::Topic": "arn:aws:sns:eu-central-1:123456789012:{}",
    "AWS::SQS::Queue": "arn:aws:sqs:eu-central-1:123456789012:{}",
}
SAMPLE_PARAMETERS = {
    "BaselineParameter": "/vpc-guardrail/baseline",
    "BaselineKeyArn": ARN_OF["AWS::KMS::Key"],
}


class Template:
    def __init__(self, document: dict):
        self.resources = document["Resources"]
        self.values = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
        self.values.update(PSEUDO, **SAMPLE_PARAMETERS)

    def of_type(self, kind: str):
        return ((name, it["Properties"]) for name, it in self.resources.items() if it["Type"] == kind)

    def arn(self, name: str) -> str:
        return ARN_OF[self.resources[name]["Type"]].format(name)

    def resolve(self, value):
        """The value with every intrinsic function replaced by what it would give; an unknown one is a KeyError."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Ref"}:
            name = value["Ref"]
            return self.values[name] if name in self.values else self.arn(name)
        if value.keys() == {"Fn::GetAtt"}:
            return self.arn(value["Fn::GetAtt"][0])
        if value.keys() == {"Fn::Sub"}:
            text = value["Fn::Sub"]
            for name, known in self.values.items():
                text = text.replace("${" + name + "}", str(known))
            return re.sub(r"\$\{(\w+)\.Arn\}", lambda of: self.arn(of[1]), text)
        return {key: self.resolve(item) for key, item in value.items()}

    def identity_policies(self):
        """Each policy of a role: its name, the condition it is deployed under, and the document."""
        for name, role in self.of_type("AWS::IAM::Role"):
            for policy in role.get("Policies", []):
                yield f"{name}/{policy['PolicyName']}", None, self.document(policy)
        for name, policy in self.of_type("AWS::IAM::Policy"):
            yield name, self.resources[name].get("Condition"), self.document(policy)

    def document(self, policy: dict) -> dict:
        document = self.resolve(policy["PolicyDocument"])
        document = json.loads(document) if isinstance(document, str) else document
        # SAM leaves the version out of the policies it writes, and AWS then assumes the first one.
        return {"Version": "2012-10-17", **document}


def listed(action: str) -> tuple[dict, dict]:
    """The action's entry in AWS's list, and the ARN format of each of its service's resource types."""
    prefix, _, name = action.partition(":")
    services = [service for service in iam_definition if service["prefix"] == prefix]
    formats = {
        resource["resource"]: re.sub(r"\$\{.*?\}", "*", resource["arn"])
        for service in services
        for resource in service["resources"]
    }
    for service in services:
        for privilege in service["privileges"]:
            if privilege["privilege"] == name:
                return privilege, formats
    return {"access_level": "unknown", "resource_types": []}, formats


def statements(template: Template):
    """Each action of each statement: the policy, the condition it is deployed under, the action and the statement."""
    for name, condition, document in template.identity_policies():
        for statement in document["Statement"]:
            for action in as_list(statement["Action"]):
                yield f"{name}/{statement.get('Sid', '-')}", condition, action, statement


def as_list(value):
    return value if isinstance(value, list) else [value]


def resource_faults(template: Template):
    """AWS checks an action on each resource it touches, and each against the statements of that resource's type. So every
    required type needs a statement, and a statement only those condition keys that AWS fills in for its type."""
    covered, required = set(), {}
    for name, _, action, statement in statements(template):
        privilege, formats = listed(action)
        types = {kind["resource_type"].rstrip("*"): kind["condition_keys"] for kind in privilege["resource_types"]}
        anywhere = types.pop("", [])
        required.update({(action, kind["resource_type"].rstrip("*")): name
                         for kind in privilege["resource_types"] if kind["resource_type"].endswith("*")})
        for resource in as_list(statement["Resource"]):
            matching = [kind for kind in types if is_arn_match(kind, formats[kind], resource)]
            covered.update((action, kind) for kind in (types if resource == "*" else matching))
            if resource != "*" and not matching:
                yield f"{name}: `{action}` knows no resource like `{resource}`"
            if resource == "*" and types:
                yield f"{name}: `{action}` can be narrowed to resources; name them instead of `*`"
            for key in (key for test in statement.get("Condition", {}).values() for key in test):
                known = anywhere + [it for kind in matching for it in types[kind]]
                if not any(key == it or key.startswith(it.partition("${")[0]) and "${" in it for it in known):
                    yield f"{name}: `{action}` on `{resource}` has no `{key}`, so the condition would never hold"
    for (action, kind), name in required.items():
        if (action, kind) not in covered:
            yield f"{name}: `{action}` needs a statement for `{kind}` too"


def faults(template: Template):
    for name, _, document in template.identity_policies():
        for finding in analyze_policy_string(json.dumps(document)).findings:
            # It looks at one statement at a time, where a call needs several; `resource_faults` looks at all.
            if finding.issue != "RESOURCE_MISMATCH":
                yield f"{name}: {finding.issue}: {finding.detail}"
    yield from resource_faults(template)
    for name, condition, action, _ in statements(template):
        if "*" in action:
            yield f"{name}: `{action}` is a pattern; name each action"
        network = action.split(":")[0] in ("ec2", "route53")
        if network and listed(action)[0]["access_level"] not in ("List", "Read") and condition != "MayWrite":
            yield f"{name}: `{action}` changes a network, and is there without the condition MayWrite"
    for name, queue in template.of_type("AWS::SQS::Queue"):
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: is not encrypted; set SqsManagedSseEnabled"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(faults(Template(json.load(file))))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
