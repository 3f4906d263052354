"""Foreign objects and texts as plain data: keys, fields and their printable form.

Nothing here raises, whatever the shape of its input, except `Unreadable` for an object that cannot be identified.
"""
