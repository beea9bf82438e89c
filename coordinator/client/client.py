"""A client of a midifarm server: what the command line uses, and what programs may use.

::

    with Client("http://127.0.0.1:8077", token) as client:
        midi = client.upload(Path("SONG.mid"))
        song = client.create_composition("SONG", midi=midi.id)
        (export,) = client.create_exports(song.id, presets=["youtube_1080p"])
        for event in client.watch(export.id):
            print(event.stage, event.frames_done, event.frames)
        client.download(export.id, Path("SONG.mp4"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import httpx

from coordinator.client.http import Http, Patience
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
from coordinator.client.reading import (
    PIECE_BYTES,
    OnBytes,
    json_object,
    part,
    pieces,
    read_answer,
    read_events,
    verify,
)
from coordinator.output import check_output, new_file
from shared.errors import InputError, ServiceError
from shared.states import ExportStatus

_PAGE: Final = 50
"""The most that the API gives at a time."""
_SILENCE_S: Final = 45.0
"""A server that has not even pinged an event stream for three of its pings is gone."""


class Client:
    """A user's view of a server; a context manager. Not for several threads at once."""

    def __init__(self, url: str, token: str, *, patience_s: float = 30.0) -> None:
        """Prepare; nothing is asked yet.

        Args:
            url: The server's address.
            token: The user's.
            patience_s: How long what fails in passing is tried again. What must not happen twice
                is tried once.

        Raises:
            InputError: The address is none, or the token cannot be one.
        """
        self._http = Http(url, token, patience_s=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a second time does no harm."""
        self._http.close()

    # Files

    def upload(
        self,
        path: Path,
        *,
        kind: str | None = None,
        name: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> Asset:
        """Upload a file; the same bytes again give the same asset.

        Args:
            path: The file.
            kind: midi, audio, image, font, soundfont or video; the server finds out without it.
            name: What the musician knows it as; its file name without it.
            on_bytes: Told how far it is.

        Raises:
            InputError: The file cannot be read, or the server does not take it.
            ServiceError: The server cannot be reached, or failed.
        """
        try:
            size_bytes = path.stat().st_size
            with path.open("rb") as file:

                def body() -> Iterator[bytes]:
                    file.seek(0)
                    return pieces(file, size_bytes, on_bytes)

                found = self._http.json(
                    "POST",
                    "v1/assets",
                    again=True,
                    body=body,
                    headers={"Content-Length": str(size_bytes)},
                    query={"kind": kind, "name": name or path.name},
                )
        except OSError as exc:
            raise InputError(f"{path} cannot be read: {exc.strerror or exc}.") from exc
        return read_answer(Asset, found)

    def asset(self, asset_id: str) -> Asset:
        """An uploaded file, and what a worker found in it."""
        return read_answer(Asset, self._http.json("GET", f"v1/assets/{part(asset_id)}"))

    # Compositions and exports

    def create_composition(self, name: str, **document: Any) -> Composition:
        """Put together what is drawn and heard.

        Args:
            name: What a person calls it.
            document: The other fields that ``POST /v1/compositions`` takes.
        """
        fields = {key: value for key, value in document.items() if value is not None}
        return read_answer(
            Composition, self._http.json("POST", "v1/compositions", data={"name": name, **fields})
        )

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
        }
        told = {key: value for key, value in fields.items() if value is not None}
        return read_answer(ExportPage, self._http.json("POST", "v1/exports", data=told)).exports

    def export(self, export_id: str) -> Export:
        """An export as it stands."""
        return read_answer(Export, self.export_json(export_id))

    def export_json(self, export_id: str) -> dict[str, Any]:
        """The same, exactly as the server tells it."""
        found: dict[str, Any] = self._http.json("GET", f"v1/exports/{part(export_id)}")
        return found

    def exports(
        self, *, limit: int = 20, offset: int = 0, status: ExportStatus | None = None
    ) -> ExportPage:
        """A part of the user's history, newest first."""
        query = {"limit": limit, "offset": offset, "status": status and str(status)}
        return read_answer(ExportPage, self._http.json("GET", "v1/exports", query=query))

    def cancel(self, export_id: str) -> Export:
        """Cancel an export; one that is cancelled already stays so."""
        path = f"v1/exports/{part(export_id)}/cancel"
        return read_answer(Export, self._http.json("POST", path, again=True))

    def retry(self, export_id: str) -> Export:
        """Try a failed or cancelled export again; finished segments are kept."""
        return read_answer(Export, self._http.json("POST", f"v1/exports/{part(export_id)}/retry"))

    def re_export(self, export_id: str) -> Export:
        """Export the same once more, as a new export."""
        found = self._http.json("POST", f"v1/exports/{part(export_id)}/re-export")
        # Like every answer that makes exports, it may come as a list of one.
        return read_answer(Export, found["exports"][0] if "exports" in found else found)

    def set_priority(self, export_id: str, priority: int) -> Export:
        """Move an export forward or back; it acts on what has not begun."""
        path = f"v1/exports/{part(export_id)}"
        return read_answer(
            Export, self._http.json("PATCH", path, again=True, data={"priority": priority})
        )

    def watch(self, export_id: str) -> Iterator[ExportEvent]:
        """What happens to an export, until it has ended.

        A connection that is cut is taken up where it broke; nothing is told twice.

        Raises:
            NotFoundError: There is no such export.
            ServiceError: The server stays away.
        """
        path = f"v1/exports/{part(export_id)}/events"
        last = ""
        patience = Patience(self._http.patience_s)
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            try:
                with self._http.opened(
                    "GET", path, headers=headers, timeout=httpx.Timeout(_SILENCE_S, connect=5.0)
                ) as response:
                    for event_id, text in read_events(response.iter_lines()):
                        patience.renew()
                        last = event_id or last
                        event = read_answer(
                            ExportEvent, {"event_id": event_id, **json_object(text)}
                        )
                        yield event
                        if event.ended:
                            return
            except httpx.TransportError as exc:
                if not patience.wait():
                    raise self._http.lost(exc) from exc
            except ServiceError as exc:
                if exc.facts.get("final") or not patience.wait(exc.facts.get("retry_after_s")):
                    raise
            else:
                if not patience.wait():
                    raise ServiceError(f"The server stopped telling about {export_id}. Try again.")

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

    # Previews

    def create_preview(self, composition_id: str, **fields: Any) -> Preview:
        """Have a still, a contact sheet or a short clip made.

        Args:
            composition_id: What is drawn.
            fields: The other fields that ``POST /v1/previews`` takes.
        """
        told = {key: value for key, value in fields.items() if value is not None}
        found = self._http.json(
            "POST", "v1/previews", again=True, data={"composition_id": composition_id, **told}
        )
        return read_answer(Preview, found)

    def preview(self, preview_id: str) -> Preview:
        """How a preview stands."""
        return read_answer(Preview, self._http.json("GET", f"v1/previews/{part(preview_id)}"))

    def preview_image(self, preview_id: str) -> bytes:
        """What a preview shows, waited for; an image, or the clip.

        Raises:
            ConflictError: It cannot be made; says why.
            ServiceError: It does not come.
        """
        return self._picture(f"v1/previews/{part(preview_id)}/image")

    def composition_preview(
        self,
        composition_id: str,
        *,
        at_s: float | None = None,
        preset: str | None = None,
        width: int | None = None,
        image_format: str | None = None,
    ) -> bytes:
        """A still of a composition, as an image."""
        query = {"at_s": at_s, "preset": preset, "width": width, "format": image_format}
        return self._picture(f"v1/compositions/{part(composition_id)}/preview", query)

    def _picture(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """What is there once it has been made."""
        patience = Patience(self._http.patience_s)
        options: dict[str, Any] = {
            "params": {key: value for key, value in (query or {}).items() if value is not None}
        }
        while True:
            try:
                with self._http.opened("GET", path, **options) as response:
                    if response.status_code != httpx.codes.ACCEPTED:
                        return response.read()
                    path, options = response.headers["location"].removeprefix("/"), {}
            except httpx.TransportError as exc:
                if not patience.wait():
                    raise self._http.lost(exc) from exc
            except ServiceError as exc:
                if exc.facts.get("final") or not patience.wait(exc.facts.get("retry_after_s")):
                    raise
            else:
                if not patience.wait():
                    raise ServiceError("The picture is not there yet. Is the service busy?")

    # Templates

    def templates(self) -> tuple[Template, ...]:
        """The built-in templates and the user's own."""
        found, own = list[Template](), 0
        while True:
            page = self._http.json("GET", "v1/templates", query={"limit": _PAGE, "offset": own})
            if not own:
                found += (read_answer(Template, each) for each in page["built_in"])
            found += (read_answer(Template, each) for each in page["templates"])
            own += len(page["templates"])
            if not page["has_more"]:
                return tuple(found)

    def template(self, name: str) -> Template:
        """A template by its id, perhaps with a version: ``tpl_…@2``."""
        template_id, _, version = name.partition("@")
        query = {"version": version or None}
        return read_answer(
            Template, self._http.json("GET", f"v1/templates/{part(template_id)}", query=query)
        )

    def create_template(
        self, name: str, branding: Mapping[str, Any], *, description: str = ""
    ) -> Template:
        """Keep branding under a name.

        Args:
            name: What a person calls it.
            branding: Watermark and end card (camelCase); images by asset id or https address.
            description: What it is good for.
        """
        data = {"name": name, "description": description, "branding": branding}
        return read_answer(Template, self._http.json("POST", "v1/templates", data=data))

    def revise_template(
        self, template_id: str, name: str, branding: Mapping[str, Any], *, description: str = ""
    ) -> Template:
        """Give a template a new version."""
        data = {"name": name, "description": description, "branding": branding}
        path = f"v1/templates/{part(template_id)}"
        return read_answer(Template, self._http.json("PUT", path, data=data))

    def delete_template(self, template_id: str) -> None:
        """Delete a template; exports keep what it was."""
        self._http.json("DELETE", f"v1/templates/{part(template_id)}")

    # Keys

    def keys(self, *, everybody: bool = False) -> tuple[Key, ...]:
        """The user's keys, newest first; those of all users where an administrator asks so."""
        found: list[Key] = []
        while True:
            query = {"everybody": everybody or None, "limit": _PAGE, "offset": len(found)}
            page = self._http.json("GET", "v1/keys", query=query)
            found += (read_answer(Key, each) for each in page["keys"])
            if not page["has_more"]:
                return tuple(found)

    def create_key(self, user_id: str, *, name: str, is_admin: bool = False) -> Key:
        """Make a key; its token is told this once."""
        data = {"user_id": user_id, "name": name, "is_admin": is_admin}
        return read_answer(Key, self._http.json("POST", "v1/keys", data=data))

    def revoke_key(self, key_id: str) -> None:
        """Make a key void."""
        self._http.json("DELETE", f"v1/keys/{part(key_id)}")
