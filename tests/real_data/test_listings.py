"""What a property screen asks, on 19,360 real listings; what is expected comes from the file."""

from collections import Counter, defaultdict

import pytest

from db.models import Project, Unit
from tests.client import Client
from tests.real_data.conftest import EgyptTenant
from tests.real_data.load_egypt import (
    MAID_ROOM,
    created_at,
    developers,
    place,
    price_minor,
    read_listings,
    type_code,
)
from tests.real_data.source import id_of
from tests.real_data.walk import walk
from tests.statements import statements

UNDER = """
query Under($place: JSON!, $price: BigInt!) {
  units(first: 100, filter: { project: { location: { contains: $place } }, priceMinor: { lt: $price } }) {
    totalCount
    nodes {
      id code unitTypeCode sizeSqm bedrooms bathrooms priceMinor currency createdAt status
      project { name location developer { name } }
    }
  }
}
"""


@pytest.mark.parametrize(
    ("governorate", "pounds", "expected"),
    [
        ("Cairo", 5_000_000, 1144),
        ("Cairo", 5_000_001, 1233),
        ("North Coast", 3_000_000, 136),
        ("Red Sea", 4_000_000, 245),
        ("Giza", 1_000_000_000, 4159),
        ("South Sainai", 2_500_000, 7),
        ("Sinai", 1_000_000_000, 0),
    ],
)
async def test_units_under_a_price_in_a_governorate(
    egypt: EgyptTenant, anyone: Client, governorate: str, pounds: int, expected: int
) -> None:
    with statements(anyone.services.database) as sent:
        found = await egypt.client.read(UNDER, place={"governorate": governorate}, price=str(pounds * 100))

    builder = developers(egypt.listings)
    matching = [
        (created_at(number), id_of(egypt.id, Unit, number), number, listing)
        for number, listing in enumerate(egypt.listings)
        if listing["governorate"] == governorate and int(listing["price"]) < pounds
    ]
    assert len(matching) == expected
    nodes = [
        {
            "id": str(unit_id),
            "code": f"EG-{number:05}",
            "unitTypeCode": type_code(listing),
            "sizeSqm": f"{listing['size']}0",
            "bedrooms": int(listing["bedrooms"][0]),
            "bathrooms": int(listing["bathrooms"][0]),
            "priceMinor": f"{listing['price']}00",
            "currency": "EGP",
            "createdAt": at.isoformat().replace("+00:00", "Z"),
            "status": "AVAILABLE",
            "project": {
                "name": listing["compound"],
                "location": {"governorate": governorate, "city": listing["city"]},
                "developer": (name := builder.get(listing["compound"])) and {"name": name},
            },
        }
        for at, unit_id, number, listing in sorted(matching, key=lambda unit: unit[:2], reverse=True)[:100]
    ]
    assert found["units"] == {"totalCount": expected, "nodes": nodes}
    # The viewer, the units, their number; and if there are any, their projects and those's developers
    assert len(sent) == (5 if nodes else 3)


async def test_cheapest_units_of_a_compound_first(egypt: EgyptTenant) -> None:
    found = await walk(
        egypt.client,
        "units",
        """filter: { project: { name: { eq: "Marassi" } }, unitTypeCode: { eq: "TWIN_HOUSE" } }
        orderBy: { field: PRICE_MINOR }""",
    )
    matching = sorted(
        (price_minor(listing), id_of(egypt.id, Unit, number))
        for number, listing in enumerate(egypt.listings)
        if (listing["compound"], listing["type"]) == ("Marassi", "Twin House")
    )
    assert found == [str(unit_id) for _, unit_id in matching]
    assert len(found) == 34


