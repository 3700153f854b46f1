//! The services of AWS's that endpoints can be made for, by their short names: what a baseline is
//! checked against where no world says what a Region offers.
//!
//! The list is for hints alone. What a Region offers is read from the Region, AWS adds services
//! every month, and no list of this kind decides what is served.

use crate::baseline::Service;

/// The services with gateway endpoints
/// (docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html; for directory buckets,
/// docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-networking.html).
const GATEWAY: &str = "dynamodb s3 s3express";

/// The services with interface endpoints, in the order of their names
/// (docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html, November
/// 2026).
const INTERFACE: &str = "\
    access-analyzer access-analyzer-fips account acm acm-fips acm-pca acm-pca-fips \
    agreement-marketplace airflow.api airflow.api-fips airflow.env airflow.env-fips airflow.ops \
    analytics-omics analytics-omics-fips apigateway app-integrations appconfig appconfig-fips \
    appconfigdata appconfigdata-fips application-autoscaling application-signals \
    applicationinsights appmesh appmesh-envoy-management apprunner apprunner.requests \
    appstream.api appstream.streaming appsync-api apptest aps aps-workspaces arsenal-discovery \
    athena auditmanager autoscaling autoscaling-fips autoscaling-plans awsconnector b2bi backup \
    backup-gateway batch bcm-data-exports bcm-pricing-calculator bedrock bedrock-agent \
    bedrock-agent-runtime bedrock-agentcore bedrock-agentcore-control bedrock-data-automation \
    bedrock-data-automation-fips bedrock-data-automation-runtime \
    bedrock-data-automation-runtime-fips bedrock-runtime billing billingconductor braket cases \
    cassandra cassandra-fips cassandra-streams ce chime-sdk-voice cleanrooms cleanrooms-fips \
    cleanrooms-ml cloudcontrolapi cloudcontrolapi-fips clouddirectory cloudformation \
    cloudformation-fips cloudfront cloudhsmv2 cloudtrail codeartifact.api \
    codeartifact.repositories codebuild codebuild-fips codecommit codecommit-fips \
    codeconnections.api codedeploy codedeploy-commands-secure codedeploy-fips codeguru-profiler \
    codeguru-reviewer codepipeline codestar-connections.api codewhisperer comprehend \
    comprehend-fips comprehendmedical compute-optimizer config config-fips connect \
    connect-campaigns connect-fips console control-storage-omics control-storage-omics-fips \
    controlcatalog controltower controltower-fips cost-optimization-hub data-servicediscovery \
    data-servicediscovery-fips databrew databrew-fips dataexchange datasync datazone \
    datazone-fips deadline.management deadline.scheduling detective detective-fips \
    deviceadvisor.iot devops-guru dicom-medical-imaging directconnect directconnect-fips \
    discovery discovery-marketplace dlm dlm-fips dms dms-fips drs ds ds-data ds-data-fips dsql \
    dynamodb dynamodb-fips dynamodb-streams ebs ebs-fips ec2 ec2-fips ec2messages ecr.api \
    ecr.dkr ecs ecs-agent ecs-telemetry eks eks-auth eks-fips eks-proxy elasticache \
    elasticache-fips elasticbeanstalk elasticbeanstalk-health elasticfilesystem \
    elasticfilesystem-fips elasticloadbalancing elasticmapreduce elasticmapreduce-fips \
    email-smtp emr-containers emr-dashboard emr-serverless emr-serverless-services.livy \
    emr-serverless.dashboard emrwal.prod entityresolution entityresolution-fips events \
    events-fips evs evs-fips execute-api experiments finspace finspace-api fis fis-fips fms \
    fms-fips forecast forecast-fips forecastquery forecastquery-fips frauddetector freetier fsx \
    fsx-fips gamelift gameliftstreams geo.geofencing geo.maps geo.metadata geo.places geo.routes \
    geo.tracking git-codecommit git-codecommit-fips glue glue.dashboard grafana \
    grafana-workspace greengrass groundstation groundstation-fips guardduty guardduty-data \
    guardduty-data-fips guardduty-fips healthlake highlander iam identitystore imagebuilder \
    inspector-scan inspector-scan-fips inspector2 inspector2-fips internetmonitor \
    internetmonitor-fips iot-fips.api iot-fips.tunneling.api iot-fips.tunneling.data iot.api \
    iot.credentials iot.data iot.tunneling.api iot.tunneling.data iotfleetwise \
    iotmanagedintegrations-fips.api iotmanagedintegrations.api iotroborunner iotsitewise.api \
    iotsitewise.data iottwinmaker.api iottwinmaker.data iotwireless.api ivs.contribute kafka \
    kafka-fips kendra kendra-ranking kinesis-firehose kinesis-streams kinesis-streams-fips \
    kinesisanalytics kinesisanalytics-fips kms kms-fips lakeformation lambda launchwizard \
    license-manager license-manager-fips license-manager-linux-subscriptions \
    license-manager-linux-subscriptions-fips license-manager-user-subscriptions \
    license-manager-user-subscriptions-fips lightsail logs lookoutequipment lookoutvision \
    lorawan.cups lorawan.lns m2 macie2 macie2-fips mail-manager mail-manager-fips \
    mail-manager-smtp.auth.fips mail-manager-smtp.open.fips managedblockchain-query \
    managedblockchain.bitcoin.mainnet managedblockchain.bitcoin.testnet mediaconnect \
    mediaconvert mediaconvert-fips medical-imaging memory-db memorydb-fips metering-marketplace \
    mgn migrationhub-orchestrator migrationhub-strategy models-v2-lex monitoring mq mq-fips \
    neptune-graph neptune-graph-data neptune-graph-fips network-firewall network-firewall-fips \
    networkflowmonitor networkflowmonitorreports networkmanager networkmonitor notebook \
    notifications notifications-contacts oam observabilityadmin organizations organizations-fips \
    osis outposts panorama partner-app payment-cryptography.controlplane \
    payment-cryptography.dataplane pca-connector-ad pca-connector-scep pcs pcs-fips personalize \
    personalize-events personalize-runtime pi pi-fips pinpoint pinpoint-sms-voice-v2 pipes \
    pipes-data pipes-fips polly polly-fips pricing.api pricingplanmanager profile proton q qapps \
    qbusiness quicksight-website ram ram-fips rbin rbin-fips rds rds-data rds-fips redshift \
    redshift-data redshift-data-fips redshift-fips redshift-serverless redshift-serverless-fips \
    refactor-spaces rekognition rekognition-fips repostspace resource-explorer-2 \
    resource-explorer-2-fips resource-groups resource-groups-fips rolesanywhere \
    rolesanywhere-fips route53 route53globalresolver route53globalresolver-fips route53profiles \
    rum rum-dataplane runtime-medical-imaging runtime-v2-lex s3 s3-global.accesspoint \
    s3-outposts s3files s3files-fips s3tables sagemaker-data-science-assistant sagemaker.api \
    sagemaker.api-fips sagemaker.featurestore-runtime sagemaker.featurestore-runtime-fips \
    sagemaker.metrics sagemaker.runtime sagemaker.runtime-fips savingsplans scheduler schemas \
    scn secretsmanager securityagent securityhub securityhub-fips securitylake securitylake-fips \
    serverlessrepo service.user-subscriptions servicecatalog servicecatalog-appregistry \
    servicediscovery servicediscovery-fips servicequotas signin snow-device-management sns \
    social-messaging social-messaging-fips sqs sqs-fips ssm ssm-contacts ssm-incidents \
    ssm-incidents-fips ssm-quicksetup ssm-sap ssm-sap-fips ssmmessages sso-oauth states \
    storage-omics storagegateway streaming-rekognition streaming-rekognition-fips sts sts-fips \
    studio swf swf-fips sync-states synthetics synthetics-fips tagging tags-omics \
    tags-omics-fips tax textract textract-fips thinclient.api timestream-influxdb \
    timestream-influxdb-fips tnb transcribe transcribe-fips transcribestreaming \
    transcribestreaming-fips transfer transfer.server transform transform-custom translate \
    trustedadvisor verifiedpermissions verifiedpermissions-fips voiceid vpc-lattice wafv2 \
    wafv2-fips wellarchitected wisdom workflows-omics workflows-omics-fips workmail \
    workmailmessageflow workspaces workspaces-web workspaces-web-fips xray";

