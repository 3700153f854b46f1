//! Instances, as far as a network needs them: run, terminated, and given an instance profile.

use guardrail::ec2::id::{InstanceId, InterfaceId, OtherAssociationId, SecurityGroupId, SubnetId};
use guardrail::ec2::world::{AddressAssociation, Attachment, NetworkInterface, Tag};

use crate::ec2::beside::{InstanceState, ProfileAssociation, RunInstance};
use crate::ec2::errors::ApiError;
use crate::ec2::filters::Described;
use crate::ec2::request::{Query, Response};
use crate::sim::Sim;

/// A call of instances and of the profiles that are bound to them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the variants and fields are AWS's operations and parameters, under AWS's names"
)]
pub enum InstanceCall {
    RunInstances(RunInstances),
    TerminateInstances {
        instance_ids: Vec<InstanceId>,
    },
    AssociateIamInstanceProfile {
        instance_id: InstanceId,
        iam_instance_profile: Profile,
    },
    ReplaceIamInstanceProfileAssociation {
        association_id: OtherAssociationId,
        iam_instance_profile: Profile,
    },
    DisassociateIamInstanceProfile {
        association_id: OtherAssociationId,
    },
    /// The ids are association ids.
    DescribeIamInstanceProfileAssociations(Query),
}

/// An instance profile, as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are AWS's parameters, under AWS's names")]
pub enum Profile {
    Arn(String),
    Name(String),
}

/// `RunInstances`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct RunInstances {
    pub image_id: String,
    pub instance_type: String,
    pub min_count: usize,
    pub max_count: usize,
    pub subnet_id: SubnetId,
    pub security_group_ids: Vec<SecurityGroupId>,
    /// The subnet's attribute where it is left out.
    pub associate_public_ip_address: Option<bool>,
    pub iam_instance_profile: Option<Profile>,
    pub client_token: Option<String>,
    pub tags: Vec<Tag>,
}

impl InstanceCall {
    /// AWS's name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::RunInstances(_) => "RunInstances",
            Self::TerminateInstances { .. } => "TerminateInstances",
            Self::AssociateIamInstanceProfile { .. } => "AssociateIamInstanceProfile",
            Self::ReplaceIamInstanceProfileAssociation { .. } => {
                "ReplaceIamInstanceProfileAssociation"
            }
            Self::DisassociateIamInstanceProfile { .. } => "DisassociateIamInstanceProfile",
            Self::DescribeIamInstanceProfileAssociations(_) => {
                "DescribeIamInstanceProfileAssociations"
            }
        }
    }
}

impl Sim {
    pub(crate) fn change_instances(&mut self, call: &InstanceCall) -> Result<Response, ApiError> {
        match call {
            InstanceCall::RunInstances(wanted) => self.run_instances(wanted),
            InstanceCall::TerminateInstances { instance_ids } => {
                self.terminate_instances(instance_ids)
            }
            InstanceCall::AssociateIamInstanceProfile { instance_id, iam_instance_profile } => {
                self.associate_profile(instance_id, iam_instance_profile)
            }
            InstanceCall::ReplaceIamInstanceProfileAssociation {
                association_id,
                iam_instance_profile,
            } => self.replace_profile(association_id, iam_instance_profile),
            InstanceCall::DisassociateIamInstanceProfile { association_id } => {
                self.disassociate_profile(association_id)
            }
            InstanceCall::DescribeIamInstanceProfileAssociations(query) => {
                let all = &self.visible_beside().profile_associations;
                let (found, next_token) = self.paged(all, query, (5, 1000))?;
                Ok(Response::ProfileAssociations { found, next_token })
            }
        }
    }

    /// As many as there are addresses for, up to the most; none if there are not for the least.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
    fn run_instances(&mut self, wanted: &RunInstances) -> Result<Response, ApiError> {
        if let Some(made) = self.run_before(wanted) {
            return Ok(Response::InstancesRun(made));
        }
        let subnet = self.subnet(&wanted.subnet_id)?.clone();
        for id in &wanted.security_group_ids {
            if self.group(id)?.vpc_id.as_ref() != Some(&subnet.vpc_id) {
                let message = format!(
                    "Security group {id} and subnet {} belong to different networks.",
                    subnet.subnet_id
                );
                return Err(ApiError::invalid(message));
            }
        }
        if wanted.min_count == 0 || wanted.max_count < wanted.min_count {
            let message = "MinCount must be at least 1, and MaxCount at least MinCount";
            return Err(ApiError::invalid_value(message));
        }
        let free = subnet.available_ip_address_count.unwrap_or(u32::MAX);
        let free = usize::try_from(free).unwrap_or(usize::MAX);
        if free < wanted.min_count {
            let message =
                format!("There are not enough free addresses in subnet '{}'.", subnet.subnet_id);
            return Err(ApiError::new("InsufficientFreeAddressesInSubnet", message));
        }
        let reservation: String = self.ids.next("r-")?;
        let mut made = Vec::new();
        for _ in 0..wanted.max_count.min(free) {
            let instance = self.run_one(wanted, &subnet.vpc_id, &reservation)?;
            let public =
                wanted.associate_public_ip_address.unwrap_or(subnet.map_public_ip_on_launch);
            self.add_primary_interface(&instance, &wanted.security_group_ids, public)?;
            if let Some(profile) = &wanted.iam_instance_profile {
                self.bind_profile(&instance.instance_id, profile)?;
            }
            made.push(instance);
        }
        Ok(Response::InstancesRun(made))
    }

