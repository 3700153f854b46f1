use super::*;
use crate::baseline::source::Source;
use serde_json::json;

fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

fn event(name: &str) -> Value {
    json!({
        "detail-type": "AWS API Call via CloudTrail", "account": "111122223333", "region": "eu-central-1",
        "detail": {
            "eventName": name, "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
            "requestParameters": {"routeTableId": "rtb-0a1b2c3d4e5f60011"},
        },
    })
}

fn ignored(delivered: &Value) -> String {
    accept(delivered, &place()).unwrap_err().to_string()
}

#[test]
fn what_changes_nothing_here_is_ignored_with_a_reason() {
    let with = |name: &str, key: &str, value: &str| {
        let mut event = event(name);
        event["detail"][key] = json!(value);
        event
    };
    assert_eq!(ignored(&event("DescribeVpcs")), "DescribeVpcs changes nothing that is watched");
    let failed = with("CreateRoute", "errorCode", "Client.UnauthorizedOperation");
    assert_eq!(
        ignored(&failed),
        "CreateRoute failed (Client.UnauthorizedOperation) and changed nothing"
    );
    let far = with("CreateRoute", "awsRegion", "us-east-1");
    assert_eq!(
        ignored(&far),
        "CreateRoute was made in us-east-1; the guardrail there looks after that"
    );
    let other = with("CreateRoute", "recipientAccountId", "444455556666");
    assert_eq!(
        ignored(&other),
        "CreateRoute was made in account 444455556666; the guardrail there looks after that"
    );
    assert!(ignored(&json!(7)).starts_with("not a recorded call: a number"));
}

fn looked_at(named: &Resolved, managed: &Managed) -> Vec<About> {
    let trigger = accept(&event("CreateRoute"), &place()).unwrap();
    messages(&trigger, &place(), named, managed).into_iter().map(|message| message.about).collect()
}

fn ids(vpcs: &[&str]) -> Vec<VpcId> {
    vpcs.iter().map(|vpc| vpc.parse().unwrap()).collect()
}

fn about(vpcs: &[&str]) -> Vec<About> {
    ids(vpcs).iter().map(|vpc| About::Vpc(place().scope(vpc))).collect()
}

fn named(vpcs: &[&str], gone: &[&str]) -> Resolved {
    Resolved {
        vpcs: ids(vpcs).into_iter().collect(),
        gone: gone.iter().map(|id| id.parse().unwrap()).collect(),
    }
}

#[test]
fn managed_vpcs_that_are_named_are_looked_at() {
    let baseline = Baseline::default();
    let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
    assert_eq!(looked_at(&named(&["vpc-2", "vpc-9"], &[]), &managed), about(&["vpc-2"]));
    assert_eq!(looked_at(&named(&["vpc-9"], &[]), &managed), []);
}

#[test]
fn a_vpc_that_the_call_names_itself_needs_no_look_up() {
    let baseline = Baseline::default();
    let mut call = event("CreateSubnet");
    call["detail"]["requestParameters"] = json!({"vpcId": "vpc-0a1b2c3d4e5f60002"});
    let trigger = accept(&call, &place()).unwrap();
    assert_eq!(trigger.reach.ids_to_resolve(), []);
    let managed =
        Managed::Known(&baseline, ids(&["vpc-0a1b2c3d4e5f60001", "vpc-0a1b2c3d4e5f60002"]));
    let messages = messages(&trigger, &place(), &Resolved::default(), &managed);
    let looked_at: Vec<About> = messages.into_iter().map(|message| message.about).collect();
    assert_eq!(looked_at, about(&["vpc-0a1b2c3d4e5f60002"]));
}

fn detecting(place: &Place) -> Detecting<'_> {
    Detecting { place, repair_role: Some(ROLE), now: Timestamp::UNIX_EPOCH }
}

const ROLE: &str = "arn:aws:iam::111122223333:role/guardrail-RepairRole-1";

