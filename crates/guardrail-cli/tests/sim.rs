//! `guardrail sim` as a process: it says where it listens, answers there, and saves the world when
//! told to stop.

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpStream;
    use std::process::{Command, Stdio};

    const WORLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/demo/world.json");

    #[test]
    fn it_answers_where_it_says_and_saves_the_world_when_told_to_stop() {
        let dir = tempfile::tempdir().unwrap();
        let (after, events) = (dir.path().join("after.json"), dir.path().join("events.jsonl"));
        let mut sim = Command::new(env!("CARGO_BIN_EXE_guardrail"))
            .args(["sim", "--world", WORLD, "--port", "0", "--fault", "DeleteTags=Unavailable"])
            .args(["--latency", "1ms", "--visibility-delay", "0s", "--speed", "10"])
            .args(["--save".as_ref(), after.as_os_str(), "--events".as_ref(), events.as_os_str()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(sim.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();

        let untag = "Action=DeleteTags&ResourceId.1=vpc-0a1b2c3d4e5f60000";
        assert!(post(&address, untag).starts_with("HTTP/1.1 503 "));
        assert!(post(&address, untag).starts_with("HTTP/1.1 200 "));

        assert!(Command::new("kill").arg(sim.id().to_string()).status().unwrap().success());
        assert!(sim.wait().unwrap().success());
        let saved: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(after).unwrap()).unwrap();
        assert_eq!(saved["Vpcs"][0]["Tags"], serde_json::json!([]));
        assert_eq!(std::fs::read_to_string(events).unwrap().lines().count(), 2);
    }

    #[test]
    fn with_throttle_the_documented_buckets_are_on_and_told_at_the_end() {
        let mut sim = Command::new(env!("CARGO_BIN_EXE_guardrail"))
            .args(["sim", "--world", WORLD, "--speed", "0", "--throttle"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(sim.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        let delete = "Action=DeleteVpcEndpoints&VpcEndpointId.1=vpce-0a1b2c3d4e5f69999";
        let answers: Vec<String> = (0..5).map(|_| post(&address, delete)).collect();
        assert!(answers[3].starts_with("HTTP/1.1 200 "), "{}", answers[3]);
        assert!(answers[4].contains("<Code>RequestLimitExceeded</Code>"), "{}", answers[4]);
        assert!(Command::new("kill").arg(sim.id().to_string()).status().unwrap().success());
        assert!(sim.wait().unwrap().success());
        let mut table = String::new();
        said.read_to_string(&mut table).unwrap();
        let rows: Vec<Vec<&str>> =
            table.lines().map(|row| row.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), 2, "{table}");
        assert_eq!(rows[1], ["DeleteVpcEndpoints", "5", "1", "4", "4", "0.3/s"]);
    }

    #[test]
    fn what_it_cannot_use_it_says() {
        for (arguments, expected) in [
            (["--latency", "soon"], "`soon` is no time; write it as `30ms` or `2s`"),
            (
                ["--fault", "DeleteRoute"],
                "`DeleteRoute` is no fault; write it as `DeleteRoute=Unavailable`",
            ),
            (["--events", "ftp://x/"], "`ftp://x/` is no place for events"),
            (
                ["--event-faults", "lost=all"],
                "`lost=all` is nothing that happens to events; write it as `lost=5,repeated=10,late=30s,seed=7`",
            ),
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_guardrail"));
            let output = command.args(["sim", "--world", WORLD]).args(arguments).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains(expected), "{said}");
            assert_eq!(output.status.code(), Some(2));
        }
    }

    fn post(address: &str, form: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        let length = form.len();
        write!(stream, "POST / HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{form}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}
