//! The guardrail's own security group, known by its tag and its name together, lets in what it was
//! made to let in: TCP 443 from the VPC's blocks, and no more. What it lets out is nobody's concern:
//! security groups are stateful, and an endpoint's interface opens no connections
//! (docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html). No other group is
//! ever looked at here.

use super::Rule;
use crate::analysis::View;
use crate::analysis::required_service::{AddedRule, added_rule, blocks_shut_out, own_group};
use crate::baseline::{RuleId, RuleSwitch};
use crate::ec2::change::Call;
use crate::ec2::id::SecurityGroupId;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{IpPermission, SecurityGroup};
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::Repair;

pub(super) static RULE: Rule = Rule {
    id: RuleId::OwnGroupEdited,
    finds: "the guardrail's own security group lacks a rule that it was made with, while an endpoint has the group, or \
            has a rule that it was not made with",
    repairs: "admits TCP 443 from the VPC's blocks again; with `revoke_added` revokes rules that others added, but none \
              that lets private clients in on TCP 443; never edits another group",
    needs: &[Section::Vpcs, Section::VpcEndpoints, Section::SecurityGroups],
    operations: &[Operation::AuthorizeSecurityGroupIngress, Operation::RevokeSecurityGroupIngress],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    // In a VPC that subnets are shared of, another account may have a group of this name and tag.
    let is_ours = |group: &&SecurityGroup| {
        group.owner_id.as_ref().is_none_or(|owner| *owner == view.snapshot.scope.account)
    };
    let Some(group) = own_group(view.snapshot).filter(is_ours) else { return Vec::new() };
    missing(view, group).into_iter().chain(added(view, group)).collect()
}

fn missing(view: &View<'_>, group: &SecurityGroup) -> Option<Finding> {
    let cidrs = blocks_shut_out(group, view.snapshot);
    let drift = Drift::OwnGroupAdmitsLess { group: group.group_id.clone(), cidrs: cidrs.clone() };
    let finding = Finding::new(RuleId::OwnGroupEdited, drift, Repair::OpenOwnGroup);
    (!cidrs.is_empty()).then_some(finding)
}

/// Each rule is judged by itself, and by itself revoked or left.
fn added(view: &View<'_>, group: &SecurityGroup) -> Vec<Finding> {
    group.rules().into_iter().filter_map(|rule| of_rule(view, &group.group_id, rule)).collect()
}

