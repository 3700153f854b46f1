//! Services that belong together, under one word.

use serde::{Deserialize, Serialize};

use super::{GatewayEndpoints, InterfaceEndpoints, ListedService, Required};

/// A word for the services that one use of private subnets needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Instances that are managed through Systems Manager and its Session Manager.
    SessionManager,
    /// Container images from ECR, and their logs in CloudWatch Logs.
    Containers,
    /// Instances that run tasks of ECS.
    Ecs,
    /// Nodes of a private EKS cluster.
    Eks,
    /// Secrets, and the keys that they are encrypted with.
    Secrets,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] =
        [Self::SessionManager, Self::Containers, Self::Ecs, Self::Eks, Self::Secrets];

    /// The services that are reached through gateway endpoints.
    pub fn gateway(self) -> &'static [&'static str] {
        match self {
            Self::SessionManager | Self::Containers | Self::Ecs | Self::Eks => &["s3"],
            Self::Secrets => &[],
        }
    }

    /// The services that are reached through interface endpoints; one with `?` is required only where
    /// the Region offers it.
    pub fn interface(self) -> &'static [&'static str] {
        match self {
            // docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
            Self::SessionManager => &["ssm", "ssmmessages", "ec2messages?"],
            // docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
            Self::Containers => &["ecr.api", "ecr.dkr", "logs"],
            // docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html
            Self::Ecs => &["ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs"],
            // docs.aws.amazon.com/eks/latest/userguide/private-clusters.html
            Self::Eks => &[
                "eks",
                "eks-auth?",
                "ec2",
                "ecr.api",
                "ecr.dkr",
                "elasticloadbalancing",
                "logs",
                "sts",
            ],
            Self::Secrets => &["secretsmanager", "kms"],
        }
    }
}

/// Adds what the presets name and the lists do not have: a service that is listed keeps its own words.
pub(super) fn add(
    presets: &[Preset],
    gateway: &mut GatewayEndpoints,
    interface: &mut InterfaceEndpoints,
) {
    for preset in presets {
        add_missing(preset.gateway(), &mut gateway.services);
        add_missing(preset.interface(), &mut interface.services);
    }
}

fn add_missing(names: &[&str], to: &mut Vec<ListedService>) {
    for name in names {
        let (short, required) = match name.strip_suffix('?') {
            Some(short) => (short, Required::IfOffered),
            None => (*name, Required::Always),
        };
        if to.iter().all(|listed| listed.service.short_name() != Some(short)) {
            to.push(ListedService::named(short, required));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::baseline::{Baseline, Preset};

    fn services(fields: &str) -> (String, String) {
        let baseline = Baseline::parse(&format!(r#"{{"version": 1, {fields}}}"#)).unwrap();
        let names = |services: &[crate::baseline::ListedService]| {
            services.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        (names(&baseline.gateway_endpoints.services), names(&baseline.interface_endpoints.services))
    }

    #[test]
    fn presets_add_to_the_lists_what_is_not_in_them() {
        assert_eq!(
            services(r#""presets": ["session-manager", "containers"]"#),
            (
                "s3 dynamodb".to_owned(),
                "ssm ssmmessages ec2messages? ecr.api ecr.dkr logs".to_owned()
            )
        );
        let none =
            r#""gateway_endpoints": {"services": []}, "interface_endpoints": {"services": []}"#;
        assert_eq!(
            services(&format!(r#"{none}, "presets": ["secrets", "session-manager"]"#)),
            ("s3".to_owned(), "secretsmanager kms ssm ssmmessages ec2messages?".to_owned())
        );
    }

    #[test]
    fn a_listed_service_keeps_its_own_words() {
        let listed = r#""interface_endpoints": {"services": ["logs?", "com.amazonaws.eu-central-1.ecr.api"]}"#;
        assert_eq!(
            services(&format!(r#"{listed}, "presets": ["containers"]"#)).1,
            "logs? com.amazonaws.eu-central-1.ecr.api ecr.dkr"
        );
    }

    #[test]
    fn every_service_of_a_preset_is_one_that_this_release_knows() {
        for preset in Preset::ALL {
            let json = serde_json::json!({"version": 1, "presets": [preset]});
            let baseline = Baseline::parse(&json.to_string()).unwrap();
            let warnings = crate::report::baseline_check::warnings(&baseline);
            assert_eq!(warnings, [""; 0], "{preset:?}");
        }
    }

    #[test]
    fn a_baseline_that_is_written_and_read_again_is_the_same() {
        let json = r#"{"version": 1, "presets": ["eks"]}"#;
        let baseline = Baseline::parse(json).unwrap();
        let again = serde_json::to_string(&baseline).unwrap();
        assert_eq!(Baseline::parse(&again).unwrap(), baseline);
    }
}
