"""Documents, parsed and validated once."""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    NoFragmentCyclesRule,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from graph import limits
from graph.admission import bounds
from graph.errors import TooComplex

MAX_PLANS: Final = 64
"""Plans of one document: by operation, by `@include` and `@skip`, by the permissions of who asks."""

INTROSPECTION: Final = frozenset({"__schema", "__type", "__typename"})
"""The root fields that every schema has."""

_RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


class KeptPlans(dict[Any, Any]):
    """The plans of a document, by what they depend on; `grow` is told of the bytes that each has."""

    grow: Callable[[int], None] | None = None

    def __setitem__(self, key: Any, plan: Any) -> None:
        super().__setitem__(key, plan)
        if self.grow is not None:
            self.grow(getattr(plan, "size", 0))

    def clear(self) -> None:
        """Forget them."""
        if self.grow is not None:
            self.grow(-sum(getattr(plan, "size", 0) for plan in self.values()))
        super().clear()


@dataclass
class Document:
    """A document and what is known of it: if it has errors those, and what its operations are called."""

    node: DocumentNode | None
    errors: list[GraphQLError]
    size: int = 0
    """The bytes of memory that it takes, about, with its plans while it is kept."""
    operations: dict[str | None, OperationDefinitionNode] = field(default_factory=dict)
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    switches: tuple[str, ...] = ()
    """The variables that `@include` and `@skip` look at."""
    introspects: bool = False
    """Whether `__schema` or `__type` is in it."""
    repeats: int = 1
    """How often it asks for one field of the schema."""
    plans: KeptPlans = field(default_factory=KeptPlans)
    leaves: dict[str | None, Any] = field(default_factory=dict)
    """What is known of operations' variables, by name; `graph/variables.py` fills it."""
    prices: dict[str | None, Any] = field(default_factory=dict)
    """What its operations may cost, by name; `graph/admission/pricing.py` fills it."""

    def about_schema(self, operation: OperationDefinitionNode) -> bool:
        """Whether the operation asks for the schema and nothing else."""
        return all(
            isinstance(selection, FieldNode) and selection.name.value in INTROSPECTION
            for selection in operation.selection_set.selections
        )

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation to run; None if the name, or its absence, does not single one out."""
        if name is not None:
            return self.operations.get(name)
        return next(iter(self.operations.values())) if len(self.operations) == 1 else None


class _Switches(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}
        self.introspects = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.name.value in ("__schema", "__type"):
            self.introspects = True

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names[argument.value.name.value] = None


class Documents:
    """The documents seen last."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._size = 0

    def known(self, text: str) -> Document | None:
        """The document that `text` spells, if it was parsed before and is still kept."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
        return known

    def get(self, text: str) -> Document:
        """The document that `text` spells, parsed and validated now or before."""
        found = self.known(text)
        if found is None:
            found = self._read(text)
            if found.errors:
                found = _lightened(found)
            found.size += 2 * sys.getsizeof(text)  # and what it has of it in its tree
            self._keep(text, found)
        return found

    def _keep(self, text: str, document: Document) -> None:
        self._known[text] = document
        self._size += document.size
        self._make_room()
        document.plans.grow = partial(self._grow, text, document)

    def _grow(self, text: str, document: Document, size: int) -> None:
        if self._known.get(text) is document:
            document.size += size
            self._size += size
            self._make_room()

    def _make_room(self) -> None:
        while len(self._known) > limits.MAX_DOCUMENTS or self._size > limits.MAX_DOCUMENTS_BYTES:
            _, oldest = self._known.popitem(last=False)
            self._size -= oldest.size

    def _read(self, text: str) -> Document:
        try:
            tokens = bounds.check_text(text)
            node = parse(text, max_lexical_tokens=limits.MAX_TOKENS)
            repeats = bounds.check(node)
        except GraphQLError as error:
            return Document(None, [error])
        except TooComplex as error:
            return Document(None, [GraphQLError(str(error), original_error=error)])
        except bounds.Circular:
            # The other rules take their time over such a document
            return Document(None, validate(self._schema, node, (NoFragmentCyclesRule,)))
        # Suggestions, which nobody is shown, take as long as all the rest
        errors = validate(self._schema, node, _RULES, hide_suggestions=True)
        document = Document(node, errors, size=tokens * limits.TOKEN_BYTES, repeats=repeats)
        if not document.errors:
            switches = _Switches()
            visit(node, switches)
            document.switches = tuple(switches.names)
            document.introspects = switches.introspects
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                document.operations[definition.name.value if definition.name else None] = definition
            elif isinstance(definition, FragmentDefinitionNode):
                document.fragments[definition.name.value] = definition
        return document


def _lightened(document: Document) -> Document:
    """A document that is never run, without its tree, which is a hundred times its text."""
    for error in document.errors:
        # Each holds on to the tree, or to the parser by its traceback; where it is, is worked out already
        error.nodes = error.source = error.__traceback__ = None
        if error.original_error is not None:
            error.original_error.__traceback__ = None
    operations: dict[str | None, OperationDefinitionNode] = {}
    for name, node in document.operations.items():
        named = None if name is None else NameNode(value=name)
        empty = SelectionSetNode(selections=())
        operations[name] = OperationDefinitionNode(operation=node.operation, name=named, selection_set=empty)
    size = sum(sys.getsizeof(error.message) + limits.TOKEN_BYTES for error in document.errors)
    return Document(None, document.errors, size, operations)


class KnownDocument(SchemaExtension):
    """Spares graphql-core the parsing and validating of a document that the context brings along."""

    def on_parse(self) -> Iterator[None]:
        """Hand over the parsed document."""
        document = getattr(self.execution_context.context, "document", None)
        if document is not None:
            self.execution_context.graphql_document = document.node
        yield

    def on_validate(self) -> Iterator[None]:
        """Hand over that it is valid."""
        document = getattr(self.execution_context.context, "document", None)
        if document is not None:
            self.execution_context.pre_execution_errors = list(document.errors)
        yield
