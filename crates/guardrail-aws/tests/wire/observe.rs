//! Reads: complete, or known not to be.

use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::{CallError, Cloud, ErrorClass, Observation, Unread};
use guardrail::ec2::id::{Place, Scope, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::World;
use guardrail_aws::{Allowance, Clouds};
use serde_json::{Value, json};

use crate::listener::{Answer, Listener, clients, fault, fields, ok, page, scope};

macro_rules! vpc {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("vpc/", $name, ".xml")))),*] };
}

/// A listener that knows one VPC, with something of everything.
pub(crate) async fn vpc() -> Listener {
    teach(Listener::start().await)
}

fn teach(listener: Listener) -> Listener {
    listener
        .on(
            "Action=DescribeNetworkInterfaces Filter.1.Name=attachment.instance-id",
            [answer("DescribeNetworkInterfaces", "")],
        )
        .on(
            "Action=DescribeSecurityGroups Filter.1.Name=group-id",
            [ok(include_str!("vpc/DescribeSecurityGroups-shared.xml"))],
        )
        .on(
            "Action=DescribeVpcAttribute Attribute=enableDnsSupport",
            [attribute("enableDnsSupport", true)],
        )
        .on(
            "Action=DescribeVpcAttribute Attribute=enableDnsHostnames",
            [attribute("enableDnsHostnames", false)],
        );
    let answers = vpc![
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeRouteTables",
        "DescribeVpcEndpoints",
        "DescribeNatGateways",
        "DescribeSecurityGroups",
        "DescribeNetworkInterfaces",
        "DescribeNetworkAcls",
        "DescribeDhcpOptions",
        "DescribeInternetGateways",
        "DescribeEgressOnlyInternetGateways",
        "DescribePrefixLists",
        "DescribeManagedPrefixLists",
        "GetManagedPrefixListEntries",
        "DescribeVpcEndpointServices"
    ];
    for (action, body) in answers {
        listener.on(&format!("Action={action}"), [ok(body)]);
    }
    listener
}

fn answer(action: &str, content: &str) -> Answer {
    ok(format!("<{action}Response>{content}</{action}Response>"))
}

fn attribute(name: &str, value: bool) -> Answer {
    let attribute = format!("<vpcId>vpc-0a1</vpcId><{name}><value>{value}</value></{name}>");
    answer("DescribeVpcAttribute", &attribute)
}

fn table(id: &str, token: &str) -> Answer {
    let item = format!("<item><routeTableId>{id}</routeTableId><vpcId>vpc-0a1</vpcId></item>");
    answer("DescribeRouteTables", &format!("<routeTableSet>{item}</routeTableSet>{token}"))
}

fn table_ids(world: &World) -> Option<Vec<&str>> {
    Some(world.route_tables.as_ref()?.iter().map(|table| table.route_table_id.as_str()).collect())
}

fn expected() -> Value {
    serde_json::from_str(include_str!("vpc.json")).unwrap()
}

/// The sections that are missing, with the class and the text of why.
fn missing(observation: &Observation) -> Vec<(Section, ErrorClass, String)> {
    observation.unread.iter().map(|u| (u.section, u.error.class, u.error.to_string())).collect()
}

#[tokio::test]
async fn a_vpc_is_read_whole() {
    let listener = vpc().await;
    let seen = listener.aws().await.observe(&scope(), &Section::ALL).await;
    assert_eq!(seen.unread, []);
    assert_eq!(serde_json::to_value(&seen.world).unwrap(), expected());
}

