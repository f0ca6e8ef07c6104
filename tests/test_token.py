"""The token: four doors in their order, and never a word too much."""

from __future__ import annotations

import json
import os
import time

import pytest

from schedlog_analysis.errors import TokenError
from schedlog_analysis.sources import token

SECRET = "apify_api_S3cretThatNobodySees"


@pytest.fixture(autouse=True)
def closed_doors(monkeypatch, tmp_path):
    """No test sees the machine's own token: an empty environment, home and PATH."""
    monkeypatch.delenv("APIFY_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def install_cli(home, script):
    """Put a program named `apify` on the PATH; it really runs."""
    (home / "bin").mkdir()
    program = home / "bin" / "apify"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def write_file(home, text):
    (home / ".apify").mkdir()
    (home / ".apify" / "auth.json").write_text(text)


needs_sh = pytest.mark.skipif(os.name != "posix", reason="the stand-in for apify-cli is a shell script")


@needs_sh
def test_doors_are_tried_in_the_documented_order(monkeypatch, tmp_path):
    """Argument, environment, apify-cli, file: each goes before all that follow."""
    write_file(tmp_path, json.dumps({"token": "from-file"}))
    assert token.find_token() == "from-file"
    install_cli(tmp_path, '[ "$1 $2" = "auth token" ] && echo from-cli')
    assert token.find_token() == "from-cli"
    monkeypatch.setenv("APIFY_TOKEN", "from-environment")
    assert token.find_token() == "from-environment"
    assert token.find_token("from-argument") == "from-argument"


def test_closed_doors_are_named():
    """Without any token the error says where one could be put."""
    with pytest.raises(TokenError, match=r"`token`.*APIFY_TOKEN.*apify login.*Console"):
        token.find_token()


def test_an_empty_variable_is_no_token(monkeypatch, tmp_path):
    """An APIFY_TOKEN that is set to nothing leads to the next door, as with every other program."""
    monkeypatch.setenv("APIFY_TOKEN", "")
    write_file(tmp_path, json.dumps({"token": "from-file"}))
    assert token.find_token() == "from-file"


def test_an_empty_argument_is_an_error(monkeypatch):
    """An empty argument is most likely a mistake, so it does not silently mean another account."""
    monkeypatch.setenv("APIFY_TOKEN", "from-environment")
    with pytest.raises(TokenError, match="empty"):
        token.find_token("")


@pytest.mark.parametrize("tail", ["\n", "\r\nX-Injected: 1", " ", "\t", "\x00", "é", "€", "\udc80"])
def test_what_cannot_stand_in_a_header_is_refused_unseen(monkeypatch, tail):
    """A line break, a space or a letter beyond ASCII is refused at both doors; no message shows the token."""
    with pytest.raises(TokenError) as by_argument:
        token.find_token(SECRET + tail)
    assert SECRET not in str(by_argument.value)
    if "\x00" not in tail:  # no environment can hold it
        monkeypatch.setenv("APIFY_TOKEN", SECRET + tail)
        with pytest.raises(TokenError, match="APIFY_TOKEN") as by_environment:
            token.find_token()
        assert SECRET not in str(by_environment.value)


@needs_sh
@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo not-this; exit 1",
        "true",
        "echo You are not logged in!",
        "echo; echo",
        "printf '\\303\\251\\377'",
    ],
)
def test_a_cli_without_login_is_passed_by(tmp_path, script):
    """Whatever apify-cli says when nobody is logged in is not taken for a token."""
    install_cli(tmp_path, script)
    with pytest.raises(TokenError, match="No Apify token"):
        token.find_token()


@needs_sh
def test_notices_of_the_cli_are_not_the_token(tmp_path):
    """The token is the last line; what stands before it or on stderr is for people."""
    install_cli(tmp_path, "echo Info: logged in; echo careful >&2; echo the-token")
    assert token.find_token() == "the-token"


@needs_sh
def test_a_cli_that_hangs_is_left_alone(tmp_path):
    """An apify-cli that does not answer costs its time limit and no more."""
    install_cli(tmp_path, "exec /bin/sleep 30")
    begin = time.monotonic()
    assert token._from_cli(timeout=0.2) is None
    assert time.monotonic() - begin < 5


@needs_sh
def test_a_cli_that_cannot_run_is_passed_by(tmp_path):
    """A program that the system refuses to start is as good as none."""
    install_cli(tmp_path, "")
    (tmp_path / "bin" / "apify").write_bytes(b"\x00\x01 no program")
    with pytest.raises(TokenError, match="No Apify token"):
        token.find_token()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"secretsBackend": "keyring"}', '{"token": null}', '{"token": "two words"}']
)
def test_a_file_without_token_is_passed_by(tmp_path, text):
    """A broken file, or one of a newer apify-cli that only points at the keyring, is as good as none."""
    write_file(tmp_path, text)
    with pytest.raises(TokenError, match="No Apify token"):
        token.find_token()
