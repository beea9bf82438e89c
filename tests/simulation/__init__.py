"""The real dispatcher and a real PostgreSQL with a cluster that is only imagined, in virtual time."""