/// How the names begin of services that have one for each of a number of cells
/// (the same page: `timestream.ingest-{cell}`).
const CELLS: [&str; 3] = ["emr-service-", "timestream.ingest-", "timestream.query-"];

/// The endpoints that a service is known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAs {
    /// Whether it has gateway endpoints.
    pub gateway: bool,
    /// Whether it has interface endpoints.
    pub interface: bool,
}

/// What is known of a service; `None` when this release does not know it. Of a service that is not
/// AWS's own nothing is known, and nothing is amiss.
pub fn known(service: &Service) -> Option<KnownAs> {
    let Some(short) = service.short_name() else {
        return Some(KnownAs { gateway: true, interface: true });
    };
    let is_in = |names: &str| names.split_whitespace().any(|name| name == short);
    let of_a_cell = CELLS.iter().any(|start| short.starts_with(start));
    let known = KnownAs { gateway: is_in(GATEWAY), interface: is_in(INTERFACE) || of_a_cell };
    (known.gateway || known.interface).then_some(known)
}

/// The known names that may be meant by an unknown one: those that it is a part of, else the one
/// that is spelt most like it.
pub fn similar(service: &Service) -> Vec<&'static str> {
    let Some(short) = service.short_name() else { return Vec::new() };
    let names = || GATEWAY.split_whitespace().chain(INTERFACE.split_whitespace());
    let rest = |name: &str| {
        let start = name.strip_prefix(short).map(|rest| rest.starts_with(['.', '-']));
        let end = name.strip_suffix(short).map(|rest| rest.ends_with(['.', '-']));
        start.or(end).unwrap_or(false)
    };
    let longer: Vec<_> =
        names().filter(|name| rest(name) && !name.ends_with("-fips")).take(3).collect();
    if !longer.is_empty() {
        return longer;
    }
    let near = names().map(|name| (edits(short, name), name));
    let near = near.filter(|(edits, _)| *edits <= (short.len() / 3).clamp(1, 3));
    near.min().into_iter().map(|(_, name)| name).collect()
}

