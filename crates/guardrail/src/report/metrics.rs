//! CloudWatch metrics in the embedded metric format: one line of JSON on standard output, and no
//! call
//! (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use jiff::Timestamp;
use serde_json::{Value, json};

/// The namespace, which the template's alarm names too.
const NAMESPACE: &str = "VpcGuardrail";

/// The line that counts these, without dimensions.
pub fn line(now: Timestamp, counts: &[(&str, usize)]) -> String {
    let metrics: Vec<Value> =
        counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics });
    let mut line =
        json!({ "_aws": { "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] } });
    if let Some(fields) = line.as_object_mut() {
        fields.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_beside_what_describes_them() {
        let line =
            line(Timestamp::from_second(1).unwrap(), &[("Heartbeat", 1), ("DriftedVpcs", 0)]);
        let metric = |name: &str| json!({"Name": name, "Unit": "Count"});
        let directive = json!({
            "Namespace": "VpcGuardrail", "Dimensions": [[]], "Metrics": [metric("Heartbeat"), metric("DriftedVpcs")],
        });
        let expected = json!({
            "_aws": {"Timestamp": 1000, "CloudWatchMetrics": [directive]}, "Heartbeat": 1, "DriftedVpcs": 0,
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }
}
