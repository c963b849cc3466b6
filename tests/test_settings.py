"""Settings come from four places in a fixed order, bad ones are refused by name, secrets never show."""

from __future__ import annotations

import copy
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ltpkit.errors import SettingError
from ltpkit.settings import Settings, load, shown_address

PLANTED = "eyJhbGciOiJIUzUxMiJ9.cGxhbnRlZA"

SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None]
VARIABLES = [str(field.validation_alias) for field in Settings.model_fields.values()]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine's own, and no `.env` but the test's."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def write_env(text: str) -> None:
    Path(".env").write_text(text, encoding="utf-8")


def test_the_defaults_need_nothing_from_outside() -> None:
    settings = load()
    assert (settings.url, settings.reconnect_attempts, settings.max_symbols) == (None, None, None)
    assert (settings.heartbeat_interval_s, settings.buffer_size, settings.flush_interval_s) == (30, 1000, 5)
    assert (settings.service_host, settings.service_port, settings.log_level) == ("127.0.0.1", 8001, "INFO")
    assert (settings.capacity_rows, settings.depth_levels, settings.gather_s) == (2_000_000, 20, 0.001)
    assert repr(settings) == "Settings()"


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("WEBSOCKET_URL", "wss://websocket.dhan.co", "url", "wss://websocket.dhan.co"),
        ("WEBSOCKET_RECONNECT_ATTEMPTS", "5", "reconnect_attempts", 5),
        ("WEBSOCKET_HEARTBEAT_INTERVAL", "12.5", "heartbeat_interval_s", 12.5),
        ("REALTIME_BUFFER_SIZE", "250", "buffer_size", 250),
        ("BUFFER_FLUSH_INTERVAL", "0.5", "flush_interval_s", 0.5),
        ("MAX_CONCURRENT_SYMBOLS", "20", "max_symbols", 20),
        ("SERVICE_HOST", "0.0.0.0", "service_host", "0.0.0.0"),
        ("SERVICE_PORT", "9001", "service_port", 9001),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LOG_FORMAT", "JSON", "log_format", "json"),
        ("LTPKIT_SERVICE_SQL", "true", "service_sql", True),
        (
            "LTPKIT_SERVICE_ORIGINS",
            "https://a.example/, http://b:8080",
            "service_origins",
            "https://a.example,http://b:8080",
        ),
        ("LTPKIT_CAPACITY_ROWS", "65536", "capacity_rows", 65_536),
        ("LTPKIT_DEPTH_CAPACITY_ROWS", "1000", "depth_capacity_rows", 1000),
        ("LTPKIT_DEPTH_LEVELS", "5", "depth_levels", 5),
        ("LTPKIT_GATHER_S", "0", "gather_s", 0.0),
    ],
)
def test_each_variable_sets_its_attribute_from_the_environment_and_from_the_file(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, name: str, value: object
) -> None:
    write_env(f"{variable}={text}\n")
    assert getattr(load(), name) == value
    Path(".env").unlink()
    assert getattr(load(), name) != value

    monkeypatch.setenv(variable, text)
    assert getattr(load(), name) == value


def test_a_keyword_beats_the_environment_which_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_env("SERVICE_PORT=1\nREALTIME_BUFFER_SIZE=1\nLOG_LEVEL=ERROR\n")
    monkeypatch.setenv("SERVICE_PORT", "2")
    monkeypatch.setenv("REALTIME_BUFFER_SIZE", "2")
    settings = load(service_port=3)
    assert (settings.service_port, settings.buffer_size, settings.log_level) == (3, 2, "ERROR")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_PORT", "")
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", " ")
    settings = load()
    assert settings.service_port == 8001
    assert settings.dhan_access_token is None


