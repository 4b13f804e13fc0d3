"""Load a user-defined judge: a class with a method `score`."""

import importlib

from warmer.errors import JudgeError
from warmer.judges import Judge


def load(spec: str) -> Judge:
    """Import and instantiate `module:Class`; its attributes `name`, `rubric` and `workers` are optional.

    Raises:
        JudgeError: The class cannot be imported or instantiated, or has no method `score`.
    """
    module, _, class_name = spec.partition(":")
    try:
        judge = getattr(importlib.import_module(module), class_name)()
        for attribute, default in (("name", spec), ("rubric", "own v1"), ("workers", 1)):
            if not hasattr(judge, attribute):
                setattr(judge, attribute, default)
    except Exception as error:
        raise JudgeError(
            f"cannot make the judge {spec}: {type(error).__name__}: {error}. It must be a class without arguments "
            f"in a module that Python finds: install the module, or set PYTHONPATH to its folder"
        ) from error
    if not callable(getattr(judge, "score", None)):
        raise JudgeError(f"{spec} is not a judge: its class needs score(query, passages), which returns numbers")
    return judge  # type: ignore[no-any-return]
