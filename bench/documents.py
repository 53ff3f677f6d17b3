"""The five queries, as each server spells them."""

from typing import Any, Final

from bench.data import identity
from bench.server import TENANT, USER

_DEAL = "id name amountMinor currency status"
_WHOLE_DEAL = f"{_DEAL} expectedCloseAt createdAt updatedAt stageId companyId"
_LISTED_DEAL = f"{_WHOLE_DEAL} tags contactId"
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_COMPANY = "id name industryCode city country createdAt"
_CONTACT = "id fullName email phoneE164 roleTitleCode createdAt"
_NOTICE = "id category title body meta isRead createdAt"

_DEAL_ID: Final = str(identity(TENANT, "deal", 4711))

TITLES: Final = {
    "Q1": "a deal by its id, 10 scalars",
    "Q2": "50 deals, 12 scalars and a cursor each",
    "Q3": "20 companies, each with 10 contacts and 10 deals with stage and contact",
    "Q4": "100 deals with company, contact, stage and pipeline",
    "Q5": "50 unread notifications",
}

_OURS: Final = {
    "Q1": f"query Q1($id: ID!) {{ deal(id: $id) {{ {_WHOLE_DEAL} }} }}",
    "Q2": f"query Q2 {{ deals(first: 50) {{ edges {{ cursor node {{ {_LISTED_DEAL} }} }} {_PAGE_INFO} }} }}",
    "Q3": f"""query Q3 {{ companies(first: 20) {{ nodes {{ {_COMPANY}
        contacts(first: 10) {{ nodes {{ {_CONTACT} }} }}
        deals(first: 10) {{ nodes {{ {_DEAL} createdAt
            stage {{ code orderIndex }} contact {{ fullName email }} }} }} }} }} }}""",
    "Q4": f"""query Q4 {{ deals(first: 100) {{ nodes {{ {_DEAL} createdAt
        company {{ name city }} contact {{ fullName email phoneE164 }} stage {{ code }} pipeline {{ name }}
        }} }} }}""",
    "Q5": f"""query Q5 {{ viewer {{ inbox(first: 50, filter: {{ isRead: {{ eq: false }} }}) {{
        nodes {{ {_NOTICE} }} }} }} }}""",
}

_NEWEST: Final = "orderBy: [CREATED_AT_DESC, ROW_ID_DESC]"
# Keys that carry the tenant give PostGraphile's relations their long names.
_POSTGRAPHILE: Final = {
    "Q1": f"query Q1($id: UUID!) {{ deal(rowId: $id) {{ {_WHOLE_DEAL} }} }}",
    "Q2": f"""query Q2 {{ deals(first: 50, {_NEWEST}) {{
        edges {{ cursor node {{ {_LISTED_DEAL} }} }} {_PAGE_INFO} }} }}""",
    "Q3": f"""query Q3 {{ companies(first: 20, {_NEWEST}) {{ nodes {{ {_COMPANY}
        contacts: contactsByTenantIdAndCompanyId(first: 10, {_NEWEST}) {{ nodes {{ {_CONTACT} }} }}
        deals: dealsByTenantIdAndCompanyId(first: 10, {_NEWEST}) {{ nodes {{ {_DEAL} createdAt
            stage: tenantPipelineStage {{ code orderIndex }}
            contact: tenantContact {{ fullName email }} }} }} }} }} }}""",
    "Q4": f"""query Q4 {{ deals(first: 100, {_NEWEST}) {{ nodes {{ {_DEAL} createdAt
        company: tenantCompany {{ name city }} contact: tenantContact {{ fullName email phoneE164 }}
        stage: tenantPipelineStage {{ code }} pipeline: tenantPipeline {{ name }} }} }} }}""",
    "Q5": f"""query Q5($user: UUID!) {{
        inbox: notificationsInboxes(first: 50, {_NEWEST}, condition: {{ userId: $user, isRead: false }}) {{
        nodes {{ {_NOTICE} }} }} }}""",
}

_LIMIT: Final[dict[str, list[Any]]] = {
    "Q1": [_DEAL_ID],
    "Q2": [50],
    "Q3": [20],
    "Q4": [100],
    "Q5": [str(USER), 50],
}


def ours(name: str) -> dict[str, Any]:
    """The request for a query in our schema, which is Mercurius's too."""
    return {"query": _OURS[name], "variables": {"id": _DEAL_ID} if name == "Q1" else {}}


def postgraphile(name: str) -> dict[str, Any]:
    """The request in the schema that PostGraphile derives from the database."""
    variables = {"Q1": {"id": _DEAL_ID}, "Q5": {"user": str(USER)}}
    document = _POSTGRAPHILE[name].replace("{ id ", "{ id: rowId ")
    return {"query": document, "variables": variables.get(name, {})}


def limit(name: str) -> dict[str, Any]:
    """What the bare route takes: the name of its statement and the parameters."""
    return {"query": name, "variables": _LIMIT[name]}
