"""What is shown is what is stored, and nothing else: the sets of the schema, complete.

The schema is read from its printed form, as a client reads it; relations also from the fields themselves,
since no print tells which column a relation follows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_specified_scalar_type,
)
from sqlalchemy.dialects.postgresql import CITEXT, INET, JSONB
from strawberry.types import get_object_definition

from db import models
from db.base import Base, target_of
from graph.relations import ToMany, ToOne
from graph.roots import RootField
from graph.schema import Query, schema
from graph.tables import TABLES, TableType
from tests.contract import DOMAINS, TABLE_OF_TYPES

SCHEMA: Final[GraphQLSchema] = build_schema(schema.as_str())
MODELS: Final[dict[str, type[Base]]] = {name: getattr(models, name) for name in models.__all__}

HIDDEN: Final = {"tenant_id", "password_hash", "refresh_token_hash", "generation"}
"""The columns that no client sees, beside the normalised copies."""

LOOSE: Final = {"audit_logs.user_id": "User", "approval_history.actor_user_id": "User"}
"""History that names a user without a foreign key: the user may be gone."""

RENAMED: Final = {"assigned_to": "assignee", "requested_by": "requester"}
"""Foreign keys whose names end in neither `_id` nor `_user_id`."""

REVERSE: Final = {"Tenant.subscription": "TenantSubscription", "User.profile": "UserProfile"}
"""The one row that names this one."""

NOT_LISTED: Final = {
    "approvals.requested_by",
    "audit_logs.entity_id",
    "audit_logs.user_id",
    "campaign_sends.recipient_id",
    "campaigns.created_by_user_id",
    "map_shapes.updated_by_user_id",
    "projects.map_overlay_id",
    "telemarketing_calls.agent_user_id",
    "unit_price_history.changed_by_user_id",
}
"""Columns with a seek index for filters and deletes alone: the parent has no list of these rows."""

LISTS: Final = {"ApprovalPolicy.levels", "Query.approvalPolicies", "Query.nodes", "Viewer.permissions"}
"""Lists that are bounded otherwise than by a connection or a column."""

every_table = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def shown_as(model: type[Base]) -> tuple[TableType, GraphQLObjectType]:
    shown, printed = TABLES[stored(model)], SCHEMA.type_map[model.__name__]
    assert isinstance(printed, GraphQLObjectType)
    return shown, printed


def stored(model: type[Base]) -> sa.Table:
    return cast(sa.Table, model.__table__)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def directive(printed: Any, name: str) -> str | None:
    """The value of the one argument of a printed directive."""
    found = [d.arguments[0].value.value for d in printed.ast_node.directives or () if d.name.value == name]
    assert len(found) <= 1
    return found[0] if found else None


def object_types() -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for printed in SCHEMA.type_map.values():
        if isinstance(printed, GraphQLObjectType | GraphQLInterfaceType) and not printed.name.startswith(
            "__"
        ):
            yield printed


def fields() -> Iterator[tuple[str, GraphQLField]]:
    for printed in object_types():
        for name, field in printed.fields.items():
            yield f"{printed.name}.{name}", field


def node_type(printed: GraphQLNamedType) -> GraphQLNamedType:
    """The type of a connection's rows; any other type itself."""
    if isinstance(printed, GraphQLObjectType) and printed.name.endswith("Connection"):
        return cast(GraphQLNamedType, get_named_type(printed.fields["nodes"].type))
    return printed


def permissions(field: GraphQLField) -> set[str | None]:
    """What a field requires by itself and by what it returns."""
    returned = node_type(get_named_type(field.type))
    members = returned.types if isinstance(returned, GraphQLUnionType) else (returned,)
    gated = [member for member in members if isinstance(member, GraphQLObjectType)]
    return {directive(field, "requires"), *(directive(member, "requires") for member in gated)} - {None}


