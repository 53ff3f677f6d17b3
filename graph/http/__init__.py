"""The protocol: GraphQL over HTTP, and the pages beside it."""
