"""uvicorn as the gateway runs it: its protocol classes with the deadlines that they lack."""
