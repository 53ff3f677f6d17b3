"""The values of an operation's variables, as graphql-core has them.

To find out what a variable's type is takes graphql-core longer than to look at its value, so what is known of
those that are scalars and enums is kept with the document.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from graph.admission.documents import Document

Leaves = tuple[GraphQLVariableSignature, ...]


def values(
    schema: GraphQLSchema, document: Document, operation: OperationDefinitionNode, given: dict[str, Any]
) -> VariableValues | None:
    """The values of `given` and of defaults; None if they do not fit."""
    name = operation.name.value if operation.name else None
    if name not in document.leaves:
        document.leaves[name] = _leaves(schema, operation)
    leaves = document.leaves[name]
    if leaves is not None:
        return _of_leaves(leaves, given)
    variables = get_variable_values(schema, operation.variable_definitions or (), given)
    return None if isinstance(variables, list) else variables


def _leaves(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Leaves | None:
    """The signatures of variables that are scalars and enums without defaults; None if others are there."""
    found = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError) or definition.default_value:
            return None
        if not is_leaf_type(get_nullable_type(signature.type)):
            return None
        found.append(signature)
    return tuple(found)


def _of_leaves(leaves: Leaves, given: Mapping[str, Any]) -> VariableValues | None:
    found = VariableValues({}, {})
    for signature in leaves:
        name, kind = signature.name, signature.type
        value = given.get(name, Undefined)
        found.sources[name] = VariableValueSource(signature, value)
        if value is Undefined and not is_non_null_type(kind):
            continue
        coerced = coerce_input_value(value, kind)
        if coerced is Undefined:
            return None
        found.coerced[name] = coerced
    return found
