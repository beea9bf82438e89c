"""The domain of midifarm: plain data and pure decisions that every other package builds on."""