/// How many letters must be put in, taken out or replaced to make one word of another.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut left = at + 1;
        let mut next = vec![left];
        for ((other, before), above) in to.bytes().zip(&row).zip(row.iter().skip(1)) {
            left = (left + 1).min(above + 1).min(before + usize::from(letter != other));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> Service {
        Service::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_lists_are_in_order_and_each_name_is_a_service() {
        for list in [GATEWAY, INTERFACE] {
            let names: Vec<&str> = list.split_whitespace().collect();
            assert!(names.is_sorted_by(|a, b| a < b), "{list}");
            names.into_iter().for_each(|name| drop(service(name)));
        }
    }

    #[test]
    fn what_the_default_baseline_lists_is_known() {
        let kinds = |text| known(&service(text)).map(|known| (known.gateway, known.interface));
        for (text, expected) in [
            ("s3", Some((true, true))),
            ("dynamodb", Some((true, true))),
            ("s3express", Some((true, false))),
            ("ssm", Some((false, true))),
            ("ssmmessages", Some((false, true))),
            ("ec2messages", Some((false, true))),
            ("com.amazonaws.iam", Some((false, true))),
            ("com.amazonaws.eu-central-1.kms-fips", Some((false, true))),
            ("timestream.ingest-cell2", Some((false, true))),
            ("com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0", Some((true, true))),
            ("com.amazonaws.eu-central-1.smm", None),
            ("smm", None),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_name_is_like_a_known_one() {
        for (text, expected) in [
            ("smm", vec!["ssm"]),
            ("ssmmesages", vec!["ssmmessages"]),
            ("ec2-messages", vec!["ec2messages"]),
            ("secretmanager", vec!["secretsmanager"]),
            ("ecr", vec!["ecr.api", "ecr.dkr"]),
            ("firehose", vec!["kinesis-firehose"]),
            ("com.amazonaws.eu-central-1.smm", vec!["ssm"]),
            ("nothing-of-the-kind", vec![]),
        ] {
            assert_eq!(similar(&service(text)), expected, "{text}");
        }
    }
}