fn of_rule(view: &View<'_>, group: &SecurityGroupId, rule: IpPermission) -> Option<Finding> {
    let id = RuleId::OwnGroupEdited;
    let (group, words) = (group.clone(), rule.to_string());
    let drift = Drift::OwnGroupAdmitsMore { group: group.clone(), rule: words.clone() };
    let switch = RuleSwitch::RevokeAdded;
    let reason = match added_rule(&rule, view.snapshot) {
        AddedRule::OfTheVpc => return None,
        AddedRule::ForPrivateClients => LeftAloneReason::AdmitsPrivateClients,
        AddedRule::Unclear => LeftAloneReason::Unknown,
        AddedRule::Other if view.baseline.allows(id, switch) => {
            let call = Call::RevokeIngress { group, rule };
            return Some(Finding::new(id, drift, Repair::Call(call)));
        }
        AddedRule::Other => LeftAloneReason::NotSwitchedOn { switch },
    };
    let what = format!("the rule {words} of {group}");
    Some(Finding::new(id, drift, Repair::None).leaving(what, reason))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::fixture::{Fixture, findings, group, own_group, planned};

    const BLOCK: &str = "10.0.0.0/16";

    /// The guardrail's own group, attached to `vpce-ssm` beside the one that all endpoints have.
    fn attached<'f>(w: &'f mut Fixture, from: &[&str]) -> &'f mut Fixture {
        w.add("SecurityGroups", own_group(from));
        w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-https"}, {"GroupId": "sg-own"}]))
    }

    /// A rule that somebody added to it.
    fn adding(rule: Value) -> impl Fn(&mut Fixture) -> &mut Fixture {
        move |w| {
            attached(w, &[BLOCK]);
            w.thing("sg-own")["IpPermissions"].as_array_mut().unwrap().push(rule.clone());
            w
        }
    }

    fn rule(protocol: &str, ports: Option<(u16, u16)>, from: &str) -> Value {
        let mut rule = json!({"IpProtocol": protocol});
        if let Some((first, last)) = ports {
            rule["FromPort"] = json!(first);
            rule["ToPort"] = json!(last);
        }
        match from {
            list if list.starts_with("pl-") => {
                rule["PrefixListIds"] = json!([{"PrefixListId": list}])
            }
            group if group.starts_with("sg-") => {
                rule["UserIdGroupPairs"] = json!([{"GroupId": group, "UserId": "111122223333"}]);
            }
            v6 if v6.contains(':') => rule["Ipv6Ranges"] = json!([{"CidrIpv6": v6}]),
            v4 => rule["IpRanges"] = json!([{"CidrIp": v4}]),
        }
        rule
    }

    fn https(from: &str) -> Value {
        rule("tcp", Some((443, 443)), from)
    }

    fn found(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        let own = |it: String| it.strip_prefix("own-group-edited: ").map(str::to_owned);
        findings(edit).into_iter().filter_map(own).collect()
    }

    /// The baseline with the rule in mode repair, and its switch.
    fn repairing(w: &mut Fixture, revoke: bool) -> &mut Fixture {
        let options = json!({"mode": "repair", "revoke_added": revoke});
        w.baseline("rules", json!({"own-group-edited": options}))
    }

    const LESS: &str = "the guardrail's own sg-own lacks its rule for TCP 443 from 10.0.0.0/16";

    fn more(rule: &str) -> [String; 1] {
        [format!("the guardrail's own sg-own has a rule that is not the guardrail's: {rule}")]
    }

    #[test]
    fn a_group_as_it_was_made_is_as_it_should_be() {
        assert_eq!(found(|w| attached(w, &[BLOCK])), Vec::<String>::new());
        assert_eq!(found(|w| w), Vec::<String>::new());
    }

    #[test]
    fn a_rule_that_was_taken_away_is_found_though_another_group_admits_the_same() {
        assert_eq!(findings(|w| attached(w, &[])), [format!("own-group-edited: {LESS}")]);
        let half = findings(|w| attached(w, &["10.0.0.0/17"]));
        assert_eq!(half, [format!("own-group-edited: {LESS}")]);
    }

    #[test]
    fn what_was_taken_away_comes_back_by_the_rule_it_was_made_with() {
        let step = "1 admit TCP 443 to sg-own from 10.0.0.0/16";
        assert_eq!(planned(|w| attached(repairing(w, false), &[])), [step]);
        assert_eq!(planned(|w| attached(w, &[])), [format!("{step} [notify]")]);
        assert_eq!(
            planned(|w| attached(w, &[]).baseline("mode", json!("observe"))),
            [format!("{step} [notify]")]
        );
    }

    /// Both rules ask for one call, which is made once, and made if either of them may.
    #[test]
    fn an_endpoint_that_has_no_other_group_is_told_too_and_the_call_made_once() {
        let alone = |w: &mut Fixture| {
            w.add("SecurityGroups", own_group(&[]));
            w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-own"}]));
        };
        let steps = planned(|w| {
            alone(w);
            w
        });
        assert_eq!(
            steps,
            [
                "1 admit TCP 443 to sg-own from 10.0.0.0/16",
                "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)"
            ]
        );
        let of = |rule: &str| {
            let all = findings(|w| {
                alone(w);
                w
            });
            all.iter().filter(|it| it.starts_with(rule)).count()
        };
        assert_eq!([of("own-group-edited"), of("endpoint-security-group")], [1, 1]);
    }

    #[test]
    fn a_group_that_no_endpoint_has_may_lack_its_rule() {
        assert_eq!(found(|w| w.add("SecurityGroups", own_group(&[]))), Vec::<String>::new());
        let deleted = found(|w| attached(w, &[]).set("vpce-ssm", "State", json!("deleted")));
        assert_eq!(deleted, Vec::<String>::new());
    }

    /// peers.md §2 32: the VPC's blocks grow; an IPv6 block is nobody's who has no IPv6 address.
    #[test]
    fn a_block_that_no_endpoint_of_the_group_is_reached_from_is_not_missed() {
        let blocks = |key: &str, block: &str| {
            let set = format!("{key}CidrBlockAssociationSet");
            let block = json!([{format!("{key}CidrBlock"): block}]);
            found(|w| {
                attached(w, &[BLOCK]).set(
                    "vpc-1",
                    if key.is_empty() { "CidrBlockAssociationSet" } else { &set },
                    block,
                )
            })
        };
        assert_eq!(blocks("Ipv6", "2001:db8::/56"), Vec::<String>::new());
        assert_eq!(
            blocks("", "100.64.0.0/16"),
            ["the guardrail's own sg-own lacks its rule for TCP 443 from 100.64.0.0/16"]
        );
    }

    #[test]
    fn a_rule_that_cannot_be_read_may_admit_what_seems_missing() {
        let unread = |w: &mut Fixture| {
            attached(w, &[]);
            w.thing("sg-own")["IpPermissions"] = json!([https("pl-unread")]);
        };
        let told = found(|w| {
            unread(w);
            w
        });
        assert_eq!(told, more("TCP 443 from pl-unread"));
        let steps = planned(|w| {
            unread(repairing(w, true));
            w
        });
        assert_eq!(
            steps,
            ["- the rule TCP 443 from pl-unread of sg-own: what is not known is never deleted"]
        );
    }

    #[test]
    fn rules_that_others_added_are_told_and_revoked_only_where_the_baseline_says_so() {
        let ssh = || adding(rule("tcp", Some((22, 22)), "0.0.0.0/0"));
        assert_eq!(found(ssh()), more("TCP 22 from 0.0.0.0/0"));
        let left = "- the rule TCP 22 from 0.0.0.0/0 of sg-own: `revoke_added: true` among this rule's \
                    options in the baseline allows it";
        assert_eq!(planned(|w| ssh()(repairing(w, false))), [left]);
        assert_eq!(planned(ssh()), [left]);
        let step = "1 revoke the rule TCP 22 from 0.0.0.0/0 of sg-own";
        assert_eq!(planned(|w| ssh()(repairing(w, true))), [step]);
        let notify = json!({"own-group-edited": {"revoke_added": true}});
        assert_eq!(planned(|w| ssh()(w).baseline("rules", notify)), [format!("{step} [notify]")]);
    }

    /// peers.md §2 39: a remediation removed a valid rule along with the bad one.
    #[test]
    fn each_rule_is_judged_by_itself_and_the_guardrails_own_stays() {
        let both = |w: &mut Fixture| {
            adding(json!({"IpProtocol": "udp", "FromPort": 53, "ToPort": 60,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.9.0.0/16"}]}))(
                repairing(w, true),
            );
            w.thing("sg-own")["IpPermissions"].as_array_mut().unwrap().push(https("172.16.0.0/12"));
        };
        let steps = planned(|w| {
            both(w);
            w
        });
        assert_eq!(
            steps,
            [
                "1 revoke the rule protocol udp 53-60 from 0.0.0.0/0 of sg-own",
                "2 revoke the rule protocol udp 53-60 from 10.9.0.0/16 of sg-own",
                "- the rule TCP 443 from 172.16.0.0/12 of sg-own: private clients may come to an endpoint \
                 by it; if it is not meant, a person revokes it"
            ]
        );
    }

    /// peers.md §2 34: clients of other VPCs come to a hub's endpoints.
    #[test]
    fn no_rule_that_admits_a_private_client_to_tcp_443_is_ever_revoked() {
        for (kept, words) in [
            (https("10.0.0.0/8"), "TCP 443 from 10.0.0.0/8"),
            (https("0.0.0.0/0"), "TCP 443 from 0.0.0.0/0"),
            (https("100.64.0.0/10"), "TCP 443 from 100.64.0.0/10"),
            (https("fd00:1::/48"), "TCP 443 from fd00:1::/48"),
            (https("sg-peer"), "TCP 443 from sg-peer"),
            (https("pl-in"), "TCP 443 from pl-in"),
            (https("pl-out"), "TCP 443 from pl-out"),
            (rule("-1", None, "10.9.0.0/16"), "everything from 10.9.0.0/16"),
            (rule("-1", None, "0.0.0.0/0"), "everything from 0.0.0.0/0"),
            (rule("tcp", Some((0, 65535)), BLOCK), "TCP 0-65535 from 10.0.0.0/16"),
        ] {
            let steps = planned(|w| adding(kept)(repairing(w, true)));
            let reason = "private clients may come to an endpoint by it; if it is not meant, a person \
                          revokes it";
            assert_eq!(steps, [format!("- the rule {words} of sg-own: {reason}")]);
        }
    }

    #[test]
    fn a_rule_for_public_clients_or_other_ports_is_revoked() {
        for (goes, words) in [
            (https("8.8.8.0/24"), "TCP 443 from 8.8.8.0/24"),
            (https("2600:1f16::/36"), "TCP 443 from 2600:1f16::/36"),
            (rule("tcp", Some((444, 65535)), "10.0.0.0/8"), "TCP 444-65535 from 10.0.0.0/8"),
            (rule("17", Some((443, 443)), "0.0.0.0/0"), "protocol 17 443 from 0.0.0.0/0"),
            (rule("tcp", Some((22, 22)), "sg-peer"), "TCP 22 from sg-peer"),
        ] {
            let steps = planned(|w| adding(goes)(repairing(w, true)));
            assert_eq!(steps, [format!("1 revoke the rule {words} of sg-own")]);
        }
    }

    #[test]
    fn a_rule_that_adds_nobody_is_no_fault() {
        assert_eq!(found(adding(https("10.0.3.0/24"))), Vec::<String>::new());
        assert_eq!(found(adding(https("10.0.3.7/32"))), Vec::<String>::new());
        let described = json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
            "IpRanges": [{"CidrIp": "10.0.128.0/17", "Description": "kept for the batch"}]});
        assert_eq!(found(adding(described)), Vec::<String>::new());
    }

    #[test]
    fn what_the_group_lets_out_is_nobodys_concern() {
        let egress = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
        let found = found(|w| attached(w, &[BLOCK]).set("sg-own", "IpPermissionsEgress", egress));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn no_other_group_is_the_guardrails_own() {
        let other = |name: &str, tags: Value| {
            let mut group = group("sg-own", name, &[]);
            group["Tags"] = tags;
            found(|w| {
                w.add("SecurityGroups", group);
                w.set("vpce-ssm", "Groups", json!([{"GroupId": "sg-https"}, {"GroupId": "sg-own"}]))
            })
        };
        let tag = json!([{"Key": "vpc-guardrail", "Value": "created"}]);
        assert_eq!(other("vpc-guardrail-endpoints", tag.clone()), [LESS]);
        assert_eq!(other("vpc-guardrail-endpoints", json!([])), Vec::<String>::new());
        assert_eq!(other("endpoints", tag.clone()), Vec::<String>::new());
        let managed = json!([{"Key": "vpc-guardrail", "Value": "managed"}]);
        assert_eq!(other("vpc-guardrail-endpoints", managed), Vec::<String>::new());
        let of = |owner: &str| found(|w| attached(w, &[]).set("sg-own", "OwnerId", json!(owner)));
        assert_eq!(of("444455556666"), Vec::<String>::new());
        assert_eq!(of("111122223333"), [LESS]);
    }

    #[test]
    fn groups_and_endpoints_that_were_not_read_are_not_judged() {
        for section in ["SecurityGroups", "VpcEndpoints"] {
            assert_eq!(found(|w| attached(w, &[]).without(section)), Vec::<String>::new());
        }
    }

    #[test]
    fn nothing_is_changed_in_somebody_elses_vpc() {
        let steps = planned(|w| {
            attached(repairing(w, true), &[]).set("vpc-1", "OwnerId", json!("444455556666"))
        });
        assert!(!steps.iter().any(|step| step.starts_with(char::is_numeric)), "{steps:#?}");
    }
}
