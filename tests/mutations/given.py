"""What a mutation can be asked: arguments that are good, made from the SDL and the rows of a world.

A field is given by its kind and name, so a mutation that is added is tested when it is there; what takes
more to be good stands in `SUBJECTS` and `SPECIAL`.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from sqlalchemy.dialects.postgresql import insert as insert_policy

from db import gateway
from db.base import Base, target_of
from db.models import Plan
from graph.inputs import camel_case
from tests.factories import insert
from tests.mutations.scene import SCHEMA
from tests.mutations.world import World

assert SCHEMA.mutation_type is not None
MUTATIONS: Final = SCHEMA.mutation_type.fields
Json = dict[str, Any]
Field = tuple[str | int, ...]
"""The path of a field from the arguments on, by names and by places in lists."""
_numbers = itertools.count(1)

REFERENCES: Final[dict[str, str]] = {
    camel_case(column.name): target.name
    for table in Base.metadata.sorted_tables
    for column in table.c
    if column.name != "tenant_id" and (target := target_of(column)) is not None
}
REFERENCES["user"] = "users"
"""The tables that fields name rows of, by the names of the fields."""

SQUARE: Final = {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]}
VARIABLES: Final = {"name": "Mona"}
BY_NAME: Final[Mapping[str, Any]] = {
    "geomGeojson": SQUARE,
    "htmlBody": "<p>Hello {{ name }}</p>",
    "location": {"lat": 30.0, "lng": 31.2},
    "payload": VARIABLES,
    "phoneNumber": "+201001234567",
    "textBody": "Hello {{ name }}",
    "timezone": "Africa/Cairo",
    "locale": "en",
    "variables": VARIABLES,
    "variablesSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
}
BY_KIND: Final[Mapping[str, Callable[[int], Any]]] = {
    "BigInt": str,
    "Boolean": lambda number: True,
    "CurrencyCode": lambda number: "EGP",
    "Date": lambda number: "2026-11-02",
    "DateTime": lambda number: "2026-11-02T09:30:00Z",
    "Decimal": lambda number: f"{number}.5",
    "EmailAddress": lambda number: f"given{number}@example.com",
    "Int": lambda number: number,
    "JSON": lambda number: {"number": number},
    "PhoneNumber": lambda number: "+201001234567",
    "String": lambda number: f"text-{number}",
    "URL": lambda number: f"https://example.com/{number}",
}
OMITTED: Final = {
    "CreateTelemarketingCallInput.outcomeCode",  # known when a call has ended
    "UpdateTelemarketingCallInput.outcomeCode",
    "ConvertLeadInput.company",  # the deal names those there are
    "ConvertLeadInput.contact",
    "CampaignAudienceInput.leads",  # one of the three
    "CampaignAudienceInput.users",
    "CreateMapShapeInput.componentTypeCode",  # of parts, and these are of units
    "CreateMapShapeInput.unitComponentId",
    "UpdateMapShapeInput.componentTypeCode",
    "UpdateMapShapeInput.unitComponentId",
    "EnqueueMessageInput.toPhoneE164",  # an e-mail goes to no phone
    "RequestApprovalInput.campaignLaunch",  # one of the three
    "RequestApprovalInput.unitPriceChange",
}
"""What does not go together with the rest."""

SUBJECTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "approveTemplate": {
        "version_status": "draft",
        "channel": "email",
        "subject": "Hello",
        "text_body": "Hello",
    },
    "deleteMessageTemplate": {"version_status": "draft"},
    "endCall": {"started_at": datetime.now(UTC)},
    "reactivateUser": {"status": "suspended"},
    "releaseUnit": {"status": "reserved"},
    "reopenDeal": {"status": "won"},
    "launchCampaign": {"type": "email"},
    "scheduleCampaign": {"type": "email"},
    "previewTemplate": {"subject": "Hello {{ name }}"},
    "updateMessageTemplate": {"version_status": "draft"},
    "revokeSession": {"expires_at": datetime.now(UTC) + timedelta(days=1)},
}
"""What the row must be that a mutation is about."""


def is_a_list(kind: GraphQLInputType) -> bool:
    """Whether a field takes several values."""
    return is_list_type(get_nullable_type(kind))


def row_of(name: str) -> tuple[str, str] | None:
    """The field of the payload with the row that a mutation is about, and the table of the row."""
    payload = get_named_type(MUTATIONS[name].type)
    assert isinstance(payload, GraphQLObjectType)
    found = {}
    for field, item in payload.fields.items():
        shown = get_named_type(item.type)
        for directive in (shown.ast_node and shown.ast_node.directives) or ():
            if directive.name.value == "table":
                found[shown.name] = field, str(directive.arguments[0].value.value)
    if len(found) > 1:
        found.pop("Approval", None)  # what it may have to wait for
    if len(found) == 1:
        return next(iter(found.values()))
    return next((rest for shown, rest in found.items() if name.endswith(shown)), None)


def table_of(name: str) -> str:
    """The table of the row whose id a mutation takes."""
    row = row_of(name)
    assert row is not None, f"{name}: which row is it about?"
    return "users" if row[1] == "user_profiles" else row[1]


async def subject(world: World, name: str) -> str:
    """The id of a new row that the mutation is good for."""
    table = table_of(name)
    if table == "tenants":
        return str(world.tenant)
    values = dict(SUBJECTS.get(name, {}))
    if table == "deals":
        stage = world.filled["deal_stages"]
        values |= {"pipeline_id": stage["pipeline_id"], "stage_id": stage["id"]}
    if table in ("notifications_inbox", "sessions"):
        values["user_id"] = world.client.user_id
    row = await world.new(table, **values)
    if name == "updateUserProfile":
        await world.new("user_profiles", user_id=row["id"])
    return str(row["id"])


async def _moved(world: World) -> Json:
    stage = await world.new("deal_stages", pipeline_id=world.filled["deal_pipelines"]["id"])
    return {"stageId": str(stage["id"])}


async def _reordered(world: World) -> Json:
    pipeline = (await world.new("deal_pipelines"))["id"]
    stages = [await world.new("deal_stages", pipeline_id=pipeline) for _ in range(2)]
    return {"pipelineId": str(pipeline), "stageIds": [str(stage["id"]) for stage in stages[::-1]]}


async def _somebody(world: World) -> Json:
    return {"userId": str((await world.new("users"))["id"])}


async def _given_role(world: World) -> Json:
    role = (await world.new("roles"))["id"]
    await world.new("role_permissions", role_id=role, permission="roles.manage")
    return {"roleId": str(role), "permission": "ROLES_MANAGE"}


async def _new_role(world: World) -> Json:
    return {"roleId": str((await world.new("roles"))["id"]), "permission": "ROLES_MANAGE"}


async def _asked(world: World) -> Json:
    deal = await subject(world, "moveDeal")
    return {"dealStageMove": {"id": deal, **await _moved(world)}}


async def _governed(world: World) -> Json:
    domain, levels = "campaign.launch", [{"permission": None, "slaMinutes": None}]
    policy = insert_policy(gateway.approval_policies).values(
        tenant_id=world.tenant, domain=domain, levels=levels
    )
    await world.owner.execute(policy.on_conflict_do_nothing())
    return {"domain": "CAMPAIGN_LAUNCH"}


async def _agreed(world: World) -> Json:
    return {"id": await agreed(world)}


async def agreed(world: World) -> str:
    """The id of an approval that waits to be applied, and can be."""
    requester = await world.person("deals.move")
    deal, to = await subject(world, "moveDeal"), await _moved(world)
    stage = str(world.filled["deal_stages"]["id"])
    row = await world.new(
        "approvals",
        domain="deal.stage.move",
        subject_entity="deal",
        subject_id=deal,
        payload={**to, "from": {"stageId": stage}},
        state="approved",
        requested_by=requester.client.user_id,
    )
    return str(row["id"])


async def _plan(world: World) -> Json:
    return {"planId": str((await insert(world.owner, Plan))["id"])}


async def _address(world: World) -> Json:
    return {"channel": "EMAIL", "value": f"given{next(_numbers)}@example.com"}


async def _suppressed(world: World) -> Json:
    address = await _address(world)
    await world.new("suppression_list", channel="email", normalized_value=address["value"])
    return address


SPECIAL: Final[Mapping[str, Callable[[World], Awaitable[Json]]]] = {
    "addGroupMember": _somebody,
    "applyApproval": _agreed,
    "assignRole": _somebody,
    "changePlan": _plan,
    "deleteApprovalPolicy": _governed,
    "grantPermission": _new_role,
    "moveDeal": _moved,
    "reorderStages": _reordered,
    "requestApproval": _asked,
    "revokePermission": _given_role,
    "suppress": _address,
    "unsuppress": _suppressed,
}
"""Parts of an input that are good only together with rows of their own."""


async def arguments(world: World, name: str) -> Json:
    """Arguments that the mutation takes, with all that its input has."""
    args = MUTATIONS[name].args
    given: Json = {}
    if "input" in args:
        kind = get_named_type(args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        made = object_of(world, kind)
        if "id" in kind.fields:
            made["id"] = await subject(world, name)
        if name in SPECIAL:
            made |= await SPECIAL[name](world)
        given["input"] = [made] if is_a_list(args["input"].type) else made
    if "id" in args:
        given["id"] = await subject(world, name)
    return given


def object_of(world: World, kind: GraphQLInputObjectType) -> Json:
    return {
        name: value(world, name, field.type)
        for name, field in kind.fields.items()
        if name not in ("id", "ifUpdatedAt") and f"{kind.name}.{name}" not in OMITTED
    }


def value(world: World, name: str, kind: GraphQLInputType) -> Any:
    """A good value for a field of an input."""
    named = get_named_type(kind)
    if is_a_list(kind):
        return [value(world, name.removesuffix("s"), cast("GraphQLInputType", named))]
    if isinstance(named, GraphQLInputObjectType):
        return {} if named.name.endswith("Filter") else object_of(world, named)
    if isinstance(named, GraphQLEnumType):
        return "EMAIL" if "EMAIL" in named.values else next(iter(named.values))
    if named.name == "ID":
        return str(world.filled[REFERENCES[name]]["id"])
    if name.endswith("TypeCode"):
        return world.filled["unit_type_codes" if name.startswith("unit") else "component_type_codes"]["code"]
    if name == "templateCode":
        return world.filled["message_templates"]["code"]
    return BY_NAME[name] if name in BY_NAME else BY_KIND[named.name](next(_numbers))
