"""Whether an operation is run: its document, its cost, and whether who asks may still ask for as much."""

from graphql import OperationDefinitionNode

from graph import limits
from graph.admission import bounds
from graph.admission.cost import Cost
from graph.admission.documents import Document, Documents
from graph.admission.pricing import Pricer
from graph.auth.tokens import Claims
from graph.context import Context
from graph.errors import DocumentNotFound, GatewayError, TooComplex, Unauthenticated
from graph.http.body import GraphQLRequest


async def trusted(asked: GraphQLRequest, context: Context) -> GraphQLRequest:
    """The request with the text of its document; DocumentNotFound where its id is not one for this client."""
    if asked.document_id is None:
        return asked
    documents, who = context.services.documents, payer(context)
    tenant_id = who.tenant_id if isinstance(who, Claims) else None
    try:
        if await documents.mode(tenant_id) == "off":
            raise DocumentNotFound
        text = await documents.find(tenant_id, asked.document_id)
    except DocumentNotFound:
        await context.services.buckets.charge(who, limits.OPERATION_COST)
        raise
    context.operation.trusted = True
    return asked._replace(query=text)


async def read(text: str, documents: Documents, context: Context) -> Document:
    """The document that `text` spells; RateLimited, and nothing parsed, where the buckets are empty.

    Reading one that is not remembered is charged for, `context.cost.ahead`; the operation's cost includes it.
    """
    known = documents.known(text)
    if known is not None:
        return known
    try:
        sizes = bounds.check_text(text) // limits.TOKENS_READ, len(text) // limits.CHARACTERS_READ
        amount = max(limits.OPERATION_COST, *sizes)
    except TooComplex:
        amount = limits.OPERATION_COST  # it is not going to be parsed
    await context.services.buckets.charge(payer(context), amount)
    context.cost.ahead += amount
    return documents.get(text)


async def charge(
    asked: GraphQLRequest,
    pricer: Pricer,
    document: Document,
    operation: OperationDefinitionNode | None,
    context: Context,
) -> None:
    """Take the operation's cost, in `context.cost` from then on, out of the buckets of who asks.

    TooComplex where it may read too many rows or its request is too large, RateLimited where the buckets
    do not have that much, DocumentNotFound where its document is not one of the trusted and must be. What
    is not run, a document with errors or without the operation, costs 1. What reading the document has cost
    is a part of it.
    """
    who = payer(context)
    refused: GatewayError | None = None
    cost = Cost()
    if not asked.document_id and not await _may_be_free(document, operation, who, context):
        refused = DocumentNotFound("Only documents that were registered are run here: send a `documentId`.")
    elif operation is not None and not document.errors:
        price = pricer.price(document, operation)
        if asked.size > limits.MAX_BODY_BYTES and not price.bulk:
            words = "bytes of a request without a bulk mutation"
            refused = TooComplex("bytes", words, limits.MAX_BODY_BYTES, asked.size)
        else:
            try:
                cost = price.of(asked.variables)
            except TooComplex as error:
                refused = error
    amount = limits.OPERATION_COST if asked.explain or refused else cost.requested
    ahead = context.cost.ahead
    cost.remaining = await context.services.buckets.charge(who, max(amount - ahead, 0))
    context.cost, context.operation.cost = cost, max(amount, ahead)
    if refused is not None:
        raise refused


async def _may_be_free(
    document: Document,
    operation: OperationDefinitionNode | None,
    who: Claims | str | None,
    context: Context,
) -> bool:
    """Whether a document may come as text: where trusted ones are required, introspection alone."""
    tenant_id = who.tenant_id if isinstance(who, Claims) else None
    if await context.services.documents.mode(tenant_id) != "require":
        return True
    return operation is not None and not document.errors and document.about_schema(operation)


def payer(context: Context) -> Claims | str | None:
    """Whose buckets an operation is charged to: the session's, or the address's where nobody is signed in."""
    try:
        return context.claims()
    except Unauthenticated:
        return context.ip
