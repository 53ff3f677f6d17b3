"""The schema: the roots of every domain merged, the scalars, the settings of the executor."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from graph.admission.documents import KnownDocument
from graph.mutations.approvals import ApprovalsMutation
from graph.mutations.billing import BillingMutation
from graph.mutations.crm import CrmMutation
from graph.mutations.identity import IdentityMutation
from graph.mutations.integrations import IntegrationsMutation
from graph.mutations.inventory import InventoryMutation
from graph.mutations.marketing import MarketingMutation
from graph.mutations.notifications import NotificationsMutation
from graph.queries.approvals import ApprovalsQuery
from graph.queries.billing import BillingQuery
from graph.queries.crm import CrmQuery
from graph.queries.identity import IdentityQuery
from graph.queries.integrations import IntegrationsQuery
from graph.queries.inventory import InventoryQuery
from graph.queries.marketing import MarketingQuery
from graph.queries.node import NodeQuery
from graph.queries.notifications import NotificationsQuery
from graph.scalars import SCALARS
from graph.subscriptions.approvals import ApprovalsSubscription
from graph.subscriptions.notifications import NotificationsSubscription
from graph.tables import TABLES, resolve_annotations
from graph.types.identity import ViewerType
from graph.writing.executor import GatewayExecutor

resolve_annotations(ViewerType)


@strawberry.type(description="Everything that can be read.")
class Query(
    NodeQuery,
    IdentityQuery,
    CrmQuery,
    InventoryQuery,
    MarketingQuery,
    NotificationsQuery,
    BillingQuery,
    ApprovalsQuery,
    IntegrationsQuery,
):
    """The domains' root fields in one type."""


@strawberry.type(description="Everything that can be done.")
class Mutation(
    IdentityMutation,
    CrmMutation,
    InventoryMutation,
    MarketingMutation,
    NotificationsMutation,
    BillingMutation,
    ApprovalsMutation,
    IntegrationsMutation,
):
    """The domains' mutations in one type."""


@strawberry.type(description="What is told as it happens, and what was missed when one comes back.")
class Subscription(NotificationsSubscription, ApprovalsSubscription):
    """The domains' feeds in one type."""


class NamedOperation(SchemaExtension):
    """Refuses a document of several operations without the name of one: GraphQL, section 6.1.

    Strawberry would run the first, be it a mutation that the client did not mean.
    """

    def on_validate(self) -> Iterator[None]:
        """Before the rules, which take each operation by itself."""
        context = self.execution_context
        definitions = context.graphql_document.definitions if context.graphql_document else ()
        operations = [item for item in definitions if isinstance(item, OperationDefinitionNode)]
        if len(operations) > 1 and context.context.operation_name is None:
            context.pre_execution_errors = [GraphQLError("Name the operation to run: there are several.")]
        yield


class Schema(strawberry.Schema):
    """Strawberry's schema, whose errors are logged where they are formatted, in `graph.http`."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Leave them to the response, which knows the request they belong to."""


def build_schema(*, sort: bool = False) -> Schema:
    """The schema of the gateway. `sort` for print only: graphql-core's sorting forgets Strawberry's enums."""
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        execution_context_class=GatewayExecutor,
        types=[shown.origin for shown in TABLES.values()],
        extensions=[KnownDocument, NamedOperation],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True, sort_schema=sort),
    )


schema = build_schema()


def export() -> str:
    """The SDL that `schema.graphql` holds."""
    return build_schema(sort=True).as_str() + "\n"
