"""The Python client of the service: what the command line uses."""

from coordinator.client.client import Client
from coordinator.client.models import (
    Asset,
    Composition,
    Export,
    ExportEvent,
    ExportPage,
    Key,
    Preview,
    Template,
)
from shared.errors import AccessError, ServiceError

__all__ = [
    "AccessError",
    "Asset",
    "Client",
    "Composition",
    "Export",
    "ExportEvent",
    "ExportPage",
    "Key",
    "Preview",
    "ServiceError",
    "Template",
]
