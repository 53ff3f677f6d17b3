"""Every bound of the gateway, in one place."""

DEFAULT_PAGE = 25
"""Rows of a connection when neither `first` nor `last` is given."""

USUAL_PAGES = frozenset((1, 5, 10, 20, DEFAULT_PAGE, 30, 50, 100))
"""Sizes of pages that have statements of their own, wherever they are given."""

MAX_PAGE = 100
"""The most rows that `first` or `last` may ask for; also the most ids of `nodes`."""

MAX_FILTER_LIST = 100
"""The most values in one list of a filter: `in`, `hasAny`, `and` …"""

MAX_FILTER_DEPTH = 5
"""How deep `and`, `or`, `not` and relations may nest in a filter."""

MAX_CURSOR_LENGTH = 256 * 1024
"""Characters of a cursor, which holds the text that its list is sorted by."""

MAX_FILTER_SIZE = 500
"""Conditions, values and brackets of one filter, all told: lists within lists multiply."""

MAX_TEXT_FILTER = 1000
"""Characters of a text that a filter compares with."""

MAX_BODY_BYTES = 256 * 1024
"""The most bytes a request body may have."""

MAX_BULK_BYTES = 2 * 1024 * 1024
"""The most bytes of a signed-in request with a bulk mutation."""

MAX_DOCUMENT = 50_000
"""Characters of a document: graphql-core goes from one to the next, in texts and comments too."""

MAX_TOKENS = 2000
"""Lexical tokens of a document; a comment is one too."""

MAX_VALUES = 1000
"""Names, numbers and texts that are values of arguments, as they are written in a document."""

MAX_NESTING = 64
"""Brackets of any kind within each other in a document."""

MAX_DEPTH = 12
"""Fields within each other, those of fragments included; what is below `__schema` and `__type` apart."""

MAX_INTROSPECTION_DEPTH = 20
"""Fields within each other below `__schema` and `__type`; 15 is what the standard query has."""

MAX_INTROSPECTION_LISTS = 1
"""Lists of `__Type` within each other (`fields`, `interfaces` …); with two, introspection goes in circles."""

MAX_INTROSPECTION_REPEATS = 2
"""How often one field below `__schema` or `__type` may be asked for by other aliases, all lists counted."""

MAX_FIELDS = 500
"""Fields of a document, those of a fragment as often as it is spread."""

MAX_ALIASES = 30
"""Aliases of a document, counted as `MAX_FIELDS` is."""

MAX_DIRECTIVES = 30
"""Directives of a document, counted as `MAX_FIELDS` is."""

MAX_ROOT_FIELDS = 20
"""Root fields of one operation, counted as `MAX_FIELDS` is."""

MAX_COMPARISONS = 10_000
"""Pairs of fields with one response key in one place, which validation compares; with selections ten."""

MAX_NODES = 10_000
"""Rows that an operation may read at most, by its page sizes."""

MAX_EVENT_NODES = 500
"""The same of a subscription, for each event: it was charged once, and goes on."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Bytes of an answer's `data` and `errors` in JSON."""

OPERATION_COST = 1
"""The cost of any operation: who asks is read. Each row that it may read adds one."""

TOKENS_READ = 10
"""Tokens of a document that make a cost of 1 when it is parsed, which a process does once for a while."""

CHARACTERS_READ = 500
"""Characters that make a cost of 1, where that is more: one long text is few tokens."""

MUTATION_COST = 10
"""What a root mutation adds to the cost; a bulk mutation adds one more for each of its rows."""

SCHEMA_COST = 4000
"""What `__schema` adds to the cost, as often as `MAX_INTROSPECTION_REPEATS` counts."""

TYPE_COST = 100
"""What `__type` adds to the cost, likewise."""

MAX_DOCUMENTS = 1000
"""Documents that a process keeps, parsed."""

MAX_DOCUMENTS_BYTES = 64 * 1024 * 1024
"""The memory that they take together, about, with their plans."""

MAX_STATEMENTS_BYTES = 32 * 1024 * 1024
"""The memory that the statements of all plans take, about."""

TOKEN_BYTES = 500
"""The memory that a token of a parsed document takes: 250 to 650 bytes were measured."""

MAX_SCHEMA_ANSWERS = 4
"""Answers about the schema that a process keeps."""

COST_WINDOW = 60
"""Seconds after which a bucket is full again."""

MAX_DOCUMENT_ID = 255
"""Characters of the id of a trusted document."""

TRUSTED_KEPT = 1000
"""Trusted documents that a process keeps."""

VIEWERS_KEPT = 4096
"""Viewers that a process keeps to ask whether they still stand."""