/// A call on one thing, and what was found of it.
fn detected(name: &str, resolved: &Resolved, managed: &Managed<'_>) -> (Vec<About>, Vec<Noted>) {
    let mut call = event(name);
    let ids = ["rtb-0a1b2c3d4e5f60011", "sg-0a1b2c3d4e5f60041", "eni-0a1b2c3d4e5f60051"];
    let more = ["vpce-0a1b2c3d4e5f60031", "i-0a1b2c3d4e5f60081", "pl-0a1b2c3d4e5f60071"];
    call["detail"]["requestParameters"] = json!([ids, more, "acl-0a1b2c3d4e5f60091"]);
    let trigger = accept(&call, &place()).unwrap();
    let Detected { messages, notes } = decide(&trigger, detecting(&place()), resolved, managed);
    (messages.into_iter().map(|message| message.about).collect(), notes)
}

#[test]
fn what_is_gone_is_looked_for_as_its_row_says() {
    let baseline = Baseline::default();
    let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
    let gone = named(&[], &["rtb-1"]);
    let compare = (vec![], vec![Noted::CompareRegion]);
    for name in [
        "CreateRoute",
        "DeleteRouteTable",
        "RevokeSecurityGroupIngress",
        "ModifyNetworkInterfaceAttribute",
        "ModifyInstanceAttribute",
        "AssociateAddress",
        "ModifyVpcEndpoint",
        "DeleteNetworkAclEntry",
        "DeleteTags",
    ] {
        assert_eq!(detected(name, &gone, &managed), compare, "{name}");
    }
    let every = (about(&["vpc-1", "vpc-2"]), vec![]);
    for name in ["DisassociateRouteTable", "ReplaceRouteTableAssociation", "DeleteVpcEndpoints"] {
        assert_eq!(detected(name, &gone, &managed), every, "{name}");
    }
    let nothing = (vec![], vec![]);
    assert_eq!(detected("ModifyManagedPrefixList", &named(&[], &[]), &managed), nothing);
}

/// Of several things one may be there and another gone.
#[test]
fn what_is_found_beside_what_is_gone_is_looked_at_in_any_case() {
    let baseline = Baseline::default();
    let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
    let both = named(&["vpc-1"], &["vpce-1"]);
    assert_eq!(
        detected("DeleteVpcEndpoints", &both, &managed),
        (about(&["vpc-1", "vpc-2"]), vec![])
    );
    assert_eq!(
        detected("CreateTags", &both, &managed),
        (about(&["vpc-1"]), vec![Noted::CompareRegion])
    );
}

#[test]
fn who_notes_nothing_looks_at_every_managed_vpc_instead_of_a_comparison() {
    let baseline = Baseline::default();
    let managed = Managed::Known(&baseline, ids(&["vpc-1", "vpc-2"]));
    assert_eq!(looked_at(&named(&[], &["rtb-1"]), &managed), about(&["vpc-1", "vpc-2"]));
    assert_eq!(looked_at(&named(&["vpc-1"], &[]), &managed), about(&["vpc-1"]));
}

#[test]
fn without_a_baseline_whatever_is_named_is_looked_at() {
    let fault = Source::of(None).unwrap_err();
    let unknown = Managed::NoBaseline(fault.clone());
    let of = |name: &str, resolved: Resolved| detected(name, &resolved, &unknown);
    let gone = || named(&[], &["vpce-1"]);
    let told = vec![About::NoBaseline(fault.to_string())];
    assert_eq!(
        of("DeleteVpcEndpoints", named(&["vpc-9"], &["vpce-1"])),
        (about(&["vpc-9"]), vec![])
    );
    assert_eq!(of("DeleteVpcEndpoints", gone()), (told.clone(), vec![]));
    assert_eq!(of("ModifyVpcBlockPublicAccessOptions", named(&[], &[])), (told, vec![]));
    assert_eq!(of("DeleteRouteTable", named(&[], &[])), (vec![], vec![Noted::CompareRegion]));
}

#[test]
fn a_baseline_that_cannot_be_read_now_is_waited_for_by_a_comparison() {
    let fault = Source::Parameter("/b".to_owned()).unread("throttled", true);
    let unknown = Managed::NoBaseline(fault);
    let of = |name: &str, resolved: Resolved| detected(name, &resolved, &unknown);
    let compare = vec![Noted::CompareRegion];
    let anything = of("ModifyVpcBlockPublicAccessOptions", named(&[], &[]));
    assert_eq!(anything, (vec![], compare.clone()));
    let gone = of("DeleteVpcEndpoints", named(&["vpc-9"], &["vpce-1"]));
    assert_eq!(gone, (about(&["vpc-9"]), compare));
}

