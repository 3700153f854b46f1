//! The functions of a script: what asks AWS, judges the answer and stops.
//!
//! They are written for a paste that may go wrong. POSIX words only, for dash and bash. No
//! exclamation mark, for which an interactive bash looks even in quotes; no tab, which completes; no
//! comment, which not every interactive shell knows; no `exit`, which would end the reader's own shell
//! if only a part of the text came over; no line that means something else when the one before it is
//! lost. A function that is told of an alias is called past it (`\printf`, `\command aws`). What fails
//! says so in `gr_ok`, so that nothing is changed after it even where `set -e` does not act.
//!
//! The AWS CLI runs a query on an object and prints text: words for strings, `True` and `False` for
//! booleans, which `to_string` makes `true` and `false`
//! (docs.aws.amazon.com/cli/latest/userguide/cli-usage-output-format.html).

/// A function, and the text that defines it.
type Helper = (&'static str, &'static str);

/// Every function, each after those it calls.
const HELPERS: [Helper; 21] = [
    ("gr_call", CALL),
    ("gr_make", MAKE),
    ("gr_change", CHANGE),
    ("gr_until", UNTIL),
    ("gr_attribute", ATTRIBUTE),
    ("gr_group", GROUP),
    ("gr_no_public_ip", NO_PUBLIC_IP),
    ("gr_works", WORKS),
    ("gr_in_subnets", IN_SUBNETS),
    ("gr_leads", LEADS),
    ("gr_gone", GONE),
    ("gr_unused", UNUSED),
    ("gr_settle", SETTLE),
    ("gr_family", FAMILY),
    ("gr_route", ROUTE),
    ("gr_no_route", NO_ROUTE),
    ("gr_delete", DELETE),
    ("gr_back", BACK),
    ("gr_put_back", PUT_BACK),
    ("gr_stands", STANDS),
    ("gr_take", TAKE),
];

/// The functions that a text calls, and those that these call.
pub(super) fn called_by(body: &str) -> String {
    let mut text = String::new();
    for (name, definition) in HELPERS.iter().rev() {
        let calls = |line: &str| line.split([' ', '(', ';']).any(|word| word == *name);
        if body.lines().chain(text.lines()).any(calls) {
            text.insert_str(0, definition);
        }
    }
    text
}

/// What every script begins with. `--cli-read-timeout` ends a call that gets no answer.
pub(super) const BASE: &str = r#"gr_ok=no
export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off
gr_say() { \printf '%s\n' "guardrail: $*" >&2; }
gr_stop() { gr_ok=no; gr_say "STOPPED, nothing more is changed: $*"; return 1; }
gr_aws() {
  \command aws "$@" --region "$gr_region" --output text \
    --cli-connect-timeout 10 --cli-read-timeout 20 </dev/null
}
gr_begin() {
  gr_seen=$(gr_aws sts get-caller-identity --query Account) || gr_seen=unknown
  [ "$gr_seen" = "$1" ] ||
    { gr_stop "the credentials are of account $gr_seen, not $1"; return 1; }
  gr_seen=$(gr_aws ec2 describe-vpcs --vpc-ids "$gr_vpc" \
    --query 'Vpcs[0].OwnerId') || gr_seen=unknown
  [ "$gr_seen" = "$1" ] ||
    { gr_stop "$gr_vpc of account $1 is not in $gr_region"; return 1; }
  gr_ok=yes
}
gr_going() { [ "${gr_ok-no}" = yes ] || gr_stop 'not begun, or a step failed'; }
"#;

const CALL: &str = r#"gr_call() {
  gr_going || return 1
  gr_seen=$(gr_aws ec2 "$@") || { gr_stop "aws ec2 $1 failed"; return 1; }
}
"#;

const MAKE: &str = r#"gr_make() {
  gr_name=$1 gr_prefix=$2
  shift 2
  gr_call "$@" || return 1
  case "$gr_seen" in
    ("$gr_prefix"*) eval "$gr_name=\$gr_seen"; gr_say "made $gr_seen";;
    (*) gr_stop "aws ec2 $1 gave no id: $gr_seen"; return 1;;
  esac
}
"#;

const CHANGE: &str = r#"gr_change() {
  gr_want=$1
  shift
  gr_call "$@" || return 1
  [ "$gr_seen" = "$gr_want" ] || { gr_stop "aws ec2 $1: $gr_seen"; return 1; }
}
"#;

