"""What workers are told: plain data, made from what the database holds."""

from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from typing import Final

from coordinator.database import Database, work
from coordinator.dispatcher.choosing import Waiting
from coordinator.ports import Item
from shared.export import ExportConfiguration
from shared.intake import Intake, IntakeSpec, ProbeSpec
from shared.keys import attempt_key
from shared.plan import AudioSpec, Plan, StitchSpec, SurveySpec
from shared.planning import ExportPlan, Wanted, plan_export
from shared.preview import PreviewSpec

_CHUNKS_KEPT: Final = 20_000
"""Of all plans that are kept; a thousand exports under way have some fifteen each."""


class Briefing:
    """Makes specs and plans; keeps the plans of the last exports."""

    def __init__(self, database: Database) -> None:
        """Read from ``database``."""
        self._database = database
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._chunks = 0

    async def plan(
        self, item: Waiting, intake: Intake, engine: str
    ) -> tuple[ExportPlan, list[str]] | None:
        """The plan that an intake leads to; None where the export is forgotten.

        Raises:
            CompositionError: There is nothing to render, or too much.
            DatabaseError: PostgreSQL failed.
        """
        assert item.export_id is not None  # noqa: S101  # an intake is an export's
        async with self._database.transaction() as connection:
            row = await work.get_plan(connection, item.export_id)
        if row is None:
            return None
        spec = IntakeSpec.model_validate(row["intake"])
        wanted = Wanted(
            song=spec.names.get(spec.midi_key, "the MIDI file"),
            configuration=ExportConfiguration.model_validate(row["config"]),
            start_s=Fraction(str(row["start_s"])),
            end_s=None if row["end_s"] is None else Fraction(str(row["end_s"])),
        )
        return plan_export(wanted, intake, engine, shared_frames=row["shared_frames"])

    async def spec(self, item: Waiting, attempt: str) -> Item:
        """What the worker of an attempt is told.

        Raises:
            ValidationError: Another version of midifarm wrote the item.
            DatabaseError: PostgreSQL failed.
        """
        if item.kind != "chunk":
            async with self._database.transaction() as connection:
                spec = await work.get_spec(connection, item.id)
        match item.kind:
            case "probe":
                return ProbeSpec.model_validate(spec)
            case "intake":
                return IntakeSpec.model_validate(spec)
            case "preview":
                preview = PreviewSpec.model_validate(spec)
                return preview.model_copy(update={"key": attempt_key(preview.key, attempt)})
            case "survey":
                survey = SurveySpec.model_validate(spec)
                return survey.model_copy(update={"key": attempt_key(survey.key, attempt)})
            case "audio":
                audio = AudioSpec.model_validate(spec)
                return audio.model_copy(update={"key": attempt_key(audio.key, attempt)})
            case "stitch":
                stitch = StitchSpec.model_validate(spec)
                return stitch.model_copy(update={"key": attempt_key(stitch.key, attempt)})
        assert item.export_id is not None  # noqa: S101  # a chunk is an export's
        assert item.chunk_index is not None  # noqa: S101
        chunk = (await self._whole_plan(item)).chunks[item.chunk_index]
        return chunk.model_copy(update={"key": attempt_key(chunk.key, attempt)})

    async def _whole_plan(self, item: Waiting) -> Plan:
        """The plan that a chunk belongs to."""
        export_id, index = item.export_id, item.chunk_index
        assert export_id is not None  # noqa: S101
        assert index is not None  # noqa: S101
        plan = self._plans.get(export_id)
        if plan is None or len(plan.chunks) <= index or plan.chunks[index].key != item.content_key:
            async with self._database.transaction() as connection:
                row = await work.get_plan(connection, export_id)
            assert row is not None  # noqa: S101  # its chunk was claimed
            plan = ExportPlan.model_validate(row["plan"]).whole()
            self._keep(export_id, plan)
        self._plans.move_to_end(export_id)
        return plan

    def _keep(self, export_id: str, plan: Plan) -> None:
        before = self._plans.pop(export_id, None)
        self._plans[export_id] = plan
        self._chunks += len(plan.chunks) - (len(before.chunks) if before else 0)
        while self._chunks > _CHUNKS_KEPT and len(self._plans) > 1:
            _, oldest = self._plans.popitem(last=False)
            self._chunks -= len(oldest.chunks)
