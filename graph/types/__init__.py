"""What is shown of each table, one module a domain."""

from graph.types import enums as enums  # registers them before a type names one
