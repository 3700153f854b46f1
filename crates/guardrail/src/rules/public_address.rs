//! No interface in a private subnet has a public IPv4 address. While no route of its subnet leads to an
//! internet gateway the address carries nothing, and one `CreateRoute` makes it live
//! (docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html).
//!
//! There are three kinds. AWS assigns one on launch, and nobody gets it back once it is released. An
//! Elastic IP address stays the account's: it is taken from the interface and can be put back. And
//! there are services' own interfaces (NAT gateways, load balancers), which only the service changes.
//! After an Elastic IP address is taken from an instance, AWS assigns it another; so it is kept from
//! that first.

use super::Rule;
use crate::analysis::View;
use crate::analysis::route::{InternetExit, RouteClass, classify};
use crate::analysis::topology::SubnetUse;
use crate::baseline::{RuleId, RuleSwitch};
use crate::ec2::change::Call;
use crate::ec2::operation::Operation;
use crate::ec2::snapshot::Section;
use crate::ec2::world::{AddressAssociation, NetworkInterface, Route, RouteTable};
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::Repair;
use crate::shown::word;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PublicAddress,
    finds: "an interface in a private subnet has a public IPv4 address: one that AWS assigned, an Elastic one, or one of a \
            service's own interface",
    repairs: "takes Elastic ones from the interface; with `irreversible` releases those that AWS assigned, which nobody gets \
              back; never touches a service's interface, nor an address that an internet gateway may serve",
    needs: &[
        Section::Vpcs,
        Section::Subnets,
        Section::RouteTables,
        Section::NatGateways,
        Section::NetworkInterfaces,
        Section::PrefixLists,
    ],
    operations: &[Operation::ModifyNetworkInterfaceAttribute, Operation::DisassociateAddress],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    // A subnet that an internet gateway serves and that has such addresses is built public, and no
    // rule changes anything of it.
    view.topology.private().flat_map(|placed| of_subnet(view, placed)).collect()
}

fn of_subnet(view: &View<'_>, placed: &SubnetUse<'_>) -> Vec<Finding> {
    let subnet = &placed.subnet.subnet_id;
    let inside =
        view.snapshot.interfaces.iter().filter(|eni| eni.subnet_id.as_ref() == Some(subnet));
    inside.filter_map(|interface| of_interface(view, placed, interface)).collect()
}

fn of_interface(
    view: &View<'_>,
    placed: &SubnetUse<'_>,
    interface: &NetworkInterface,
) -> Option<Finding> {
    let addresses: Vec<Address> = interface
        .public_addresses()
        .into_iter()
        .map(|(private, it)| Address::of(view, interface, private, it))
        .collect();
    if addresses.is_empty() {
        return None;
    }
    let mut finding = Finding::new(
        RuleId::PublicAddress,
        Drift::PublicAddress {
            subnet: placed.subnet.subnet_id.clone(),
            interface: interface.network_interface_id.clone(),
            addresses: addresses.iter().map(Address::words).collect(),
        },
        Repair::None,
    );
    let used = may_be_used(view, placed);
    let (mut calls, mut keeps_automatic) = (Vec::new(), false);
    for address in &addresses {
        match address.call(view, interface, used.as_ref()) {
            Ok(call) => calls.push(call),
            Err(reason) => {
                keeps_automatic |= matches!(address, Address::Automatic(_));
                let whose = &interface.network_interface_id;
                finding = finding.leaving(format!("{} of {whose}", address.words()), reason);
            }
        }
    }
    let is_stopped = calls.iter().any(|call| matches!(call, Call::StopAutomaticAddress { .. }));
    if !calls.is_empty() && !is_stopped && !keeps_automatic && gets_another(interface) {
        let interface = interface.network_interface_id.clone();
        calls.insert(0, Call::StopAutomaticAddress { interface, address: None });
    }
    // What AWS assigned goes first, which keeps it from assigning another.
    calls.sort_by_key(|call| !matches!(call, Call::StopAutomaticAddress { .. }));
    if !calls.is_empty() {
        finding.repair = Repair::Calls(calls);
    }
    Some(finding)
}