def type_of(column: sa.Column[Any]) -> str:
    """The GraphQL type that fits what a column stores."""
    if "enum" in column.info:
        return str(column.info["enum"].__name__)
    kinds = (
        (sa.Uuid, "ID"),
        (sa.Boolean, "Boolean"),
        (sa.BigInteger, "BigInt"),
        (sa.Integer, "Int"),
        (sa.Numeric, "Decimal"),
        (sa.DateTime, "DateTime"),
        (sa.Date, "Date"),
        (JSONB, "JSON"),
        (INET, "IPAddress"),
        (CITEXT, "EmailAddress"),
        (sa.CHAR, "CurrencyCode"),
        (sa.ARRAY, "[String!]"),
    )
    endings = (("email", "EmailAddress"), ("_e164", "PhoneNumber"), ("_url", "URL"), ("website", "URL"))
    by_kind = (name for kind, name in kinds if isinstance(column.type, kind))
    by_name = (name for ending, name in endings if column.name.endswith(ending))
    return next(by_kind, None) or next(by_name, "String")


def test_every_table_has_one_type_and_says_which() -> None:
    printed = {directive(item, "table"): item.name for item in object_types() if directive(item, "table")}
    assert printed == {table: row.type for table, row in TABLE_OF_TYPES.items()}
    assert {stored(model).name: name for name, model in MODELS.items()} == printed
    assert len(printed) == len(Base.metadata.tables) == len(TABLES) == 43


def test_types_and_models_have_the_same_domains() -> None:
    root = Path(__file__).parents[1]
    modules = {
        layer: {path.stem for path in (root / layer).glob("*.py")} - {"__init__", *others}
        for layer, others in {"db/models": (), "graph/types": ("enums",), "graph/queries": ("node",)}.items()
    }
    assert modules == dict.fromkeys(modules, DOMAINS)


@every_table
def test_a_type_lives_in_its_tables_domain(model: type[Base]) -> None:
    assert shown_as(model)[0].origin.__module__ == model.__module__.replace("db.models", "graph.types")


@every_table
def test_columns_and_fields_are_the_same_set(model: type[Base]) -> None:
    columns = {c.name for c in stored(model).c if not c.info.get("hidden") and c.name != "tenant_id"}
    printed = shown_as(model)[1]
    shown = {name for name, field in printed.fields.items() if is_leaf_type(get_named_type(field.type))}
    assert shown == {camel(name) for name in columns}
    assert shown_as(model)[0].fields.keys() >= columns


@every_table
def test_only_secrets_and_helpers_are_hidden(model: type[Base]) -> None:
    hidden = {c.name for c in stored(model).c if c.info.get("hidden")}
    assert {name for name in hidden if not name.endswith("_norm")} <= HIDDEN
    assert not {c.name for c in stored(model).c if "hash" in c.name} - hidden


@every_table
def test_a_field_has_the_type_and_nullability_of_its_column(model: type[Base]) -> None:
    printed = shown_as(model)[1]
    expected, found = {}, {}
    for column in stored(model).c:
        if column.name in HIDDEN or column.info.get("hidden"):
            continue
        field = printed.fields[camel(column.name)]
        # A NOT NULL jsonb column may hold JSON's own null, which other services do store.
        never_null = not column.nullable and not isinstance(column.type, JSONB)
        bang = "!" if never_null and directive(field, "requires") is None else ""
        expected[column.name] = type_of(column) + bang
        found[column.name] = str(field.type)
    assert found == expected


@every_table
def test_a_row_with_an_id_of_its_own_is_a_node(model: type[Base]) -> None:
    interfaces = [interface.name for interface in shown_as(model)[1].interfaces]
    assert interfaces == (["Node"] if "id" in stored(model).c else [])


def test_38_types_are_nodes() -> None:
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    assert len(SCHEMA.get_possible_types(node)) == 38