const UNTIL: &str = r#"gr_until() {
  gr_left=${GUARDRAIL_POLLS:-180}
  until "$@"; do
    [ "${gr_ok-no}" = yes ] || { gr_stop "while waiting: $*"; return 1; }
    gr_left=$((gr_left - 1))
    [ "$gr_left" -gt 0 ] || { gr_stop "waited in vain: $*"; return 1; }
    \sleep "${GUARDRAIL_POLL_SECONDS:-5}"
  done
}
"#;

const ATTRIBUTE: &str = r#"gr_attribute() {
  gr_seen=$(gr_aws ec2 describe-vpc-attribute --vpc-id "$gr_vpc" \
    --attribute "$1" --query "$2.Value") || return 1
  [ "$gr_seen" = "$3" ]
}
"#;

const GROUP: &str = r#"gr_group() {
  gr_seen=$(gr_aws ec2 describe-security-groups --group-ids "$1" \
    --query 'SecurityGroups[0].GroupId') || return 1
  [ "$gr_seen" = "$1" ]
}
"#;

const NO_PUBLIC_IP: &str = r#"gr_no_public_ip() {
  gr_seen=$(gr_aws ec2 describe-subnets --subnet-ids "$1" \
    --query 'Subnets[0].MapPublicIpOnLaunch') || return 1
  [ "$gr_seen" = False ]
}
"#;

/// The third argument is `by-name` where private DNS has to be on, and not for inbound Resolver
/// endpoints only; `by-route` where it does not matter.
const WORKS: &str = r#"gr_works() {
  gr_query='VpcEndpoints[0].join(`" "`,[VpcId,ServiceName,State,'
  gr_query=$gr_query'to_string(PrivateDnsEnabled),to_string(DnsOptions.'
  gr_query=$gr_query'PrivateDnsOnlyForInboundResolverEndpoint==`true`)])'
  gr_seen=$(gr_aws ec2 describe-vpc-endpoints --vpc-endpoint-ids "$1" \
    --query "$gr_query") || return 1
  case "$3 $gr_seen" in
    ("by-name $gr_vpc $2 "[aA]'vailable true false') return 0;;
    ("by-route $gr_vpc $2 "[aA]'vailable '*) return 0;;
    (*' deleting '*|*' deleted '*|*' rejected '*|*' failed '*|*' expired '*)
      gr_stop "$1 will not serve: $gr_seen";;
    (*' pendingAcceptance '*)
      gr_stop "$1 waits for the owner of the service to accept it";;
  esac
  return 1
}
"#;

const IN_SUBNETS: &str = r#"gr_in_subnets() {
  gr_query='VpcEndpoints[0].SubnetIds[?contains(`'$2'`,@)] | length(@)'
  gr_seen=$(gr_aws ec2 describe-vpc-endpoints --vpc-endpoint-ids "$1" \
    --query "$gr_query") || return 1
  [ "$gr_seen" = "$3" ]
}
"#;

const LEADS: &str = r#"gr_leads() {
  gr_query='RouteTables[0].Routes[?GatewayId==`"'$2'"`'
  gr_query=$gr_query' && State==`"active"`] | length(@)'
  gr_seen=$(gr_aws ec2 describe-route-tables --route-table-ids "$1" \
    --query "$gr_query") || return 1
  case "$gr_seen" in ([1-9]*) return 0;; esac
  return 1
}
"#;

const GONE: &str = r#"gr_gone() {
  gr_seen=$(gr_aws ec2 describe-vpc-endpoints \
    --filters "Name=vpc-endpoint-id,Values=$1" \
    --query 'to_string(VpcEndpoints[].State)') || return 1
  case "$gr_seen" in ('[]'|'["deleted"]') return 0;; esac
  return 1
}
"#;

const UNUSED: &str = r#"gr_unused() {
  gr_seen=$(gr_aws ec2 describe-network-interfaces \
    --filters "Name=group-id,Values=$1" \
    --query 'length(NetworkInterfaces)') || return 1
  [ "$gr_seen" = 0 ]
}
"#;

const SETTLE: &str = r#"gr_settle() {
  gr_going || return 1
  gr_say "waiting $1 seconds: names take time to act, and clients keep old ones"
  \sleep "$1" || { gr_stop 'the wait was cut short'; return 1; }
}
"#;

const FAMILY: &str = r#"gr_family() {
  case "$1" in
    (v4) gr_field=DestinationCidrBlock gr_option=--destination-cidr-block;;
    (v6) gr_field=DestinationIpv6CidrBlock
      gr_option=--destination-ipv6-cidr-block;;
    (pl) gr_field=DestinationPrefixListId
      gr_option=--destination-prefix-list-id;;
    (*) gr_stop "not a kind of destination: $1"; return 1;;
  esac
}
"#;

