"""The way from an empty database to the models, one file a change; `db.migrate` runs it."""
