"""The GraphQL gateway: what is shown of the database, to whom, and over which protocol."""