@every_table
def test_every_foreign_key_is_an_id_and_a_row(model: type[Base]) -> None:
    shown, printed = shown_as(model)
    relations = {}
    for column in stored(model).c:
        named = target_of(column)
        name = LOOSE.get(str(column)) or (None if named is None else TABLES[named].name)
        if name is None or column.name == "tenant_id":
            continue
        relation = RENAMED.get(column.name) or column.name.removesuffix("_id").removesuffix("_user")
        field = printed.fields[camel(relation)]
        own = directive(field, "requires")
        gated = own is not None or directive(SCHEMA.type_map[name], "requires") is not None
        optional = gated or column.nullable or str(column) in LOOSE
        assert str(field.type) == (name if optional else f"{name}!"), relation
        assert get_named_type(printed.fields[camel(column.name)].type).name == "ID"
        item = shown.fields[relation]
        assert isinstance(item, ToOne)
        assert (item.column, item.target.name, item.local) == (column, name, column.name)
        relations[relation] = item
    others = {n: f for n, f in shown.fields.items() if isinstance(f, ToOne) and n not in relations}
    assert {f"{shown.name}.{n}": f.target.name for n, f in others.items()} == {
        path: name for path, name in REVERSE.items() if path.startswith(f"{shown.name}.")
    }


def to_many_relations() -> Iterator[tuple[str, TableType, ToMany]]:
    for shown in TABLES.values():
        for name, item in shown.fields.items():
            if isinstance(item, ToMany):
                yield f"{shown.name}.{camel(name)}", shown, item


@pytest.mark.parametrize(
    ("parent", "item"), [pytest.param(parent, item, id=path) for path, parent, item in to_many_relations()]
)
def test_a_list_under_a_parent_is_a_connection_with_an_index(parent: TableType, item: ToMany) -> None:
    assert target_of(item.column) is parent.table
    target = item.target
    field = cast(GraphQLObjectType, SCHEMA.type_map[parent.name]).fields[camel(item.python_name)]
    optional = target.needs is not None or item.needs is not None
    assert str(field.type) == f"{target.name}Connection" + ("" if optional else "!")
    down = "DESC" if target.sort == "created_at" else "ASC"
    key = [name for name in target.key if name != item.column.name]
    scope = ["tenant_id"] if "tenant_id" in target.table.c else []
    wanted = [*scope, item.column.name, *(f"{name} {down}" for name in (target.sort, *key))]
    assert [name.removesuffix(" ASC") for name in wanted] in [indexed(i) for i in target.table.indexes]


def indexed(index: sa.Index) -> list[str]:
    """What an index is over, `column` or `column DESC` each."""
    return [str(expression).split(".")[-1] for expression in index.expressions]


def test_what_is_listed_by_a_parent_is_a_list_of_it() -> None:
    listed = {f"{stored(model).name}.{name}" for model in MODELS.values() for name in model.__listed_by__}
    relations = {str(item.column) for _, _, item in to_many_relations()}
    viewers = {str(stored(models.InboxNotification).c.user_id)}
    assert listed - relations - viewers == NOT_LISTED
    assert not NOT_LISTED & relations


def test_the_root_fields_are_those_of_the_contract() -> None:
    assert SCHEMA.query_type is not None
    expected = {name: row.type for row in TABLE_OF_TYPES.values() for name in row.root_fields}
    found = {name: node_type(get_named_type(f.type)).name for name, f in SCHEMA.query_type.fields.items()}
    others = {"viewer": "Viewer", "node": "Node", "nodes": "Node", "approvalPolicies": "ApprovalPolicy"}
    assert found == expected | others


def test_a_root_field_is_one_row_or_a_connection_of_them() -> None:
    assert SCHEMA.query_type is not None
    roots = get_object_definition(Query, strict=True).fields
    read = {camel(item.python_name): item.target.name for item in roots if isinstance(item, RootField)}
    for row in TABLE_OF_TYPES.values():
        for name in row.root_fields:
            field = SCHEMA.query_type.fields[name]
            single = name == row.type[0].lower() + row.type[1:]
            assert str(field.type) == (row.type if single else f"{row.type}Connection")
            if single:
                assert {n: str(a.type) for n, a in field.args.items()} == {"id": "ID!"}
            assert read[name] == row.type


