"""The closed value lists of `db.enums`, as GraphQL enums."""

from db import enums
from graph.described import described

for _enum in enums.Described.__subclasses__():
    described(_enum.__doc__ or "")(_enum)