/// The fields of a target, in the order in which the guardrail reads them.
const ROUTE: &str = r#"gr_route() {
  gr_query='RouteTables[0].Routes[?'$gr_field'==`"'$gr_to'"`'$1'].not_null('
  gr_query=$gr_query'NatGatewayId,NetworkInterfaceId,InstanceId,GatewayId,'
  gr_query=$gr_query'EgressOnlyInternetGatewayId,TransitGatewayId,'
  gr_query=$gr_query'VpcPeeringConnectionId,LocalGatewayId,CarrierGatewayId,'
  gr_query=$gr_query'CoreNetworkArn,OdbNetworkArn,IpAddress)'
  gr_aws ec2 describe-route-tables --route-table-ids "$gr_table" \
    --query "$gr_query"
}
"#;

/// The answer names the table, so that an empty one is none.
const NO_ROUTE: &str = r#"gr_no_route() {
  gr_query='RouteTables[0].join(`" "`,[RouteTableId,to_string(length('
  gr_query=$gr_query'Routes[?'$gr_field'==`"'$gr_to'"`]))])'
  gr_seen=$(gr_aws ec2 describe-route-tables --route-table-ids "$gr_table" \
    --query "$gr_query") || return 1
  [ "$gr_seen" = "$gr_table 0" ]
}
"#;

const DELETE: &str = r#"gr_delete() {
  [ "$#" = 4 ] || { gr_stop 'a deletion came over in part'; return 1; }
  gr_going || return 1
  gr_family "$1" || return 1
  gr_table=$2 gr_to=$3
  gr_relied_on "$2" ||
    { gr_stop "not every endpoint that $2 relies on serves it"; return 1; }
  gr_seen=$(gr_route '') || gr_seen=unknown
  [ "$gr_seen" = "$4" ] ||
    { gr_stop "$3 of $2 leads to [$gr_seen], not to $4"; return 1; }
  gr_call delete-route --route-table-id "$2" "$gr_option" "$3" || return 1
  gr_until gr_no_route
}
"#;

const BACK: &str = r#"gr_back() {
  gr_seen=$(gr_route ' && State==`"active"`') || return 1
  [ "$gr_seen" = "$1" ]
}
"#;

/// A route that somebody has put back already is as good as one that is put back now.
const PUT_BACK: &str = r#"gr_put_back() {
  [ "$#" = 5 ] || { gr_stop 'a route came over in part'; return 1; }
  gr_going || return 1
  gr_family "$1" || return 1
  gr_table=$2 gr_to=$3
  gr_aws ec2 create-route --route-table-id "$2" "$gr_option" "$3" "$4" "$5" \
    >/dev/null || gr_back "$5" ||
    { gr_stop "$3 of $2 could not be put back"; return 1; }
  gr_until gr_back "$5"
}
"#;

const STANDS: &str = r#"gr_stands() {
  [ "$#" = 4 ] || { gr_stop 'a check came over in part'; return 1; }
  gr_family "$1" || return 1
  gr_table=$2 gr_to=$3
  gr_back "$4" && return 0
  gr_stop "$3 of $2 leads to [$gr_seen], not to $4." \
    'If a later run removed it, undo that one first, else put it back.'
  return 1
}
"#;

/// `gr_standing` is each script's own: it lists the routes.
const TAKE: &str = r#"gr_take() {
  gr_going || return 1
  gr_standing ||
    { gr_stop 'a route is not there, and what is undone serves in its place'
      return 1; }
  "$@"
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_the_functions_that_it_calls_and_no_others() {
        let names = |body: &str| -> Vec<String> {
            let text = called_by(body);
            let starts = text.lines().filter_map(|line| line.strip_suffix("() {"));
            starts.map(str::to_owned).collect()
        };
        assert_eq!(names(""), Vec::<String>::new());
        assert_eq!(names("gr_change '' x"), ["gr_call", "gr_change"]);
        assert_eq!(
            names("gr_delete v4 a b c"),
            ["gr_call", "gr_until", "gr_family", "gr_route", "gr_no_route", "gr_delete"]
        );
        let all: Vec<&str> = HELPERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names(&all.join("\n")), all);
    }

    #[test]
    fn no_helper_holds_what_a_pasted_line_may_not() {
        for (name, text) in [("base", BASE)].into_iter().chain(HELPERS) {
            for line in text.lines() {
                assert!(!line.contains(['!', '\t', '#']) || line.contains("$#"), "{name}: {line}");
                assert!(line.is_ascii() && line.len() <= 80, "{name}: {line}");
                assert!(!line.contains("exit") && !line.contains("<<"), "{name}: {line}");
            }
        }
    }
}
