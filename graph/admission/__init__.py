"""What an operation has to pass before it is run.

trusted.py    finds the text of a document that was registered
bounds.py     counts what is in a text before anything that could take long is done with it
documents.py  parses and validates a document once
pricing.py    works out what an operation costs
cost.py       holds what it costs, and what it came to
buckets.py    keeps what each may still ask for
charge.py     decides
"""
