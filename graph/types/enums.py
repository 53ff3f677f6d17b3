"""The closed value lists of `db.enums`, as GraphQL enums."""

import enum

import strawberry

from db import enums

for _name, _enum in vars(enums).items():
    if isinstance(_enum, type) and issubclass(_enum, enum.StrEnum) and _enum is not enum.StrEnum:
        strawberry.enum(_enum, name=_name, description=_enum.__doc__)
