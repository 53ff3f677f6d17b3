"""Every bound of the gateway, in one place."""

DEFAULT_PAGE = 25
"""Rows of a connection when neither `first` nor `last` is given."""

MAX_PAGE = 100
"""The most rows that `first` or `last` may ask for; also the most ids of `nodes`."""

MAX_FILTER_LIST = 100
"""The most values in one list of a filter: `in`, `hasAny`, `and` …"""

MAX_FILTER_DEPTH = 5
"""How deep `and`, `or`, `not` and relations may nest in a filter."""

MAX_CURSOR_LENGTH = 256 * 1024
"""Characters of a cursor, which holds the text that its list is sorted by."""

MAX_TEXT_FILTER = 1000
"""Characters of a text that a filter compares with."""

MAX_BODY_BYTES = 256 * 1024
"""The most bytes a request body may have."""

MAX_JSON_NESTING = 64
"""How deep the JSON of a request body may nest."""

MAX_TEXT = 500
"""Characters of a text that is a line: a name, a code, an address."""

MAX_LONG_TEXT = 100_000
"""Characters of a text that may have paragraphs, those of `LONG_TEXTS`."""

LONG_TEXTS = frozenset({"description", "notes", "body", "html_body", "text_body", "address"})

MAX_TAG = 100
"""Characters of a tag."""

MAX_TAGS = 100
"""Tags of a row."""

NOT_NEGATIVE = frozenset(
    {"amount_minor", "price_minor", "bedrooms", "bathrooms", "width_px", "height_px", "dpi", "order_index"}
)
"""Columns of whole numbers below 0 of which nothing means anything."""

MAX_BULK = 500
"""Rows of one bulk mutation."""
