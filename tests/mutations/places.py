"""The places of a mutation's arguments, and arguments with something else at one of them."""

import copy
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import GraphQLInputObjectType, GraphQLInputType, get_named_type, is_required_input_field

from tests.mutations.given import MUTATIONS, Field, Json, is_a_list, object_of, table_of
from tests.mutations.world import World


@dataclass(frozen=True)
class Place:
    """A field of the arguments of a mutation."""

    path: Field
    kind: GraphQLInputType
    required: bool

    def __str__(self) -> str:
        return ".".join(map(str, self.path))

    @property
    def name(self) -> str:
        return str(self.path[-1])


def places(name: str) -> Iterator[Place]:
    """Every argument of a mutation and every field of its inputs, those of inputs within them too."""
    for key, arg in MUTATIONS[name].args.items():
        yield Place((key,), arg.type, is_required_input_field(arg))
        start: Field = (key, 0) if is_a_list(arg.type) else (key,)
        yield from _within(start, get_named_type(arg.type))


def _within(path: Field, kind: Any) -> Iterator[Place]:
    if isinstance(kind, GraphQLInputObjectType) and not kind.name.endswith("Filter"):
        for key, field in kind.fields.items():
            yield Place((*path, key), field.type, is_required_input_field(field))
            start: Field = (*path, key, 0) if is_a_list(field.type) else (*path, key)
            yield from _within(start, get_named_type(field.type))


MISSING: Final = object()

APART: Final[Mapping[str, Mapping[str, Any]]] = {
    "CampaignAudienceInput.leads": {"contacts": MISSING},
    "CampaignAudienceInput.users": {"contacts": MISSING},
    "ConvertLeadInput.company": {"deal.companyId": MISSING},
    "ConvertLeadInput.contact": {"deal.contactId": MISSING},
    "CreateDealInput.pipelineId": {"stageId": MISSING},
    "CreateMapShapeInput.componentTypeCode": {"kind": "COMPONENT", "unitTypeCode": MISSING},
    "CreateMapShapeInput.unitComponentId": {"kind": "COMPONENT", "unitTypeCode": MISSING},
    "RequestApprovalInput.campaignLaunch": {"dealStageMove": MISSING},
    "RequestApprovalInput.unitPriceChange": {"dealStageMove": MISSING},
}
"""What else has to change for a field to matter."""

ABOUT: Final[Mapping[str, str]] = {
    "campaignLaunch": "launchCampaign",
    "dealStageMove": "moveDeal",
    "unitPriceChange": "changeUnitPrice",
}
"""The mutations whose inputs stand within that of another, and are about a row of their own."""


def about(name: str, place: Place) -> str:
    """The mutation about whose row an `id` is."""
    return ABOUT.get(str(place.path[-2]), name) if len(place.path) > 1 else name


def with_value(world: World, name: str, given: Json, place: Place, new: Any) -> Json:
    """The arguments with another value at a place; MISSING leaves it out."""
    changed: Json = copy.deepcopy(given)
    at, fields, kind = changed, MUTATIONS[name].args, None
    for step, following in zip(place.path, (*place.path[1:], None), strict=True):
        for other, instead in APART.get(f"{kind}.{step}", {}).items():
            *inner, last = other.split(".")
            _put(functools.reduce(lambda found, key: found[key], inner, at), last, instead)
        if following is None:
            _put(at, step, new)
        elif isinstance(step, int):
            at = at[step]  # type: ignore[index]
        else:
            kind = get_named_type(fields[step].type)
            if at.get(step) is None:
                at[step] = object_of(world, kind)
                if step in ABOUT:
                    at[step]["id"] = str(world.filled[table_of(ABOUT[step])]["id"])
            at, fields = at[step], kind.fields
    return changed


def _put(at: Any, key: str | int, new: Any) -> None:
    if new is not MISSING:
        at[key] = new
    elif isinstance(key, str):
        at.pop(key, None)
