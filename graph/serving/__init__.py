"""The server: uvicorn within bounds, whatever its clients do."""
