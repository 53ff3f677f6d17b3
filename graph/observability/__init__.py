"""What operators see: the log, metrics, spans, and whether the process is ready.

operation.py   one operation, watched from its beginning to its end
logging.py     the log
metrics.py     what is counted        exposition.py  how it is read, that of several workers together
tracing.py     spans
health.py      whether requests should come here
"""
