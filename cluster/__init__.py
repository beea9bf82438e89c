"""Ray, and only here: starting or joining a cluster and running worker functions on it."""
