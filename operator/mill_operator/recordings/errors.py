"""What is wrong with a recording, as one line for people."""


class RecordingError(ValueError):
    """A file, or a part of it, that cannot be judged: what is wrong, with its place."""