#[tokio::test]
async fn a_whole_vpc_takes_these_calls() {
    let listener = vpc().await;
    listener.aws().await.observe(&scope(), &Section::judged()).await;
    let requests: Vec<_> =
        listener.requests().iter().map(|request| fields(request).join(" ")).collect();
    let of_vpc = "Filter.1.Name=vpc-id Filter.1.Value.1=vpc-0a1";
    let interfaces = "Action=DescribeNetworkInterfaces MaxResults=1000";
    assert_eq!(
        requests,
        [
            "Action=DescribeDhcpOptions MaxResults=1000".to_owned(),
            "Action=DescribeManagedPrefixLists MaxResults=100".to_owned(),
            format!("Action=DescribeNatGateways {of_vpc} MaxResults=1000"),
            format!("Action=DescribeNetworkAcls MaxResults=1000 {of_vpc}"),
            format!("{interfaces} Filter.1.Name=attachment.instance-id Filter.1.Value.1=i-0f2"),
            format!("{interfaces} Filter.1.Name=network-interface-id Filter.1.Value.1=eni-0d2"),
            format!(
                "{interfaces} {of_vpc} Filter.2.Name=interface-type Filter.2.Value.1=vpc_endpoint \
                 Filter.2.Value.2=lambda Filter.2.Value.3=nat_gateway"
            ),
            "Action=DescribePrefixLists MaxResults=1000".to_owned(),
            format!("Action=DescribeRouteTables MaxResults=100 {of_vpc}"),
            "Action=DescribeSecurityGroups MaxResults=1000 Filter.1.Name=group-id Filter.1.Value.1=sg-0b9".to_owned(),
            format!("Action=DescribeSecurityGroups MaxResults=1000 {of_vpc}"),
            format!("Action=DescribeSubnets {of_vpc} MaxResults=1000"),
            "Action=DescribeVpcAttribute Attribute=enableDnsHostnames VpcId=vpc-0a1".to_owned(),
            "Action=DescribeVpcAttribute Attribute=enableDnsSupport VpcId=vpc-0a1".to_owned(),
            "Action=DescribeVpcEndpointServices MaxResults=1000".to_owned(),
            format!("Action=DescribeVpcEndpoints {of_vpc} MaxResults=1000"),
            format!("Action=DescribeVpcs {of_vpc} MaxResults=1000"),
            "Action=GetManagedPrefixListEntries PrefixListId=pl-0ccc MaxResults=100".to_owned(),
            "Action=GetManagedPrefixListEntries PrefixListId=pl-0ddd MaxResults=100".to_owned(),
        ]
    );
}

#[tokio::test]
async fn the_first_wave_is_asked_all_at_once() {
    let listener = teach(Listener::holding(13).await);
    let seen = listener.aws().await.observe(&scope(), &Section::judged()).await;
    assert_eq!((seen.unread, listener.requests().len()), (vec![], 19));
}

#[tokio::test]
async fn calls_say_that_they_are_the_guardrails() {
    let listener = Listener::start().await;
    listener.aws().await.observe(&scope(), &[Section::Vpcs]).await;
    let agents = listener.agents();
    assert!(matches!(&agents[..], [agent] if agent.ends_with(" app/vpc-guardrail")), "{agents:?}");
}

#[tokio::test]
async fn what_was_prepared_is_not_read_again() {
    let listener = vpc().await;
    let clouds = listener.clouds().await;
    clouds.prepare().await;
    assert_eq!(listener.actions(), ["DescribePrefixLists", "DescribeVpcEndpointServices"]);
    let seen = clouds
        .at(&scope().place())
        .unwrap()
        .observe(&scope(), &[Section::VpcEndpointServices])
        .await;
    assert_eq!((seen.unread, listener.requests().len()), (vec![], 2));
}

#[tokio::test]
async fn what_is_not_named_is_not_read() {
    let listener = Listener::start().await;
    let sections = [Section::RouteTables, Section::NetworkInterfaces, Section::SecurityGroups];
    let seen = listener.aws().await.observe(&scope(), &sections).await;
    assert_eq!(
        listener.actions(),
        [
            "DescribeNetworkInterfaces",
            "DescribeRouteTables",
            "DescribeSecurityGroups",
            "DescribeVpcEndpoints"
        ],
        "interfaces whose clients use more ports are asked for by their kind"
    );
    let world = json!({
        "Region": "eu-central-1", "AccountId": "111122223333",
        "RouteTables": [], "SecurityGroups": [], "NetworkInterfaces": [],
    });
    assert_eq!((serde_json::to_value(&seen.world).unwrap(), seen.unread), (world, vec![]));
}