MAX_STANDING = 8000
"""Characters of SQL that ask it: roles of more entries are read each time."""

TRUSTED_SECONDS = 30
"""How long it keeps them, and the modes of tenants, before it asks the database again."""


MAX_TEXT = 500
"""Characters of a text that is a line: a name, a code, an address."""

MAX_LONG_TEXT = 100_000
"""Characters of a text that may have paragraphs, those of `LONG_TEXTS`."""

LONG_TEXTS = frozenset({"description", "notes", "body", "html_body", "text_body", "address"})

MAX_JSON_BYTES = 64 * 1024
"""Bytes of one value of JSON that is to be stored."""

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

SIGN_IN_PER_ACCOUNT = "10 per 5 minutes"
"""Wrong passwords for one account, at signing in or at changing it; then nobody gets in for a while."""

SIGN_IN_PER_ADDRESS = "100 per 5 minutes"
"""Wrong passwords from one address, whatever the account."""

REFRESH_PER_ACCOUNT = "100 per 5 minutes"
"""Refresh tokens of one session that were refused."""

REFRESH_PER_ADDRESS = "300 per 5 minutes"
"""Refresh tokens from one address that were refused."""

LETTER_PER_ADDRESS = "100 per 5 minutes"
"""Tokens from letters, from one address, that were refused."""

RESET_PER_ACCOUNT = "5 per 1 hour"
"""Letters for a new password that one account is sent."""

RESET_PER_ADDRESS = "60 per 1 hour"
"""Letters for a new password that one address asks for."""

REFRESH_GRACE_SECONDS = 30
"""How long after its use a refresh token still gets the same successor, for a second tab."""

RESET_SECONDS = 60 * 60
"""Life of the token in a letter for a new password."""

INVITATION_SECONDS = 7 * 24 * 60 * 60
"""Life of the token in an invitation."""

MAX_ROLES_INVITED = 50
"""Roles that an invitation gives."""

MAX_NOTIFIED = 500
"""Users who are told of something in one mutation."""

MAX_RECIPIENTS = 50_000
"""Recipients of one campaign."""

LAUNCH_SECONDS = 60
"""How long one statement may take that writes, or takes back, the messages of a campaign."""

MAX_APPROVAL_LEVELS = 10
"""Levels of a policy for approvals."""

MAX_SLA_MINUTES = 366 * 24 * 60
"""Minutes within which a level of a policy may have to be decided."""

MAX_TRIES = 5
"""How often a mutation is begun that loses to others in a deadlock, before its client is told so."""

MAX_OUTLINE_POINTS = 1000
"""Positions of an outline. GEOS takes quadratic time over the worst of them: 50 ms at this bound."""

MAX_PIXEL = 1_000_000
"""How far from the corner of its overlay a position of an outline may be, in pixels."""

MAX_URL = 2048
"""Characters of a URL, in `URLS`."""

URLS = frozenset({"website", "logo_url", "virtual_tour_url", "file_url", "recording_url"})

MAX_OPERATION_NAMES = 200
"""Names of operations that metrics keep apart; others are `(other)`."""

MAX_TRUSTED_NAMES = 1000
"""The same with the names of trusted documents, which are kept apart beyond that."""

EVENTS_LATE_SECONDS = 10.0
"""How long a process may go without having read the log of events before /readyz says so."""

READY_SECONDS = 1.0
"""How long the database may take to answer /readyz, and how long that answer is repeated."""

MAX_OPERATION_ID = 200
"""Characters of the id that a client gives an operation on a WebSocket."""

MAX_SOCKET_OPERATIONS = 100
"""Operations that run on one WebSocket at a time."""

INIT_SECONDS = 10
"""How long a WebSocket may take until it sends `connection_init`."""

SEND_SECONDS = 30
"""How long one message may wait for a client that does not read, before it is told to come back later."""

KEEP_ALIVE_SECONDS = 15
"""How long an event stream is silent at most, so that proxies keep it open."""

MAX_DELIVERY = 100
"""Events that one subscription reads the rows of at a time, when it has some to catch up with: fewer where
these may have more rows below them than `MAX_NODES`."""

MAX_RETRY_SECONDS = 2.0
"""The longest pause before the rows of events are read again, while the database cannot be reached."""

FEED_QUEUE = 256
"""Events that a feed keeps for a reader who is busy; the rest it reads from the log again."""

FEED_PAGE = 200
"""Events that a feed which is behind reads from the log at a time."""

SLOW_CONSUMER_SECONDS = 30.0
"""How long the reader of a feed may be behind before it is given up."""

AUDITED_IDS = 1000
"""Ids of rows that were unlinked, in one row of the audit log; more take several."""
