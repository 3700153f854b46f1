//! Customers' prefix lists: made, changed a version at a time, deleted.

use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::PrefixListId;
use guardrail::ec2::world::{PrefixList, PrefixListEntry, Tag};
use ipnet::IpNet;

use crate::ec2::beside::{AddressFamily, ListDetails};
use crate::ec2::errors::ApiError;
use crate::ec2::request::Response;
use crate::ec2::vpc_life::in_use;
use crate::sim::Sim;

/// A call of customers' prefix lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the variants and fields are AWS's operations and parameters, under AWS's names"
)]
pub enum PrefixListCall {
    CreateManagedPrefixList(CreateManagedPrefixList),
    ModifyManagedPrefixList(ModifyManagedPrefixList),
    DeleteManagedPrefixList { prefix_list_id: PrefixListId },
}

/// `CreateManagedPrefixList`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CreateManagedPrefixList {
    pub prefix_list_name: String,
    pub entries: Vec<PrefixListEntry>,
    pub max_entries: usize,
    pub address_family: AddressFamily,
    pub client_token: Option<String>,
    pub tags: Vec<Tag>,
}

/// `ModifyManagedPrefixList`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct ModifyManagedPrefixList {
    pub prefix_list_id: PrefixListId,
    pub current_version: Option<i64>,
    pub prefix_list_name: Option<String>,
    pub add_entries: Vec<PrefixListEntry>,
    pub remove_entries: Vec<Cidr>,
    pub max_entries: Option<usize>,
}

/// `State` of a list in the answer to a call; it is `…-complete` in the next.
const MAKING: &str = "create-in-progress";
const CHANGING: &str = "modify-in-progress";
const DELETING: &str = "delete-in-progress";

impl PrefixListCall {
    /// AWS's name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::CreateManagedPrefixList(_) => "CreateManagedPrefixList",
            Self::ModifyManagedPrefixList(_) => "ModifyManagedPrefixList",
            Self::DeleteManagedPrefixList { .. } => "DeleteManagedPrefixList",
        }
    }
}

impl Sim {
    pub(crate) fn change_prefix_lists(
        &mut self,
        call: &PrefixListCall,
    ) -> Result<Response, ApiError> {
        match call {
            PrefixListCall::CreateManagedPrefixList(wanted) => self.create_prefix_list(wanted),
            PrefixListCall::ModifyManagedPrefixList(change) => self.modify_prefix_list(change),
            PrefixListCall::DeleteManagedPrefixList { prefix_list_id: id } => {
                self.delete_prefix_list(id)
            }
        }
    }

    /// "You cannot create a prefix list with both IPv4 and IPv6 CIDR blocks"; names may not start with
    /// `com.amazonaws`.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateManagedPrefixList.html>
    fn create_prefix_list(
        &mut self,
        wanted: &CreateManagedPrefixList,
    ) -> Result<Response, ApiError> {
        let token = wanted.client_token.as_deref();
        if let Some(id) = token.and_then(|token| self.made_by_token(token, "pl-")) {
            let made = self.world.prefix_lists.iter().flatten();
            if let Some(list) = made.into_iter().find(|it| *it.prefix_list_id.as_str() == *id) {
                return Ok(Response::PrefixList { list: list.clone(), state: MAKING });
            }
        }
        if wanted.prefix_list_name.starts_with("com.amazonaws") {
            let message = "The prefix list name cannot start with 'com.amazonaws'";
            return Err(ApiError::invalid_value(message));
        }
        check_entries(&wanted.entries, wanted.address_family, wanted.max_entries)?;
        let id: PrefixListId = self.ids.next("pl-")?;
        let list = PrefixList {
            prefix_list_id: id.clone(),
            prefix_list_name: wanted.prefix_list_name.clone(),
            owner_id: self.account().map(|it| it.to_string()),
            cidrs: None,
            entries: Some(wanted.entries.clone()),
        };
        let details = ListDetails {
            address_family: wanted.address_family,
            max_entries: wanted.max_entries,
            version: 1,
        };
        self.bear(id.as_str());
        self.keep_token(token, id.as_str());
        self.tag_beside(id.as_str(), &wanted.tags);
        self.beside.prefix_lists.insert(id, details);
        self.world.prefix_lists.get_or_insert_default().push(list.clone());
        Ok(Response::PrefixList { list, state: MAKING })
    }

