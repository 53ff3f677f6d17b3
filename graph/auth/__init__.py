"""Who is asking: passwords, keys, tokens, sign-in and the viewer."""
