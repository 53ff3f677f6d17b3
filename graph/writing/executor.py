"""Root mutations one by one, each in its transaction: done, its payload read, committed.

graphql-core finishes the whole subtree of one root mutation before it starts the next, so the moment when
the payload has been read is here and nowhere else.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog
from aiodataloader import DataLoader
from graphql import FieldNode, GraphQLError, GraphQLObjectType
from graphql.pyutils import Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.engine.collect import Unplanned
from graph.engine.plans import Plans
from graph.engine.rows import Shown, show
from graph.errors import BadInput, GatewayError
from graph.tables import TableType
from graph.writing.mutation import MutationField, WrittenField

log = structlog.get_logger(__name__)


class GatewayExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with transactions around root mutations, whose rows the engine shows."""

    _written: dict[tuple[int, ...], DataLoader[Any, Shown | None]] | None = None
    """What the engine shows of the rows of the root mutation that is running, by the fields they stand in."""

    def execute_fields_serially(
        self,
        parent_type: Any,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        """Run the fields in order; the next begins when the one before is committed or undone."""
        return self._run_each(parent_type, source_value, path, grouped_field_set, position_context)

    async def _run_each(
        self, parent_type: Any, source: Any, path: Path | None, fields: Any, position: Any
    ) -> dict[str, Any]:
        results: dict[str, Any] = {}
        alone = len(fields) == 1
        for name, details in fields.items():
            field_path = Path(path, name, parent_type.name)
            definition = self.schema.get_field(parent_type, details[0].node.name.value)
            shown = definition and definition.extensions.get("strawberry-definition")

            async def run(details: Any = details, field_path: Path = field_path) -> Any:
                value = self.execute_field(parent_type, source, details, field_path, position)
                return await value if self.is_awaitable(value) else value

            if definition is None or not isinstance(shown, MutationField):
                value = await run()
            else:
                try:
                    value = await self._transact(name, run, alone=alone)
                except Exception as error:
                    self.handle_field_error(error, definition.type, details, field_path)
                    value = None
            if value is not Undefined:
                results[name] = value
        return results

    async def _transact(self, name: str, run: Any, *, alone: bool) -> Any:
        context = self.context_value
        try:
            if context.idempotency is not None and not alone:
                raise BadInput("A request with an idempotency key has one mutation.")
            async with context.turn():
                await context.begin()
                planned = context.document is not None and context.services.settings.engine != "stock"
                self._written = {} if planned else None
                value = await run() if context.answered is None else None
                if context.answered is not None:
                    # Not by `add`, which takes one error at a place, and no more when it is the whole answer.
                    self.collected_errors.errors.extend(context.answered.errors)
                    return context.answered.data
                await context.finish(value, [e for e in self.collected_errors.errors if _below(e, name)])
        except BaseException:
            await context.undo()
            # What was not done has no payload, and so nothing that is wrong with its parts.
            self.collected_errors.errors[:] = [
                error for error in self.collected_errors.errors if not _below(error, name)
            ]
            raise
        return value

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Any,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Let the engine show a row that was written, with those that stand in the same field elsewhere."""

        def ours() -> Any:
            return super(GatewayExecutor, self).complete_object_value(
                return_type, field_details_list, info, path, result, position_context
            )

        if self._written is None:
            return ours()
        field = info.parent_type.fields[info.field_name].extensions.get("strawberry-definition")
        if not isinstance(field, WrittenField):
            return ours()
        nodes = [details.node for details in field_details_list]
        key = tuple(map(id, nodes))
        if key not in self._written:
            self._written[key] = DataLoader(partial(self._show, field.target, nodes), cache=False)
        return self._shown(self._written[key].load(result), ours, path)

    async def _shown(self, found: Awaitable[Shown | None], otherwise: Callable[[], Any], path: Path) -> Any:
        shown = await found
        if shown is None:
            value = otherwise()
            return await value if self.is_awaitable(value) else value
        for error in shown.errors(path.as_list()):
            self.collected_errors.errors.append(error)
        return shown.data

    async def _show(self, target: TableType, nodes: list[FieldNode], rows: list[Any]) -> list[Shown | None]:
        """What the engine shows of rows; nothing where it cannot tell."""
        context = self.context_value
        plans = Plans(self.schema)
        try:
            variables = plans.sound(self.operation, self.variable_values)
            plan = plans.rows(context.document, target, nodes, variables, context.viewer)
            shown, read = await show(
                plan, rows, context.snapshot.fetch_sql, context.viewer, context.cursor_key, variables
            )
        except Unplanned:
            return [None] * len(rows)
        except GatewayError:
            raise
        except Exception:
            log.exception("engine.failed", request_id=context.request_id)
            return [None] * len(rows)  # which need not be a fault of what was written
        context.cost.rows += read
        return shown


def _below(error: GraphQLError, name: str) -> bool:
    """Whether the error is of the root field `name`."""
    return error.path is not None and error.path[:1] == [name]
