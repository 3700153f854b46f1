//! What NAT gateways carried in the last hour, for the plans of an account that is reached.

use guardrail::report::Report;

use crate::arguments::PlaceArgs;

/// The reports, with what the NAT gateways carried whose routes their plans remove. Where nobody can be
/// asked, they say so, and nothing else of them changes.
#[cfg(feature = "live")]
pub(crate) fn asked(place: &PlaceArgs, reports: Vec<Report>) -> Vec<Report> {
    use guardrail::cloud::{CallError, ErrorClass};
    use guardrail::run::{asks_for_traffic, with_traffic, with_unreadable_traffic};

    use crate::live::session::Session;
    use crate::live::wait_for;

    // Nobody signs in for plans that take no route away.
    if !reports.iter().any(asks_for_traffic) {
        return reports;
    }
    let all = wait_for(async {
        let session = Session::open(place).await?;
        let aws = session.cloud()?;
        let mut all = Vec::new();
        for report in &reports {
            all.push(with_traffic(&aws, report.clone()).await);
        }
        Ok(all)
    });
    all.unwrap_or_else(|error| {
        let why = CallError {
            operation: "GetMetricData".into(),
            class: ErrorClass::Transient,
            code: None,
            message: error.to_string(),
        };
        reports.into_iter().map(|report| with_unreadable_traffic(report, &why)).collect()
    })
}

/// The reports as they are: a build without a way to AWS makes none of an account.
#[cfg(not(feature = "live"))]
pub(crate) fn asked(_: &PlaceArgs, reports: Vec<Report>) -> Vec<Report> {
    reports
}