@pytest.mark.parametrize("text", ["none", "None", " unlimited "])
def test_no_end_can_be_written_in_the_environment(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    write_env("WEBSOCKET_RECONNECT_ATTEMPTS=5\nMAX_CONCURRENT_SYMBOLS=20\n")
    assert load().reconnect_attempts == 5
    monkeypatch.setenv("WEBSOCKET_RECONNECT_ATTEMPTS", text)
    monkeypatch.setenv("MAX_CONCURRENT_SYMBOLS", text)
    assert (load().reconnect_attempts, load().max_symbols) == (None, None)


def test_none_by_keyword_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSOCKET_RECONNECT_ATTEMPTS", "5")
    assert load(reconnect_attempts=None).reconnect_attempts is None


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "BUFFER_SIZE", "CAPACITY_ROWS", "GATHER_S"):
        monkeypatch.setenv(name, "not for ltpkit")
    write_env("DATABASE_PASSWORD=x\nCAPACITY_ROWS=y\n")
    assert load() == Settings()


def test_another_file_can_be_named_or_none_at_all(tmp_path: Path) -> None:
    write_env("SERVICE_PORT=1\n")
    (tmp_path / "other.env").write_text("SERVICE_PORT=2\n", encoding="utf-8")
    assert load(env_file=tmp_path / "other.env").service_port == 2
    assert load(env_file=None).service_port == 8001
    assert load(env_file=tmp_path / "absent").service_port == 8001


def test_a_file_written_by_a_windows_editor_is_read() -> None:
    Path(".env").write_bytes(b"\xef\xbb\xbfSERVICE_PORT=7\r\nLOG_LEVEL=warn\r\n")
    settings = load()
    assert (settings.service_port, settings.log_level) == (7, "WARNING")


def test_a_file_that_is_not_text_is_refused_by_its_name() -> None:
    Path(".env").write_bytes("SERVICE_PORT=7\n".encode("utf-16"))
    with pytest.raises(SettingError, match=r"The settings file \.env cannot be read: it is not UTF-8 text\."):
        load()


def test_settings_do_not_change() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.service_port = 1


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        ("WEBSOCKET_URL", "https://api.dhan.co", "an address such as wss://"),
        ("WEBSOCKET_URL", "wss://", "an address such as wss://"),
        ("WEBSOCKET_URL", "wss://host:port", "an address such as wss://"),
        ("WEBSOCKET_RECONNECT_ATTEMPTS", "-1", "a whole number from 0, or none"),
        ("WEBSOCKET_HEARTBEAT_INTERVAL", "0", "more than 0"),
        ("WEBSOCKET_HEARTBEAT_INTERVAL", "nan", "more than 0"),
        ("REALTIME_BUFFER_SIZE", "0", "from 1"),
        ("REALTIME_BUFFER_SIZE", "10.5", "a whole number"),
        ("BUFFER_FLUSH_INTERVAL", "inf", "more than 0"),
        ("MAX_CONCURRENT_SYMBOLS", "0", "from 1, or none"),
        ("SERVICE_HOST", "http://localhost", "without scheme or port"),
        ("SERVICE_HOST", "localhost:8001", "without scheme or port"),
        ("SERVICE_PORT", "80o1", "from 0 to 65535"),
        ("SERVICE_PORT", "65536", "from 0 to 65535"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING"),
        ("LTPKIT_CAPACITY_ROWS", "many", "a whole number of rows"),
        ("LTPKIT_DEPTH_LEVELS", "201", "from 1 to 200"),
        ("LTPKIT_GATHER_S", "2", "from 0 to 1"),
    ],
)
def test_a_bad_value_is_refused_with_its_variable_its_place_and_what_would_do(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, says: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingError) as refused:
        load()
    sentence = str(refused.value)
    assert sentence.startswith(f"{variable} in the environment is {text!r}; it takes ")
    assert says in sentence

    monkeypatch.delenv(variable)
    write_env(f"{variable}={text}\n")
    with pytest.raises(SettingError, match=rf"^{variable} in \.env is "):
        load()


def test_a_bad_keyword_is_named_as_it_was_written() -> None:
    with pytest.raises(
        SettingError, match=r"^service_port is 'x'; it takes a whole number from 0 to 65535\.$"
    ):
        load(service_port="x")


