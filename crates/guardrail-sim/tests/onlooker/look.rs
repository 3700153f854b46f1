//! The onlooker: at every moment, whoever would reach a service if the guardrail had done nothing
//! must reach it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use guardrail::ec2::id::{EndpointId, RouteTableId, SubnetId, VpcId};
use guardrail::ec2::world::World;
use jiff::Timestamp;

use crate::client::{Client, clients, public_addresses};
use crate::names::{Answer, answer, live};
use crate::packet::{Met, reaches_interface, reaches_public, tables_passed};
use crate::servers::{Asked, asked};
use crate::{nat64, policy};

/// How long clients and AWS may go by what a name, a policy or an ACL was.
const USUAL: Duration = Duration::from_secs(5 * 60);
/// How long running instances may go by former DHCP options.
const DHCP: Duration = Duration::from_secs(4 * 60 * 60);

pub(crate) const SERVICES: [&str; 6] =
    ["s3", "dynamodb", "ssm", "ssmmessages", "ec2messages", "kms"];

pub(crate) fn full_name(service: &str) -> String {
    format!("com.amazonaws.eu-central-1.{service}")
}

/// A world from some time on, and the endpoints whose names were answered then.
#[derive(Clone)]
struct Was {
    since: Timestamp,
    world: Rc<World>,
    live: Rc<BTreeSet<EndpointId>>,
}

/// The story of one world.
pub(crate) struct Story(Vec<Was>);

impl Story {
    pub(crate) fn new(world: World) -> Self {
        let live = Rc::new(live(&world, &BTreeSet::new()));
        Self(vec![Was { since: Timestamp::MIN, world: Rc::new(world), live }])
    }

    fn last(&self) -> &Was {
        self.0.last().unwrap()
    }

    pub(crate) fn note(&mut self, now: Timestamp, world: World) {
        if world == *self.last().world {
            return;
        }
        let live = Rc::new(live(&world, &self.last().live));
        self.0.push(Was { since: now, world: Rc::new(world), live });
    }

    /// What may still be held of the last so much time.
    fn held(&self, now: Timestamp, time: Duration) -> &[Was] {
        let from = now.checked_sub(time).unwrap_or(Timestamp::MIN);
        let replaced = |next: &Was| next.since <= from;
        let gone = self.0.iter().skip(1).take_while(|next| replaced(next)).count();
        &self.0[gone..]
    }

    fn stamp(&self, now: Timestamp) -> [usize; 3] {
        [self.0.len(), self.held(now, USUAL).len(), self.held(now, DHCP).len()]
    }
}

/// One way in which a client can meet a world now, of all the answers that it may hold.
struct Moments<'s> {
    now: &'s World,
    names: Vec<&'s Was>,
    servers: Vec<&'s World>,
    acls: Vec<&'s World>,
    policies: Vec<&'s World>,
    /// Whether DNS servers that are not Amazon's are known to hand queries to Amazon's.
    forwards: bool,
}

