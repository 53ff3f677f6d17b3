"""The engine: an operation planned once and run level by level, without a Python call per scalar.

    documents.py   parses and validates a document once
    plan.py        turns an operation into a tree: which columns, which relations, in which order of keys
    statements.py  writes the SQL of each node, compiled once per plan
    build.py       makes a function that turns rows into the objects of the answer
    answer.py      decides who answers, and words what fails as a whole
    run.py         reads a level, then the next with the keys found, and puts the answer together

What is not planned (introspection, resolvers of one's own, `node`) and whatever goes wrong is left to
graphql-core: the engine answers only what has no errors, so those are worded in one place.
"""
