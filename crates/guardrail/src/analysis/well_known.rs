//! The services that workloads often use without anybody's having promised them an endpoint.

use crate::analysis::View;
use crate::baseline::Service;
use crate::ec2::id::ServiceName;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{EndpointType, VpcEndpoint};

/// The services by their short names, each with what stops where it is not reached. It is a choice of
/// ours, after the lists of what private clusters, tasks, agents and functions need
/// (docs.aws.amazon.com/eks/latest/userguide/private-clusters.html,
/// docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html,
/// docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html,
/// docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html).
pub const WELL_KNOWN: [(&str, &str); 23] = [
    ("s3", "objects, package repositories and the layers of container images"),
    ("dynamodb", "tables, and the locks of many tools"),
    ("ssm", "Systems Manager: the agent, parameters, patches"),
    ("ssmmessages", "Session Manager's shells, and ECS Exec"),
    ("ecr.api", "the sign-in before a container image is pulled"),
    ("ecr.dkr", "container images: none can be pulled"),
    ("sts", "the roles of pods (IRSA) and of every other caller that assumes one"),
    ("logs", "CloudWatch Logs: containers with the awslogs driver do not start"),
    ("monitoring", "CloudWatch metrics and alarms"),
    ("events", "EventBridge: events that applications put"),
    ("kms", "keys: what is encrypted cannot be read"),
    ("secretsmanager", "secrets, as of tasks that start with one"),
    ("ec2", "calls to EC2: the network plugin and the storage driver of EKS nodes"),
    ("autoscaling", "groups of instances: lifecycle hooks, the cluster autoscaler"),
    ("elasticloadbalancing", "load balancers: controllers and registration of targets"),
    ("eks", "the cluster's description, with which nodes join it"),
    ("eks-auth", "EKS Pod Identity: pods get no credentials"),
    ("ecs", "the ECS agent of instances: no task starts"),
    ("ecs-agent", "the ECS agent of instances: no task starts"),
    ("lambda", "functions that are called from here"),
    ("sqs", "queues"),
    ("sns", "topics"),
    ("cloudformation", "signals of instances that a stack waits for"),
];

/// A well-known service that has no endpoint in a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// The service's short name: `ecr.api`.
    pub service: &'static str,
    /// What stops where the service is not reached.
    pub matters_for: &'static str,
    /// The full names that it may have in the VPC's Region.
    names: Vec<ServiceName>,
}

impl Uncovered {
    /// Whether the service has this full name.
    pub fn is(&self, name: &ServiceName) -> bool {
        self.names.contains(name)
    }
}

/// The well-known services that clients in this VPC reach through no endpoint, as far as the Region
/// offers them; nothing where the endpoints were not read.
///
/// An interface endpoint without the service's private name is no endpoint of it for clients that
/// know nothing of it. Where it was not read what the Region offers, all of them count as offered.
pub fn without_endpoint(view: &View<'_>) -> Vec<Uncovered> {
    let snapshot = view.snapshot;
    if snapshot.missing.contains(&Section::VpcEndpoints) {
        return Vec::new();
    }
    let names = |short: &str| -> Vec<ServiceName> {
        let service = Service::try_from(short.to_owned());
        service.map_or_else(|_| Vec::new(), |service| service.names(&snapshot.scope.region))
    };
    let is_offered = |names: &[ServiceName]| {
        !offer_was_read_whole(view)
            || snapshot.shared.services.iter().any(|offer| names.contains(&offer.service_name))
    };
    let is_covered = |names: &[ServiceName]| {
        let mut endpoints = snapshot.endpoints.iter().filter(|endpoint| leads_clients(endpoint));
        endpoints.any(|e| e.service_name.as_ref().is_some_and(|name| names.contains(name)))
    };
    let all = WELL_KNOWN.iter().filter_map(|(service, matters_for)| {
        let names = names(service);
        let is_missing = is_offered(&names) && !is_covered(&names);
        is_missing.then_some(Uncovered { service, matters_for, names })
    });
    all.collect()
}

/// Whether it was read what the Region offers. A list that names nothing but what the baseline asks
/// for was asked for these services only, and says nothing of others.
fn offer_was_read_whole(view: &View<'_>) -> bool {
    let is_asked_for =
        |name: &ServiceName| view.required_services.iter().any(|required| required.name == *name);
    view.snapshot.shared.services.iter().any(|offer| !is_asked_for(&offer.service_name))
}

/// Whether clients that know nothing of the endpoint come to it.
fn leads_clients(endpoint: &VpcEndpoint) -> bool {
    endpoint.exists() && (endpoint.kind() == EndpointType::Gateway || endpoint.holds_name_in_vpc())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, interface_endpoint};

    fn uncovered(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<&'static str> {
        let found = Fixture::edited(edit).view(|view, _| without_endpoint(view));
        found.into_iter().map(|it| it.service).collect()
    }

    /// The Region offers these too.
    fn offering<'w>(w: &'w mut Fixture, names: &[&str]) -> &'w mut Fixture {
        for name in names {
            let offer = json!({"ServiceName": name, "ServiceType": [{"ServiceType": "Interface"}]});
            w.add("VpcEndpointServices", offer);
        }
        w
    }

    const MORE: [&str; 3] = [
        "com.amazonaws.eu-central-1.sts",
        "aws.api.eu-central-1.kms",
        "com.amazonaws.eu-central-1.appmesh",
    ];

    #[test]
    fn what_the_region_offers_and_has_no_endpoint_here_is_uncovered() {
        assert_eq!(uncovered(|w| offering(w, &MORE)), ["sts", "kms"]);
        assert_eq!(
            uncovered(|w| offering(w, &MORE).delete_gateway("vpce-s3")),
            ["s3", "sts", "kms"]
        );
        let sts = || interface_endpoint("vpce-sts", "sts");
        assert_eq!(uncovered(|w| offering(w, &MORE).add("VpcEndpoints", sts())), ["kms"]);
    }

    #[test]
    fn an_endpoint_that_leaves_the_name_public_covers_nothing() {
        let off = |w: &mut Fixture, key, value| {
            offering(w, &["com.amazonaws.eu-central-1.appmesh"]).set("vpce-ssm", key, value);
        };
        let uncovered = |key, value| {
            uncovered(|w| {
                off(w, key, value);
                w
            })
        };
        assert_eq!(uncovered("PrivateDnsEnabled", json!(false)), ["ssm"]);
        assert_eq!(uncovered("State", json!("deleting")), ["ssm"]);
        assert_eq!(uncovered("State", json!("available")), Vec::<&str>::new());
    }

    #[test]
    fn what_was_not_read_is_not_guessed() {
        assert_eq!(uncovered(|w| w.without("VpcEndpoints")), Vec::<&str>::new());
        let all = WELL_KNOWN.len() - ["s3", "dynamodb", "ssm", "ssmmessages"].len();
        assert_eq!(uncovered(|w| w.without("VpcEndpointServices")).len(), all);
        // Only what the baseline asks for was read.
        assert_eq!(uncovered(|w| w).len(), all);
    }

    #[test]
    fn each_service_is_listed_once_under_a_name_that_a_baseline_takes() {
        for (at, (service, matters_for)) in WELL_KNOWN.iter().enumerate() {
            assert!(Service::try_from((*service).to_owned()).is_ok(), "{service}");
            assert!(!WELL_KNOWN.iter().take(at).any(|(other, _)| other == service), "{service}");
            assert!(matters_for.len() <= 72, "{service}: {matters_for}");
        }
    }
}
