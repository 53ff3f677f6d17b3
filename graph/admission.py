"""Whether an operation is run: its document, its cost, and whether who asks may still ask for as much."""

from graphql import OperationDefinitionNode

from graph import limits
from graph.auth.tokens import Claims
from graph.context import Context
from graph.engine.documents import Document
from graph.errors import TooComplex, Unauthenticated
from graph.http.body import GraphQLRequest
from graph.pricing import Pricer


async def trusted(asked: GraphQLRequest, context: Context) -> GraphQLRequest:
    """The request with the text of its document."""
    return asked


async def charge(
    asked: GraphQLRequest,
    pricer: Pricer,
    document: Document,
    operation: OperationDefinitionNode | None,
    context: Context,
) -> None:
    """Take the operation's cost, in `context.cost` from then on, out of the buckets of who asks.

    TooComplex where it may read too many rows or its request is too large, RateLimited where the buckets
    do not have that much. What is not run, a document with errors or without the operation, costs 1.
    """
    if operation is not None and not document.errors:
        price = pricer.price(document, operation)
        if asked.size > limits.MAX_BODY_BYTES and not price.bulk:
            words = "bytes of a request without a bulk mutation"
            raise TooComplex("bytes", words, limits.MAX_BODY_BYTES, asked.size)
        context.cost = price.of(asked.variables)
    cost = limits.OPERATION_COST if asked.explain else context.cost.requested
    context.cost.remaining = await context.services.buckets.charge(payer(context), cost)
    context.operation.cost = cost


def payer(context: Context) -> Claims | str | None:
    """Whose buckets an operation is charged to: the session's, or the address's where nobody is signed in."""
    try:
        return context.claims()
    except Unauthenticated:
        return context.ip