def test_types_require_what_the_contract_says() -> None:
    for table, row in TABLE_OF_TYPES.items():
        assert directive(SCHEMA.type_map[row.type], "requires") == row.to_read, table
        needs = TABLES[Base.metadata.tables[table]].needs
        assert (None if needs is None else needs.name) == row.to_read, table


def test_a_field_that_requires_a_permission_is_nullable() -> None:
    # The rows of a page are there if the page is: what is refused is the connection.
    inside = ("Connection.nodes", "Connection.edges", "Edge.node")
    gated = {path: field for path, field in fields() if permissions(field) and not path.endswith(inside)}
    assert [path for path, field in gated.items() if is_non_null_type(field.type)] == []
    assert {"Query.deals", "Deal.company", "User.status", "CampaignSend.recipient"} <= gated.keys()


def test_printed_permissions_of_fields_are_the_enforced_ones() -> None:
    for shown in TABLES.values():
        printed = cast(GraphQLObjectType, SCHEMA.type_map[shown.name])
        for name, item in shown.fields.items():
            needs = getattr(item, "needs", None)
            expected = None if needs is None else needs.name
            assert directive(printed.fields[camel(name)], "requires") == expected, f"{shown.name}.{name}"


def test_every_list_is_bounded() -> None:
    arrays = {
        f"{shown.name}.{camel(column.name)}"
        for shown in TABLES.values()
        for column in shown.table.c
        if isinstance(column.type, sa.ARRAY)
    }
    lists = {path for path, field in fields() if is_list_type(get_nullable_type(field.type))}
    pages = {path for path in lists if path.endswith(("Connection.nodes", "Connection.edges"))}
    payloads = {path for path in lists if path.endswith(("Payload.errors", "Payload.results"))}
    payloads.add("UserError.field")
    assert lists - pages - payloads == arrays | LISTS


def test_every_connection_is_paged_alike() -> None:
    page = {"nodes", "edges", "pageInfo", "totalCount"}
    for path, field in fields():
        returned = get_named_type(field.type)
        if isinstance(returned, GraphQLObjectType) and returned.name.endswith("Connection"):
            assert returned.fields.keys() == page
            given = {name: str(argument.type) for name, argument in field.args.items()}
            rows = node_type(returned).name
            expected = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
            expected |= {"filter": f"{rows}Filter"}
            if f"{rows}Order" in SCHEMA.type_map:
                expected["orderBy"] = f"{rows}Order"
            assert given == expected, path


def test_lists_are_newest_first_but_for_what_has_a_place() -> None:
    placed = {shown.name: shown.sort for shown in TABLES.values() if shown.sort != "created_at"}
    assert placed == {"DealStage": "order_index", "UnitComponent": "sort_order"}


def test_everything_is_described() -> None:
    # Apart from the values of enums, which say what they are, and the arguments of schema directives, whose
    # descriptions Strawberry drops.
    parts: dict[str, Any] = {f"@{item.name}": item for item in SCHEMA.directives if item.ast_node}
    for printed in SCHEMA.type_map.values():
        if not printed.name.startswith("__") and not is_specified_scalar_type(printed):
            parts[printed.name] = printed
        if isinstance(printed, GraphQLInputObjectType):
            parts |= {f"{printed.name}.{name}": field for name, field in printed.fields.items()}
    parts |= dict(fields())
    parts |= {f"{path}({n})": argument for path, f in fields() for n, argument in f.args.items()}
    assert [path for path, part in parts.items() if not (part.description or "").strip()] == []


def test_enums_hold_the_values_of_their_columns() -> None:
    for model in MODELS.values():
        for column in stored(model).c:
            if "enum" in column.info:
                printed = SCHEMA.type_map[column.info["enum"].__name__]
                assert isinstance(printed, GraphQLEnumType)
                assert [name.lower() for name in printed.values] == [
                    value.value for value in column.info["enum"]
                ]
