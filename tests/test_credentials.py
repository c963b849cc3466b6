"""Tokens: given as text, as a secret or by a function; hidden in what others say."""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime, timedelta

import keyring
import keyring.backends.fail
import pytest
from pydantic import SecretStr

import ltpkit as lk
from ltpkit import credentials, nifty
from ltpkit.credentials import AskedToken, hidden, keep, secret, secret_values
from ltpkit.errors import LoginRefused, SettingError
from ltpkit.simulator import SimulatedExchange
from tests.keeper import BrokenKeyring, MemoryKeyring
from tests.test_streamer import until


class Clock:
    def __init__(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Login:
    """A function that gives tokens in turn, the last of them for ever."""

    def __init__(self, *tokens: str) -> None:
        self.tokens, self.calls = tokens, 0

    def __call__(self) -> str:
        self.calls += 1
        return self.tokens[min(self.calls, len(self.tokens)) - 1]


def test_a_token_is_asked_for_once_a_trading_day_that_begins_at_six_in_india() -> None:
    login, clock = Login("monday", "tuesday"), Clock("2026-11-16T04:00")  # 09:30 in India
    token = AskedToken(login, now=clock)
    assert login.calls == 0
    assert token.get_secret_value() == token.get_secret_value() == "monday"
    clock.now = datetime(2026, 11, 17, 0, 29, tzinfo=UTC)
    assert token.get_secret_value() == "monday"
    clock.now += timedelta(minutes=1)
    token.renew()
    assert (token.get_secret_value(), login.calls) == ("tuesday", 2)


def test_a_refused_token_is_asked_for_again_at_once() -> None:
    login = Login("old", "new")
    token = AskedToken(login, now=Clock("2026-11-16T04:00"))
    assert token.get_secret_value() == "old"
    token.renew(refused=True)
    assert (token.given[-1], login.calls) == ("new", 2)


@pytest.mark.parametrize(("given", "said"), [(7, "a int"), (None, "a NoneType"), ("  ", "an empty text")])
def test_a_function_that_gives_no_token_is_told_so(given: object, said: str) -> None:
    with pytest.raises(SettingError, match=f"returned {said}; it must return the token as text"):
        AskedToken(lambda: given).get_secret_value()


def test_no_kind_of_token_shows_itself() -> None:
    asked = AskedToken(lambda: SecretStr("s3cret-token\n"))
    assert asked.get_secret_value() == "s3cret-token"
    for token in (secret("s3cret-token"), secret(SecretStr("s3cret-token")), asked):
        assert "s3cret" not in f"{token!r} {token} {[token]}"
        assert secret_values([token, None, 5]) == ["s3cret-token"]
    assert secret(None) is None


def test_the_same_function_of_a_cell_run_again_is_the_same_token() -> None:
    def cell() -> AskedToken:
        def my_login() -> str:
            return "x"

        return AskedToken(my_login)

    assert cell() == cell()
    assert len({cell(), cell()}) == 1
    assert cell() != AskedToken(Login("x"))


def test_a_secret_is_hidden_in_every_form_also_where_a_reason_was_cut_short() -> None:
    token = "eyJhbGciOi/abc+def=="
    for form in (token, "eyJhbGciOi%2Fabc%2Bdef%3D%3D"):
        assert hidden(f"bad token {form}!", [token]) == "bad token …!"
    assert hidden(f"bad token {token[:12]}", [token]) == "bad token …"
    assert hidden("a word", ["a"]) == "a word"  # too short to be a secret, and everywhere


def test_a_function_is_asked_again_when_the_broker_refuses_and_the_stream_goes_on() -> None:
    login = Login("ended-token", "good-token")
    with SimulatedExchange(
        rate=5000, tokens={"77": "good-token"}, expired_tokens=["ended-token"]
    ) as exchange:
        with lk.stream("TCS", url=exchange.url, client_id="77", token=login, name="asked") as live:
            until(live, lambda: live._ring.rows > 10)
            assert login.calls == 2
            exchange.hang_up()
            until(live, lambda: live.status().reconnects >= 2)
            assert live.wait(rows=10)
        assert login.calls == 2  # a token that works is kept


def test_a_final_refusal_is_believed_only_of_a_fresh_token() -> None:
    login = Login("wrong-token-1", "wrong-token-2", "wrong-token-3", "wrong-token-4")
    with SimulatedExchange(rate=10, tokens={"77": "good-token"}) as exchange:
        with pytest.raises(LoginRefused) as refused:
            lk.stream("TCS", url=exchange.url, client_id="77", token=login, name="wrong")
        assert login.calls == 2
    assert "wrong-token" not in str(refused.value)


def test_a_function_that_fails_while_streaming_is_told_by_name_and_tried_again() -> None:
    calls = 0

    def login() -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ZeroDivisionError("s3cret inside")
        return "ended-token" if calls == 1 else "good-token"

    with SimulatedExchange(
        rate=5000, tokens={"77": "good-token"}, expired_tokens=["ended-token"]
    ) as exchange:
        with lk.stream("TCS", url=exchange.url, client_id="77", token=login, name="fails") as live:
            until(live, lambda: live._ring.rows > 10)
            told = "".join(live.events()["detail"])
        assert "the function that gives the token failed with ZeroDivisionError" in told
        assert "s3cret" not in told


def test_a_function_that_fails_at_the_start_fails_there_with_its_own_error() -> None:
    def login() -> str:
        raise ZeroDivisionError("no login today")

    with (
        SimulatedExchange(rate=10) as exchange,
        pytest.raises(ZeroDivisionError, match="no login today"),
    ):
        lk.stream("TCS", url=exchange.url, client_id="77", token=login)


def test_a_cell_with_a_login_function_run_twice_leaves_one_stream() -> None:
    def cell() -> lk.Stream:
        return lk.stream("TCS", url=exchange.url, client_id="77", token=lambda: "good-token", name="twice")

    with SimulatedExchange(rate=5000, tokens={"77": "good-token"}) as exchange:
        first = cell()
        assert cell() is first
        first.stop()


# -- the system's keyring -----------------------------------------------------------------------------


def test_what_the_keyring_has_comes_after_keyword_and_environment(
    kept: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DHAN_CLIENT_ID", raising=False)
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", "of the environment")
    keep("DHAN_ACCESS_TOKEN", "of the keyring")
    keep("DHAN_CLIENT_ID", "of the keyring")
    with SimulatedExchange(rate=2000) as exchange:
        options = {"feed": "dhan", "url": exchange.url, "known": nifty.instruments()}
        with lk.stream("NSE:INFY", **options) as live:
            assert sorted(secret_values(live._logins)) == ["of the environment", "of the keyring"]
        kept.asked.clear()
        with lk.stream("NSE:INFY", token="mine", client_id="1234", **options) as live:
            assert sorted(secret_values(live._logins)) == ["1234", "mine"]
        assert kept.asked == []  # nothing was missing
    assert kept.held == {
        ("ltpkit", "DHAN_ACCESS_TOKEN"): "of the keyring",
        ("ltpkit", "DHAN_CLIENT_ID"): "of the keyring",
    }


@pytest.mark.parametrize(
    ("broker", "variables"),
    [
        ("dhan", "DHAN_CLIENT_ID and DHAN_ACCESS_TOKEN"),
        ("kite", "KITE_API_KEY and KITE_ACCESS_TOKEN"),
        ("upstox", "UPSTOX_ACCESS_TOKEN"),
        ("angelone", "ANGELONE_FEED_TOKEN and ANGELONE_ACCESS_TOKEN"),
    ],
)
def test_a_feed_without_credentials_says_every_place_where_they_may_be(broker: str, variables: str) -> None:
    with pytest.raises(SettingError) as refused:
        lk.stream("NSE:INFY", feed=broker, known=nifty.instruments())
    assert f"{variables} in the environment or in .env" in str(refused.value)
    assert f"`ltpkit login {broker}`" in str(refused.value)


def test_a_keyring_that_fails_is_as_if_it_were_empty() -> None:
    keyring.set_keyring(BrokenKeyring())
    assert credentials.kept("DHAN_ACCESS_TOKEN") is None
    with pytest.raises(SettingError, match="Dhan needs"):
        lk.stream("NSE:INFY", feed="dhan", known=nifty.instruments())
    secret_key = "-".join(("s3cret", "key"))  # a traceback shows lines of code
    with pytest.raises(SettingError, match="did not take KITE_API_KEY") as caught:
        keep("KITE_API_KEY", secret_key)
    assert secret_key not in "".join(traceback.format_exception(caught.value))


def test_a_system_without_a_keyring_says_so_in_a_sentence() -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    assert credentials.kept("DHAN_ACCESS_TOKEN") is None
    for act in (lambda: keep("KITE_API_KEY", "x"), lambda: credentials.forget_kept("KITE_API_KEY")):
        with pytest.raises(SettingError, match="no keyring that could be used"):
            act()


def test_without_the_package_there_is_nothing_and_a_sentence_says_how_to_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert credentials.kept("DHAN_ACCESS_TOKEN") is None
    with pytest.raises(SettingError, match=r"pip install \"ltpkit\[keyring\]\""):
        keep("KITE_API_KEY", "x")