#[tokio::test]
async fn what_a_region_has_in_common_is_read_once() {
    let listener = vpc().await;
    let aws = listener.aws().await;
    let sections = [Section::PrefixLists, Section::VpcEndpointServices];
    let first = aws.observe(&scope(), &sections).await;
    let second = aws.observe(&scope(), &sections).await;
    assert_eq!(first.world, second.world);
    let calls =
        ["DescribePrefixLists", "DescribeVpcEndpointServices", "DescribeManagedPrefixLists"];
    assert_eq!(calls.map(|action| listener.of(action).len()), [1, 1, 2]);
}

#[tokio::test]
async fn a_failed_read_of_what_is_in_common_is_not_kept() {
    let listener = Listener::start().await;
    let services = include_str!("vpc/DescribeVpcEndpointServices.xml");
    listener.on(
        "Action=DescribeVpcEndpointServices",
        [fault(403, "UnauthorizedOperation", "no"), ok(services)],
    );
    let aws = listener.aws().await;
    let first = aws.observe(&scope(), &[Section::VpcEndpointServices]).await;
    let second = aws.observe(&scope(), &[Section::VpcEndpointServices]).await;
    assert_eq!((first.unread.len(), second.unread.len()), (1, 0));
}

#[tokio::test]
async fn every_page_is_read_until_the_token_is_empty() {
    let listener = Listener::start().await;
    listener
        .on(
            "Action=DescribeRouteTables NextToken=one",
            [table("rtb-0c2", "<nextToken>two</nextToken>")],
        )
        .on(
            "Action=DescribeRouteTables NextToken=two",
            [table("rtb-0c3", "<nextToken></nextToken>")],
        )
        .on("Action=DescribeRouteTables", [table("rtb-0c1", "<nextToken>one</nextToken>")]);
    let seen = listener.aws().await.observe(&scope(), &[Section::RouteTables]).await;
    assert_eq!(table_ids(&seen.world), Some(vec!["rtb-0c1", "rtb-0c2", "rtb-0c3"]));
    assert_eq!(listener.of("DescribeRouteTables").len(), 3);
}

#[tokio::test]
async fn a_token_that_comes_twice_leaves_the_list_incomplete() {
    let listener = Listener::start().await;
    listener.on("Action=DescribeRouteTables", [table("rtb-0c1", "<nextToken>same</nextToken>")]);
    let seen = listener.aws().await.observe(&scope(), &[Section::RouteTables]).await;
    assert_eq!(table_ids(&seen.world), None);
    let why =
        "DescribeRouteTables: the same page was offered twice; the list cannot be read in full";
    assert_eq!(missing(&seen), [(Section::RouteTables, ErrorClass::Invalid, why.to_owned())]);
}

#[tokio::test]
async fn a_page_that_fails_leaves_the_section_unread() {
    let listener = Listener::start().await;
    listener
        .on("Action=DescribeRouteTables NextToken=one", [fault(400, "InvalidNextToken", "expired")])
        .on("Action=DescribeRouteTables", [table("rtb-0c1", "<nextToken>one</nextToken>")]);
    let seen = listener.aws().await.observe(&scope(), &[Section::RouteTables]).await;
    assert_eq!((table_ids(&seen.world), seen.unread.len()), (None, 1));
}

#[tokio::test]
async fn what_may_not_be_read_is_missing_with_all_that_depends_on_it() {
    let listener = Listener::start().await;
    listener.on(
        "Action=DescribeRouteTables",
        [fault(403, "UnauthorizedOperation", "You are not authorized.")],
    );
    listener.on("Action=DescribePrefixLists", [ok(include_str!("vpc/DescribePrefixLists.xml"))]);
    let seen = listener.aws().await.observe(&scope(), &Section::ALL[..8]).await;
    let error = CallError {
        operation: "DescribeRouteTables".to_owned(),
        class: ErrorClass::Denied,
        code: Some("UnauthorizedOperation".to_owned()),
        message: "You are not authorized.".to_owned(),
    };
    let sections = [Section::RouteTables, Section::NetworkInterfaces, Section::PrefixLists];
    assert_eq!(seen.unread, sections.map(|section| Unread { section, error: error.clone() }));
    let read =
        Section::ALL.into_iter().filter(|section| seen.world.has(*section)).collect::<Vec<_>>();
    let others = [
        Section::Vpcs,
        Section::Subnets,
        Section::VpcEndpoints,
        Section::NatGateways,
        Section::SecurityGroups,
    ];
    assert_eq!(read, others);
}

