"""Pictures of the documentation: the page in a real browser, and the command line in a terminal."""
