//! CloudWatch metrics in the embedded metric format: one line of JSON on standard output, and no
//! call
//! (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use jiff::Timestamp;
use serde_json::{Value, json};

/// The namespace, which the template's alarm names too.
const NAMESPACE: &str = "VpcGuardrail";

/// What tells one stack's metrics from another's, where two are in one account and Region.
const STACK: &str = "Stack";

/// The line that counts these for the stack of this name; without a dimension where it has none.
pub fn line(now: Timestamp, stack: &str, counts: &[(&str, usize)]) -> String {
    let metrics: Vec<Value> =
        counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    // CloudWatch refuses a dimension without a value.
    let dimensions: &[&str] = if stack.is_empty() { &[] } else { &[STACK] };
    let directive =
        json!({ "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics });
    let mut line =
        json!({ "_aws": { "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] } });
    if let Some(fields) = line.as_object_mut() {
        fields.extend(dimensions.iter().map(|name| ((*name).to_owned(), json!(stack))));
        fields.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_beside_what_describes_them() {
        let counts = [("Heartbeat", 1), ("DriftedVpcs", 0)];
        let line = |stack| line(Timestamp::from_second(1).unwrap(), stack, &counts);
        let metric = |name: &str| json!({"Name": name, "Unit": "Count"});
        let directive = json!({
            "Namespace": "VpcGuardrail", "Dimensions": [["Stack"]], "Metrics": [metric("Heartbeat"), metric("DriftedVpcs")],
        });
        let expected = json!({
            "_aws": {"Timestamp": 1000, "CloudWatchMetrics": [directive]}, "Stack": "prod", "Heartbeat": 1, "DriftedVpcs": 0,
        });
        assert_eq!(serde_json::from_str::<Value>(&line("prod")).unwrap(), expected);
        let without: Value = serde_json::from_str(&line("")).unwrap();
        assert_eq!(without["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(without["Stack"], Value::Null);
    }
}