    /// What the same token made before.
    fn run_before(&self, wanted: &RunInstances) -> Option<Vec<RunInstance>> {
        let token = wanted.client_token.as_ref()?;
        let mut all = self.beside.instances.iter();
        let made = all.by_ref().filter(|it| it.client_token.as_ref() == Some(token));
        let made: Vec<RunInstance> = made.cloned().collect();
        (!made.is_empty()).then_some(made)
    }

    fn run_one(
        &mut self,
        wanted: &RunInstances,
        vpc: &guardrail::ec2::id::VpcId,
        reservation: &str,
    ) -> Result<RunInstance, ApiError> {
        let instance = RunInstance {
            instance_id: self.ids.next("i-")?,
            reservation_id: reservation.to_owned(),
            image_id: wanted.image_id.clone(),
            instance_type: wanted.instance_type.clone(),
            state: InstanceState::Running,
            vpc_id: vpc.clone(),
            subnet_id: wanted.subnet_id.clone(),
            launch_time: self.now,
            client_token: wanted.client_token.clone(),
        };
        self.bear(instance.instance_id.as_str());
        self.tag_beside(instance.instance_id.as_str(), &wanted.tags);
        self.beside.instances.push(instance.clone());
        Ok(instance)
    }

    /// "If you don't specify a security group, … we use the default security group" of the VPC.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
    fn add_primary_interface(
        &mut self,
        instance: &RunInstance,
        groups: &[SecurityGroupId],
        public: bool,
    ) -> Result<(), ApiError> {
        let mut all = self.world.security_groups.iter().flatten();
        let default = all.find(|group| {
            group.group_name == "default" && group.vpc_id.as_ref() == Some(&instance.vpc_id)
        });
        let default: Vec<_> = default.map(|group| group.group_id.clone()).into_iter().collect();
        let groups = if groups.is_empty() { &default } else { groups };
        let network_interface_id: InterfaceId = self.ids.next("eni-")?;
        let public_ip = public.then(|| self.free_public_address());
        let interface = NetworkInterface {
            network_interface_id,
            vpc_id: Some(instance.vpc_id.clone()),
            subnet_id: Some(instance.subnet_id.clone()),
            interface_type: Some("interface".to_owned()),
            description: String::new(),
            requester_managed: false,
            source_dest_check: Some(true),
            groups: self.named_groups(groups),
            private_ip_address: self.free_address(&instance.subnet_id),
            private_ip_addresses: Vec::new(),
            association: public_ip.map(|it| AddressAssociation {
                public_ip: Some(it),
                ip_owner_id: Some("amazon".to_owned()),
                ..AddressAssociation::default()
            }),
            ipv6_addresses: Vec::new(),
            attachment: Some(Attachment {
                instance_id: Some(instance.instance_id.clone()),
                status: Some("attached".to_owned()),
                device_index: Some(0),
            }),
        };
        self.bear(interface.network_interface_id.as_str());
        self.count_address(&instance.subnet_id, false);
        self.world.network_interfaces.get_or_insert_default().push(interface);
        Ok(())
    }

    /// "This operation is idempotent"; one that does not exist, and none is terminated. Its interface
    /// goes with it, and an Elastic address is free again.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html>
    fn terminate_instances(&mut self, ids: &[InstanceId]) -> Result<Response, ApiError> {
        let known = |id: &InstanceId| self.beside.instances.iter().any(|it| it.instance_id == *id);
        let unknown = ids.iter().find(|id| {
            !self.is_settled(id.as_str()) || !known(id) && self.interface_of(id).is_err()
        });
        if let Some(id) = unknown {
            let message = format!("The instance ID '{id}' does not exist");
            return Err(ApiError::new("InvalidInstanceID.NotFound", message));
        }
        let mut changes = Vec::new();
        for id in ids {
            let mut all = self.beside.instances.iter_mut();
            let instance = all.find(|it| it.instance_id == *id);
            let before = instance.map_or(InstanceState::Running, |it| {
                std::mem::replace(&mut it.state, InstanceState::Terminated)
            });
            changes.push((id.clone(), before));
            self.drop_instance(id);
        }
        Ok(Response::InstancesTerminated(changes))
    }

