//! A request as the upstream got it.

/// One request. `head` is as it came, without the empty line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        // A bare line feed ends a line for some programs, so it does here.
        self.head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    pub(crate) fn request_line(&self) -> String {
        String::from_utf8_lossy(self.lines().next().unwrap_or_default()).into_owned()
    }

    /// The values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let fields = self.lines().skip(1).filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (found, value) = line.split_at(colon);
            let same = found.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
            same.then(|| String::from_utf8_lossy(value[1..].trim_ascii()).into_owned())
        });
        fields.collect()
    }

    /// What is wrong with it, if anything is: what two programs could understand in two ways.
    pub(crate) fn unsound(&self) -> Option<String> {
        let line = self.request_line();
        let words: Vec<&str> = line.split(' ').collect();
        let [method, target, version] = words[..] else {
            return Some(format!("request line {line:?}"));
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if method.is_empty() || !method.bytes().all(token) {
            return Some(format!("method {method:?}"));
        }
        if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Some(format!("target {target:?}"));
        }
        if !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
            return Some(format!("version {version:?}"));
        }
        if let Some(byte) = self.stray_byte() {
            return Some(format!("byte {byte:#04x} in the head"));
        }
        for line in self.lines().skip(1) {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            if name.len() == line.len() || name.is_empty() || !name.iter().all(|b| token(*b)) {
                return Some(format!("field line {:?}", String::from_utf8_lossy(line)));
            }
        }
        self.unsound_fields(version)
    }

    fn unsound_fields(&self, version: &str) -> Option<String> {
        let hosts = self.values("host");
        if hosts.len() > 1 || (hosts.is_empty() && version == "HTTP/1.1") {
            return Some(format!("{} hosts", hosts.len()));
        }
        let (lengths, encodings) =
            (self.values("content-length"), self.values("transfer-encoding"));
        let digits = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if lengths.len() > 1 || !lengths.iter().all(digits) {
            return Some(format!("content-length {lengths:?}"));
        }
        if encodings.len() > 1 || !encodings.iter().all(|text| text.eq_ignore_ascii_case("chunked"))
        {
            return Some(format!("transfer-encoding {encodings:?}"));
        }
        if !lengths.is_empty() && !encodings.is_empty() {
            return Some("both framings".to_owned());
        }
        (!encodings.is_empty() && version == "HTTP/1.0").then(|| "chunked with 1.0".to_owned())
    }

    /// A byte that belongs in no head: control characters other than a tab and the ends of lines.
    fn stray_byte(&self) -> Option<u8> {
        let mut bytes = self.head.iter().copied().peekable();
        let mut before = 0;
        while let Some(byte) = bytes.next() {
            let stray = match byte {
                b'\r' => bytes.peek() != Some(&b'\n'),
                b'\n' => before != b'\r',
                b'\t' => false,
                byte => byte < b' ' || byte == 0x7f,
            };
            if stray {
                return Some(byte);
            }
            before = byte;
        }
        None
    }
}
