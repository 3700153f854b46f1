use serde_json::json;

use super::*;
use crate::cloud::Applied;
use crate::fixture::Fixture;
use crate::plan::StepId;
use crate::rules::repair::RouteRemoval;

fn scope() -> Scope {
    Scope {
        account: "111122223333".parse().unwrap(),
        region: "eu-central-1".parse().unwrap(),
        vpc: crate::fixture::vpc(),
    }
}

/// The commands of a plan's script after account and Region were asked for; `None` without a script.
fn commands(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Option<Vec<String>> {
    let fixture = Fixture::edited(edit);
    let (_, plan) = fixture.plan("test");
    let reliances = fixture.view(|view, _| Reliances::of(view, &plan));
    script(&plan, &reliances, &scope(), fixture.wanted().settling).map(|text| after_begin(&text))
}

fn after_begin(text: &str) -> Vec<String> {
    assert!(text.starts_with("( set -eu\n") && text.ends_with("\ngr_say 'done'\n)\n"), "{text}");
    let (_, body) = text.split_once("\ngr_begin 111122223333\n").unwrap();
    let body = body.strip_suffix("\ngr_say 'done'\n)\n").unwrap();
    body.replace(" \\\n ", "").lines().map(str::to_owned).collect()
}

const RELIED_ON: [&str; 15] = [
    "gr_relied_on() {",
    "  gr_attribute enableDnsSupport EnableDnsSupport True &&",
    "  gr_attribute enableDnsHostnames EnableDnsHostnames True &&",
    "  gr_works vpce-ssm com.amazonaws.eu-central-1.ssm by-name &&",
    "  gr_works vpce-ssmmessages com.amazonaws.eu-central-1.ssmmessages by-name &&",
    "  gr_works vpce-ec2messages com.amazonaws.eu-central-1.ec2messages by-name &&",
    "  case \"$1\" in",
    "    (rtb-a)",
    "      gr_works vpce-s3 com.amazonaws.eu-central-1.s3 by-route &&",
    "      gr_leads rtb-a vpce-s3 &&",
    "      gr_works vpce-dynamodb com.amazonaws.eu-central-1.dynamodb by-route &&",
    "      gr_leads rtb-a vpce-dynamodb &&",
    "      :;;",
    "    (*) return 1;;",
    "  esac",
];

const DELETION: [&str; 3] = [
    "}",
    "gr_say 'step N: delete the route 0.0.0.0/0 -> nat-1 from rtb-a'",
    "gr_delete v4 rtb-a 0.0.0.0/0 nat-1",
];

/// The end of a script that deletes the NAT route of `rtb-a` in this step.
fn deletion(step: u32) -> Vec<String> {
    let lines = RELIED_ON.iter().chain(&DELETION);
    lines.map(|line| line.replace("step N", &format!("step {step}"))).collect()
}

fn nat(w: &mut Fixture) -> &mut Fixture {
    w.route("rtb-a", "0.0.0.0/0", "nat-1")
}

#[test]
fn a_long_word_is_folded_and_read_whole() {
    let policy = r#"{"Statement":[{"Sid":"it's $HOME ! \`x\`","Effect":"Allow"}]}"#.repeat(400);
    for text in [policy.replace(['\'', '!'], ""), policy] {
        let word = super::folded(&quoted(&text));
        assert!(word.lines().all(|line| line.len() < 100), "{word}");
        let shell = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {word}")])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), text);
    }
}

#[test]
fn a_plan_without_steps_has_no_script() {
    assert_eq!(commands(|w| w), None);
}

#[test]
fn a_deletion_asks_first_for_the_endpoints_that_it_relies_on() {
    assert_eq!(commands(nat), Some(deletion(1)));
}

/// The script is for a person: modes and limits, which are for the guardrail, leave nothing out.
#[test]
fn modes_and_limits_leave_nothing_out() {
    assert_eq!(commands(|w| nat(w).baseline("mode", json!("notify"))), Some(deletion(1)));
    let two = |w: &mut Fixture| {
        nat(w).set("vpce-ssm", "PrivateDnsEnabled", json!(false));
    };
    let all = commands(|w| {
        two(w);
        w
    });
    let limited = commands(|w| {
        two(w);
        w.baseline("limits", json!({"changes": 1}))
    });
    assert_eq!(limited, all);
}

#[test]
fn a_name_that_is_switched_settles_before_a_deletion() {
    let lines = commands(|w| nat(w).set("vpce-ssm", "PrivateDnsEnabled", json!(false))).unwrap();
    let mut expected: Vec<String> = [
        "gr_say 'step 1: modify vpce-ssm: turn private DNS on'",
        "gr_change True modify-vpc-endpoint --vpc-endpoint-id vpce-ssm --private-dns-enabled --query Return",
        "gr_say 'step 2: wait until the endpoint for com.amazonaws.eu-central-1.ssm is available'",
        "gr_until gr_works vpce-ssm com.amazonaws.eu-central-1.ssm by-name",
        "gr_settle \"${GUARDRAIL_SETTLE_SECONDS:-300}\"",
    ]
    .map(str::to_owned)
    .to_vec();
    expected.extend(deletion(3));
    assert_eq!(lines, expected);
}

#[test]
fn what_a_step_makes_is_in_a_variable() {
    let lines =
        commands(|w| w.remove("vpce-ssm").set("vpc-1", "CidrBlock", json!("10.0.0.0/16"))).unwrap();
    let expected = [
        "gr_say 'step 1: create security group vpc-guardrail-endpoints in vpc-1'",
        "gr_make GROUP_1 sg- create-security-group --vpc-id vpc-1 --group-name vpc-guardrail-endpoints \
         --description 'HTTPS from the VPC to its interface endpoints' --tag-specifications \
         'ResourceType=security-group,Tags=[{Key=vpc-guardrail,Value=created},{Key=Name,Value=vpc-guardrail-endpoints}]' \
         --query GroupId",
        "gr_until gr_group \"$GROUP_1\"",
        "gr_say 'step 2: admit TCP 443 to the group made by step 1 from 10.0.0.0/16'",
        "gr_change True authorize-security-group-ingress --group-id \"$GROUP_1\" --ip-permissions \
         'IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=10.0.0.0/16}]' --query Return",
        "gr_say 'step 3: create an interface endpoint for com.amazonaws.eu-central-1.ssm in subnet-pria, subnet-prib \
         with the group made by step 1, with private DNS'",
        "gr_make ENDPOINT_3 vpce- create-vpc-endpoint --vpc-id vpc-1 --service-name com.amazonaws.eu-central-1.ssm \
         --vpc-endpoint-type Interface --subnet-ids subnet-pria subnet-prib --security-group-ids \"$GROUP_1\" \
         --private-dns-enabled --tag-specifications 'ResourceType=vpc-endpoint,Tags=[{Key=vpc-guardrail,Value=created},\
         {Key=Name,Value=com.amazonaws.eu-central-1.ssm}]' --query VpcEndpoint.VpcEndpointId",
        "gr_say 'step 4: wait until the endpoint for com.amazonaws.eu-central-1.ssm is available'",
        "gr_until gr_works \"$ENDPOINT_3\" com.amazonaws.eu-central-1.ssm by-name",
        "gr_until gr_in_subnets \"$ENDPOINT_3\" '[\"subnet-pria\",\"subnet-prib\"]' 2",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_is_removed_immediately_goes_where_the_plan_has_it() {
    let lines = commands(|w| {
        nat(w)
            .delete_gateway("vpce-s3")
            .baseline("internet_routes", json!({"remove": "immediately"}))
    });
    let lines = lines.unwrap();
    assert_eq!(
        lines.get(..4).unwrap(),
        [
            "gr_relied_on() { :; }",
            "gr_say 'the baseline says `immediately`: routes may go before endpoints come'",
            "gr_say 'step 1: delete the route 0.0.0.0/0 -> nat-1 from rtb-a'",
            "gr_delete v4 rtb-a 0.0.0.0/0 nat-1",
        ]
    );
    assert!(!lines.iter().any(|line| line.starts_with("gr_settle")), "{lines:?}");
}

#[test]
fn a_destination_that_no_query_can_name_stops_the_script() {
    let destination = Destination::CidrBlock("0.0.0.0/0`] | x".into());
    let table: RouteTableId = "rtb-a".parse().unwrap();
    assert_eq!(
        delete(&table, &destination, &"nat-1".to_owned().into()),
        "gr_stop 'no script can name 0.0.0.0/0`] | x of rtb-a'"
    );
}

#[test]
fn routes_are_put_back_before_what_was_made_is_taken_away() {
    let route = Action::DeleteRoute {
        table: "rtb-a".parse().unwrap(),
        destination: Destination::Ipv6CidrBlock("::/0".into()),
        target: "eigw-1".to_owned().into(),
    };
    let group = Action::CreateSecurityGroup {
        vpc: crate::fixture::vpc(),
        name: "ours".to_owned(),
        description: String::new(),
    };
    let endpoint = Action::CreateEndpoint {
        policy: None,
        vpc: crate::fixture::vpc(),
        service: "com.amazonaws.eu-central-1.s3".parse().unwrap(),
        kind: NewEndpoint::Gateway { route_tables: vec!["rtb-a".parse().unwrap()] },
        token: String::new(),
    };
    let (made_group, made_endpoint) = (
        Applied::CreatedGroup("sg-1".parse().unwrap()),
        Applied::CreatedEndpoint("vpce-1".parse().unwrap()),
    );
    let taken = [
        (StepId(1), &route, &Applied::Done),
        (StepId(2), &group, &made_group),
        (StepId(3), &endpoint, &made_endpoint),
        (StepId(4), &route, &Applied::Already),
    ];
    let at_stake =
        [("0.0.0.0/0", "nat-1"), ("1.0.0.0/8`", "nat-1")].map(|(to, target)| RouteRemoval {
            table: "rtb-b".parse().unwrap(),
            destination: Destination::CidrBlock(to.into()),
            target: target.to_owned().into(),
            subnets: Vec::new(),
        });
    let text = undo_script(&taken, &at_stake, &scope(), |_| None).unwrap();
    assert_eq!(
        after_begin(&text),
        [
            "gr_say 'undo step 1: delete the route ::/0 -> eigw-1 from rtb-a'",
            "gr_put_back v6 rtb-a ::/0 --egress-only-internet-gateway-id eigw-1",
            "gr_standing() {",
            "  gr_stands v4 rtb-b 0.0.0.0/0 nat-1 &&",
            "  gr_stop 'no script can name 1.0.0.0/8` of rtb-b' &&",
            "  :",
            "}",
            "gr_say 'undo step 3: create a gateway endpoint for com.amazonaws.eu-central-1.s3 on rtb-a'",
            "gr_take gr_change 0 delete-vpc-endpoints --vpc-endpoint-ids vpce-1 --query 'length(Unsuccessful || `[]`)'",
            "gr_until gr_gone vpce-1",
            "gr_say 'undo step 2: create security group ours in vpc-1'",
            "gr_until gr_unused sg-1",
            "gr_call delete-security-group --group-id sg-1",
        ]
    );
    assert_eq!(undo_script(&[], &[], &scope(), |_| None), None);
    assert_eq!(
        undo_script(&[(StepId(4), &route, &Applied::Already)], &[], &scope(), |_| None),
        None
    );
}

#[test]
fn what_nothing_counts_on_is_undone_without_a_look_at_routes() {
    let addresses = Action::DisablePublicIpOnLaunch { subnet: "subnet-a".parse().unwrap() };
    let taken = [(StepId(1), &addresses, &Applied::Done)];
    let at_stake = [RouteRemoval {
        table: "rtb-b".parse().unwrap(),
        destination: Destination::CidrBlock("0.0.0.0/0".into()),
        target: "nat-1".to_owned().into(),
        subnets: Vec::new(),
    }];
    assert_eq!(
        after_begin(&undo_script(&taken, &at_stake, &scope(), |_| None).unwrap()),
        [
            "gr_say 'undo step 1: turn MapPublicIpOnLaunch of subnet-a off'",
            "gr_change '' modify-subnet-attribute --subnet-id subnet-a --map-public-ip-on-launch",
        ]
    );
}

/// The seconds that the script waits before its deletion; `None` where it does not.
fn waits(held: Option<Hold>, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Option<String> {
    let mut fixture = Fixture::compliant();
    fixture.baseline("settling", json!({"minutes": 7, "dhcp_options_minutes": 60}));
    edit(nat(&mut fixture));
    let (_, mut plan) = fixture.plan("test");
    plan.steps.last_mut().unwrap().held = held;
    let reliances = fixture.view(|view, _| Reliances::of(view, &plan));
    let text = script(&plan, &reliances, &scope(), fixture.wanted().settling).unwrap();
    let wait = text.lines().find_map(|line| line.strip_prefix("gr_settle "))?;
    Some(wait.trim_matches(['"', '$', '{', '}']).rsplit_once('-').unwrap().1.to_owned())
}

#[test]
fn a_script_waits_as_long_as_the_baseline_says_where_the_deletion_rests_on_news() {
    let switched: fn(&mut Fixture) -> &mut Fixture =
        |w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false));
    assert_eq!(waits(None, |w| w), None);
    assert_eq!(waits(None, switched).as_deref(), Some("420"));
    let coming: fn(&mut Fixture) -> &mut Fixture = |w| w.set("vpce-ssm", "State", json!("pending"));
    assert_eq!(waits(None, coming).as_deref(), Some("420"));
    // A table that is associated leads there at once, and an interface in one more zone switches no
    // name.
    let gateway: fn(&mut Fixture) -> &mut Fixture = |w| w.delete_gateway("vpce-s3");
    assert_eq!(waits(None, gateway), None);
    let zone: fn(&mut Fixture) -> &mut Fixture =
        |w| w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]));
    assert_eq!(waits(None, zone), None);
    let held = |premise| Some(Hold::Settling { premise, until: jiff::Timestamp::UNIX_EPOCH });
    assert_eq!(waits(held(Premise::VpcDns), |w| w).as_deref(), Some("420"));
    assert_eq!(waits(held(Premise::DhcpOptions), |w| w).as_deref(), Some("3600"));
    let unknown = Some(Hold::NotRemembered { premise: Premise::DhcpOptions });
    assert_eq!(waits(unknown, switched).as_deref(), Some("3600"));
    assert_eq!(waits(Some(Hold::RunLimit), |w| w), None);
}
