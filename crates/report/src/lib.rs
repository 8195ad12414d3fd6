//! Numbers into text and documents, returned as strings.
