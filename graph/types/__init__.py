"""What is shown of each table, one module a domain."""
