"""Root mutations one by one, each in its transaction: done, its payload read, committed.

graphql-core finishes the whole subtree of one root mutation before it starts the next, so the moment when
the payload has been read is here and nowhere else.
"""

from typing import Any

from graphql import GraphQLError
from graphql.pyutils import Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.errors import BadInput
from graph.writing.mutation import MutationField


class GatewayExecutor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with transactions around root mutations."""

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


def _below(error: GraphQLError, name: str) -> bool:
    """Whether the error is of the root field `name`."""
    return error.path is not None and error.path[:1] == [name]
