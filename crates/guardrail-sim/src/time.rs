//! What happens by itself as time passes: endpoints and NAT gateways come, go, and are forgotten.

use std::time::Duration;

use guardrail::ec2::id::{EndpointId, NatGatewayId};
use guardrail::ec2::world::{EndpointState, EndpointType, NatGatewayState};
use jiff::Timestamp;

use crate::sim::{Sim, later};

/// Something that will happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) what: Transition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transition {
    EndpointReady(EndpointId),
    EndpointDeleted(EndpointId),
    EndpointGone(EndpointId),
    NatReady(NatGatewayId),
    NatDeleted(NatGatewayId),
    NatGone(NatGatewayId),
}

impl Sim {
    /// Lets time pass, and everything happen that is due by then, in its order.
    pub fn advance(&mut self, time: Duration) {
        let until = later(self.now, time);
        while let Some(due) = self.take_due(until) {
            self.now = self.now.max(due.at);
            self.happen(due.what);
            self.remember(self.now);
        }
        self.now = until;
    }

    /// Lets everything happen that is due now.
    pub(crate) fn catch_up(&mut self) {
        self.advance(Duration::ZERO);
    }

    pub(crate) fn endpoint_ready(&self, kind: &EndpointType, id: EndpointId) -> Due {
        let takes = match kind {
            EndpointType::Gateway => self.options.gateway_endpoint_ready,
            EndpointType::Interface
            | EndpointType::GatewayLoadBalancer
            | EndpointType::Resource
            | EndpointType::ServiceNetwork
            | EndpointType::Other(_) => self.options.interface_endpoint_ready,
        };
        Due { at: later(self.now, takes), what: Transition::EndpointReady(id) }
    }

    pub(crate) fn endpoint_deleted(&self, id: EndpointId) -> Due {
        Due {
            at: later(self.now, self.options.endpoint_deleted),
            what: Transition::EndpointDeleted(id),
        }
    }

    pub(crate) fn endpoint_gone(&self, id: EndpointId) -> Due {
        Due { at: later(self.now, self.options.lingers), what: Transition::EndpointGone(id) }
    }

    pub(crate) fn nat_ready(&self, id: NatGatewayId) -> Due {
        Due { at: later(self.now, self.options.nat_gateway), what: Transition::NatReady(id) }
    }

    pub(crate) fn nat_deleted(&self, id: NatGatewayId) -> Due {
        Due { at: later(self.now, self.options.nat_gateway), what: Transition::NatDeleted(id) }
    }

    pub(crate) fn nat_gone(&self, id: NatGatewayId) -> Due {
        Due { at: later(self.now, self.options.lingers), what: Transition::NatGone(id) }
    }

    /// The earliest that is due by `until`; the first told of two at the same moment.
    fn take_due(&mut self, until: Timestamp) -> Option<Due> {
        let earliest = self.due.iter().enumerate().min_by_key(|(_, due)| due.at);
        let index = earliest.filter(|(_, due)| due.at <= until).map(|(index, _)| index)?;
        Some(self.due.remove(index))
    }

    fn happen(&mut self, what: Transition) {
        match what {
            Transition::EndpointReady(id) => {
                let endpoint = self.endpoint_mut(&id).filter(|e| e.state == EndpointState::Pending);
                if let Some(endpoint) = endpoint {
                    endpoint.state = EndpointState::Available;
                }
            }
            Transition::EndpointDeleted(id) => {
                self.drop_interfaces_of(&id);
                if let Some(endpoint) = self.endpoint_mut(&id) {
                    endpoint.state = EndpointState::Deleted;
                }
                let due = self.endpoint_gone(id);
                self.due.push(due);
            }
            Transition::EndpointGone(id) => {
                self.world
                    .vpc_endpoints
                    .iter_mut()
                    .for_each(|list| list.retain(|e| e.vpc_endpoint_id != id));
            }
            Transition::NatReady(id) => {
                let nat =
                    self.nat_mut(&id).filter(|nat| nat.state == Some(NatGatewayState::Pending));
                if let Some(nat) = nat {
                    nat.state = Some(NatGatewayState::Available);
                }
            }
            Transition::NatDeleted(id) => {
                self.drop_nat_interfaces(&id);
                if let Some(nat) = self.nat_mut(&id) {
                    nat.state = Some(NatGatewayState::Deleted);
                }
                let due = self.nat_gone(id);
                self.due.push(due);
            }
            Transition::NatGone(id) => {
                self.world
                    .nat_gateways
                    .iter_mut()
                    .for_each(|list| list.retain(|nat| nat.nat_gateway_id != id));
            }
        }
    }
}