/// Those that differ in what matters, one of each.
fn distinct<'s, K: PartialEq>(held: &'s [Was], key: impl Fn(&'s Was) -> K) -> Vec<&'s Was> {
    let mut kept: Vec<&Was> = Vec::new();
    for was in held {
        if !kept.iter().any(|it| key(it) == key(was)) {
            kept.push(was);
        }
    }
    kept
}

impl<'s> Moments<'s> {
    fn of(story: &'s Story, now: Timestamp, forwards: bool) -> Self {
        let usual = story.held(now, USUAL);
        let worlds = |list: Vec<&'s Was>| list.into_iter().map(|was| &*was.world).collect();
        let vpcs = |was: &'s Was| (&was.world.vpcs, &was.world.dhcp_options);
        let policy = |was: &'s Was| -> Vec<(&EndpointId, Option<&String>)> {
            let endpoints = was.world.vpc_endpoints.iter().flatten();
            endpoints.map(|e| (&e.vpc_endpoint_id, e.policy_document.as_ref())).collect()
        };
        let names = |was: &'s Was| {
            (
                &was.world.vpc_endpoints,
                &was.world.vpc_attributes,
                &was.live,
                &was.world.network_interfaces,
            )
        };
        Self {
            now: &story.last().world,
            names: distinct(usual, names),
            servers: worlds(distinct(story.held(now, DHCP), vpcs)),
            acls: worlds(distinct(usual, |was| &was.world.network_acls)),
            policies: worlds(distinct(usual, policy)),
            forwards,
        }
    }

    fn met(&self) -> impl Iterator<Item = Met<'s>> {
        self.acls.iter().flat_map(move |acls| {
            self.policies.iter().map(move |policies| Met { now: self.now, acls, policies })
        })
    }

    /// At which of the service's public addresses the client reaches it, whatever answer it holds.
    fn reached(&self, client: &Client, vpc: &VpcId, service: &str, public: &[IpAddr]) -> Vec<bool> {
        let who = |servers: &&World| asked(self.now, servers, client, vpc, self.forwards);
        let askeds: Vec<Asked> = self.servers.iter().map(who).collect();
        let mut answers: Vec<Answer> = Vec::new();
        for was in &self.names {
            for asked in &askeds {
                let held = answer((&was.world, &was.live), *asked, client, vpc, service);
                if !answers.contains(&held) {
                    answers.push(held);
                }
            }
        }
        let private = answers.iter().all(|held| match held {
            Answer::Nothing => false,
            Answer::Public => true,
            Answer::Private(at) => {
                !at.is_empty()
                    && at.iter().all(|(to, there, endpoint)| {
                        self.met().all(|met| {
                            policy::of(met.policies, endpoint).is_none_or(policy::allows_all)
                                && comes_to(met, client, (*to, there), &self.groups(endpoint))
                        })
                    })
            }
        });
        let asks_public = answers.contains(&Answer::Public);
        let outside = |to: &IpAddr| self.met().all(|met| reaches_public(met, client, service, *to));
        public.iter().map(|to| private && (!asks_public || outside(to))).collect()
    }

    fn groups(&self, id: &EndpointId) -> Vec<&'s str> {
        let endpoints = self.now.vpc_endpoints.iter().flatten();
        let its = endpoints.filter(|endpoint| endpoint.vpc_endpoint_id == *id);
        its.flat_map(|endpoint| &endpoint.groups).map(|group| group.group_id.as_str()).collect()
    }
}

/// Whether the client gets to an endpoint's interface, by the address that it was answered with or, of
/// an IPv4 one, by what DNS64 makes of it.
fn comes_to(
    met: Met<'_>,
    client: &Client,
    (to, there): (IpAddr, &SubnetId),
    groups: &[&str],
) -> bool {
    let from = match to {
        IpAddr::V4(to) if client.nat64 => {
            return nat64::reaches_its_interface(met, client, (to, there), groups);
        }
        IpAddr::V4(_) => client.v4,
        IpAddr::V6(_) => client.v6,
    };
    from.is_some_and(|from| reaches_interface(met, client, from, (to, there), groups))
}

/// Somebody who knows what a packet and a name do, and looks at every client of a VPC.
pub(crate) struct Onlooker {
    vpc: VpcId,
    clients: BTreeMap<SubnetId, Vec<Client>>,
    public: BTreeMap<String, Vec<IpAddr>>,
    /// The services that clients of private subnets must be able to reach.
    required: Vec<String>,
    private: Vec<SubnetId>,
    /// Whether what is required keeps a route at all.
    asks_of_removals: bool,
    /// Whether the VPC's DNS servers are known to hand queries to Amazon's resolver.
    forwards: bool,
    stories: RefCell<Stories>,
}

struct Stories {
    /// The world with the guardrail.
    with: Story,
    /// The same without it.
    without: Story,
    /// The tables from which the guardrail has removed a route.
    removed: BTreeSet<RouteTableId>,
    seen: [[usize; 3]; 2],
    counter: usize,
}

