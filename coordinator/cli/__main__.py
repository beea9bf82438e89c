"""``python -m coordinator.cli``: how the service starts its own processes."""

from coordinator.cli.app import main

main()
