"""Generated input against a running gateway: no crash, no 500, nothing of the inside told, no memory lost."""
