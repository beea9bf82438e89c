"""``midifarm dispatch``."""

from __future__ import annotations

import os

from cluster.session import preload
from coordinator.cli.options import with_settings
from coordinator.logs import configure_logging
from coordinator.settings import ServiceSettings, environment


@with_settings(ServiceSettings, leave_out=("host", "port"))
def dispatch(settings: ServiceSettings) -> None:
    """Run one dispatcher: the first gives out the work, another beside it waits to take over."""
    preload(settings.ray_address)  # while the rest is imported and the database is looked at
    from coordinator.dispatcher import run_dispatcher  # the queue, which nothing else needs

    configure_logging(settings.log_format)
    _ = settings.database_address  # told at once if it is missing
    # Ray's workers inherit it: the object store reads its keys from there.
    os.environ.update(environment(settings))
    run_dispatcher(settings)
