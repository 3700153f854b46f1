//! Somebody who spoils a thing and puts it right, to and fro, and records of these calls that come
//! late, twice and out of order.

use std::time::Duration;

use guardrail::event::{Evidence, decode};
use guardrail_sim::Request;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scene::{Scene, base};
use crate::spec::MANAGED;
use crate::stage::Stage;
use crate::wrong::Wrong;

/// One call of the meddler's.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// How long after the one before (seconds).
    after: u64,
    /// Whether the guardrail looks at once. It does so because a record came, or by chance; a call that
    /// it neither sees the effect of nor hears of in time is beyond its promise.
    seen: bool,
    /// How much later each delivery of its record comes (seconds); none where it is lost.
    late: Vec<u64>,
}

/// Deeds by chance, in less time than things take to act.
pub(crate) fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let late = prop::collection::vec(prop_oneof![Just(0_u64), 1_u64..900, 900_u64..20_000], 0..4);
    let deed = (1_u64..290, any::<bool>(), late).prop_map(|(after, seen, late)| Deed {
        after,
        seen,
        late,
    });
    prop::collection::vec(deed, 1..9)
}

/// Scenes in which nothing else is to be done, so that the guardrail has no reason to write but the
/// route.
pub(crate) fn meddled() -> impl Strategy<Value = Scene> {
    let wrong = prop_oneof![
        Just(Wrong::OtherServers),
        Just(Wrong::InterfacePolicy),
        Just(Wrong::AclOwnOut),
        Just(Wrong::AclOfEndpoint)
    ];
    (base(), wrong).prop_map(|(base, wrong)| Scene::new(base.with_every_endpoint(), vec![wrong]))
}

/// The meddler's calls, while the guardrail has not written: what happens to one who relies on what it
/// did is the meddler's doing. All is right in the end.
pub(crate) fn meddle(scene: &Scene, stage: &Stage, deeds: &[Deed]) {
    let mut is_right = false;
    stage.look_once(0);
    for deed in deeds {
        stage.passes(Duration::from_secs(deed.after));
        if stage.has_written() {
            return assert!(is_right, "something was written while all was wrong: {scene:?}");
        }
        is_right = !is_right;
        make(scene, stage, is_right, deed);
    }
    if !is_right {
        make(scene, stage, true, &Deed { after: 0, seen: true, late: vec![700, 0, 0] });
    }
}

fn make(scene: &Scene, stage: &Stage, right: bool, deed: &Deed) {
    for call in scene.turn(right) {
        stage.somebody_calls(&call);
        let record = record(&call, stage.now_is());
        let in_time = (!deed.seen).then_some(0);
        for late in deed.late.iter().copied().chain(in_time) {
            stage.will_hear(Duration::from_secs(late), record.clone());
        }
    }
    if deed.seen {
        stage.look_once(0);
    }
}

/// The call as CloudTrail records it.
fn record(call: &Request, at: Timestamp) -> Evidence {
    let parameters = match call {
        Request::ModifyVpcEndpoint(change) => {
            json!({"ModifyVpcEndpointRequest": {"VpcEndpointId": change.vpc_endpoint_id}})
        }
        Request::AssociateDhcpOptions { dhcp_options_id, vpc_id } => {
            json!({"dhcpOptionsId": dhcp_options_id, "vpcId": vpc_id})
        }
        Request::CreateNetworkAclEntry { network_acl_id, .. }
        | Request::DeleteNetworkAclEntry { network_acl_id, .. } => {
            json!({"networkAclId": network_acl_id})
        }
        _ => json!({"vpcId": MANAGED}),
    };
    decode(&event(call.operation(), &at.to_string(), &parameters)).unwrap()
}

fn event(name: &str, at: &str, parameters: &Value) -> Value {
    json!({
        "eventVersion": "1.11", "eventTime": at, "eventSource": "ec2.amazonaws.com", "eventName": name,
        "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "eventID": format!("{name} {at}"),
        "userIdentity": {"type": "IAMUser", "userName": "karin.vogel"}, "requestParameters": parameters,
    })
}
