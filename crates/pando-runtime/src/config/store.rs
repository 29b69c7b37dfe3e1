//! `[store]`: where the records live.

use super::{Origin, Problems, Seconds, Secret, Table};

/// AES-256 takes a key of this many bytes; PocketBase uses the text itself as the key.
const ENCRYPTION_KEY_BYTES: usize = 32;

crate::config_table! {
    /// The data directory and the database.
    pub struct StoreConfig = "store" {
        /// The data directory. PocketBase's own is opened in place.
        pub dir: String = "pando_data".to_owned(),
        /// How many connections read at the same time. 0: four per processor, from 8 to 64.
        pub readers: u32 = 0,
        /// How long a request may wait for a connection before it is answered 503.
        pub read_wait_max: Seconds = Seconds::new(10),
        /// How long a query may run before it is cut off.
        pub query_timeout: Seconds = Seconds::new(30),
        /// How many writes at most share one commit and its fsync.
        pub group_max: u32 = 256,
        /// How many writes may wait; further ones are answered 503.
        pub write_queue_max: u32 = 4_096,
        /// The name of the environment variable that holds the key for the app settings, 32
        /// characters. Empty: the settings are stored as they are.
        pub encryption_env: String = String::new(),
        /// The key for the app settings itself, 32 characters, in place of `encryption_env`.
        pub encryption_key: Secret = Secret::default(),
    }
}

impl Table for StoreConfig {
    fn check(&self, problems: &mut Problems) {
        if self.dir.is_empty() {
            problems.add("store.dir", "must not be empty");
        }
        if self.readers > 1_024 {
            problems.add("store.readers", "must not be more than 1024");
        }
        if self.query_timeout < Seconds::millis(1) {
            problems.add("store.query_timeout", "must not be 0");
        }
        for (key, count) in
            [("store.group_max", self.group_max), ("store.write_queue_max", self.write_queue_max)]
        {
            if count == 0 {
                problems.add(key, "must be at least 1");
            }
        }
        if !self.encryption_env.is_empty() && !self.encryption_key.is_empty() {
            problems.add("store.encryption_env", "must not be given beside store.encryption_key");
        }
        check_encryption_key(problems, "store.encryption_key", &self.encryption_key);
    }
}

impl StoreConfig {
    /// Takes the key from the variable that `encryption_env` names; `variable` looks it up.
    pub fn read_encryption_env<'a>(
        &mut self,
        problems: &mut Problems,
        variable: impl Fn(&str) -> Option<&'a str>,
    ) {
        const KEY: &str = "store.encryption_env";
        if self.encryption_env.is_empty() {
            return;
        }
        match variable(&self.encryption_env).filter(|value| !value.is_empty()) {
            None => {
                let name = &self.encryption_env;
                let problem = problems.add(KEY, format!("names {name}, which is not set"));
                problem.hint(format!("export {name}=$(openssl rand -hex 16)"));
            }
            Some(value) => {
                let key = Secret::new(value);
                check_encryption_key(problems, KEY, &key);
                self.encryption_key = key;
                let origin = Origin::Env { variable: self.encryption_env.clone() };
                problems.origins.0.insert("store.encryption_key".to_owned(), origin);
            }
        }
    }
}

fn check_encryption_key(problems: &mut Problems, key: &str, secret: &Secret) {
    let bytes = secret.reveal().len();
    if bytes != 0 && bytes != ENCRYPTION_KEY_BYTES {
        let message = format!("must hold exactly {ENCRYPTION_KEY_BYTES} characters, not {bytes}");
        problems.add(key, message).hint("openssl rand -hex 16 makes one");
    }
}