#[tokio::test]
async fn a_throttled_read_is_tried_again() {
    let listener = Listener::start().await;
    let throttled = fault(503, "RequestLimitExceeded", "Request limit exceeded.");
    listener.on("Action=DescribeRouteTables", [throttled.clone(), throttled, table("rtb-0c1", "")]);
    let seen = listener.aws().await.observe(&scope(), &[Section::RouteTables]).await;
    assert_eq!((table_ids(&seen.world), seen.unread), (Some(vec!["rtb-0c1"]), vec![]));
}

#[tokio::test]
async fn a_read_that_stays_throttled_is_missing() {
    let listener = Listener::start().await;
    listener.on(
        "Action=DescribeRouteTables",
        [fault(503, "RequestLimitExceeded", "Request limit exceeded.")],
    );
    let seen = listener.aws().await.observe(&scope(), &[Section::RouteTables]).await;
    let why = "DescribeRouteTables: RequestLimitExceeded: Request limit exceeded.";
    assert_eq!(missing(&seen), [(Section::RouteTables, ErrorClass::Throttled, why.to_owned())]);
    assert_eq!(listener.of("DescribeRouteTables").len(), 3);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_named_and_not_dropped() {
    let fault_of = async |section: Section, action: &str, items: &str| {
        let listener = Listener::start().await;
        listener.on(&format!("Action={action}"), [answer(action, items)]);
        let seen = listener.aws().await.observe(&scope(), &[section]).await;
        assert!(!seen.world.has(section));
        missing(&seen).pop().map(|(_, class, why)| (class, why))
    };
    let bad_route = "<routeTableSet><item><routeTableId>rtb-0c1</routeTableId><vpcId>vpc-0a1</vpcId><routeSet>\
                     <item><natGatewayId>NAT 7</natGatewayId></item></routeSet></item></routeTableSet>";
    assert_eq!(
        fault_of(Section::RouteTables, "DescribeRouteTables", bad_route).await,
        Some((
            ErrorClass::Invalid,
            "DescribeRouteTables: rtb-0c1 NatGatewayId: `NAT 7` is not the id of a NAT gateway; it should look like \
             `nat-0123456789abcdef0`"
                .to_owned()
        ))
    );
    let nameless = "<subnetSet><item><vpcId>vpc-0a1</vpcId></item></subnetSet>";
    assert_eq!(
        fault_of(Section::Subnets, "DescribeSubnets", nameless).await,
        Some((ErrorClass::Invalid, "DescribeSubnets: an item SubnetId: it is missing".to_owned()))
    );
    assert_eq!(
        fault_of(Section::VpcAttributes, "DescribeVpcAttribute", "<vpcId>vpc-0a1</vpcId>").await,
        Some((
            ErrorClass::Invalid,
            "DescribeVpcAttribute: vpc-0a1 enableDnsSupport: it is missing".to_owned()
        ))
    );
}

#[tokio::test]
async fn a_proxys_page_is_not_an_answer() {
    let listener = Listener::start().await;
    listener.on("Action=DescribeVpcs", [page(502, "<html>Bad Gateway</html>")]);
    listener.on("Action=DescribeSubnets", [page(403, "go away")]);
    let seen = listener.aws().await.observe(&scope(), &[Section::Vpcs, Section::Subnets]).await;
    let classes: Vec<_> =
        missing(&seen).into_iter().map(|(section, class, _)| (section, class)).collect();
    assert_eq!(
        classes,
        [(Section::Vpcs, ErrorClass::Transient), (Section::Subnets, ErrorClass::Denied)]
    );
}

#[tokio::test]
async fn nobody_there_is_a_fault_that_passes() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let clouds = Clouds::new(&clients(&format!("http://{closed}")).await, Allowance::unlimited());
    let aws = clouds.at(&scope().place()).unwrap();
    let seen = aws.observe(&scope(), &[Section::Vpcs]).await;
    let [(section, class, why)] = &missing(&seen)[..] else { panic!("{seen:?}") };
    assert_eq!((*section, *class), (Section::Vpcs, ErrorClass::Transient));
    assert!(why.starts_with("DescribeVpcs: no readable answer: "), "{why}");
    assert!(why.to_lowercase().contains("connection refused"), "{why}");
}

