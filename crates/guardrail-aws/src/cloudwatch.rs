//! What NAT gateways carried, by CloudWatch.

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};
use guardrail::cloud::{CallError, Carried, NatTraffic};
use guardrail::ec2::id::NatGatewayId;
use jiff::{SignedDuration, Timestamp};

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap};

const OPERATION: &str = "GetMetricData";
const NAMESPACE: &str = "AWS/NATGateway";

/// Advice may not keep a repair waiting.
const PATIENCE: Duration = Duration::from_secs(3);

/// The metrics' points are of five minutes each, so that those of an hour are of no other.
const PERIOD: i32 = 300;

/// The metrics asked for, each with its statistic
/// (docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html).
const METRICS: [(&str, &str); 4] = [
    ("ActiveConnectionCount", "Maximum"),
    ("ConnectionEstablishedCount", "Sum"),
    ("BytesOutToDestination", "Sum"),
    ("PacketsOutToDestination", "Sum"),
];

/// CloudWatch as these clients reach it.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Client);

impl Metrics {
    pub(crate) fn new(clients: &Clients) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
        let config = aws_sdk_cloudwatch::config::Builder::from(clients.config())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        Self(Client::from_conf(config.build()))
    }

    /// What these NAT gateways carried in the hour before `now`.
    pub(crate) async fn carried(&self, nats: &[NatGatewayId], now: Timestamp) -> Vec<NatTraffic> {
        let mut all = Vec::new();
        for nat in nats {
            let carried = match self.ask(nat, now).await {
                Ok(results) => read(&results),
                Err(error) => Carried::Unreadable(error),
            };
            all.push(NatTraffic { nat: nat.clone(), carried });
        }
        all
    }

    async fn ask(
        &self,
        nat: &NatGatewayId,
        now: Timestamp,
    ) -> Result<Vec<MetricDataResult>, CallError> {
        let an_hour_ago = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(now);
        let request = self
            .0
            .get_metric_data()
            .start_time(DateTime::from_secs(an_hour_ago.as_second()))
            .end_time(DateTime::from_secs(now.as_second()))
            .set_metric_data_queries(Some(queries(nat)));
        let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
        Ok(answer.metric_data_results.unwrap_or_default())
    }
}

/// For each metric two questions, of which one has an answer: a zonal NAT gateway tells under its id
/// alone, a regional one under its id and each zone.
fn queries(nat: &NatGatewayId) -> Vec<MetricDataQuery> {
    let of_metric = |(number, (name, statistic)): (usize, &(&str, &str))| {
        let dimension = Dimension::builder().name("NatGatewayId").value(nat.as_str()).build();
        let metric =
            Metric::builder().namespace(NAMESPACE).metric_name(*name).dimensions(dimension).build();
        let zonal = MetricStat::builder().metric(metric).period(PERIOD).stat(*statistic).build();
        let search = format!(
            "SUM(SEARCH('{{{NAMESPACE},AvailabilityZone,NatGatewayId}} NatGatewayId=\"{nat}\" \
             MetricName=\"{name}\"', '{statistic}', {PERIOD}))"
        );
        [
            MetricDataQuery::builder().id(format!("zonal{number}")).metric_stat(zonal).build(),
            MetricDataQuery::builder().id(format!("regional{number}")).expression(search).build(),
        ]
    };
    METRICS.iter().enumerate().flat_map(of_metric).collect()
}

fn read(results: &[MetricDataResult]) -> Carried {
    let values = |number: usize| -> Vec<f64> {
        let of = |kind: &str| {
            let id = format!("{kind}{number}");
            let its = results.iter().filter(|result| result.id.as_deref() == Some(&id));
            its.flat_map(|result| result.values.iter().flatten().copied()).collect::<Vec<_>>()
        };
        let zonal = of("zonal");
        if zonal.is_empty() { of("regional") } else { zonal }
    };
    let all = [0, 1, 2, 3].map(values);
    if all.iter().all(Vec::is_empty) {
        return Carried::NoData;
    }
    let [connections, established, bytes, packets] = all;
    Carried::Data {
        active_connections: whole(connections.into_iter().fold(0.0, f64::max)),
        connections_established: whole(established.into_iter().sum()),
        bytes_out: whole(bytes.into_iter().sum()),
        packets_out: whole(packets.into_iter().sum()),
    }
}

/// A count as CloudWatch gives it; what is no count is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float beyond the bounds becomes the nearest bound, which is what is meant"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(id: &str, values: &[f64]) -> MetricDataResult {
        MetricDataResult::builder().id(id).set_values(Some(values.to_vec())).build()
    }

    fn data(active_connections: u64, bytes_out: u64, packets_out: u64) -> Carried {
        Carried::Data { active_connections, connections_established: 0, bytes_out, packets_out }
    }

    #[test]
    fn a_zonal_gateway_tells_under_its_id_alone_and_a_regional_one_by_zone() {
        let zonal = [
            result("zonal0", &[3.0, 34.0]),
            result("zonal2", &[1000.0, 500.0]),
            result("regional2", &[9.0]),
        ];
        assert_eq!(read(&zonal), data(34, 1500, 0));
        let regional =
            [result("zonal0", &[]), result("regional0", &[7.0]), result("regional3", &[5.0, 6.0])];
        assert_eq!(read(&regional), data(7, 0, 11));
    }

    #[test]
    fn no_point_is_no_data_and_zero_is_data() {
        assert_eq!(read(&[result("zonal0", &[])]), Carried::NoData);
        assert_eq!(read(&[result("zonal0", &[0.0])]), data(0, 0, 0));
    }

    #[test]
    fn each_metric_is_asked_for_in_both_ways() {
        let queries = queries(&"nat-1".parse().unwrap());
        let ids: Vec<&str> = queries.iter().filter_map(MetricDataQuery::id).collect();
        assert_eq!(
            ids,
            [
                "zonal0",
                "regional0",
                "zonal1",
                "regional1",
                "zonal2",
                "regional2",
                "zonal3",
                "regional3"
            ]
        );
        let search = "SUM(SEARCH('{AWS/NATGateway,AvailabilityZone,NatGatewayId} NatGatewayId=\"nat-1\" \
                      MetricName=\"BytesOutToDestination\"', 'Sum', 300))";
        assert_eq!(queries.iter().filter_map(MetricDataQuery::expression).nth(2), Some(search));
    }
}
