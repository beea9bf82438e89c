"""The musician's own files, for commands that read them on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster.isolated import call_isolated
from coordinator.branding import branding_uses, is_address, with_names
from shared.branding import Branding
from shared.errors import InputError
from shared.export import ExportConfiguration
from shared.intake import AssetKind, Intake, IntakeRequest


def check_files(*paths: Path | None) -> None:
    """Find out before anything is started. Raises InputError."""
    for path in paths:
        try:
            if path is not None and not path.is_file():
                raise InputError(f"There is no file {path}.")
        except OSError as exc:  # such as a name that is too long
            raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc


def keep_apart(read: Iterable[Path | None], written: Iterable[Path | None]) -> None:
    """See that nothing that is read would be replaced. Raises InputError."""
    sources = [path for path in read if path is not None]
    for target in filter(None, written):
        for source in sources:
            with suppress(OSError):  # what is wrong with the output is told by check_output
                if target.samefile(source):
                    raise InputError(
                        f"{target} is read for the video and cannot be replaced by it."
                    )


def branding_files(branding: Branding | None) -> list[Path]:
    """The files that branding names; what is ours or an address is none."""
    uses = branding_uses(branding, "branding")
    return [Path(use.asset_id) for use in uses if not is_address(use.asset_id)]


@contextmanager
def images_at_hand(configuration: ExportConfiguration) -> Iterator[Branding | None]:
    """Its branding, with images that have an address fetched into files, for as long as this lasts.

    Raises:
        InputError: One of them cannot be had.
    """
    branding = configuration.branding
    wanted = {
        use.asset_id: use.kind
        for use in branding_uses(branding, "branding")
        if is_address(use.asset_id)
    }
    if branding is None or not wanted:
        yield branding
        return
    with TemporaryDirectory(prefix="midifarm-images-") as folder:
        names = asyncio.run(_fetch(wanted, Path(folder)))
        yield with_names(branding, names)


async def _fetch(wanted: dict[str, AssetKind], folder: Path) -> dict[str, str]:
    from coordinator.fetching import Fetcher, FetchError  # loads an HTTP client

    fetcher = Fetcher()
    names: dict[str, str] = {}
    for url, kind in wanted.items():
        try:
            fetched = await fetcher.fetch(url, kind)
        except FetchError as exc:
            raise InputError(f"{url} cannot be used: {exc.message}.") from exc
        path = folder / f"{len(names)}-{fetched.name}"
        path.write_bytes(fetched.data)
        names[url] = str(path)
    return names


def take_in(request: IntakeRequest, *, store_url: str) -> Intake:
    """Have a process of its own take the files into the store. Raises InputError."""
    found = call_isolated("take_in", request=request.model_dump(mode="json"), store_url=store_url)
    return Intake.model_validate(found)
