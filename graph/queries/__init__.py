"""The fields of Query, one module a domain."""
