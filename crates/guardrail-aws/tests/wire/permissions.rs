//! The permissions are those of the calls that are really made.

use std::collections::BTreeSet;

use guardrail::cloud::Cloud;
use guardrail::ec2::change::{Call, DnsAttribute};
use guardrail::ec2::operation::Operation;
use guardrail::ec2::snapshot::Section;
use guardrail_aws::permissions;

use crate::apply;
use crate::listener::{Listener, scope};
use crate::observe::vpc;

fn actions(listener: &Listener) -> BTreeSet<String> {
    listener.actions().into_iter().map(|action| format!("ec2:{action}")).collect()
}

fn listed(actions: &[&str]) -> BTreeSet<String> {
    actions.iter().map(|action| (*action).to_owned()).collect()
}

fn every_call() -> Vec<Call> {
    let destination = guardrail::ec2::world::Destination::CidrBlock("0.0.0.0/0".into());
    vec![
        apply::dns(DnsAttribute::Support),
        apply::group(),
        apply::authorize(),
        apply::revoke(),
        apply::gateway(),
        apply::interface(),
        apply::modify(),
        apply::delete(destination),
        apply::public_ip(),
        apply::automatic_address(),
        apply::elastic_address(),
    ]
}

#[tokio::test]
async fn a_full_look_makes_every_call_that_observing_needs() {
    let listener = vpc().await;
    listener.aws().await.observe(&scope(), &Section::judged()).await;
    assert_eq!(actions(&listener), listed(permissions::OBSERVE));
    listener.aws().await.observe(&scope(), &Section::ALL).await;
    let all = [permissions::OBSERVE, permissions::TOLD_ONLY].concat();
    assert_eq!(actions(&listener), listed(&all));
}

#[tokio::test]
async fn resolving_one_of_each_makes_every_call_that_it_needs() {
    let listener = Listener::start().await;
    let ids = [
        "rtb-0",
        "rtbassoc-0",
        "subnet-0",
        "vpce-0",
        "nat-0",
        "sg-0",
        "eni-0",
        "i-0",
        "igw-0",
        "eigw-0",
        "pl-0",
        "acl-0",
    ];
    listener.aws().await.resolve(&ids.map(|id| id.parse().unwrap())).await.unwrap();
    assert_eq!(actions(&listener), listed(permissions::RESOLVE));
}

#[tokio::test]
async fn every_change_is_the_action_it_needs() {
    for call in every_call() {
        let listener = Listener::start().await;
        let _ = listener.aws().await.apply(&scope(), &call).await;
        let made = actions(&listener);
        assert_eq!(made.len(), 1, "{call:?}");
        assert!(made.is_subset(&listed(call.operation().permissions())), "{call:?}: {made:?}");
    }
}

#[test]
fn writing_is_what_all_changes_need_together() {
    let calls = every_call();
    let needed: BTreeSet<_> =
        calls.iter().flat_map(|call| listed(call.operation().permissions())).collect();
    assert_eq!(needed, permissions::write().into_iter().map(str::to_owned).collect());
    let operations: BTreeSet<_> = calls.iter().map(Call::operation).collect();
    assert_eq!(operations, Operation::ALL.iter().copied().collect(), "a call of each operation");
}