def test_every_bad_value_is_told_at_once() -> None:
    write_env("SERVICE_PORT=x\nREALTIME_BUFFER_SIZE=y\n")
    with pytest.raises(SettingError) as refused:
        load(log_level="z")
    assert [word in str(refused.value) for word in ("SERVICE_PORT", "REALTIME_BUFFER_SIZE", "log_level")] == [
        True
    ] * 3


def test_an_unknown_setting_is_told_with_its_near_misses() -> None:
    with pytest.raises(
        SettingError, match=r"There is no setting 'flush_intervall'\. Close matches: flush_interval_s"
    ):
        load(flush_intervall=1)


def everything_shown(settings: Settings) -> str:
    return " ".join(
        [repr(settings), str(settings), f"{settings}", repr([settings]), settings.model_dump_json()]
    )


def test_there_are_secrets_to_hide() -> None:
    assert len(SECRETS) == 10
    assert all(word in " ".join(SECRETS) for word in ("dhan", "kite", "upstox", "angelone", "api_token"))


@pytest.mark.parametrize("name", SECRETS)
def test_a_planted_secret_never_shows_and_can_be_had(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(str(Settings.model_fields[name].validation_alias), f" {PLANTED}\n")
    settings = load()
    assert getattr(settings, name).get_secret_value() == PLANTED
    assert name in repr(settings)
    assert PLANTED not in everything_shown(settings)
    assert PLANTED not in everything_shown(copy.deepcopy(settings))
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert PLANTED not in repr(settings.credentials(name.partition("_")[0]))


def test_credentials_come_by_the_keywords_a_feed_takes() -> None:
    everything = load(angelone_client_id="A1", angelone_access_token="jwt", angelone_feed_token="f")
    assert set(everything.credentials("angelone")) == {"client_id", "token", "feed_token"}
    settings = load(dhan_client_id="1100", dhan_access_token=PLANTED, kite_api_key="k")
    found = settings.credentials("dhan")
    assert {name: secret.get_secret_value() for name, secret in found.items()} == {
        "client_id": "1100",
        "token": PLANTED,
    }
    assert settings.credentials("simulated") == {}


@pytest.mark.parametrize(
    "address", [f"wss://h/?token={PLANTED}", f"wss://me:{PLANTED}@h/", f"wss://h/{PLANTED}"]
)
def test_a_token_in_the_address_never_shows(address: str) -> None:
    settings = load(url=address)
    assert settings.url == address
    assert PLANTED not in repr(settings)
    assert PLANTED not in str(settings)
    assert "wss://h/" in repr(settings)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("WEBSOCKET_URL", f"https://h/?token={PLANTED}"),
        ("WEBSOCKET_URL", f"me:{PLANTED}@h/"),
        ("WEBSOCKET_URL", f"wss://me:{PLANTED}@h:port/{PLANTED}"),
        ("SERVICE_PORT", PLANTED),
        ("LOG_LEVEL", PLANTED),
    ],
)
def test_an_error_never_carries_a_token_not_even_one_pasted_into_the_wrong_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", PLANTED)
    with pytest.raises(SettingError) as refused:
        load()
    error = refused.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert PLANTED not in "".join(traceback.format_exception(error))
    assert variable in str(error)


def test_a_secret_of_the_wrong_kind_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingError) as refused:
        load(kite_access_token=b"raw-bytes-\xff")
    assert str(refused.value) == "kite_access_token cannot be used; it takes the text the broker gave you."


def test_a_broker_path_of_words_is_shown() -> None:
    assert shown_address("wss://stream.binance.com:9443/ws/btcusdt@trade") == (
        "wss://stream.binance.com:9443/ws/btcusdt@trade"
    )


@given(st.text(alphabet=st.characters(exclude_characters="?#")), st.text(min_size=1), st.sampled_from("?#"))
def test_nothing_after_the_query_sign_is_ever_shown(before: str, after: str, sign: str) -> None:
    assert shown_address(f"{before}{sign}{after}") == f"{shown_address(before)}?…"
