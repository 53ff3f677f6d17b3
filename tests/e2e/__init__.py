"""Browsers, npm clients and code generators against the gateway as a program of its own."""
