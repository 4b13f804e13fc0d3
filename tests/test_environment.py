import os

from environment import SERVER, forget_settings

from warmer_server.settings import Settings


def test_no_setting_reaches_a_process_that_a_test_starts() -> None:
    inherited = {"PATH": "/bin", "QDRANT_URL": "http://qdrant", "WARMER_JOURNAL": "qdrant", SERVER: "http://real"}
    forget_settings(inherited)
    assert inherited == {"PATH": "/bin", SERVER: "http://real"}
    assert not {str(field.validation_alias) for field in Settings.model_fields.values()} & os.environ.keys()
