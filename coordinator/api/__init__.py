"""The HTTP API: ``app.create_app`` makes it, ``server.run_api`` serves it.

An API process holds nothing that another could not: accepted work is in PostgreSQL, bytes are in
the object store, and any replica can serve any client.
"""
