"""The plans of documents, made when they are first needed and kept with them."""

from collections.abc import Callable
from typing import Any

from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues

from graph.admission.documents import MAX_PLANS, Document
from graph.auth.viewer import Viewer
from graph.engine.collect import Collector, Unplanned
from graph.engine.plan import Plan
from graph.engine.planner import Planner
from graph.tables import TableType
from graph.variables import values


class Plans:
    """Finds the plan of an operation, or of a part of one; each method raises Unplanned if there is none."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def coerced(
        self, document: Document, operation: OperationDefinitionNode, given: dict[str, Any] | None
    ) -> VariableValues | None:
        """The values of the variables; Unplanned where they may be an error of the request or of a field."""
        if not operation.variable_definitions:
            return None
        variables = values(self._schema, document, operation, given or {})
        if variables is None:
            raise Unplanned("the variables do not fit")
        return self.sound(operation, variables)

    def sound(self, operation: OperationDefinitionNode, variables: VariableValues) -> VariableValues:
        """Coerced values, if they cannot be an error of a field."""
        for definition in operation.variable_definitions or ():
            # Its default lets it stand where no null may
            if definition.default_value and variables.coerced.get(definition.variable.name.value) is None:
                raise Unplanned("null is given for a variable with a default")
        return variables

    def query(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues | None,
        viewer: Viewer,
    ) -> Plan:
        """The plan of a query for a viewer with these permissions."""
        name = operation.name and operation.name.value
        return self._kept(document, name, variables, viewer, lambda planner: planner.plan(operation))

    def rows(
        self,
        document: Document,
        target: TableType,
        nodes: list[FieldNode],
        variables: VariableValues | None,
        viewer: Viewer,
        always: str | None = None,
    ) -> Plan:
        """The plan of what `nodes`, all of them the same field, show of rows of `target` that are there.

        `always` names a relation of theirs to one row that is followed whether it is shown or not.
        """
        place = (target.name, *map(id, nodes))  # which live as long as the document
        return self._kept(
            document, place, variables, viewer, lambda planner: planner.rows(target, nodes, always)
        )

    def root(
        self, document: Document, operation: OperationDefinitionNode, variables: VariableValues | None
    ) -> tuple[str, list[FieldNode]]:
        """The response key and the nodes of a subscription's one root field."""
        kind = self._schema.subscription_type
        assert kind is not None
        coerced = {} if variables is None else variables.coerced
        fields = Collector(self._schema, document, coerced).collect(kind, [operation.selection_set])
        if len(fields) != 1:
            raise Unplanned("a subscription has one root field")
        return next(iter(fields.items()))

    def _kept(
        self,
        document: Document,
        place: Any,
        variables: VariableValues | None,
        viewer: Viewer,
        make: Callable[[Planner], Plan],
    ) -> Plan:
        coerced = {} if variables is None else variables.coerced
        switches = tuple(coerced.get(name) for name in document.switches)
        key = (place, switches, viewer.permissions)
        plan = document.plans.get(key)
        if plan is None:
            try:
                plan = make(Planner(self._schema, document, coerced, viewer))
            except Unplanned as why:
                plan = why.args
            if len(document.plans) >= MAX_PLANS:
                document.plans.clear()
            document.plans[key] = plan
        if not isinstance(plan, Plan):
            raise Unplanned(*plan)
        return plan
