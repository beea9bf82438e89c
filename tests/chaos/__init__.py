"""The chaos run: exports while processes are killed, and the proof that it made no difference."""