#[tokio::test]
async fn another_regions_vpc_is_not_looked_for_here() {
    let listener = Listener::start().await;
    let elsewhere = Scope { region: "us-east-1".parse().unwrap(), ..scope() };
    let seen = listener.aws().await.observe(&elsewhere, &[Section::Vpcs]).await;
    let why = "Observe: `vpc-0a1` is in `111122223333/us-east-1` and these clients are used for \
               `111122223333/eu-central-1`; use clients of `111122223333/us-east-1`";
    assert_eq!(missing(&seen), [(Section::Vpcs, ErrorClass::Invalid, why.to_owned())]);
    assert_eq!(listener.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn another_accounts_vpc_is_not_looked_for_here() {
    let listener = Listener::start().await;
    let elsewhere = Scope { account: "444455556666".parse().unwrap(), ..scope() };
    let seen = listener.aws().await.observe(&elsewhere, &[Section::Vpcs]).await;
    let why = "Observe: `vpc-0a1` is in `444455556666/eu-central-1` and these clients are used for \
               `111122223333/eu-central-1`; use clients of `444455556666/eu-central-1`";
    assert_eq!(missing(&seen), [(Section::Vpcs, ErrorClass::Invalid, why.to_owned())]);
    assert_eq!(listener.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn clients_have_no_cloud_of_another_region() {
    let listener = Listener::start().await;
    let elsewhere = Place { region: "us-east-1".parse().unwrap(), ..scope().place() };
    let refused = listener.clouds().await.at(&elsewhere).unwrap_err();
    let why = "`111122223333/us-east-1` is not in `eu-central-1`, where these clients are; use clients of its Region";
    assert_eq!(refused.to_string(), why);
    assert_eq!(listener.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn the_managed_vpcs_are_read_with_as_many_calls_as_one() {
    let listener = vpc().await;
    let seen = listener.aws().await.observe_managed(&ManagedVpcs::default(), &Section::ALL).await;
    assert_eq!((serde_json::to_value(&seen.world).unwrap(), seen.unread), (expected(), vec![]));
    assert_eq!(
        fields(&listener.of("DescribeVpcs")[0]),
        [
            "Action=DescribeVpcs",
            "Filter.1.Name=tag:vpc-guardrail",
            "Filter.1.Value.1=managed",
            "MaxResults=1000"
        ]
    );
    assert_eq!(
        fields(&listener.of("DescribeSubnets")[0]),
        ["Action=DescribeSubnets", "MaxResults=1000"]
    );
    assert_eq!(listener.requests().len(), 21);
}

#[tokio::test]
async fn of_a_region_only_managed_vpcs_are_kept() {
    let listener = Listener::start().await;
    let vpc = |id: &str, owner: &str, tag: &str| {
        let tags = format!("<tagSet><item><key>k</key><value>{tag}</value></item></tagSet>");
        format!("<item><vpcId>{id}</vpcId><ownerId>{owner}</ownerId>{tags}</item>")
    };
    let vpcs = [
        vpc("vpc-0a2", "111122223333", "a*b"),
        vpc("vpc-0a1", "111122223333", "a*b"),
        vpc("vpc-0a3", "111122223333", "axb"),
        vpc("vpc-0a4", "444455556666", "a*b"),
    ];
    let tables = ["1", "2", "3", "4"].map(|n| {
        format!("<item><routeTableId>rtb-0c{n}</routeTableId><vpcId>vpc-0a{n}</vpcId></item>")
    });
    let tables = format!("<routeTableSet>{}</routeTableSet>", tables.concat());
    listener
        .on(
            "Action=DescribeVpcs",
            [answer("DescribeVpcs", &format!("<vpcSet>{}</vpcSet>", vpcs.concat()))],
        )
        .on("Action=DescribeRouteTables", [answer("DescribeRouteTables", &tables)]);
    let managed = ManagedVpcs::Tag { key: "k".to_owned(), value: "a*b".to_owned() };
    let aws = listener.aws().await;
    let seen = aws.observe_managed(&managed, &Section::judged()).await;
    assert_eq!(table_ids(&seen.world), Some(vec!["rtb-0c1", "rtb-0c2"]));
    let ids = aws.managed_vpcs(&managed).await.unwrap();
    assert_eq!(ids.iter().map(VpcId::as_str).collect::<Vec<_>>(), ["vpc-0a1", "vpc-0a2"]);
    let filter =
        ["Action=DescribeVpcs", "Filter.1.Name=tag:k", r"Filter.1.Value.1=a\*b", "MaxResults=1000"];
    assert_eq!(
        listener.of("DescribeVpcs").iter().map(|request| fields(request)).collect::<Vec<_>>(),
        [filter, filter]
    );
}

#[tokio::test]
async fn attributes_of_a_vpc_that_is_gone_do_not_hide_the_others() {
    let gone = fault(400, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0a2' does not exist");
    let vpcs =
        ["vpc-0a1", "vpc-0a2"].map(|id| format!("<item><vpcId>{id}</vpcId></item>")).concat();
    let listener = Listener::start().await;
    listener
        .on("Action=DescribeVpcs", [answer("DescribeVpcs", &format!("<vpcSet>{vpcs}</vpcSet>"))])
        .on("Action=DescribeVpcAttribute VpcId=vpc-0a2", [gone])
        .on(
            "Action=DescribeVpcAttribute Attribute=enableDnsSupport",
            [attribute("enableDnsSupport", true)],
        )
        .on(
            "Action=DescribeVpcAttribute Attribute=enableDnsHostnames",
            [attribute("enableDnsHostnames", false)],
        );
    let seen = listener.aws().await.observe_managed(&ManagedVpcs::All, &Section::judged()).await;
    assert_eq!(
        serde_json::to_value(&seen.world.vpc_attributes).unwrap(),
        json!({"vpc-0a1": {"EnableDnsSupport": true, "EnableDnsHostnames": false}})
    );
    let why = "DescribeVpcAttribute: InvalidVpcID.NotFound: The vpc ID 'vpc-0a2' does not exist";
    assert_eq!(missing(&seen), [(Section::VpcAttributes, ErrorClass::NotFound, why.to_owned())]);
}

#[tokio::test]
async fn every_page_waits_for_its_place_in_the_allowance() {
    let listener = Listener::start().await;
    let page = |token: &str| {
        let next = format!("<nextToken>{token}</nextToken>");
        ok(format!("<DescribeVpcsResponse><vpcSet/>{next}</DescribeVpcsResponse>"))
    };
    let last = ok("<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>");
    let pages = [page("1"), page("2"), page("3"), page("4"), page("5"), last];
    listener.on("Action=DescribeVpcs", pages);
    let clouds = Clouds::new(&listener.clients().await, Allowance::detect());
    let aws = clouds.at(&scope().place()).unwrap();
    let began = std::time::Instant::now();
    aws.managed_vpcs(&guardrail::baseline::ManagedVpcs::All).await.unwrap();
    let lasted = began.elapsed().as_secs_f64();
    assert_eq!(listener.of("DescribeVpcs").len(), 6);
    assert!(
        (0.9..5.0).contains(&lasted),
        "five calls at once and one in the next second: {lasted}"
    );
}
