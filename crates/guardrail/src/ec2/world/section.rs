//! The sections of a world, from one table.

/// Makes `Section` and `World` of a table with a row for each section:
///
/// - what is in it, as a doc comment;
/// - its name, which is also its key in a world file, and `or` the key that the AWS CLI prints it
///   under instead;
/// - its field in `World` and what that holds;
/// - the command of `aws ec2` that prints it.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident $(or $alias:literal)? => $field:ident: $content:ty, $command:literal;)*) => {
        /// One kind of thing to observe; a world file has one key for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum Section { $($(#[$doc])* $name,)* }

        impl Section {
            /// Every section, in the order of a world file.
            pub const ALL: [Self; [$(Section::$name),*].len()] = [$(Self::$name),*];

            /// The section's keys in a world file: its name, and the one that the AWS CLI prints if
            /// that is another.
            pub(crate) fn keys(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[stringify!($name) $(, $alias)?],)* }
            }

            /// The AWS CLI command that prints the section.
            pub fn command(self) -> &'static str {
                match self { $(Self::$name => concat!("aws ec2 ", $command),)* }
            }
        }

        /// Everything observed of one account and Region, or of one VPC in it.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct World {
            /// The Region, where the file says it; otherwise it is read off the ARNs and service
            /// names.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub region: Option<Region>,
            /// The account the observer speaks for, where the file says it; otherwise the owner of
            /// the VPC.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub account_id: Option<AccountId>,
            $($(#[$doc])*
            #[doc = concat!("\n\nPrinted by `aws ec2 ", $command, "`; `None` when not read.")]
            #[serde(default, skip_serializing_if = "Option::is_none" $(, alias = $alias)?)]
            pub $field: Option<$content>,)*
        }

        impl World {
            /// Whether the section was read at all.
            pub fn has(&self, section: Section) -> bool {
                match section { $(Section::$name => self.$field.is_some(),)* }
            }

            /// Takes the sections of `newer` in place of this world's: what was read again replaces
            /// what was read before, and a section that could not be read again becomes "not
            /// observed".
            pub fn refresh(&mut self, newer: Self, sections: &[Section]) {
                for section in sections {
                    match section { $(Section::$name => self.$field.clone_from(&newer.$field),)* }
                }
            }

            /// Adds what is in the sections of `more` to this world's, as one page of an answer
            /// follows another.
            pub fn append(&mut self, more: Self) {
                $(if let Some(more) = more.$field {
                    self.$field.get_or_insert_default().extend(more);
                })*
            }
        }
    };
}

pub(super) use sections;
