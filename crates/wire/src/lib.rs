//! Bytes of a streaming answer into events, prompts into request bodies.
