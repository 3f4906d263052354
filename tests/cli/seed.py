"""A deploy in which one of two services fails: the file, the events of its stream, and the lines to the byte."""

SEED = 'service "web" {\n  image = "web:1"\n}\n\nservice "broken" {\n  image = "web:missing"\n}\n'
EVENTS = (
    ("failed", {"service": "broken", "reason": "image pull failed: tag not found"}),
    ("progress", {"service": "web", "phase": "scheduled", "node": "node-1"}),
    ("progress", {"service": "web", "phase": "healthy"}),
    ("done", {"elapsed": 12.4, "success": False}),
)
LINES = """\
  web:    scheduled on node-1
  web:    healthy
  broken: failed: image pull failed: tag not found
  deploy finished with errors
"""