/// Whether AWS assigns an instance another address by this interface: it does so by its first one only.
fn gets_another(interface: &NetworkInterface) -> bool {
    let attachment = interface.attachment.as_ref();
    attachment.is_some_and(|it| {
        it.instance_id.is_some() && it.device_index.is_none_or(|index| index == 0)
    })
}

/// One public address, by whose it is.
enum Address<'w> {
    /// AWS assigned it.
    Automatic(&'w str),
    /// It is an Elastic one of this account.
    Elastic { address: &'w str, private: Option<&'w str>, by: &'w AddressAssociation },
    /// Its interface is a service's own.
    OfAService(&'w str),
    /// It is of no known kind.
    Unknown(&'w str),
}

impl<'w> Address<'w> {
    fn of(
        view: &View<'_>,
        interface: &'w NetworkInterface,
        private: Option<&'w str>,
        by: &'w AddressAssociation,
    ) -> Self {
        /// The interfaces that people make, by their `InterfaceType`; all others are made by services.
        const PEOPLES: [&str; 4] = ["interface", "efa", "efa-only", "trunk"];
        let address = by.public_ip.as_deref().unwrap_or_default();
        let kind = interface.interface_type.as_deref();
        if interface.requester_managed || kind.is_some_and(|kind| !PEOPLES.contains(&kind)) {
            return Self::OfAService(address);
        }
        let account = view.snapshot.scope.account.as_str();
        match (by.ip_owner_id.as_deref(), &by.association_id, &by.allocation_id) {
            (Some("amazon"), None, None) => Self::Automatic(address),
            (Some(owner), Some(_), Some(_)) if owner == account => {
                Self::Elastic { address, private, by }
            }
            (Some(owner), _, _) if owner != account && owner.starts_with("amazon-") => {
                Self::OfAService(address)
            }
            (_, _, _) => Self::Unknown(address),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Automatic(address) => format!("the automatic public address {}", word(address)),
            Self::Elastic { address, .. } => format!("the Elastic IP address {}", word(address)),
            Self::OfAService(address) => format!("a service's public address {}", word(address)),
            Self::Unknown(address) => format!("the public address {}", word(address)),
        }
    }

    /// The call that takes it away; or why it stays.
    fn call(
        &self,
        view: &View<'_>,
        interface: &NetworkInterface,
        used: Option<&String>,
    ) -> Result<Call, LeftAloneReason> {
        let (id, interface) = (RuleId::PublicAddress, interface.network_interface_id.clone());
        let switch = RuleSwitch::Irreversible;
        match (self, used) {
            (Self::OfAService(_), _) => Err(LeftAloneReason::OfAService),
            (Self::Unknown(_), _) => Err(LeftAloneReason::Unknown),
            (_, Some(by)) => Err(LeftAloneReason::MayBeInUse { by: by.clone() }),
            (Self::Automatic(_), None) if !view.baseline.allows(id, switch) => {
                Err(LeftAloneReason::NotSwitchedOn { switch })
            }
            (Self::Automatic(address), None) => {
                let address = Some((*address).to_owned());
                Ok(Call::StopAutomaticAddress { interface, address })
            }
            (Self::Elastic { address, private, by }, None) => {
                let association = by.association_id.clone().unwrap_or_default().try_into();
                let allocation = by.allocation_id.clone().unwrap_or_default().try_into();
                let (Ok(association), Ok(allocation)) = (association, allocation) else {
                    return Err(LeftAloneReason::Unknown);
                };
                let private = private.map(str::to_owned);
                let address = (*address).to_owned();
                Ok(Call::DisassociateAddress {
                    interface,
                    association,
                    allocation,
                    address,
                    private,
                })
            }
        }
    }
}

/// A route by which traffic of public addresses in the subnet may come to an internet gateway, or its
/// answers; `None` proves that nothing uses them. An internet gateway sends what comes in straight to
/// the interface, or past an appliance, and the answer goes by the subnet's own table. NAT gateways
/// answer by their own address only.
fn may_be_used(view: &View<'_>, placed: &SubnetUse<'_>) -> Option<String> {
    if placed.table.is_none() {
        return Some("a route table that nobody can tell".to_owned());
    }
    let routes = placed.tables().flat_map(|table| table.routes.iter().map(move |it| (table, it)));
    let mut suspects = routes.filter(|(table, route)| may_serve(view, table, route));
    suspects.next().map(|(table, route)| {
        let to = route.destination().map_or_else(|| "?".to_owned(), |it| it.to_string());
        let target = route.target().map_or_else(|| "?".to_owned(), |it| it.to_string());
        format!("{} → {} of {}", word(&to), word(&target), table.route_table_id)
    })
}

fn may_serve(view: &View<'_>, table: &RouteTable, route: &Route) -> bool {
    match classify(route, table, view.snapshot, &view.topology) {
        RouteClass::Local | RouteClass::Endpoint(_) | RouteClass::Inside(_) => false,
        RouteClass::Internet(exit) => match exit {
            InternetExit::NatGateway(_)
            | InternetExit::RegionalNatGateway(_)
            | InternetExit::GoneNatGateway(_)
            | InternetExit::EgressOnlyInternetGateway(_) => false,
            InternetExit::InternetGateway(_)
            | InternetExit::CarrierGateway(_)
            | InternetExit::NatInstance(..)
            | InternetExit::Detour(_) => true,
        },
        RouteClass::MayLeadOut(_) | RouteClass::Unknown(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::fixture::{Fixture, findings, planned};

    fn automatic() -> Value {
        json!({"IpOwnerId": "amazon", "PublicIp": "198.51.100.7", "PublicDnsName": "ec2.example"})
    }

    fn elastic(address: &str, n: u32) -> Value {
        json!({"IpOwnerId": "111122223333", "PublicIp": address,
            "AllocationId": format!("eipalloc-{n}"), "AssociationId": format!("eipassoc-{n}")})
    }

    /// An instance's first interface with this address.
    fn having(association: Value) -> impl Fn(&mut Fixture) -> &mut Fixture {
        move |w| {
            w.add("NetworkInterfaces", json!({
                "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-pria",
                "InterfaceType": "interface", "RequesterManaged": false, "PrivateIpAddress": "10.0.0.4",
                "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0, "Status": "attached"},
                "Association": association}))
        }
    }

    fn repairing(w: &mut Fixture, irreversible: bool) -> &mut Fixture {
        let options = json!({"mode": "repair", "irreversible": irreversible});
        w.baseline("rules", json!({"public-address": options}))
    }

    fn found(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
        let own = |it: String| it.strip_prefix("public-address: ").map(str::to_owned);
        findings(edit).into_iter().filter_map(own).collect()
    }

    const AUTOMATIC: &str =
        "eni-1 in private subnet-pria has the automatic public address 198.51.100.7";
    const ELASTIC: &str = "eni-1 in private subnet-pria has the Elastic IP address 203.0.113.9";
    const RELEASE: &str = "release the automatic public address 198.51.100.7 of eni-1; IT CANNOT BE \
                           UNDONE: nobody gets that address back";
    const TAKE: &str = "take the Elastic IP address 203.0.113.9 (eipalloc-1) from eni-1";
    const STOP: &str = "1 have AWS assign eni-1 no public address";

    #[test]
    fn each_kind_of_address_is_told_apart() {
        assert_eq!(found(|w| w), Vec::<String>::new());
        assert_eq!(found(having(automatic())), [AUTOMATIC]);
        assert_eq!(found(having(elastic("203.0.113.9", 1))), [ELASTIC]);
        let of_a_service =
            found(|w| having(automatic())(w).set("eni-1", "RequesterManaged", json!(true)));
        assert_eq!(
            of_a_service,
            ["eni-1 in private subnet-pria has a service's public address 198.51.100.7"]
        );
    }

    #[test]
    fn addresses_that_no_internet_gateway_serves_are_none() {
        for none in [
            json!({"CarrierIp": "198.51.100.7", "IpOwnerId": "amazon"}),
            json!({"CustomerOwnedIp": "198.51.100.7", "IpOwnerId": "111122223333"}),
            json!({"PublicIp": "", "IpOwnerId": "amazon"}),
        ] {
            assert_eq!(found(having(none)), Vec::<String>::new());
        }
        let ipv6 = json!([{"Ipv6Address": "2600:1f16::7"}]);
        let v6 = found(|w| having(Value::Null)(w).set("eni-1", "Ipv6Addresses", ipv6));
        assert_eq!(v6, Vec::<String>::new());
    }

    #[test]
    fn interfaces_of_public_and_unclassified_subnets_may_have_them() {
        let elsewhere = |subnet: &str| {
            found(|w| having(automatic())(w).set("eni-1", "SubnetId", json!(subnet)))
        };
        assert_eq!(elsewhere("subnet-puba"), Vec::<String>::new());
        assert_eq!(elsewhere("subnet-elsewhere"), Vec::<String>::new());
        let untagged = found(|w| having(automatic())(w).set("subnet-pria", "Tags", json!([])));
        assert_eq!(untagged, Vec::<String>::new());
    }

    /// peers.md §2 14: what is private is not agreed; which of the two is meant, a person must say.
    #[test]
    fn nothing_is_said_of_a_subnet_that_is_built_public() {
        let built = |w: &mut Fixture| {
            having(elastic("203.0.113.9", 1))(repairing(w, true)).route(
                "rtb-a",
                "0.0.0.0/0",
                "igw-1",
            );
        };
        let steps = planned(|w| {
            built(w);
            w
        });
        assert!(steps.iter().all(|step| step.starts_with("- ")), "{steps:#?}");
        let told = found(|w| {
            built(w);
            w
        });
        assert_eq!(told, Vec::<String>::new());
    }

    #[test]
    fn an_elastic_address_is_taken_after_aws_was_kept_from_another() {
        let with = |w: &mut Fixture| {
            having(elastic("203.0.113.9", 1))(w);
        };
        let repaired = planned(|w| {
            with(repairing(w, false));
            w
        });
        assert_eq!(repaired, [STOP.to_owned(), format!("2 {TAKE} (after 1)")]);
        let told = planned(|w| {
            with(w);
            w
        });
        assert_eq!(told, [format!("{STOP} [notify]"), format!("2 {TAKE} (after 1) [notify]")]);
    }

    #[test]
    fn an_interface_that_gets_no_other_address_is_left_its_attribute() {
        for attachment in [
            json!({"InstanceId": "i-1", "DeviceIndex": 1, "Status": "attached"}),
            json!({"Status": "attached"}),
            Value::Null,
        ] {
            let steps = planned(|w| {
                having(elastic("203.0.113.9", 1))(repairing(w, false)).set(
                    "eni-1",
                    "Attachment",
                    attachment,
                )
            });
            assert_eq!(steps, [format!("1 {TAKE}")]);
        }
    }

    #[test]
    fn an_automatic_address_is_released_only_where_the_baseline_says_irreversible() {
        let left = "- the automatic public address 198.51.100.7 of eni-1: `irreversible: true` among \
                    this rule's options in the baseline allows it";
        assert_eq!(planned(|w| having(automatic())(repairing(w, false))), [left]);
        assert_eq!(planned(having(automatic())), [left]);
        assert_eq!(planned(|w| having(automatic())(repairing(w, true))), [format!("1 {RELEASE}")]);
    }

    /// peers.md §2 39: the smallest possible edit.
    #[test]
    fn what_an_interface_may_keep_is_not_lost_with_what_goes() {
        let both = |irreversible: bool| {
            planned(|w| {
                let secondary = json!([{"PrivateIpAddress": "10.0.0.4", "Association": automatic()},
                    {"PrivateIpAddress": "10.0.0.5", "Association": elastic("203.0.113.9", 1)}]);
                having(automatic())(repairing(w, irreversible)).set(
                    "eni-1",
                    "PrivateIpAddresses",
                    secondary,
                )
            })
        };
        let left = "- the automatic public address 198.51.100.7 of eni-1: `irreversible: true` among \
                    this rule's options in the baseline allows it";
        assert_eq!(both(false), [format!("1 {TAKE}"), left.to_owned()]);
        assert_eq!(both(true), [format!("1 {RELEASE}"), format!("2 {TAKE} (after 1)")]);
    }

    #[test]
    fn a_services_interface_is_never_touched() {
        let of_a_service = |key: &str, value: Value, association: Value| {
            planned(|w| having(association)(repairing(w, true)).set("eni-1", key, value))
        };
        let reason =
            "the interface is a service's own: only its owner changes it, by what it belongs to";
        let amazon_elb = json!({"IpOwnerId": "amazon-elb", "PublicIp": "198.51.100.7"});
        for steps in [
            of_a_service("RequesterManaged", json!(true), amazon_elb.clone()),
            of_a_service("Description", json!("ELB app/shop/1"), amazon_elb),
            of_a_service("InterfaceType", json!("nat_gateway"), elastic("198.51.100.7", 1)),
            of_a_service(
                "InterfaceType",
                json!("network_load_balancer"),
                elastic("198.51.100.7", 1),
            ),
            of_a_service("InterfaceType", json!("global_accelerator_managed"), automatic()),
        ] {
            let left = format!("- a service's public address 198.51.100.7 of eni-1: {reason}");
            assert_eq!(steps, [left]);
        }
    }

    #[test]
    fn an_address_of_no_known_kind_is_left_alone() {
        for unknown in [
            json!({"PublicIp": "198.51.100.7"}),
            json!({"PublicIp": "198.51.100.7", "IpOwnerId": "444455556666",
                "AllocationId": "eipalloc-1", "AssociationId": "eipassoc-1"}),
            json!({"PublicIp": "198.51.100.7", "IpOwnerId": "111122223333"}),
            json!({"PublicIp": "198.51.100.7", "IpOwnerId": "amazon", "AssociationId": "eipassoc-1"}),
        ] {
            let steps = planned(|w| having(unknown)(repairing(w, true)));
            let left =
                "- the public address 198.51.100.7 of eni-1: what is not known is never deleted";
            assert_eq!(steps, [left]);
        }
    }

    /// An internet gateway hands on what comes in without any route, and an appliance or a hub may
    /// lead the answers back to it.
    #[test]
    fn an_address_that_a_route_may_serve_is_left_alone() {
        for target in ["tgw-1", "vpce-gwlb", "eni-9", "vgw-1", "portal-1"] {
            let steps = planned(|w| {
                having(elastic("203.0.113.9", 1))(repairing(w, true)).route(
                    "rtb-a",
                    "0.0.0.0/0",
                    target,
                )
            });
            let left = format!(
                "- the Elastic IP address 203.0.113.9 of eni-1: an internet gateway may serve it by \
                 0.0.0.0/0 → {target} of rtb-a; a person must decide"
            );
            assert!(steps.contains(&left), "{target}: {steps:#?}");
            assert!(!steps.iter().any(|step| step.contains("eipalloc-1")), "{target}: {steps:#?}");
        }
    }

    #[test]
    fn a_route_to_a_nat_gateway_serves_no_address_of_an_instance() {
        for (destination, target) in [
            ("0.0.0.0/0", "nat-1"),
            ("::/0", "eigw-1"),
            ("10.9.0.0/16", "tgw-1"),
            ("0.0.0.0/0", "nat-regional"),
        ] {
            let steps = planned(|w| {
                having(elastic("203.0.113.9", 1))(repairing(w, true)).route(
                    "rtb-a",
                    destination,
                    target,
                )
            });
            assert_eq!(steps[..2], [STOP.to_owned(), format!("2 {TAKE} (after 1)")], "{target}");
        }
    }

    #[test]
    fn what_was_not_read_is_not_judged() {
        for section in ["NetworkInterfaces", "RouteTables", "Subnets", "NatGateways", "PrefixLists"]
        {
            let unread = found(|w| having(automatic())(w).without(section));
            assert_eq!(unread, Vec::<String>::new(), "{section}");
        }
    }

    #[test]
    fn nothing_is_changed_in_somebody_elses_vpc() {
        let steps = planned(|w| {
            having(automatic())(repairing(w, true)).set("vpc-1", "OwnerId", json!("444455556666"))
        });
        assert!(!steps.iter().any(|step| step.starts_with(char::is_numeric)), "{steps:#?}");
    }
}
