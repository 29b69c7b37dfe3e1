//! A cursor over bytes for the checks of text-like formats.

/// What is left to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a>(pub(super) &'a [u8]);

/// White space as HTML defines it.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

/// Where `needle`, which is not empty, begins in `bytes`.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|byte| byte == first)?;
        if bytes[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

impl<'a> Scan<'a> {
    /// The next byte, 0 at the end.
    pub(super) fn peek(&self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Takes the next byte, 0 at the end.
    pub(super) fn pop(&mut self) -> u8 {
        let byte = self.peek();
        self.skip(1);
        byte
    }

    /// Drops `count` bytes if there are so many.
    pub(super) fn skip(&mut self, count: usize) -> bool {
        match self.0.get(count..) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn skip_space(&mut self) {
        while is_space(self.peek()) {
            self.skip(1);
        }
    }

    /// Takes what comes before the first byte that `stop` accepts, or everything.
    pub(super) fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| stop(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Takes a line; its end (LF or CR LF) is dropped.
    pub(super) fn line(&mut self) -> &'a [u8] {
        let line = self.until(|byte| byte == b'\n');
        self.skip(1);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    pub(super) fn u16_le(&mut self) -> Option<u16> {
        let value = u16::from_le_bytes(*self.0.first_chunk()?);
        self.skip(2);
        Some(value)
    }

    pub(super) fn u32_le(&mut self) -> Option<u32> {
        let value = u32::from_le_bytes(*self.0.first_chunk()?);
        self.skip(4);
        Some(value)
    }
}

/// Whether `bytes` starts with `pattern`, whose capital letters stand for either case.
pub(super) fn starts_with_any_case(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.len() >= pattern.len()
        && pattern.iter().zip(bytes).all(|(wanted, byte)| {
            if wanted.is_ascii_uppercase() {
                byte.to_ascii_uppercase() == *wanted
            } else {
                byte == wanted
            }
        })
}
