"""The command line: what a person types, and what one sentence says when it was wrong."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from schedlog_analysis.cli import main

ENTRY = {"message": "Schedule invoked", "level": "INFO", "createdAt": "2026-01-01T00:00:00.370Z"}
SCHEDULE = {
    "id": "abc", "userId": "u", "name": "hourly", "cronExpression": "0 * * * *", "timezone": "UTC", "isEnabled": True,
    "isExclusive": False, "createdAt": "2026-01-01T00:00:00.000Z", "modifiedAt": "2026-01-01T00:00:00.000Z",
    "actions": [],
}  # fmt: skip


def _folder(tmp_path, schedules=(SCHEDULE,), entries=(ENTRY,)):
    (tmp_path / "logs").mkdir()
    (tmp_path / "schedules.json").write_text(json.dumps(list(schedules)))
    (tmp_path / "logs" / "abc.json").write_text(json.dumps({"data": list(entries)}))
    return str(tmp_path)


def _fails(capsys, *argv, code=2):
    """Run a command that must fail with one sentence on stderr, no traceback, and give the sentence."""
    assert main(list(argv)) == code
    told = capsys.readouterr().err.strip()
    assert "Traceback" not in told
    assert len(told.splitlines()) == 1, told
    assert told.startswith("schedlog: ")
    assert told.endswith(".")
    return told


def test_report_writes_and_summarises(sample, tmp_path, capsys, monkeypatch):
    """The README's first command: a file, a verdict, the worst schedule first."""
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(sample.path)]) == 0
    told = capsys.readouterr().out
    assert "has not run since 24 Oct 2026" in told
    assert told.rstrip().endswith("Wrote report.html.")
    assert told.index("Inventory feed") < told.index("Competitor prices")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_same_input_same_bytes(sample, tmp_path, capsys):
    """Two runs in two processes write the same bytes."""
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    assert main(["report", str(sample.path), "--period", "last-week", "--output", str(one)]) == 0
    command = [sys.executable, "-m", "schedlog_analysis.cli", "report", str(sample.path), "--period", "last-week"]
    subprocess.run([*command, "--output", str(two)], check=True, capture_output=True, env={"PYTHONHASHSEED": "7"})
    capsys.readouterr()
    assert one.read_bytes() == two.read_bytes()


def test_standard_output_holds_the_report_alone(sample, capsysbinary):
    """With `--output -` the summary goes to stderr, so that a pipe gets only the report."""
    assert main(["report", str(sample.path), "--format", "json", "--output", "-"]) == 0
    told = capsysbinary.readouterr()
    assert json.loads(told.out)["verdict"].encode()[:20] in told.err


def test_fail_under_is_an_exit_code(sample, tmp_path, capsys):
    """1 below the threshold, 0 at or above it; the report is written either way."""
    target = str(tmp_path / "r.json")
    assert main(["report", str(sample.path), "--output", target, "--fail-under", "99"]) == 1
    assert "Below the threshold" in capsys.readouterr().err
    assert main(["report", str(sample.path), "--output", target, "--fail-under", "90"]) == 0


