//! A private subnet gives what is launched in it no public IPv4 address
//! (docs.aws.amazon.com/vpc/latest/userguide/subnet-public-ip.html). Addresses that instances have
//! already stay: the attribute acts on launches only. `AssignIpv6AddressOnCreation` is no fault:
//! EKS's IPv6 clusters and subnets with IPv6 alone need it.

use super::Rule;
use crate::analysis::View;
use crate::baseline::RuleId;
use crate::ec2::change::Call;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::repair::Repair;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PublicIpOnLaunch,
    finds: "a private subnet gives instances that are launched in it a public IPv4 address",
    repairs: "turns MapPublicIpOnLaunch off; addresses that instances have already are left to a person",
    needs: &[Section::Vpcs, Section::Subnets],
    operations: &[Operation::ModifySubnetAttribute],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let on = view
        .topology
        .private()
        .map(|used| used.subnet)
        .filter(|subnet| subnet.map_public_ip_on_launch);
    on.map(|subnet| {
        let subnet = subnet.subnet_id.clone();
        let repair = Repair::Call(Call::DisablePublicIpOnLaunch { subnet: subnet.clone() });
        Finding::new(RuleId::PublicIpOnLaunch, Drift::PublicIpOnLaunch { subnet }, repair)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::fixture::{Fixture, findings, planned};

    fn on<'a>(w: &'a mut Fixture, subnet: &str) -> &'a mut Fixture {
        w.set(subnet, "MapPublicIpOnLaunch", json!(true))
    }

    fn repairing(w: &mut Fixture) -> &mut Fixture {
        w.baseline("rules", json!({"public-ip-on-launch": {"mode": "repair"}}))
    }

    #[test]
    fn each_private_subnet_with_the_attribute_on_is_found() {
        let found = |subnet: &str| {
            format!(
                "public-ip-on-launch: private {subnet} gives instances launched in it a public IPv4 address \
                 (MapPublicIpOnLaunch is on)"
            )
        };
        assert_eq!(findings(|w| w), Vec::<String>::new());
        assert_eq!(findings(|w| on(w, "subnet-pria")), [found("subnet-pria")]);
        assert_eq!(
            findings(|w| on(on(w, "subnet-pria"), "subnet-prib")),
            [found("subnet-pria"), found("subnet-prib")]
        );
    }

    #[test]
    fn public_and_unclassified_subnets_may_have_it_on() {
        assert_eq!(findings(|w| on(w, "subnet-puba")), Vec::<String>::new());
        assert_eq!(
            findings(|w| on(w.set("subnet-puba", "Tags", json!([])), "subnet-puba")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_ipv6_address_on_creation_is_no_fault() {
        assert_eq!(
            findings(|w| w.set("subnet-pria", "AssignIpv6AddressOnCreation", json!(true))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn subnets_that_were_not_read_are_not_judged() {
        assert_eq!(findings(|w| on(w, "subnet-pria").without("Subnets")), Vec::<String>::new());
    }

    #[test]
    fn the_attribute_is_turned_off_only_where_the_rules_of_the_baseline_say_so() {
        let step = "1 turn MapPublicIpOnLaunch of subnet-pria off";
        assert_eq!(planned(|w| on(repairing(w), "subnet-pria")), [step]);
        assert_eq!(planned(|w| on(w, "subnet-pria")), [format!("{step} [notify]")]);
        let in_notify =
            planned(|w| on(repairing(w), "subnet-pria").baseline("mode", json!("notify")));
        assert_eq!(in_notify, [step]);
        let in_observe = planned(|w| on(w, "subnet-pria").baseline("mode", json!("observe")));
        assert_eq!(in_observe, [format!("{step} [notify]")]);
        let observe = json!({"public-ip-on-launch": {"mode": "observe"}});
        assert_eq!(
            planned(|w| on(w.baseline("rules", observe), "subnet-pria")),
            [format!("{step} [observe]")]
        );
    }

    #[test]
    fn it_is_turned_off_before_the_route_out_goes() {
        let steps =
            planned(|w| on(repairing(w), "subnet-pria").route("rtb-a", "0.0.0.0/0", "nat-1"));
        assert_eq!(
            steps,
            [
                "1 turn MapPublicIpOnLaunch of subnet-pria off",
                "2 delete the route 0.0.0.0/0 → nat-1 from rtb-a"
            ]
        );
    }

    #[test]
    fn nothing_is_changed_in_somebody_elses_vpc() {
        let steps = planned(|w| {
            on(repairing(w), "subnet-pria").set("vpc-1", "OwnerId", json!("444455556666"))
        });
        assert_eq!(
            steps,
            [
                "- private subnet-pria gives instances launched in it a public IPv4 address (MapPublicIpOnLaunch is on): \
              another account owns the VPC; run the guardrail there"
            ]
        );
    }
}
