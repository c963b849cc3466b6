"""Parts of other packages, without what they do when they are imported."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any


def part(package: str, path: str) -> Any:
    """Return one module of a package without importing the package; None where that is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    own = spec_from_file_location(Path(path).stem, Path(spec.submodule_search_locations[0]) / path)
    if own is None or own.loader is None:
        return None
    module = module_from_spec(own)
    sys.modules[own.name] = module  # models look their names up there
    own.loader.exec_module(module)
    return module
