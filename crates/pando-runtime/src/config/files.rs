//! `[files]`: where uploaded files are kept.

use super::{Problems, Table};

crate::config_table! {
    /// The files of records. They lie in a folder unless the settings of the application
    /// (`settings.s3`) name a bucket.
    pub struct FilesConfig = "files" {
        /// The folder for uploaded files. Empty: `storage` in the data directory. Several servers
        /// on one database must use the same folder, on a network file system for example.
        pub dir: String = String::new(),
    }
}

impl Table for FilesConfig {
    fn check(&self, _problems: &mut Problems) {}
}