/// A call of the guardrail's own, or of somebody who says so.
fn call_by(issuer: Value, change: impl FnOnce(&mut Value)) -> Detected {
    let mut call = event("CreateSubnet");
    let detail = &mut call["detail"];
    detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = issuer;
    detail["requestID"] = json!("r-1");
    detail["requestParameters"] = json!({ "vpcId": VPC });
    change(detail);
    let baseline = Baseline::default();
    let managed = Managed::Known(&baseline, ids(&[VPC]));
    let trigger = accept(&call, &place()).unwrap();
    decide(&trigger, detecting(&place()), &Resolved::default(), &managed)
}

fn noted_calls(detected: &Detected) -> Vec<(Option<&str>, Option<&str>, &str)> {
    let own = detected.notes.iter().filter_map(|note| match note {
        Noted::OwnCall(own) => Some(&own.call),
        Noted::CompareRegion | Noted::VpcAttributesChanged(_) => None,
    });
    own.map(|call| {
        (call.record.event_id.as_deref(), call.request_id.as_deref(), call.record.event.as_str())
    })
    .collect()
}

#[test]
fn a_call_with_the_guardrails_role_is_noted_and_leads_to_no_message() {
    let own = call_by(json!(ROLE), |_| ());
    assert_eq!(own.messages, []);
    assert_eq!(noted_calls(&own), [(Some("e-1"), Some("r-1"), "CreateSubnet")]);
    let bare = call_by(json!(ROLE), |call| {
        call["requestID"] = json!(null);
        call["eventID"] = json!(null);
    });
    assert_eq!(bare.messages, []);
    assert_eq!(noted_calls(&bare), [(None, None, "CreateSubnet")]);
}

/// Also where anybody else's would ask for a comparison or a look at every managed VPC.
#[test]
fn whatever_the_role_did_is_noted_and_nothing_else() {
    for name in ["DeleteRouteTable", "DisassociateRouteTable", "DeleteTags", "CreateRoute"] {
        let own = call_by(json!(ROLE), |call| {
            call["eventName"] = json!(name);
            call["requestParameters"] = json!(null);
        });
        assert_eq!((own.messages.len(), own.notes.len()), (0, 1), "{name}");
        assert_eq!(noted_calls(&own), [(Some("e-1"), Some("r-1"), name)]);
    }
}

/// Who made a call is what AWS says of its session's role, to the letter.
#[test]
fn whoever_only_looks_like_the_guardrail_is_looked_into() {
    let path = "arn:aws:iam::111122223333:role/x/guardrail-RepairRole-1";
    let other = "arn:aws:iam::444455556666:role/guardrail-RepairRole-1";
    let longer = format!("{ROLE}2");
    for issuer in [json!(null), json!(""), json!([ROLE]), json!(path), json!(other), json!(longer)]
    {
        let detected = call_by(issuer.clone(), |call| {
            call["userAgent"] = json!("guardrail");
            call["userIdentity"]["arn"] = json!(ROLE);
            call["userIdentity"]["principalId"] = json!("AROA:guardrail-RepairFunction");
            call["session_issuer"] = json!(ROLE);
        });
        assert_eq!((detected.messages.len(), detected.notes), (1, vec![]), "{issuer}");
    }
    let evidence = event::decode(&json!({"eventName": "A"})).unwrap();
    assert!(!is_own_call(&evidence, None));
}

