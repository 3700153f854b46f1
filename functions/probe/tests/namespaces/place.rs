//! A network namespace with one wire to a router.

use std::fs;
use std::process::Command;

use guardrail::probe::{Answer, Question};
use probe::Probe;
use tokio_rustls::rustls::RootCertStore;

use crate::listener::Authority;
use crate::resolver::Resolver;

/// Set in the process that is inside the namespace.
const INSIDE: &str = "PROBE_TEST_IS_INSIDE";

const NAMESPACE: [&str; 4] = ["--user", "--map-root-user", "--net", "--mount"];

/// The network that a test is in.
pub(crate) struct Place {
    pub(crate) authority: Authority,
    resolver: Resolver,
}

/// Plays a test, which is named as its function, in a namespace of its own: this program is started
/// there once more for that test only.
pub(crate) fn in_namespace(test: &str, play: fn(&Place)) {
    if std::env::var_os(INSIDE).is_some() {
        play(&Place::new());
        return;
    }
    let allowed = Command::new("unshare").args(NAMESPACE).args(["ip", "link"]).output();
    match allowed {
        Ok(output) if output.status.success() => {}
        other => {
            println!("skipped: network namespaces are forbidden here: {other:?}");
            return;
        }
    }
    let output = Command::new("unshare")
        .args(NAMESPACE)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "1")
        // Nobody listens there: what asked a proxy would fail.
        .envs(["HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"].map(|name| (name, PROXY)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains("1 passed"), "no test is named `{test}`: {said}");
}

const PROXY: &str = "http://127.0.0.1:1";

/// The address of the router on the wire, and that of this machine.
const ROUTER: &str = "10.0.0.1";
const OWN: &str = "10.0.0.10/24";

impl Place {
    /// The wire is a pair of interfaces; what arrives at the second follows the routes of a table of
    /// its own, in which everything is dropped.
    fn new() -> Self {
        let place = Self { authority: Authority::new(), resolver: Resolver::start() };
        names_are_asked_of_the_resolver();
        place.ip("link set lo up");
        place.ip("link add wire type veth peer name router");
        for (file, value) in [("router/accept_local", "1"), ("router/forwarding", "1")] {
            fs::write(format!("/proc/sys/net/ipv4/conf/{file}"), value).unwrap();
        }
        for conf in ["all", "router", "wire"] {
            fs::write(format!("/proc/sys/net/ipv4/conf/{conf}/rp_filter"), "0").unwrap();
        }
        place.ip("link set wire up");
        place.ip("link set router up");
        place.ip(&format!("addr add {OWN} dev wire"));
        let mac = fs::read_to_string("/sys/class/net/router/address").or_else(|_| mac_of_router());
        let mac = mac.unwrap();
        place.ip(&format!("neigh replace {ROUTER} lladdr {} dev wire", mac.trim()));
        place.ip(&format!("route add default via {ROUTER} dev wire"));
        place.ip("rule add iif router lookup 100");
        place.router_does("blackhole default");
        place
    }

    /// This machine has IPv6 too, on the same wire.
    pub(crate) fn has_ipv6(&self) {
        fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
        self.ip("addr add fd00::10/64 dev wire nodad");
        let mac = mac_of_router().unwrap();
        self.ip(&format!("neigh replace fd00::1 lladdr {mac} dev wire"));
        self.ip("-6 route add default via fd00::1 dev wire");
        self.ip("-6 rule add iif router lookup 100");
        self.ip("-6 route add table 100 blackhole default");
    }

    /// What the router does from now on, as `ip route` writes it.
    pub(crate) fn router_does(&self, route: &str) {
        self.ip("route flush table 100");
        self.ip(&format!("route add table 100 {route}"));
    }

    /// A host with this address is there, and refuses what nobody listens to.
    pub(crate) fn host(&self, address: &str) {
        let (len, more) = if address.contains(':') { (128, "nodad") } else { (32, "") };
        self.ip(&format!("addr add {address}/{len} dev lo {more}"));
    }

    /// A name has these addresses from now on.
    pub(crate) fn name(&self, name: &str, addresses: &[&str]) {
        self.resolver.name(name, addresses);
    }

    /// The resolver answers nobody from now on.
    pub(crate) fn resolver_is_silent(&self) {
        self.resolver.be_silent();
    }

    /// One command of `ip`.
    pub(crate) fn ip(&self, command: &str) {
        let output = Command::new("ip").args(command.split_whitespace()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let is_empty_table = command.starts_with("route flush");
        assert!(output.status.success() || is_empty_table, "ip {command}: {errors}");
    }

    /// Asks a probe that trusts the test's authority only.
    pub(crate) fn ask(&self, question: &Question) -> Answer {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate()).unwrap();
        let probe = Probe::new(roots).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(probe.look(question));
        // A name that is still being resolved is not waited for.
        runtime.shutdown_background();
        answer
    }
}

/// `/sys` may be that of another namespace.
fn mac_of_router() -> std::io::Result<String> {
    let output = Command::new("ip").args(["-o", "link", "show", "router"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().skip_while(|word| *word != "link/ether");
    Ok(words.nth(1).unwrap().to_owned())
}

/// The system's resolver asks the test's, in this namespace of mounts only.
fn names_are_asked_of_the_resolver() {
    let folder = std::env::temp_dir().join(format!("probe-names-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let files = [
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:20 attempts:1\n"),
        ("nsswitch.conf", "hosts: dns\n"),
    ];
    for (name, text) in files {
        let (own, theirs) = (folder.join(name), format!("/etc/{name}"));
        fs::write(&own, text).unwrap();
        if fs::exists(&theirs).unwrap() {
            let mount =
                Command::new("mount").arg("--bind").arg(&own).arg(&theirs).output().unwrap();
            assert!(mount.status.success(), "{}", String::from_utf8_lossy(&mount.stderr));
        }
    }
    // What is mounted stays.
    fs::remove_dir_all(&folder).unwrap();
}