async def test_the_totals_are_those_of_the_file(egypt: EgyptTenant) -> None:
    found = await egypt.client.read(
        f"""{{
          units(first: 1) {{ totalCount }}
          projects(first: 1) {{ totalCount }}
          developers(first: 1) {{ totalCount }}
          unitPriceChanges(first: 1) {{ totalCount }}
          unitComponents(first: 1, filter: {{ componentTypeCode: {{ eq: "{MAID_ROOM}" }} }}) {{ totalCount }}
        }}"""
    )
    assert {name: connection["totalCount"] for name, connection in found.items()} == {
        "units": 19_360,
        "projects": 1521,
        "developers": len(set(developers(egypt.listings).values())),
        "unitPriceChanges": 19_360,  # each first price, written by the trigger
        "unitComponents": 8995,
    }


async def test_every_type_of_the_file_is_a_code_of_the_tenants(egypt: EgyptTenant) -> None:
    found = await egypt.client.read("{ unitTypeCodes(first: 100) { nodes { code label } } }")
    labels = {node["code"]: node["label"] for node in found["unitTypeCodes"]["nodes"]}
    types = {type_code(listing): listing["type"] for listing in egypt.listings}
    assert len(types) == 16
    assert labels.items() >= types.items()


async def test_units_of_every_type_are_as_many_as_listings(egypt: EgyptTenant) -> None:
    expected = Counter(type_code(listing) for listing in egypt.listings)
    fields = (
        f'{code}: units(first: 0, filter: {{ unitTypeCode: {{ eq: "{code}" }} }}) {{ totalCount }}'
        for code in expected
    )
    found = await egypt.client.read(f"{{ {' '.join(fields)} }}")
    assert {code: connection["totalCount"] for code, connection in found.items()} == expected


async def test_a_compound_of_one_name_in_several_cities_is_several_projects(egypt: EgyptTenant) -> None:
    found = await egypt.client.read(
        """{ projects(first: 100, filter: { name: { eq: "1st Neighborhood" } }) {
          nodes { id location units(first: 0) { totalCount } }
        } }"""
    )
    units = Counter(place(listing) for listing in egypt.listings if listing["compound"] == "1st Neighborhood")
    assert len(units) == 7
    assert {
        node["id"]: (node["location"], node["units"]["totalCount"]) for node in found["projects"]["nodes"]
    } == {
        str(id_of(egypt.id, Project, *where)): ({"governorate": where[1], "city": where[2]}, count)
        for where, count in units.items()
    }


async def test_projects_of_a_developer_and_their_units(egypt: EgyptTenant) -> None:
    found = await egypt.client.read(
        """{ developers(first: 1, filter: { name: { eq: "Mountain View" } }) { nodes {
          projects(first: 100) { nodes { name units(first: 0) { totalCount } } }
        } } }"""
    )
    units: dict[str, list[int]] = defaultdict(list)
    for where, count in Counter(map(place, egypt.listings)).items():
        if where[0].startswith("Mountain View"):
            units[where[0]].append(count)
    shown: dict[str, list[int]] = defaultdict(list)
    [developer] = found["developers"]["nodes"]
    for node in developer["projects"]["nodes"]:
        shown[node["name"]].append(node["units"]["totalCount"])
    assert {name: sorted(counts) for name, counts in shown.items()} == {
        name: sorted(counts) for name, counts in units.items()
    }
    assert len(units) == 16


async def test_names_in_arabic_and_with_odd_spaces_are_kept(egypt: EgyptTenant) -> None:
    names = ["بوابة النعيم", "Palm Hills   Palm Valley"]
    found = await egypt.client.read(
        "query Named($names: [String!]!) { projects(filter: { name: { in: $names } }) { nodes { name } } }",
        names=names,
    )
    assert {node["name"] for node in found["projects"]["nodes"]} == set(names)


def test_streets_and_names_of_their_own_have_no_developer() -> None:
    found = developers(read_listings())
    assert found["Mountain View iCity"] == "Mountain View"
    assert not {"Abd Al Aziz Fahmy St.", "Beverly Hills Road", "Madinaty", "Hyde Park"} & found.keys()
