"""The engine: an operation planned once and run level by level, without a Python call per scalar.

    collect.py     resolves fragments and directives, merges equal keys
    plan.py        a plan: sources, one statement each, and objects made of their rows
    planner.py     makes one of an operation, or of what is shown of rows
    plans.py       finds the plan of a document's operation, or of a part of one, made now or before
    statements.py  writes the SQL of each source, compiled once per plan
    kept.py        keeps it while there is room
    run.py         reads a level, then the next with the keys found; says what was refused where
    build.py       makes functions that turn rows into the objects of the answer
    pages.py       makes connections of them
    weigh.py       how large an answer may be, before it is measured
    rows.py        shows rows that are there already: of payloads, of events
    answer.py      answers queries, or leaves them; words what fails as a whole

What is not planned (introspection, resolvers of one's own) is left to graphql-core; docs/engine.md
has the rest.
"""
