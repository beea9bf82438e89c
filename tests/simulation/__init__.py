"""The real dispatcher and a real PostgreSQL, with a cluster in virtual time."""
