//! What is asked: prompts and output lengths.
