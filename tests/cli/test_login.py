"""`ltpkit login`: what is asked for, what is kept and forgotten, and that none of it is shown."""

from __future__ import annotations

import keyring
import keyring.backends.fail
import pytest
from typer.testing import CliRunner, Result

from ltpkit.cli import app
from tests.keeper import BrokenKeyring, MemoryKeyring


def run(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["login", *args], input=stdin)


def test_each_credential_is_asked_for_kept_and_not_shown(kept: MemoryKeyring) -> None:
    found = run("dhan", stdin="1100110011\ns3cret-token \n")
    assert found.exit_code == 0, found.output
    assert "s3cret" not in found.output
    assert "1100110011" not in found.output
    assert "DHAN_ACCESS_TOKEN is kept." in found.output
    assert kept.held == {
        ("ltpkit", "DHAN_CLIENT_ID"): "1100110011",
        ("ltpkit", "DHAN_ACCESS_TOKEN"): "s3cret-token",
    }


def test_an_empty_answer_leaves_what_is_there_and_forget_takes_it_out(kept: MemoryKeyring) -> None:
    kept.held["ltpkit", "KITE_API_KEY"] = "key"
    found = run("kite", stdin="\n\n")
    assert "KITE_API_KEY was left as it is." in found.output
    assert kept.held == {("ltpkit", "KITE_API_KEY"): "key"}
    found = run("kite", "--forget")
    assert "KITE_API_KEY is forgotten." in found.output
    assert "KITE_ACCESS_TOKEN was not kept." in found.output
    assert kept.held == {}


@pytest.mark.parametrize(
    ("args", "words"),
    [(("binance",), "binance needs no credentials."), (("dahn",), "Did you mean 'dhan'?")],
)
def test_what_cannot_be_kept_is_said_in_a_sentence(args: tuple[str, ...], words: str) -> None:
    found = run(*args)
    assert found.exit_code == 1
    assert words in found.stderr
    assert "Traceback" not in found.output


def test_a_keyring_that_is_missing_or_locked_is_said_in_a_sentence() -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    said = " ".join(run("dhan").stderr.split())
    assert "no keyring that could be used" in said
    assert "put DHAN_CLIENT_ID and DHAN_ACCESS_TOKEN in the environment or in .env" in said
    keyring.set_keyring(BrokenKeyring())
    found = run("dhan", stdin="1100110011\n")
    assert found.exit_code == 1
    assert "did not take DHAN_CLIENT_ID" in found.stderr
    assert "1100110011" not in found.output
