"""Changing message templates, and using them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
import strawberry
from strawberry import ID

from db import models
from db.enums import Channel, TemplateStatus
from graph import templates as texts
from graph.context import Info
from graph.errors import UserError, UserErrorCode
from graph.permissions import Permission
from graph.scalars import JSON
from graph.types.notifications import MessageTemplate
from graph.writing.drafts import DraftEditing
from graph.writing.mutation import Payload, mutation, payload, written
from graph.writing.states import States
from graph.writing.values import Draft, value_of
from graph.writing.work import Refused, Work, id_of, refusal

_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_TEXTS = ("subject", "html_body", "text_body")
_ABSENT = "There is no template of this code in this language."
DEFAULT_LOCALE = "en"


@payload("What became of a template.")
class MessageTemplatePayload(Payload):
    """A template."""

    message_template: MessageTemplate | None = written(
        models.MessageTemplate, "The template, as it now is or last was."
    )


@payload("What a message would say.")
class PreviewTemplatePayload(Payload):
    """The texts of a template with variables in them."""

    message_template: MessageTemplate | None = written(models.MessageTemplate, "The template.")
    subject: str | None = strawberry.field(description="The subject; null without one.", default=None)
    html_body: str | None = strawberry.field(description="The text as HTML; null without one.", default=None)
    text_body: str | None = strawberry.field(description="The plain text; null without one.", default=None)


async def _rules(work: Work, draft: Draft) -> None:
    locale = draft.values.get("locale")
    if locale is not None and not _TAG.fullmatch(locale):
        draft.invalid("locale", "A language is a BCP 47 tag, such as `en` or `ar-EG`.")
    if any(not char.isprintable() for char in draft.values.get("subject") or ""):
        draft.invalid("subject", "A subject is one line.")
    schema = draft.now("variables_schema")
    faults = [] if schema is None else texts.schema_faults(schema)
    if faults:
        path = ["input", *draft.path, "variablesSchema", *faults[0].path]
        draft.errors.append(UserError(code=UserErrorCode.INVALID, field=path, message=faults[0].message))
        return
    for column in _TEXTS:
        _check_text(draft, column, schema)


def _check_text(draft: Draft, column: str, schema: Any) -> None:
    text = draft.now(column)
    if text is None:
        return
    used = texts.names(text)
    if texts.stray(text):
        draft.invalid(column, "`{{` begins a variable: `{{ name }}`, of letters, digits and `_`.")
    elif texts.RESERVED in used:
        draft.invalid(column, f"`{texts.RESERVED}` is no variable.")
    elif unknown := sorted(used - declared(schema)) if schema is not None else []:
        draft.invalid(column, f"The schema has no variable {', '.join(unknown)}.")


def declared(schema: Mapping[str, Any]) -> frozenset[str]:
    """The variables that a schema names."""
    return frozenset([*schema.get("properties", ()), *schema.get("required", ())])


templates = DraftEditing(
    models.MessageTemplate,
    MessageTemplatePayload,
    "code channel locale subject html_body text_body variables_schema",
    create=Permission.TEMPLATES_MANAGE,
    update=Permission.TEMPLATES_MANAGE,
    delete=Permission.TEMPLATES_MANAGE,
    column="version_status",
    removable="draft retired",
    rules=_rules,
)
template_states = States(
    templates, "version_status", {"approve": ("draft", "approved"), "retire": ("approved", "retired")}
)


def missing(template: Any) -> str | None:
    """What a template lacks to be a message of its channel."""
    channel, subject = template.channel, template.subject is not None
    if channel == Channel.EMAIL:
        if not subject:
            return "An e-mail takes a subject."
        if template.html_body is None and template.text_body is None:
            return "An e-mail takes a text, as HTML or plain."
        return None
    if template.text_body is None:
        return "A message of this channel takes a plain text."
    if channel == Channel.INAPP and not subject:
        return "A notice takes a subject, which is its title."
    return None


async def approved(work: Work, code: str, locale: str | None) -> Any:
    """The approved template of a code in a language, or else the one that fits any; Refused without one.

    The row is locked against being retired or deleted meanwhile.
    """
    shown = templates.shown
    c = shown.table.c
    code = value_of(c.code, code, "templateCode")
    locale = value_of(c.locale, locale or DEFAULT_LOCALE, "locale")
    statement = (
        sa.select(*shown.select(shown.table))
        .where(
            shown.scope(shown.table, work.viewer),
            c.code == code,
            sa.or_(c.locale == locale, c.locale.is_(None)),
        )
        .order_by(
            (c.version_status == TemplateStatus.APPROVED).desc(),
            c.locale.asc().nulls_last(),
            c.created_at.desc(),
        )
        .limit(1)
        .with_for_update(read=True)
    )
    found = (await work.execute(statement)).one_or_none()
    if found is None:
        raise refusal(UserErrorCode.NOT_FOUND, _ABSENT, "templateCode")
    template = shown.row(tuple(found))
    if template.version_status != TemplateStatus.APPROVED:
        message = f"This template is {template.version_status}: only an approved one is sent."
        raise refusal(UserErrorCode.CONFLICT, message, "templateCode")
    return template


def check_variables(template: Any, variables: Any, field: str) -> dict[str, Any]:
    """The variables, which a client gave in `field`, if the template takes them; Refused if not."""
    schema = template.variables_schema
    if schema is not None and texts.schema_faults(schema):
        message = "The variables of this template are described in a way that cannot be checked."
        raise refusal(UserErrorCode.CONFLICT, message)
    used = texts.names(*(getattr(template, column) for column in _TEXTS))
    variables = {} if variables is None else variables
    faults = texts.variable_faults(schema, used, variables)
    if faults:
        raise Refused(
            *(
                UserError(
                    code=UserErrorCode.INVALID, field=["input", field, *fault.path], message=fault.message
                )
                for fault in faults
            )
        )
    return dict(variables)


@strawberry.input(description="Which template to try, with which variables.")
class PreviewTemplateInput:
    """A template and variables."""

    id: ID = strawberry.field(description="The id of the template, in any state.")
    variables: JSON | None = strawberry.field(
        default=None, description="An object: the value of each variable by its name."
    )


@strawberry.input(description="Which template to approve.")
class ApproveMessageTemplateInput:
    """A template."""

    id: ID = strawberry.field(description="The id of the template.")


@strawberry.type
class TemplatesMutation:
    """Message templates."""

    create_message_template: MessageTemplatePayload | None = templates.create(
        "Add a template, a draft at first. `{{ name }}` in its texts stands for a variable. The schema of "
        f"the variables is JSON Schema of the keywords `{'` `'.join(texts.SUBSET)}`; with `properties` it "
        "names all variables, unless `additionalProperties` says otherwise."
    )
    update_message_template: MessageTemplatePayload | None = templates.update(
        "Change a template that is still a draft. One that is approved stays as it was approved: make "
        "another, and retire this one."
    )
    delete_message_template: MessageTemplatePayload | None = templates.delete(
        "Delete a template that is a draft or retired."
    )
    retire_template: MessageTemplatePayload | None = template_states.field(
        "retire", "Let no more messages be made of an approved template.", Permission.TEMPLATES_MANAGE
    )

    @mutation(
        "Approve a draft: from now on messages may be made of it, and it changes no more.",
        needs=Permission.TEMPLATES_MANAGE,
    )
    async def approve_template(
        self,
        info: Info,
        input: Annotated[ApproveMessageTemplateInput, strawberry.argument(description="Which.")],
    ) -> MessageTemplatePayload | None:
        """Only what can be sent."""
        work = info.context.work
        template = await templates.locked(work, input.id, None, "id")
        template_states.check(template, "approve")
        if lack := missing(template):
            raise refusal(UserErrorCode.INVALID, lack, "id", row=template)
        return MessageTemplatePayload.of(await template_states.take(work, template, "approve"))

    @mutation(
        "See what a message of a template would say. Nothing is written, and nothing sent.",
        needs=Permission.TEMPLATES_VIEW,
    )
    async def preview_template(
        self,
        info: Info,
        input: Annotated[PreviewTemplateInput, strawberry.argument(description="What to try.")],
    ) -> PreviewTemplatePayload | None:
        """Drafts too: that is what they are tried for."""
        work = info.context.work
        template = await work.read(templates.shown, id_of(input.id, "id"))
        if template is None:
            raise refusal(UserErrorCode.NOT_FOUND, "There is nothing with this id.", "id")
        variables = check_variables(template, input.variables, "variables")
        return PreviewTemplatePayload.of(template, **render(template, variables))


def render(template: Any, variables: Mapping[str, Any]) -> dict[str, str | None]:
    """The texts of a template, by the name of their column, with variables that it takes."""
    subject, html, text = (getattr(template, column) for column in _TEXTS)
    return {
        "subject": None if subject is None else texts.render_line(subject, variables),
        "html_body": None if html is None else texts.render(html, variables, html=True),
        "text_body": None if text is None else texts.render(text, variables),
    }