#[test]
fn a_failed_call_of_the_guardrails_changed_nothing() {
    let mut call = event("CreateRoute");
    call["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(ROLE);
    call["detail"]["errorCode"] = json!("InvalidRoute.NotFound");
    assert_eq!(ignored(&call), "CreateRoute failed (InvalidRoute.NotFound) and changed nothing");
}

#[test]
fn cached_attributes_are_dropped_whoever_changed_them() {
    let modified = |issuer: Value, request: Value| {
        let all = call_by(issuer, |call| {
            call["eventName"] = json!("ModifyVpcAttribute");
            call["requestParameters"] = request;
        });
        let dropped = all.notes.iter().filter_map(|note| match note {
            Noted::VpcAttributesChanged(vpc) => Some(vpc.to_string()),
            Noted::CompareRegion | Noted::OwnCall(_) => None,
        });
        (all.messages.len(), dropped.collect::<Vec<_>>())
    };
    let (one, two) = (json!({"vpcId": VPC}), json!([VPC, OTHER]));
    assert_eq!(modified(json!(null), one.clone()), (1, vec![VPC.to_owned()]));
    assert_eq!(modified(json!(ROLE), one), (0, vec![VPC.to_owned()]));
    assert_eq!(modified(json!(null), two), (1, vec![VPC.to_owned(), OTHER.to_owned()]));
    assert_eq!(modified(json!(null), json!(null)), (1, vec![VPC.to_owned()]));
}

const VPC: &str = "vpc-0a1b2c3d4e5f60000";
const OTHER: &str = "vpc-0b1b2c3d4e5f60000";
const SUBNET: &str = "subnet-0a1b2c3d4e5f60021";

/// The messages about a call on tags, of which the subnet is in the first VPC: VPC and kind.
fn kinds(name: &str, on: &[&str], tags: Value, managed: &[&str]) -> Vec<(String, String)> {
    let mut call = event(name);
    let on_ids: Vec<Value> = on.iter().map(|id| json!({ "resourceId": id })).collect();
    call["detail"]["requestParameters"] =
        json!({"resourcesSet": {"items": on_ids}, "tagSet": {"items": tags}});
    let trigger = accept(&call, &place()).unwrap();
    let of = on.iter().map(|id| if *id == SUBNET { VPC } else { *id });
    let resolved = named(&of.collect::<Vec<_>>(), &[]);
    let baseline = Baseline::default();
    let messages =
        messages(&trigger, &place(), &resolved, &Managed::Known(&baseline, ids(managed)));
    let kind = |message: Message| match message.about {
        About::Vpc(scope) => (scope.vpc.to_string(), message.cause.to_string()),
        About::NoBaseline(why) => (String::new(), why),
    };
    messages.into_iter().map(kind).collect()
}

#[test]
fn what_may_have_left_the_guardrail_is_looked_at_also_where_it_is_not_managed() {
    let (managed_tag, tier) = (json!([{"key": "vpc-guardrail"}]), json!([{"key": "Tier"}]));
    let (none, owner) = (json!([]), json!([{"key": "Owner", "value": "x"}]));
    let off = json!([{"key": "vpc-guardrail", "value": "off"}]);
    let public = json!([{"key": "Tier", "value": "public"}]);
    let (delete, create) = ("DeleteTags", "CreateTags");
    let (event, left) = ("event", "selection-changed");
    type Row<'a> = (&'a str, &'a [&'a str], &'a Value, &'a [&'a str], &'a [(&'a str, &'a str)]);
    let table: [Row<'_>; 15] = [
        (delete, &[VPC], &managed_tag, &[], &[(VPC, left)]),
        (delete, &[VPC], &managed_tag, &[VPC], &[(VPC, left)]),
        (delete, &[VPC], &none, &[], &[(VPC, left)]),
        (delete, &[VPC], &owner, &[], &[]),
        (delete, &[VPC], &tier, &[VPC], &[(VPC, event)]),
        (delete, &[SUBNET], &tier, &[VPC], &[(VPC, left)]),
        (delete, &[SUBNET], &none, &[VPC], &[(VPC, left)]),
        (delete, &[SUBNET], &owner, &[VPC], &[(VPC, event)]),
        (delete, &[SUBNET], &tier, &[], &[]),
        (delete, &[VPC, OTHER], &managed_tag, &[OTHER], &[(OTHER, left), (VPC, left)]),
        (create, &[VPC], &off, &[], &[(VPC, left)]),
        (create, &[VPC], &off, &[VPC], &[(VPC, event)]),
        (create, &[VPC], &owner, &[], &[]),
        (create, &[SUBNET], &public, &[VPC], &[(VPC, event)]),
        (create, &[SUBNET], &public, &[], &[]),
    ];
    for (name, on, tags, managed, expected) in table {
        let expected: Vec<(String, String)> =
            expected.iter().map(|(vpc, kind)| ((*vpc).to_owned(), (*kind).to_owned())).collect();
        assert_eq!(kinds(name, on, tags.clone(), managed), expected, "{name} {on:?} {tags}");
    }
}
