"""The protocol, as clients of every kind speak it, and the server under those that mean no good."""
