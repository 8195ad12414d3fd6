//! Plays an inference engine over a real socket.
