"""The service: the command line and what decides which work is done when."""
