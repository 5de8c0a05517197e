"""Checks, as far as a newer Python can, that Python 3.8 runs the files that are named."""

import ast
import sys

# Python 3.8 has no `tuple[int]`, except in annotations that it does not evaluate.
GENERIC = {"deque", "dict", "list", "set", "tuple", "type", "Iterator"}

for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path, feature_version=(3, 8))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert imports[0].module == "__future__", f"{path} evaluates annotations"
    annotations = set()
    for node in ast.walk(tree):
        roots = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        annotations.update(part for root in roots if root for part in ast.walk(root))
    for node in set(ast.walk(tree)) - annotations:
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            assert node.value.id not in GENERIC, f"{path}:{node.lineno}: {node.value.id}[…]"
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            names = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
            # A timeout of a socket is another error before Python 3.10.
            assert "TimeoutError" not in names, f"{path}:{node.lineno}: TimeoutError"
print("done")