    /// "Adding or removing entries … creates a new version of the prefix list"; the caller says which
    /// one it changes. "You cannot modify the entries and the size at the same time" is not told here
    /// apart: the entries must fit either way.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyManagedPrefixList.html>
    fn modify_prefix_list(
        &mut self,
        change: &ModifyManagedPrefixList,
    ) -> Result<Response, ApiError> {
        let id = &change.prefix_list_id;
        let mut list = self.own_list(id)?.clone();
        let mut details = self.list_details(&list);
        let entries_change = !change.add_entries.is_empty() || !change.remove_entries.is_empty();
        match change.current_version {
            Some(version) if version != details.version => {
                let message = format!(
                    "The prefix list has the incorrect version number. Current version is {}.",
                    details.version
                );
                return Err(ApiError::new("PrefixListVersionMismatch", message));
            }
            None if entries_change => {
                let message = "The request must contain the parameter CurrentVersion";
                return Err(ApiError::new("MissingParameter", message));
            }
            Some(_) | None => {}
        }
        let mut entries = entries_of(&list);
        for cidr in &change.remove_entries {
            let at = entries.iter().position(|entry| entry.cidr == *cidr);
            let at = at.ok_or_else(|| {
                ApiError::invalid_value(format!("The prefix list {id} has no entry {cidr}"))
            })?;
            entries.remove(at);
        }
        for entry in &change.add_entries {
            entries.retain(|old| old.cidr != entry.cidr);
            entries.push(entry.clone());
        }
        details.max_entries = change.max_entries.unwrap_or(details.max_entries);
        check_entries(&entries, details.address_family, details.max_entries)?;
        if entries_change {
            details.version = details.version.saturating_add(1);
        }
        if let Some(name) = &change.prefix_list_name {
            list.prefix_list_name.clone_from(name);
        }
        (list.cidrs, list.entries) = (None, Some(entries));
        self.beside.prefix_lists.insert(id.clone(), details);
        if let Some(kept) = self.list_mut(id) {
            kept.clone_from(&list);
        }
        Ok(Response::PrefixList { list, state: CHANGING })
    }

    /// "You must first remove all references to the prefix list in your resources."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteManagedPrefixList.html>
    fn delete_prefix_list(&mut self, id: &PrefixListId) -> Result<Response, ApiError> {
        let list = self.own_list(id)?.clone();
        let mut routes = self.world.route_tables.iter().flatten().flat_map(|table| &table.routes);
        let on_route = routes.any(|route| route.destination_prefix_list_id.as_ref() == Some(id));
        let mut groups = self.world.security_groups.iter().flatten();
        let in_group = groups.any(|group| {
            let mut lists = group.ip_permissions.iter().flat_map(|it| &it.prefix_list_ids);
            lists.any(|list| list.prefix_list_id == *id)
        });
        if on_route || in_group {
            return Err(in_use("prefix list", id.as_str()));
        }
        let lists = self.world.prefix_lists.iter_mut();
        lists.for_each(|all| all.retain(|it| it.prefix_list_id != *id));
        self.beside.prefix_lists.remove(id);
        self.beside.tags.remove(id.as_str());
        Ok(Response::PrefixList { list, state: DELETING })
    }

    /// A list that is not AWS's own, which nobody else changes.
    fn own_list(&self, id: &PrefixListId) -> Result<&PrefixList, ApiError> {
        let list = self.prefix_list(id)?;
        if list.is_awss() == Some(true) {
            let message = format!("The prefix list {id} is AWS's and cannot be changed");
            return Err(ApiError::new("OperationNotPermitted", message));
        }
        Ok(list)
    }

    /// What a world file does not say of a list is taken from its entries.
    pub(crate) fn list_details(&self, list: &PrefixList) -> ListDetails {
        let known = self.beside.prefix_lists.get(&list.prefix_list_id).cloned();
        known.unwrap_or_else(|| {
            let entries = entries_of(list);
            let is_v6 = entries.first().is_some_and(|it| it.cidr.as_str().contains(':'));
            ListDetails {
                address_family: if is_v6 { AddressFamily::IPv6 } else { AddressFamily::IPv4 },
                max_entries: entries.len().max(1),
                version: 1,
            }
        })
    }

    fn list_mut(&mut self, id: &PrefixListId) -> Option<&mut PrefixList> {
        self.world.prefix_lists.iter_mut().flatten().find(|list| list.prefix_list_id == *id)
    }
}

fn entries_of(list: &PrefixList) -> Vec<PrefixListEntry> {
    let of = |cidr: &Cidr| PrefixListEntry { cidr: cidr.clone(), description: None };
    match &list.entries {
        Some(entries) => entries.clone(),
        None => list.cidrs.iter().flatten().map(of).collect(),
    }
}

fn check_entries(
    entries: &[PrefixListEntry],
    family: AddressFamily,
    most: usize,
) -> Result<(), ApiError> {
    let fits = |cidr: &Cidr| match (cidr.net(), family) {
        (Some(IpNet::V4(_)), AddressFamily::IPv4) | (Some(IpNet::V6(_)), AddressFamily::IPv6) => {
            true
        }
        (Some(_), AddressFamily::IPv4 | AddressFamily::IPv6) | (None, _) => false,
    };
    if let Some(wrong) = entries.iter().find(|entry| !fits(&entry.cidr)) {
        let message = format!("The CIDR '{}' is not a valid {} block", wrong.cidr, family.as_str());
        return Err(ApiError::invalid_value(message));
    }
    if entries.len() > most {
        let message = "You've reached the maximum number of entries for the prefix list.";
        return Err(ApiError::new("PrefixListMaxEntriesExceeded", message));
    }
    Ok(())
}