def test_the_configuration_file_holds_the_options(sample, tmp_path, capsys, monkeypatch):
    """schedlog.toml is read where it stands; what is typed wins."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schedlog.toml").write_text(
        'period = "2026-10"\ntz = "Europe/Prague"\noutput = "r.json"\nmaintenance = ["0 2 * * SUN for 2h"]\n'
        '[accounting]\nskipped = "down"\n'
    )
    assert main(["report", str(sample.path)]) == 0
    facts = json.loads((tmp_path / "r.json").read_text())
    assert facts["period"]["start"] == "2026-09-30T22:00:00.000Z"
    assert any("0 2 * * SUN" in rule for rule in facts["policy"])
    assert any("running are down" in rule for rule in facts["policy"])
    assert main(["report", str(sample.path), "--tz", "UTC"]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["period"]["start"] == "2026-10-01T00:00:00.000Z"
    capsys.readouterr()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("period = 3", "period = 3; expected str"),
        ("colour = 'red'", "has 'colour'; expected one of"),
        ("period = ", "is not TOML"),
        ("[accounting]\nweather = 'up'", "accounting.weather"),
        ("[accounting]\npartial = 'maybe'", "'maybe'; expected one of up, down, left out"),
        ("slo = 995", "`slo` is 995; expected percent"),
        ("maintenance = ['sometimes']", "'sometimes' cannot be read"),
    ],
)
def test_a_wrong_configuration_is_told(sample, tmp_path, capsys, text, sentence):
    """The file, the option, what came and what was expected."""
    config = tmp_path / "c.toml"
    config.write_text(text)
    assert sentence in _fails(capsys, "report", str(sample.path), "--config", str(config))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("log.json", b'{"data": [{"message": "x", "lev', "log.json"),
        ("log.json", b"<!DOCTYPE html><html>502 Bad Gateway</html>", "HTML"),
        ("log.json", b"", "log.json"),
        ("log.json", b"\xff\xfe\x00", "log.json"),
        ("log.json.gz", gzip.compress(b'{"data": []}', mtime=0)[:-9], "log.json.gz"),
        ("log.json", json.dumps([ENTRY | {"createdAt": "2026-01-01T00:00:00"}]).encode(), "no offset"),
        ("log.json", json.dumps([ENTRY | {"createdAt": "9999-99-99T99:99:99Z"}]).encode(), "createdAt"),
        ("log.json", json.dumps([ENTRY | {"createdAt": "0001-01-01T00:00:00Z"}]).encode(), "createdAt"),
        ("log.json", json.dumps([{"level": "INFO", "message": "x"}]).encode(), "createdAt"),
        ("log.json", json.dumps([ENTRY | {"message": None}]).encode(), "message null"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, capsys, name, content, sentence):
    """Truncated, foreign, empty, naive, absurd, incomplete: the file and what is wrong with it."""
    path = tmp_path / name
    path.write_bytes(content)
    assert sentence in _fails(capsys, "report", str(path), "--output", str(tmp_path / "r.html"))
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("schedules", "sentence"),
    [
        ([SCHEDULE, SCHEDULE], "abc"),
        ([SCHEDULE | {"cronExpression": "61 * * * *"}], "61"),
        ([SCHEDULE | {"cronExpression": "every hour"}], "every hour"),
        ([SCHEDULE | {"timezone": "Mars/Olympus"}], "Mars/Olympus"),
    ],
)
def test_bad_definitions_get_one_sentence(tmp_path, capsys, schedules, sentence):
    """Two definitions of one id, a cron and a zone that make no sense: the schedule and what is wrong with it."""
    told = _fails(capsys, "report", _folder(tmp_path, schedules), "--output", str(tmp_path / "r.html"))
    assert sentence in told
    assert "abc" in told


@pytest.mark.parametrize(
    "argv",
    [
        ["nowhere"],
        [".", "--period", "yesterday-ish"],
        [".", "--tz", "Mars/Olympus"],
        [".", "--grace", "soon"],
        [".", "--schedule", "nobody"],
        [".", "--output", "report.docx"],
        [".", "--output", "no/such/folder/report.html"],
        [".", "--config", "no.toml"],
    ],
)
def test_bad_options_get_one_sentence(sample, capsys, argv, monkeypatch, tmp_path):
    """What came and what was expected, and nothing is left half-written."""
    monkeypatch.chdir(tmp_path)
    source = argv[0].replace(".", str(sample.path)) if argv[0] == "." else argv[0]
    _fails(capsys, "report", source, *argv[1:])
    assert not list(tmp_path.iterdir())


def test_usage_is_told_with_code_2(capsys):
    """An unknown option or command is usage, which the parser words."""
    for argv in (["report", "--bogus"], ["dance"], ["report"]):
        assert main(argv) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_an_empty_log_gives_a_report_that_says_so(tmp_path, capsys):
    """Nothing is known, so nothing is called well."""
    path = tmp_path / "log.json"
    path.write_text('{"data": []}')
    assert main(["report", str(path), "--output", str(tmp_path / "r.md")]) == 0
    assert "no entries" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "no entries" in capsys.readouterr().out


def test_no_token_is_told(capsys, monkeypatch, tmp_path):
    """Without a token at any door, the doors are named."""
    monkeypatch.delenv("APIFY_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "APIFY_TOKEN" in _fails(capsys, "fetch", "--output", str(tmp_path / "x"))
    assert "APIFY_TOKEN" in _fails(capsys, "sync", str(tmp_path / "archive"))


def test_simulate_makes_what_the_sample_is(sample, tmp_path, capsys):
    """The sample is `schedlog simulate data/sample --seed 7`, byte for byte."""
    assert main(["simulate", str(tmp_path / "made"), "--seed", "7"]) == 0
    capsys.readouterr()
    made = {path.relative_to(tmp_path / "made"): path.read_bytes() for path in (tmp_path / "made").rglob("*.json")}
    assert made == {path.relative_to(sample.path): path.read_bytes() for path in sample.path.rglob("*.json")}


def test_show_is_readable_when_piped(sample, capsys):
    """No colour codes, and no line longer than a terminal."""
    assert main(["show", str(sample.path), "--period", "last-month"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert max(map(len, told.splitlines())) <= 80


def test_version(capsys):
    """--version prints the version and stops."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.count(".") == 2


def test_importing_loads_nothing_heavy():
    """Libraries are loaded when they are first needed, so that importing costs hardly anything."""
    heavy = {"matplotlib", "pandera", "scipy", "requests", "jinja2", "typer"}
    code = f"import schedlog_analysis, sys; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "[]"


def test_a_terminal_without_unicode_still_gets_the_summary(sample, tmp_path):
    """What a terminal cannot show becomes a question mark, never a traceback."""
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"}
    words = [sys.executable, "-m", "schedlog_analysis", "show", str(sample.path)]
    done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"? Down now")
