"""Operations that a tenant can put under a policy, each made ready before it is done or asked for.

    @operation(ApprovalDomain.DEAL_STAGE_MOVE, "deal", "MoveDealInput", Permission.DEALS_MOVE, "move a deal")
    async def move(work: Work, given: Mapping[str, Any]) -> Ready: ...

The same function answers the mutation itself, a request for approval, and the application of what was agreed
to: what is refused at one of them is refused at all.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from db.enums import ApprovalDomain
from graph.permissions import Permission
from graph.writing.work import Work

Json = dict[str, Any]


@dataclass(frozen=True)
class Ready:
    """An operation that nothing speaks against, on a row that is locked."""

    row: Any
    wanted: Json
    """The input without the row's id, in JSON, as a client could send it again."""
    found: Json
    """What the request rests on, in JSON: if it is something else later, the request is outdated."""
    do: Callable[[Work, bool], Awaitable[Any]]
    """Does it; the row after. Told whether others have agreed."""
    changes: bool = True
    """Whether anything would change."""


@dataclass(frozen=True)
class Operation:
    """What a policy can be made for."""

    domain: ApprovalDomain
    entity: str
    input: str
    """The name of the GraphQL input that it takes, whose `id` is the row's."""
    needs: Permission
    what: str
    """What it is, for people: `move a deal`."""
    ready: Callable[[Work, Mapping[str, Any]], Awaitable[Ready]]
    """What was given for the input, by GraphQL name, made ready; Refused or Forbidden where it cannot be."""


OPERATIONS: dict[str, Operation] = {}
"""By domain. Other services ask for approval in domains of their own, which are not here."""


def operation(
    domain: ApprovalDomain, entity: str, input: str, needs: Permission, what: str
) -> Callable[[Callable[[Work, Mapping[str, Any]], Awaitable[Ready]]], Operation]:
    """The decorator that makes an operation of the function that makes it ready."""

    def made(ready: Callable[[Work, Mapping[str, Any]], Awaitable[Ready]]) -> Operation:
        OPERATIONS[domain.value] = Operation(domain, entity, input, needs, what, ready)
        return OPERATIONS[domain.value]

    return made


def what(domain: str) -> str:
    """What a domain's requests are about, for people."""
    return OPERATIONS[domain].what if domain in OPERATIONS else domain
