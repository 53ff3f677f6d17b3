"""Subscriptions: what happens, told to who may know it.

    feed.py           a feed as a root field: which topic, which rows, which events
    operation.py      runs one: opens its feed, reads what is to be told, again where the database was away
    telling.py        what a subscriber is told of events, by the engine
    notifications.py, approvals.py   the fields

The transports are graph/http/websocket.py and graph/http/sse.py; where events come from is graph/events.
"""
