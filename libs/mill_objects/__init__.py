"""Objects and texts that others wrote, as plain data: their keys, their fields, their printable form.

Nothing here raises on what it reads, whatever its shape, except `Unreadable` where an object cannot be identified.
"""
