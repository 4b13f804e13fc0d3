import pytest

from warmer_server.terminal import echo


def test_a_line_is_printed_literally_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    echo("notes\x1b[2J: [bold]x[/bold] :warning:\nwarmer: all is well\u202e", stderr=False)
    assert capsys.readouterr().out == "notes\ufffd[2J: [bold]x[/bold] :warning: warmer: all is well\n"
