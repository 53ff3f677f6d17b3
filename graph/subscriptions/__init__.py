"""Subscriptions: what happens, told to who may know it.

    feed.py           a feed as a root field: which topic, which rows, which events
    operation.py      runs one: reads the rows of events as their subscriber may see them, and answers
    notifications.py, approvals.py   the fields

The transports are graph/http/websocket.py and graph/http/sse.py; where events come from is graph/events.
"""
