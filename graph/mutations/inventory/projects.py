"""Changing developers and projects."""

from __future__ import annotations

from typing import Any, Final

import strawberry

from db import models
from graph.permissions import Permission
from graph.types.inventory import Developer, Project
from graph.writing.editing import Editing
from graph.writing.mutation import Payload, payload, written
from graph.writing.values import Draft
from graph.writing.work import Work

_DEGREES: Final = {"lat": 90, "lng": 180}


@payload("What became of a developer.")
class DeveloperPayload(Payload):
    """A developer."""

    developer: Developer | None = written(models.Developer, "The developer, as it now is or last was.")


@payload("What became of a project.")
class ProjectPayload(Payload):
    """A project."""

    project: Project | None = written(models.Project, "The project, as it now is or last was.")


developers = Editing(
    models.Developer,
    DeveloperPayload,
    "name website phone email address logo_url",
    create=Permission.INVENTORY_MANAGE,
    update=Permission.INVENTORY_MANAGE,
    delete=Permission.INVENTORY_MANAGE,
)


async def _rules(work: Work, draft: Draft) -> None:
    location = draft.values.get("location")
    if location is not None and not _on_earth(location):
        draft.invalid("location", "This is { lat, lng }, in degrees.")
    start, end = draft.now("start_date"), draft.now("end_date")
    if start is not None and end is not None and end < start:
        draft.invalid("end_date", "The end is not before the start.")


def _on_earth(location: Any) -> bool:
    return isinstance(location, dict) and all(
        type(location.get(name)) in (int, float) and abs(location[name]) <= most
        for name, most in _DEGREES.items()
    )


projects = Editing(
    models.Project,
    ProjectPayload,
    "developer_id name location status start_date end_date description map_overlay_id",
    create=Permission.INVENTORY_MANAGE,
    update=Permission.INVENTORY_MANAGE,
    delete=Permission.INVENTORY_MANAGE,
    rules=_rules,
)


@strawberry.type
class ProjectsMutation:
    """Developers and projects."""

    create_developer: DeveloperPayload | None = developers.create("Add a developer.")
    update_developer: DeveloperPayload | None = developers.update("Change a developer.")
    delete_developer: DeveloperPayload | None = developers.delete(
        "Delete a developer. Its projects stay, without one."
    )
    create_project: ProjectPayload | None = projects.create("Add a project.")
    update_project: ProjectPayload | None = projects.update("Change a project.")
    delete_project: ProjectPayload | None = projects.delete(
        "Delete a project that has neither units nor map overlays."
    )
