"""Mutations by which people get in: they take passwords or tokens instead of a signed-in user.

They are in no transaction of the executor's, since nothing is to stay open while a password is hashed; nor
has an idempotency key any meaning for them, since an answer with tokens in it is not kept.
"""

from typing import Any

from sqlalchemy.exc import DBAPIError
from strawberry.types.base import has_object_definition

from db.session import DatabaseUnavailable
from graph.auth.attempts import AccessRefused
from graph.auth.passwords import PasswordUnusable
from graph.errors import UserErrorCode
from graph.snapshot import told
from graph.tables import GatedField
from graph.writing.mutation import Payload
from graph.writing.work import refusal


class AccessField(GatedField):
    """A mutation whose refusals become the errors of its payload."""

    is_async = True
    unusable = "password"
    """The input field at fault where a new password cannot be taken."""

    @property
    def is_basic_field(self) -> bool:
        """Never: it does something."""
        return False

    async def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The payload."""
        # What a field before this one has opened would be held while passwords are hashed.
        await info.context.forget()
        try:
            return await super().get_result(source, info, args, kwargs)
        except AccessRefused as error:
            field = () if error.field is None else (error.field,)
            refused = refusal(UserErrorCode.INVALID, str(error), *field)
        except PasswordUnusable as error:
            message = str(error)
            refused = refusal(UserErrorCode.INVALID, f"{message[0].upper()}{message[1:]}.", self.unusable)
        except (DatabaseUnavailable, DBAPIError) as error:
            raise told(error) from None
        answered: Any = getattr(self.type, "of_type", self.type)
        assert has_object_definition(answered)
        assert issubclass(answered, Payload)
        return answered.refused(refused)


def access(description: str, *, unusable: str = AccessField.unusable) -> Any:
    """Such a mutation, as the decorator of the function that does it."""
    result = AccessField(type_annotation=None, description=description)
    result.unusable = unusable
    return result
