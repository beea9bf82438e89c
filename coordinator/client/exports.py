"""Asking for videos, and fetching them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from coordinator.client.base import PAGE, Base
from coordinator.client.http import Patience
from coordinator.client.models import Attempt, Chunk, Export, ExportPage, Pool
from coordinator.client.reading import (
    PIECE_BYTES,
    OnBytes,
    part,
    read_answer,
    verify,
)
from coordinator.output import check_output, new_file
from shared.errors import ServiceError
from shared.states import ExportStatus


class Exports(Base):
    """Exports."""

    def create_exports(
        self,
        composition_id: str,
        *,
        presets: Sequence[str] = (),
        config: Mapping[str, Any] | None = None,
        configs: Sequence[Mapping[str, Any]] = (),
        template: str | None = None,
        branding: Mapping[str, Any] | None = None,
        too_long: str | None = None,
        revision: int | None = None,
        name: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        priority: int | None = None,
        pool: str | None = None,
        webhook: Mapping[str, str] | None = None,
    ) -> tuple[Export, ...]:
        """Queue one export for each preset or configuration; several are one batch.

        Args:
            composition_id: What is drawn and heard.
            presets: Names of presets; or one of the next two.
            config: One configuration (camelCase).
            configs: Several.
            template: Branding by its name, perhaps with a version: ``tpl_…@2``.
            branding: Watermark and end card (camelCase), which outrank the template.
            too_long: refuse, cut or fade what a platform would not take whole.
            revision: Which of the composition; the newest without it.
            name: What to call it.
            start_s: Song time at which the video begins.
            end_s: Song time at which it ends.
            priority: Higher is earlier.
            pool: The nodes that may render it, by their name; those of "default" without it.
            webhook: Who is told of their ends: ``url`` and ``secret``.
        """
        fields = {
            "composition_id": composition_id,
            "presets": list(presets) or None,
            "config": config,
            "configs": list(configs) or None,
            "template": template,
            "branding": branding,
            "too_long": too_long,
            "revision": revision,
            "name": name,
            "start_s": start_s,
            "end_s": end_s,
            "priority": priority,
            "pool": pool,
            "webhook": webhook,
        }
        told = {key: value for key, value in fields.items() if value is not None}
        return read_answer(
            ExportPage, self._http.json("POST", "v1/exports", once=True, data=told)
        ).exports

    def export(self, export_id: str) -> Export:
        """An export as it stands."""
        return read_answer(Export, self.export_json(export_id))

    def export_json(self, export_id: str) -> dict[str, Any]:
        """The same, exactly as the server tells it."""
        found: dict[str, Any] = self._http.json("GET", f"v1/exports/{part(export_id)}")
        return found

    def exports(
        self,
        *,
        limit: int = 20,
        offset: int = 0,
        statuses: Collection[ExportStatus] = (),
        name: str | None = None,
    ) -> ExportPage:
        """A part of the user's history, newest first; see all_exports()."""
        query = {"limit": limit, "offset": offset, "status": [*statuses], "name": name}
        return read_answer(ExportPage, self._http.json("GET", "v1/exports", query=query))

    def all_exports(
        self,
        *,
        statuses: Collection[ExportStatus] = (),
        name: str | None = None,
        batch_id: str | None = None,
        composition_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Export]:
        """The whole history, newest first; pages are asked for as they are needed.

        Args:
            statuses: Only those that stand like one of these; all without any.
            name: Only those whose names contain it, in capitals or not.
            batch_id: Only those of a batch.
            composition_id: Only those of a composition.
            since: Only those accepted then or later; aware.
            until: Only those accepted before; aware.
        """
        query = {
            "limit": PAGE,
            "status": [*statuses],
            "name": name,
            "batch_id": batch_id,
            "composition_id": composition_id,
            "since": since and since.isoformat(),
            "until": until and until.isoformat(),
        }
        for plain in self._all("v1/exports", "exports", **query):
            yield read_answer(Export, plain)

    def chunks(self, export_id: str) -> tuple[Chunk, ...]:
        """The pieces that an export is rendered in, and how each stands."""
        found, path = list[Chunk](), f"v1/exports/{part(export_id)}/chunks"
        while True:
            page = self._http.json("GET", path, query={"offset": len(found)})
            found += (read_answer(Chunk, each) for each in page["chunks"])
            if not page["has_more"]:
                return tuple(found)

    def attempts(
        self, export_id: str, *, chunk: int | None = None, limit: int | None = None
    ) -> tuple[Attempt, ...]:
        """What was tried for an export, or for one of its pieces, newest first."""
        path = f"v1/exports/{part(export_id)}/attempts"
        found = self._http.json("GET", path, query={"chunk": chunk, "limit": limit})
        return tuple(read_answer(Attempt, each) for each in found["attempts"])

    def delete_export(self, export_id: str) -> None:
        """Delete an export that has ended, with its video."""
        self._http.json("DELETE", f"v1/exports/{part(export_id)}")

    def cancel(self, export_id: str) -> Export:
        """Cancel an export; one that is cancelled already stays so."""
        path = f"v1/exports/{part(export_id)}/cancel"
        return read_answer(Export, self._http.json("POST", path, again=True))

    def retry(self, export_id: str) -> Export:
        """Try a failed or cancelled export again; finished segments are kept."""
        return read_answer(
            Export, self._http.json("POST", f"v1/exports/{part(export_id)}/retry", once=True)
        )

    def re_export(self, export_id: str, *, pool: str | None = None) -> Export:
        """Export the same once more, as a new export; in another pool, if one is named."""
        path = f"v1/exports/{part(export_id)}/re-export"
        found = self._http.json("POST", path, once=True, data=pool and {"pool": pool})
        # Like every answer that makes exports, it may come as a list of one.
        return read_answer(Export, found["exports"][0] if "exports" in found else found)

    def pools(self) -> tuple[Pool, ...]:
        """The pools that an export may ask for."""
        found = self._http.json("GET", "v1/pools")
        return tuple(read_answer(Pool, each) for each in found["pools"])

    def set_priority(self, export_id: str, priority: int) -> Export:
        """Move an export forward or back; it acts on what has not begun."""
        path = f"v1/exports/{part(export_id)}"
        return read_answer(
            Export, self._http.json("PATCH", path, again=True, data={"priority": priority})
        )

    def download(
        self,
        export_id: str,
        path: Path,
        *,
        overwrite: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Export:
        """Download a finished video: whole, with the right hash, or not at all.

        Args:
            export_id: The export.
            path: Where the video is put.
            overwrite: Whether a file that is there is replaced.
            on_bytes: Told how far it is.

        Raises:
            InputError: The path cannot be written, or the export is not completed.
            ServiceError: The server cannot be reached, or sent another file than it promised.
        """
        check_output(path, overwrite=overwrite)
        export = self.export(export_id)
        with new_file(path, overwrite=overwrite) as target:
            patience = Patience(self._http.patience_s)
            while True:
                before = target.tell()
                try:
                    self._download_rest(export, target, on_bytes)
                    break
                except (httpx.TransportError, ServiceError) as exc:
                    if target.tell() > before:
                        patience.renew()
                    facts = exc.facts if isinstance(exc, ServiceError) else {}
                    if facts.get("final") or not patience.wait(facts.get("retry_after_s")):
                        if isinstance(exc, ServiceError):
                            raise
                        raise self._http.lost(exc) from exc
            verify(target, export)
        return export

    def _download_rest(self, export: Export, target: BinaryIO, on_bytes: OnBytes | None) -> None:
        """Append what is missing."""
        done = target.tell()
        # Asked for each time: the link that the server gives may be valid for minutes only.
        path = f"v1/exports/{part(export.id)}/download"
        headers = {"Accept-Encoding": "identity"}
        if done and done == export.file_size:
            return
        if done:
            headers["Range"] = f"bytes={done}-"
        with self._http.opened("GET", path, headers=headers) as response:
            if done and not (
                response.status_code == httpx.codes.PARTIAL_CONTENT
                and re.match(rf"bytes {done}-", response.headers.get("content-range", ""))
            ):
                target.seek(0)
                target.truncate()
                done = 0
            total = export.file_size
            length = response.headers.get("content-length", "")
            if total is None and length.isdecimal():
                total = done + int(length)
            for piece in response.iter_bytes(PIECE_BYTES):
                target.write(piece)
                done += len(piece)
                if on_bytes is not None:
                    on_bytes(done, total)

    def poster(self, export_id: str, path: Path, *, overwrite: bool = False) -> None:
        """Save the picture that stands for a finished video, a JPEG.

        Raises:
            InputError: The path cannot be written, or the export is not completed.
            NotFoundError: It has no picture.
        """
        check_output(path, overwrite=overwrite)
        data = self._picture(f"v1/exports/{part(export_id)}/poster")
        with new_file(path, overwrite=overwrite) as target:
            target.write(data)

    def latest(
        self, export_id: str, *, width: int | None = None, image_format: str | None = None
    ) -> bytes:
        """The last finished frame of an export that renders, as an image; JPEG if not said.

        Raises:
            ConflictError: No piece of it is finished.
        """
        query = {"width": width, "format": image_format}
        return self._picture(f"v1/exports/{part(export_id)}/latest", query)