impl Onlooker {
    pub(crate) fn new(
        world: &World,
        vpc: VpcId,
        (required, private): (Vec<String>, Vec<SubnetId>),
        (asks_of_removals, forwards): (bool, bool),
    ) -> Self {
        let subnets = world.subnets.iter().flatten().filter(|subnet| subnet.vpc_id == vpc);
        let clients =
            subnets.map(|subnet| (subnet.subnet_id.clone(), clients(world, subnet))).collect();
        let of = |service: &str| {
            let name = full_name(service);
            let addresses = public_addresses(world, &name);
            (name, addresses)
        };
        let stories = Stories {
            with: Story::new(world.clone()),
            without: Story::new(world.clone()),
            removed: BTreeSet::new(),
            seen: [[0; 3]; 2],
            counter: 0,
        };
        Self {
            vpc,
            clients,
            public: SERVICES.into_iter().map(of).collect(),
            required,
            private,
            asks_of_removals,
            forwards,
            stories: RefCell::new(stories),
        }
    }

    pub(crate) fn removes(&self, table: &RouteTableId) {
        self.stories.borrow_mut().removed.insert(table.clone());
    }

    /// How often it has asked.
    pub(crate) fn asked(&self) -> usize {
        self.stories.borrow().counter
    }

    /// Takes note of both worlds, and asks of every client whether it has lost something.
    pub(crate) fn look(&self, now: Timestamp, with: World, without: World) {
        let mut stories = self.stories.borrow_mut();
        stories.with.note(now, with);
        stories.without.note(now, without);
        let seen = [stories.with.stamp(now), stories.without.stamp(now)];
        if seen == stories.seen {
            return;
        }
        stories.seen = seen;
        stories.counter += 1;
        drop(stories);
        let stories = self.stories.borrow();
        let with = Moments::of(&stories.with, now, self.forwards);
        let without = Moments::of(&stories.without, now, self.forwards);
        for (subnet, clients) in &self.clients {
            let passed = tables_passed(without.now, subnet);
            let lost_route = self.private.contains(subnet)
                && passed.iter().any(|table| stories.removed.contains(table));
            for (service, public) in &self.public {
                let asks = self.asks_of_removals && self.required.contains(service);
                if lost_route && !asks {
                    continue;
                }
                for client in clients {
                    self.ask(now, client, (service, public), &with, &without);
                }
            }
        }
    }

    fn ask(
        &self,
        now: Timestamp,
        client: &Client,
        (service, public): (&str, &[IpAddr]),
        with: &Moments<'_>,
        without: &Moments<'_>,
    ) {
        let own = of_its_version(client, public);
        let here = with.reached(client, &self.vpc, service, &own);
        if here.iter().all(|reached| *reached) {
            return;
        }
        let there = without.reached(client, &self.vpc, service, &own);
        for ((to, here), there) in own.iter().zip(here).zip(there) {
            assert!(
                here || !there,
                "at {now} a client has lost {service} (at {to}): {client:?}\nthe world now: {}",
                serde_json::to_string_pretty(with.now).unwrap(),
            );
        }
    }

    /// Whether every client of these subnets that is one of these reaches every required service in a world that has been
    /// so for long enough, whatever nobody knows.
    pub(crate) fn all_reach(
        &self,
        world: &World,
        subnets: &[SubnetId],
        of: impl Fn(&Client) -> bool,
    ) -> bool {
        let settled = Story::new(world.clone());
        let moments = Moments::of(&settled, Timestamp::MAX, self.forwards);
        self.required.iter().all(|service| {
            subnets.iter().all(|subnet| {
                self.clients[subnet].iter().filter(|client| of(client)).all(|client| {
                    let public = of_its_version(client, &self.public[service]);
                    let reached = moments.reached(client, &self.vpc, service, &public);
                    !reached.is_empty() && reached.iter().all(|reached| *reached)
                })
            })
        })
    }
}

/// The public addresses that a client takes: of IPv4 where it has it, or where DNS64 makes others of
/// them.
fn of_its_version(client: &Client, public: &[IpAddr]) -> Vec<IpAddr> {
    let v4 = client.v4.is_some() || client.nat64;
    public.iter().copied().filter(|to| to.is_ipv4() == v4).collect()
}
