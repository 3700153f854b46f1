//! An answer as a tree, before it is written as XML or, for CloudTrail, in either of its encodings
//! of the same.

use quick_xml::Writer;
use quick_xml::events::BytesText;

/// The namespace of EC2's answers.
pub(crate) const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Flag(bool),
    Number(i64),
    Struct(Fields),
    List(Vec<Node>),
}

/// The elements of a structure, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Node)>);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn text(self, name: &'static str, value: impl ToString) -> Self {
        self.node(name, Node::Text(value.to_string()))
    }

    pub(crate) fn maybe(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(crate) fn flag(self, name: &'static str, value: bool) -> Self {
        self.node(name, Node::Flag(value))
    }

    pub(crate) fn number(self, name: &'static str, value: Option<impl Into<i64>>) -> Self {
        match value {
            Some(value) => self.node(name, Node::Number(value.into())),
            None => self,
        }
    }

    pub(crate) fn fields(self, name: &'static str, value: Self) -> Self {
        self.node(name, Node::Struct(value))
    }

    /// A list of texts.
    pub(crate) fn texts(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = impl ToString>,
    ) -> Self {
        self.node(
            name,
            Node::List(values.into_iter().map(|value| Node::Text(value.to_string())).collect()),
        )
    }

    /// A list of structures.
    pub(crate) fn list(self, name: &'static str, values: impl IntoIterator<Item = Self>) -> Self {
        self.node(name, Node::List(values.into_iter().map(Node::Struct).collect()))
    }

    fn node(mut self, name: &'static str, value: Node) -> Self {
        self.0.push((name, value));
        self
    }
}

/// `<ActionResponse xmlns="…"><requestId>…</requestId>…</ActionResponse>`.
pub(crate) fn answer_xml(action: &str, request_id: &str, answer: &Fields) -> Vec<u8> {
    let name = format!("{action}Response");
    let mut all = vec![("requestId", Node::Text(request_id.to_owned()))];
    all.extend(answer.0.iter().cloned());
    document(&name, Some(NAMESPACE), &Fields(all))
}

/// EC2's form of a refusal.
pub(crate) fn error_xml(code: &str, message: &str, request_id: &str) -> Vec<u8> {
    let error = Fields::new().text("Code", code).text("Message", message);
    let errors = Fields::new().fields("Error", error);
    document(
        "Response",
        None,
        &Fields::new().fields("Errors", errors).text("RequestID", request_id),
    )
}

pub(crate) fn document(name: &str, namespace: Option<&str>, fields: &Fields) -> Vec<u8> {
    let mut writer = Writer::new(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec());
    let root = writer.create_element(name).with_attributes(namespace.map(|text| ("xmlns", text)));
    // Writing to memory does not fail.
    let _ = root.write_inner_content(|inner| write_fields(inner, fields));
    writer.into_inner()
}

fn write_fields(writer: &mut Writer<Vec<u8>>, fields: &Fields) -> std::io::Result<()> {
    fields.0.iter().try_for_each(|(name, node)| write(writer, name, node))
}

fn write(writer: &mut Writer<Vec<u8>>, name: &str, node: &Node) -> std::io::Result<()> {
    let element = writer.create_element(name);
    match node {
        Node::Text(text) => element.write_text_content(BytesText::new(text)),
        Node::Flag(value) => {
            element.write_text_content(BytesText::new(if *value { "true" } else { "false" }))
        }
        Node::Number(value) => element.write_text_content(BytesText::new(&value.to_string())),
        Node::Struct(fields) => element.write_inner_content(|inner| write_fields(inner, fields)),
        Node::List(items) if items.is_empty() => element.write_empty(),
        Node::List(items) => element.write_inner_content(|inner| {
            items.iter().try_for_each(|item| write(inner, "item", item))
        }),
    }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_written_as_ec2_writes_it() {
        let tag = Fields::new().text("key", "a<b").text("value", "x & \"y\" > z");
        let answer = Fields::new()
            .list("tagSet", [tag])
            .texts("subnetIdSet", [""; 0])
            .flag("return", true)
            .number("n", Some(3));
        assert_eq!(
            String::from_utf8(answer_xml("CreateX", "r-1", &answer)).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <CreateXResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r-1</requestId>\
             <tagSet><item><key>a&lt;b</key><value>x &amp; &quot;y&quot; &gt; z</value></item></tagSet><subnetIdSet/>\
             <return>true</return><n>3</n></CreateXResponse>"
        );
    }

    #[test]
    fn a_refusal_is_written_as_ec2_writes_it() {
        assert_eq!(
            String::from_utf8(error_xml("InvalidX", "no <x>", "r-1")).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>InvalidX</Code>\
             <Message>no &lt;x&gt;</Message></Error></Errors><RequestID>r-1</RequestID></Response>"
        );
    }
}
