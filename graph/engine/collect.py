"""The fields of a selection set: fragments, `@include` and `@skip` resolved, equal keys merged."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

from graph.admission.documents import Document

Fields = dict[str, list[FieldNode]]


class Unplanned(Exception):
    """Why the engine leaves an operation to graphql-core."""


class Collector:
    """Collects the fields of one document's selections, with the values of its switches given."""

    def __init__(self, schema: GraphQLSchema, document: Document, variables: Mapping[str, Any]) -> None:
        self._schema, self._fragments, self._variables = schema, document.fragments, variables

    def fields(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Fields:
        """The fields below `nodes`, all of them the same field, where it is of type `kind`."""
        return self.collect(kind, [node.selection_set for node in nodes if node.selection_set])

    def collect(self, kind: GraphQLObjectType, sets: list[SelectionSetNode]) -> Fields:
        """The selected fields by response key, in the order of their first appearance (section 6.3.2)."""
        found: Fields = {}
        seen: set[str] = set()
        for selections in sets:
            self._gather(kind, selections, found, seen)
        return found

    def _gather(
        self, kind: GraphQLObjectType, selections: SelectionSetNode, found: Fields, seen: set[str]
    ) -> None:
        for selection in selections.selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, kind):
                    self._gather(kind, selection.selection_set, found, seen)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                fragment = self._fragments[selection.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    self._gather(kind, fragment.selection_set, found, seen)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        if condition == kind.name:
            return True
        other: Any = self._schema.get_type(condition)
        if not is_abstract_type(other):
            return False
        abstract: GraphQLAbstractType = other
        return self._schema.is_sub_type(abstract, kind)

    def _included(self, selection: Any) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name not in ("include", "skip"):
                raise Unplanned(f"@{name} is not planned")
            given = directive.arguments[0].value
            value = self._variables[given.name.value] if isinstance(given, VariableNode) else given.value
            if value is (name == "skip"):
                return False
        return True
