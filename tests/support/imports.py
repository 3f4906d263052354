"""Import everything that an image has, with its own Python."""

IMPORT_EVERYTHING = """
import ast, importlib, json, pathlib, sys
wanted = set()
for name in sys.argv[1:]:
    root = pathlib.Path(importlib.import_module(name).__path__[0])
    for file in root.rglob("*.py"):
        module = ".".join((name, *file.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        if not module.endswith("__main__"):
            importlib.import_module(module)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                wanted |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                wanted.add(node.module)
for name in sorted(wanted):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
"""Imports all modules of packages, and all that they import later, within functions."""
