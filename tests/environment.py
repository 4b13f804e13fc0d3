"""A clean environment for tests and for every process that they start."""

import os
from collections.abc import MutableMapping

from warmer_server.settings import Settings

SERVER, SERVER_KEY = "WARMER_TEST_QDRANT_URL", "WARMER_TEST_QDRANT_API_KEY"
_KEYS_OF_OTHERS = {"ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"}


def forget_settings(environment: MutableMapping[str, str] = os.environ) -> None:
    """Remove the settings of whoever runs the tests, which every process would inherit."""
    aliases = {str(field.validation_alias) for field in Settings.model_fields.values()}
    for name in (aliases | _KEYS_OF_OTHERS) & environment.keys():
        del environment[name]
