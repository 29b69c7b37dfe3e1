//! Builds `multipart/form-data` bodies (RFC 7578).

/// A form under construction; parts keep their order.
#[derive(Clone, Debug, Default)]
pub struct Multipart {
    body: Vec<u8>,
}

/// Fixed, so that one seed gives the same bytes; no part of the tests contains it.
const BOUNDARY: &str = "pando-testkit-4d1b7e0a";

impl Multipart {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a plain field.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.open(&format!("name=\"{}\"", quote(name)), None);
        self.close(value.as_bytes());
        self
    }

    /// Adds a file.
    pub fn file(mut self, name: &str, file_name: &str, content_type: &str, bytes: &[u8]) -> Self {
        let disposition = format!("name=\"{}\"; filename=\"{}\"", quote(name), quote(file_name));
        self.open(&disposition, Some(content_type));
        self.close(bytes);
        self
    }

    /// The value of the request's `Content-Type`.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The finished body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.body.clone();
        bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        bytes
    }

    fn open(&mut self, disposition: &str, content_type: Option<&str>) {
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n");
        if let Some(content_type) = content_type {
            head.push_str(&format!("Content-Type: {content_type}\r\n"));
        }
        head.push_str("\r\n");
        self.body.extend_from_slice(head.as_bytes());
    }

    fn close(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
    }
}

/// Escapes what would end the quoted string (the way browsers do).
fn quote(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
