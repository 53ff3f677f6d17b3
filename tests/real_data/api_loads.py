"""What the client of the API makes of the data sets, by mutations alone."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any, Final, TypeVar

from tests.real_data.api_client import ApiClient
from tests.real_data.load_egypt import developers, place, price_minor, type_code
from tests.real_data.load_maven import PIPELINE, STAGES, STATUS, Maven, email, tags
from tests.real_data.source import Line

CLOSER: Final = "Moses Frase"
"""The agent whose closed deals are won and lost again."""

T = TypeVar("T")


async def each(made: Iterable[T], does: Callable[[T], Awaitable[str]]) -> dict[T, str]:
    """The ids that `does` gave to all that is to be made, done at once."""
    things = list(dict.fromkeys(made))
    return dict(zip(things, await asyncio.gather(*map(does, things)), strict=True))


async def sell(api: ApiClient, maven: Maven) -> None:
    """The Maven CRM set, in the order in which one thing needs another."""
    offices: dict[str, set[str]] = defaultdict(set)
    for line in maven.teams:
        offices[line["regional_office"]] |= {line["sales_agent"], line["manager"]}
    people = sorted(set().union(*offices.values()))
    users = await each(people, lambda name: api.do("inviteUser", email=email(name), fullName=name))
    groups = await each(offices, lambda name: api.do("createGroup", name=name))
    places = [(office, name) for office, names in offices.items() for name in sorted(names)]
    await each(
        places,
        lambda at: api.do("addGroupMember", "groupId", groupId=groups[at[0]], userId=users[at[1]]),
    )
    pipeline = await api.do("createDealPipeline", name=PIPELINE)
    stages = {
        stage: await api.do("createDealStage", pipelineId=pipeline, code=stage.lower(), orderIndex=place)
        for place, stage in enumerate(STAGES)
    }
    rows = [
        {"name": line["account"], "industryCode": line["sector"], "country": line["office_location"]}
        for line in maven.accounts
    ]
    names = [line["account"] for line in maven.accounts]
    companies = dict(zip(names, await api.do_all("createCompanies", rows), strict=True))
    labels = {
        product: tags(product, maven.products) for product in {o["product"] for o in maven.opportunities}
    }

    def deal(line: Line) -> dict[str, Any]:
        given = {
            "name": f"{line['product']} {line['opportunity_id']}",
            "pipelineId": pipeline,
            "stageId": stages[line["deal_stage"]],
            "ownerUserId": users[line["sales_agent"]],
            "currency": "USD",
            "tags": labels[line["product"]],
        }
        if line["account"]:
            given["companyId"] = companies[line["account"]]
        if line["close_date"]:
            given |= {"amountMinor": f"{line['close_value']}00", "expectedCloseAt": line["close_date"]}
        return given

    deals = await api.do_all("createDeals", [deal(line) for line in maven.opportunities])
    await asyncio.gather(
        *(
            api.do("winDeal" if line["deal_stage"] == "Won" else "loseDeal", id=id)
            for id, line in zip(deals, maven.opportunities, strict=True)
            if line["sales_agent"] == CLOSER and line["deal_stage"] in STATUS
        )
    )


async def offer(api: ApiClient, listings: list[Line]) -> None:
    """The Egyptian listings, which have no codes and get their numbers."""
    builder = developers(listings)
    firms = await each(builder.values(), lambda name: api.do("createDeveloper", name=name))
    types = {type_code(line): line["type"] for line in listings}
    await each(types, lambda code: api.do("createUnitTypeCode", code=code, label=types[code], isActive=True))

    def project(where: tuple[str, str, str]) -> Awaitable[str]:
        firm = {"developerId": firms[builder[where[0]]]} if where[0] in builder else {}
        return api.do("createProject", name=where[0], description=f"{where[2]}, {where[1]}", **firm)

    projects = await each(map(place, listings), project)
    rows = [
        {
            "projectId": projects[place(line)],
            "code": f"EG-{number:05}",
            "unitTypeCode": type_code(line),
            "sizeSqm": line["size"],
            "bedrooms": int(Decimal(line["bedrooms"])),
            "bathrooms": int(Decimal(line["bathrooms"])),
            "priceMinor": str(price_minor(line)),
            "currency": "EGP",
        }
        for number, line in enumerate(listings)
    ]
    await api.do_all("createUnits", rows)
