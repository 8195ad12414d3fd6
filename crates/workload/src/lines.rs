//! Lines of a file, of bounded length.

use std::io::{BufRead, Error, ErrorKind, Read};

use crate::error::{Spot, WorkloadError};

/// The lines of a file that are not blank, without the blanks around them and without a byte-order mark.
pub(crate) struct Lines<'a, R> {
    path: &'a str,
    reader: R,
    longest: u64,
    file_bytes: u64,
    bytes_left: u64,
    number: u64,
}

impl<'a, R: BufRead> Lines<'a, R> {
    /// Those of a file of at most `file_bytes`, each of at most `longest` bytes with its line break.
    pub(crate) const fn new(path: &'a str, reader: R, longest: u64, file_bytes: u64) -> Self {
        Self { path, reader, longest, file_bytes, bytes_left: file_bytes, number: 0 }
    }

    /// The next of them and where it stands; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<(Spot, String)>, WorkloadError> {
        loop {
            self.number += 1;
            let spot = Spot::line(self.path, self.number);
            let Some(bytes) = self.next_bytes(&spot)? else { return Ok(None) };
            let text = String::from_utf8(bytes).map_err(|error| WorkloadError::Read {
                spot: spot.clone(),
                source: Error::new(ErrorKind::InvalidData, error.utf8_error()),
            })?;
            let text = if self.number == 1 { text.strip_prefix('\u{FEFF}').unwrap_or(&text) } else { &text };
            if !text.trim().is_empty() {
                return Ok(Some((spot, text.trim().to_owned())));
            }
        }
    }

    fn next_bytes(&mut self, spot: &Spot) -> Result<Option<Vec<u8>>, WorkloadError> {
        let mut bytes = Vec::new();
        let mut reader = (&mut self.reader).take(self.longest + 1);
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| WorkloadError::Read { spot: spot.clone(), source })? as u64;
        if read > self.longest {
            return Err(WorkloadError::TooLong { spot: spot.clone(), bytes: self.longest });
        }
        let left = self.bytes_left.checked_sub(read);
        self.bytes_left =
            left.ok_or_else(|| WorkloadError::FileTooLarge { path: self.path.to_owned(), bytes: self.file_bytes })?;
        Ok((read > 0).then_some(bytes))
    }
}
