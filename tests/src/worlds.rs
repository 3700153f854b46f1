//! Worlds of many VPCs, made of a scenario's one.

use serde_json::Value;

/// A world with so many copies of the VPC of each of these worlds, each with ids of its own; what is
/// the Region's is there once. The ids of a world begin with the 13 digits that stand beside it.
pub fn copies(of: &[(&Value, &str, usize)]) -> Value {
    let mut all = Value::Null;
    let each = of.iter().flat_map(|(world, digits, count)| (0..*count).map(|_| (*world, *digits)));
    for (number, (world, digits)) in each.enumerate() {
        let text = world.to_string().replace(digits, &format!("0a1b2c3d4{number:04x}"));
        add(&mut all, serde_json::from_str(&text).unwrap());
    }
    all
}

/// Adds what is not there yet.
fn add(all: &mut Value, world: Value) {
    match (all, world) {
        (Value::Object(all), Value::Object(world)) => {
            for (name, section) in world {
                add(all.entry(name).or_insert(Value::Null), section);
            }
        }
        (Value::Array(all), Value::Array(section)) => {
            let is_shared = |item: &Value| {
                item["VpcId"].is_null()
                    && item["GroupId"].is_null()
                    && item["Attachments"].is_null()
            };
            for item in section {
                if !is_shared(&item) || !all.contains(&item) {
                    all.push(item);
                }
            }
        }
        (all, world) => *all = world,
    }
}