    fn drop_instance(&mut self, id: &InstanceId) {
        let is_its = |eni: &NetworkInterface| {
            eni.attachment.as_ref().is_some_and(|it| it.instance_id.as_ref() == Some(id))
        };
        let gone = self.drop_interfaces(is_its);
        self.unbind_from(|eni| gone.contains(eni));
        self.beside.profile_associations.retain(|it| it.instance_id != *id);
        self.blackhole(|route| {
            route.instance_id.as_ref() == Some(id)
                || route.network_interface_id.as_ref().is_some_and(|eni| gone.contains(eni))
        });
    }

    /// "You cannot associate more than one IAM instance profile with an instance."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html>
    fn associate_profile(
        &mut self,
        id: &InstanceId,
        profile: &Profile,
    ) -> Result<Response, ApiError> {
        self.interface_of(id)?;
        if self.beside.profile_associations.iter().any(|it| it.instance_id == *id) {
            let message = format!("There is an existing association for instance {id}");
            return Err(ApiError::new("IncorrectState", message));
        }
        let association = self.bind_profile(id, profile)?;
        Ok(Response::ProfileAssociation { association, state: "associating" })
    }

    /// "Use this action if you want to change the IAM instance profile … without having to
    /// disassociate the existing IAM instance profile first": under a new association id.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html>
    fn replace_profile(
        &mut self,
        id: &OtherAssociationId,
        profile: &Profile,
    ) -> Result<Response, ApiError> {
        let instance = self.profile_association(id)?.instance_id.clone();
        self.beside.profile_associations.retain(|it| it.association_id != *id);
        let association = self.bind_profile(&instance, profile)?;
        Ok(Response::ProfileAssociation { association, state: "associating" })
    }

    fn disassociate_profile(&mut self, id: &OtherAssociationId) -> Result<Response, ApiError> {
        let association = self.profile_association(id)?.clone();
        self.beside.profile_associations.retain(|it| it.association_id != *id);
        Ok(Response::ProfileAssociation { association, state: "disassociating" })
    }

    fn bind_profile(
        &mut self,
        instance: &InstanceId,
        profile: &Profile,
    ) -> Result<ProfileAssociation, ApiError> {
        let association_id: OtherAssociationId = self.ids.next("iip-assoc-")?;
        let association = ProfileAssociation {
            association_id,
            instance_id: instance.clone(),
            arn: self.arn_of(profile),
            timestamp: self.now,
        };
        self.bear(association.association_id.as_str());
        self.beside.profile_associations.push(association.clone());
        Ok(association)
    }

    /// A profile is named by either; IAM, which would know the other, is not simulated.
    fn arn_of(&self, profile: &Profile) -> String {
        match profile {
            Profile::Arn(arn) => arn.clone(),
            Profile::Name(name) => {
                let partition =
                    self.world.region.as_ref().map(guardrail::ec2::partition::Partition::of);
                let partition = partition.unwrap_or_default();
                let account = self.account().map(String::from).unwrap_or_default();
                format!("arn:{partition}:iam::{account}:instance-profile/{name}")
            }
        }
    }

    fn profile_association(
        &self,
        id: &OtherAssociationId,
    ) -> Result<&ProfileAssociation, ApiError> {
        let found = self.beside.profile_associations.iter().find(|it| it.association_id == *id);
        found.filter(|_| self.is_settled(id.as_str())).ok_or_else(|| {
            let message = format!("An invalid association-id of '{id}' was given");
            ApiError::new("InvalidAssociationID.NotFound", message)
        })
    }
}

impl Described for ProfileAssociation {
    const NOT_FOUND: &'static str = "InvalidAssociationID.NotFound";
    const WHAT: &'static str = "association";
    const FILTERS: &'static [&'static str] = &["instance-id", "state"];

    fn id(&self) -> &str {
        self.association_id.as_str()
    }
    fn tags(&self) -> &[Tag] {
        &[]
    }
    fn knows(filter: &str) -> bool {
        Self::FILTERS.contains(&filter)
    }
    fn values(&self, filter: &str) -> Vec<String> {
        match filter {
            "instance-id" => vec![self.instance_id.to_string()],
            "state" => vec!["associated".to_owned()],
            _ => Vec::new(),
        }
    }
}
