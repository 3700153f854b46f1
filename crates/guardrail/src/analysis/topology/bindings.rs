//! Which route table each subnet uses: that of its own association, else the main one; and both while
//! an association is between two states.

use std::collections::HashMap;

use super::Association;
use crate::ec2::id::SubnetId;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{self, AssociationStateCode, RouteTable};

/// The associations of a VPC's route tables, by what they bind.
pub(super) struct Bindings<'w> {
    of_subnets: HashMap<&'w SubnetId, Vec<Binding<'w>>>,
    of_main: Vec<Binding<'w>>,
}

/// The table that a subnet uses, how it is bound to it, and the other tables that it may use.
pub(super) struct Bound<'w> {
    pub(super) table: Option<&'w RouteTable>,
    pub(super) association: Association<'w>,
    pub(super) perhaps: Vec<&'w RouteTable>,
}

#[derive(Clone, Copy)]
struct Binding<'w> {
    table: &'w RouteTable,
    association: &'w world::Association,
}

impl<'w> Bindings<'w> {
    pub(super) fn of(snapshot: &Snapshot<'w>) -> Self {
        let (mut of_subnets, mut of_main) = (HashMap::<_, Vec<_>>::new(), Vec::new());
        for table in &snapshot.route_tables {
            for association in &table.associations {
                let binding = Binding { table, association };
                if let Some(subnet) = &association.subnet_id {
                    of_subnets.entry(subnet).or_default().push(binding);
                } else if association.main {
                    of_main.push(binding);
                }
            }
        }
        Self { of_subnets, of_main }
    }

    pub(super) fn of_subnet(&self, subnet: &SubnetId) -> Bound<'w> {
        let own = self.of_subnets.get(subnet).map_or(&[] as &[_], Vec::as_slice);
        let mut all = candidates(own);
        if !all.iter().any(Binding::is_settled) {
            all.extend(candidates(&self.of_main));
        }
        // Those that are live first, in the order above: its own before the main one.
        all.sort_by_key(|binding| !binding.association.is_live());
        let live = all.first().filter(|binding| binding.association.is_live());
        let table = live.map(|binding| binding.table);
        let association = match live {
            Some(binding) if binding.association.subnet_id.is_some() => {
                Association::Explicit(binding.association.route_table_association_id.as_ref())
            }
            Some(_) | None => Association::Main,
        };
        let mut perhaps: Vec<&RouteTable> = Vec::new();
        for other in all.iter().map(|binding| binding.table) {
            let is_other = |known: &&RouteTable| known.route_table_id != other.route_table_id;
            if table.iter().chain(&perhaps).all(is_other) {
                perhaps.push(other);
            }
        }
        Bound { table, association, perhaps }
    }
}

/// The bindings that may act: one that failed does where no other one is settled.
fn candidates<'w>(bindings: &[Binding<'w>]) -> Vec<Binding<'w>> {
    let settled = bindings.iter().any(Binding::is_settled);
    let may_act = |binding: &&Binding<'w>| match binding.state() {
        None
        | Some(
            AssociationStateCode::Associated
            | AssociationStateCode::Associating
            | AssociationStateCode::Disassociating
            | AssociationStateCode::Other(_),
        ) => true,
        Some(AssociationStateCode::Failed) => !settled,
        Some(AssociationStateCode::Disassociated) => false,
    };
    bindings.iter().filter(may_act).copied().collect()
}

impl<'w> Binding<'w> {
    fn state(&self) -> Option<&'w AssociationStateCode> {
        self.association.association_state.as_ref().map(|state| &state.state)
    }

    /// Whether the association is there for good.
    fn is_settled(&self) -> bool {
        self.state().is_none_or(|state| *state == AssociationStateCode::Associated)
    }
}
