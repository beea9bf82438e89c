"""PostgreSQL, the truth: the connection, the migrations, and one module a subject.

SQL lies in ``schema/`` (numbered migrations) and ``queries/`` (one file a module, each query with
its name and a sentence). Functions take a connection, so that the caller says what belongs into
one transaction.
"""

from coordinator.database.connection import Connection, Database, Row

__all__ = ["Connection", "Database", "Row"]
