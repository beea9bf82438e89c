"""The object store: where midifarm keeps bytes, behind one port."""

from shared.storage.address import open_store
from shared.storage.local import LocalStore
from shared.storage.port import ObjectInfo, ObjectStore

__all__ = ["LocalStore", "ObjectInfo", "ObjectStore", "open_store"]
