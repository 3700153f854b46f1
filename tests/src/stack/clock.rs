//! A clock that goes faster than real time and can be set forward, in processes too: what they have
//! loaded before the C library reads from a file how.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

/// The time of day, in this process and in those that have its [`Clock::variables`].
#[derive(Debug)]
pub(super) struct Clock {
    library: PathBuf,
    path: PathBuf,
    speed: u32,
    began: (SystemTime, Instant),
    ahead: Mutex<(File, Duration)>,
}

impl Clock {
    /// A clock that shows real time and goes so much faster from now on; its parts are in this folder.
    pub(super) fn in_folder(folder: &Path, speed: u32) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stack/clock.c");
        let library = folder.join("clock.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        assert!(compiler.status().unwrap().success(), "{compiler:?}");
        let path = folder.join("clock");
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
        let began = (SystemTime::now(), Instant::now());
        let since = began.0.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
        for number in [0, i64::from(speed), i64::try_from(since).unwrap()] {
            file.write_all(&number.to_ne_bytes()).unwrap();
        }
        Self { library, path, speed, began, ahead: Mutex::new((file, Duration::ZERO)) }
    }

    /// Sets it forward.
    pub(super) fn advance(&self, time: Duration) {
        let mut ahead = self.ahead.lock().unwrap();
        ahead.1 += time;
        let bytes = i64::try_from(ahead.1.as_nanos()).unwrap().to_ne_bytes();
        ahead.0.seek(SeekFrom::Start(0)).unwrap();
        ahead.0.write_all(&bytes).unwrap();
    }

    /// The time that it shows.
    pub(super) fn now(&self) -> Timestamp {
        let passed = self.began.1.elapsed() * self.speed + self.ahead.lock().unwrap().1;
        Timestamp::try_from(self.began.0 + passed).unwrap()
    }

    /// What a process needs in its environment to go by it.
    pub(super) fn variables(&self) -> [(String, String); 2] {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        [
            ("LD_PRELOAD".to_owned(), text(&self.library)),
            ("TEST_CLOCK".to_owned(), text(&self.path)),
        ]
    }
}
