"""The command line: what a person types, and what one sentence says when it was wrong."""

import gzip
import json
import re
import subprocess
import sys
import tomllib

import pytest

from schedlog_analysis.account.settings import SETTINGS
from schedlog_analysis.cli import main
from schedlog_analysis.cli.flags import EVERY, flag
from schedlog_analysis.report.formats import FORMATS

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
    assert told.endswith((".", "?"))
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


def test_same_input_same_bytes(sample, tmp_path, capsys, run_cli):
    """Two runs in two processes write the same bytes."""
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    assert main(["report", str(sample.path), "--period", "last-week", "--output", str(one)]) == 0
    words = ["report", sample.path, "--period", "last-week", "--output", two]
    assert run_cli(*words, env={"PYTHONHASHSEED": "7"}).code == 0
    capsys.readouterr()
    assert one.read_bytes() == two.read_bytes()


def test_standard_output_holds_the_report_alone(sample, capsysbinary):
    """With `--output -` the summary goes to stderr, so that a pipe gets only the report."""
    assert main(["report", str(sample.path), "--format", "json", "--output", "-"]) == 0
    told = capsysbinary.readouterr()
    assert json.loads(told.out)["verdict"].encode()[:20] in told.err


def test_fail_under_is_an_exit_code(sample, tmp_path, capsys):
    """1 below the threshold or where nobody can tell, 0 at or above it; the report is written either way."""
    target = str(tmp_path / "r.json")
    assert main(["report", str(sample.path), "--output", target, "--fail-under", "99"]) == 1
    assert "Below the threshold" in capsys.readouterr().err
    assert main(["report", str(sample.path), "--output", target, "--fail-under", "90"]) == 1
    assert "Nobody can tell" in capsys.readouterr().err
    calm = ["--schedule", "daily-backup", "--now", "2026-11-01T01:00Z"]
    assert main(["report", str(sample.path), "--output", target, "--fail-under", "90", *calm]) == 0


def test_nothing_to_judge_by_is_not_fine(tmp_path, capsys):
    """An account of which nothing is known may be all well or all dead; an automatic gate must not open for it."""
    path = tmp_path / "log.json"
    path.write_text('{"data": []}')
    assert "nobody can tell" in _fails(
        capsys, "report", str(path), "-q", "-o", str(tmp_path / "r.md"), "--fail-under", "99", code=1
    )
    assert (tmp_path / "r.md").exists()


def test_the_configuration_file_holds_the_options(sample, tmp_path, capsys, monkeypatch):
    """schedlog.toml is read where it stands, and said to be; what is typed wins."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schedlog.toml").write_text(
        'period = "2026-10"\ntz = "Europe/Prague"\nformat = "json"\nmaintenance = ["0 2 * * SUN for 2h"]\n'
        '[accounting]\nskipped = "down"\n'
    )
    assert main(["report", str(sample.path)]) == 0
    told = capsys.readouterr()
    assert told.err == (
        "schedlog: Options of schedlog.toml in this folder hold: period, tz, format, maintenance, accounting.\n"
    )
    facts = json.loads((tmp_path / "report.json").read_text())
    assert facts["period"]["start"] == "2026-09-30T22:00:00.000Z"
    assert any("0 2 * * SUN" in rule for rule in facts["policy"])
    assert any("running are down" in rule for rule in facts["policy"])
    assert main(["report", str(sample.path), "--tz", "UTC"]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["period"]["start"] == "2026-10-01T00:00:00.000Z"


def test_a_file_that_nobody_named_does_not_say_where_to_write(sample, tmp_path, capsys, monkeypatch):
    """It may lie in a folder of other people's; the same file, named, may."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schedlog.toml").write_text('format = "json"\noutput = "../stolen.json"\n')
    assert main(["report", str(sample.path), "-q"]) == 0
    assert "`output` is passed over: give --output, or name the file with --config." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "schedlog.toml"]
    (tmp_path / "own.toml").write_text('output = "own.json"\n')
    assert main(["report", str(sample.path), "-q", "--config", "own.toml"]) == 0
    assert (tmp_path / "own.json").exists()
    assert capsys.readouterr() == ("", "")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch, capsys):
    """`schedlog config` says of each what it is and where it comes from; rules of accounting are merged."""
    (tmp_path / "c.toml").write_text(
        'tz = "UTC"\ngrace = "1s"\nperiod = "2026"\nslo = 90\n[accounting]\nlate = "down"\n'
    )
    monkeypatch.setenv("SCHEDLOG_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("SCHEDLOG_GRACE", "2s")
    monkeypatch.setenv("SCHEDLOG_PERIOD", "2027")
    monkeypatch.setenv("SCHEDLOG_SCHEDULE", "Competitor prices, hourly; ads-watch")
    monkeypatch.setenv("SCHEDLOG_ACCOUNTING", "partial=up; extra=left out")
    monkeypatch.setenv("SCHEDLOG_PAGES", "")
    assert main(["config", "--period", "2028", "--accounting", "missed=up", "--fail-under", "99"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert told.err == ""
    for line in (
        f'tz = "UTC"  # {tmp_path}/c.toml',
        'grace = "2s"  # SCHEDLOG_GRACE',
        'period = "2028"  # --period',
        f"slo = 90  # {tmp_path}/c.toml",
        'schedule = ["Competitor prices, hourly", "ads-watch"]  # SCHEDLOG_SCHEDULE',
        "fail_under = 99.0  # --fail-under",
        "pages = 20  # default",
        "# previous  # default",
    ):
        assert line in lines
    (accounting,) = (line for line in lines if line.startswith("accounting"))
    rules = {"late": "down", "partial": "up", "extra": "left out", "missed": "up", "skipped": "left_out"}
    assert tomllib.loads(accounting)["accounting"].items() >= rules.items()
    assert accounting.endswith(f"# {tmp_path}/c.toml and SCHEDLOG_ACCOUNTING and --accounting")


def test_what_config_prints_is_a_configuration_file(tmp_path, capsys):
    """Saved and read again, it says the same."""
    typed = ["--tz", "Europe/Prague", "--slo", "99.95", "--title", 'Ours "and" theirs', "--schedule", "a, b"]
    assert main(["config", *typed]) == 0
    first = capsys.readouterr().out
    (tmp_path / "c.toml").write_text(first)
    assert main(["config", "--config", str(tmp_path / "c.toml")]) == 0
    assert tomllib.loads(capsys.readouterr().out) == tomllib.loads(first)


def test_every_setting_is_a_flag_of_report_and_show(capsys):
    """The flags are those of the declaration, with their help."""
    for command, settings in (("report", EVERY), ("config", EVERY), ("show", SETTINGS)):
        assert main([command, "-h"]) == 0
        told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", capsys.readouterr().out).split())
        for name, setting in settings.items():
            assert f"{flag(name)} " in told
            assert setting.meaning.split()[0] in told
    assert set(FORMATS) == set(re.findall(r"\w+", EVERY["format"].meaning.partition(";")[0])) - {"or"}


@pytest.mark.parametrize("command", ["report", "show", "config", "fetch", "sync", "serve", "simulate"])
def test_help_ends_with_the_exit_codes(command, capsys):
    """The last thing that each command's help says."""
    assert main([command, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "0 fine" in told
    assert told.endswith("2 the input or the usage was wrong, 70 a fault of schedlog itself.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("period = 3", "c.toml: `period` is 3; expected a text"),
        ("colour = 'red'", "has 'colour'; expected one of"),
        ("period = ", "is not TOML"),
        ("[accounting]\nweather = 'up'", "c.toml: `accounting.weather` is no rule"),
        ("[accounting]\npartial = 'maybe'", "'maybe'; expected one of up, down, left out"),
        ("slo = 995", "c.toml: `slo` is 995; expected percent"),
        ("slo = 0.995", "c.toml: `slo` is 0.995; expected percent, such as 99.5; did you mean 99.5?"),
        ("maintenance = ['sometimes']", "'sometimes' cannot be read"),
    ],
)
def test_a_wrong_configuration_is_told(sample, tmp_path, capsys, text, sentence):
    """The file, the option, what came and what was expected."""
    config = tmp_path / "c.toml"
    config.write_text(text)
    for command in (["report", str(sample.path)], ["show", str(sample.path)], ["config"]):
        assert sentence in _fails(capsys, *command, "--config", str(config))


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
        ([SCHEDULE | {"cronExpression": "61 * * * *"}], "61"),
        ([SCHEDULE | {"cronExpression": "every hour"}], "every hour"),
        ([SCHEDULE | {"timezone": "Mars/Olympus"}], "Mars/Olympus"),
    ],
)
def test_bad_definitions_get_one_sentence(tmp_path, capsys, schedules, sentence):
    """A cron and a zone that make no sense: the schedule and what is wrong with it."""
    told = _fails(capsys, "report", _folder(tmp_path, schedules), "--output", str(tmp_path / "r.html"))
    assert sentence in told
    assert "abc" in told


ODD = [
    ["--period", "yesterday-ish"],
    ["--period", ""],
    ["--period", "2026-11-01..2026-10-01"],
    ["--previous", "2026-13"],
    ["--tz", "Mars/Olympus"],
    ["--tz", "../../etc/passwd"],
    ["--grace", "soon"],
    ["--grace", "-5s"],
    ["--tolerance", "60"],
    ["--slo", "0.995"],
    ["--slo", "100"],
    ["--slo", "nan"],
    ["--slo", "ninety"],
    ["--maintenance", "sometimes"],
    ["--maintenance", "0 2 * * SUN for ever"],
    ["--maintenance", "2026-10-05T00:00..sometime"],
    ["--accounting", "weather=up"],
    ["--accounting", "partial=maybe"],
    ["--accounting", "partial"],
    ["--title", ""],
    ["--pages", "-1"],
    ["--pages", "1.5"],
    ["--now", "today"],
    ["--now", "2026-11-01T00:00"],
    ["--config", "no.toml"],
    ["--config", "."],
]
ODD_SOURCE = [["--schedule", "nobody"], ["--schedule", ""], ["--schedule", "s"]]
ODD_TARGET = [
    ["--output", "report.docx"],
    ["--output", "no/such/folder/report.html"],
    ["--output", "."],
    ["--format", "pdf-of-sorts"],
    ["--fail-under", "0.99"],
    ["--fail-under", "101"],
    ["--scheduler", "sometimes"],
    ["--scheduler", "0"],
    ["--scheduler", "stream", "--schedule", "prices-hourly"],
    ["--scheduler", "stream"],
]


@pytest.mark.parametrize("argv", [*ODD, *ODD_SOURCE, *ODD_TARGET], ids=" ".join)
def test_odd_options_get_one_sentence(sample, capsys, argv, monkeypatch, tmp_path):
    """What came and what was expected, in the words of the command line; nothing is left half-written."""
    monkeypatch.chdir(tmp_path)
    commands = [["report", str(sample.path)]]
    commands += [["show", str(sample.path)]] if argv not in ODD_TARGET else []
    commands += [["config"]] if argv in ODD else []
    for command in commands:
        told = _fails(capsys, *command, *argv)
        assert "objective" not in told
        if argv[0] in ("--slo", "--fail-under", "--grace", "--tolerance", "--pages", "--now", "--title", "--scheduler"):
            assert f"`{argv[0]}`" in told or argv == ["--scheduler", "stream"]
    assert not list(tmp_path.iterdir())


def test_a_share_is_asked_about(sample, capsys):
    """0.995 percent is nobody's objective."""
    assert _fails(capsys, "show", str(sample.path), "--slo", "0.995").endswith("did you mean 99.5?")
    assert _fails(capsys, "report", str(sample.path), "--fail-under", "0.99").endswith("did you mean 99?")


@pytest.mark.parametrize(
    "argv",
    [
        ["report", "nowhere"],
        ["report", ""],
        ["show", "nowhere"],
        ["show", "/dev/null"],
        ["serve", "nowhere"],
        ["serve", "."],
        ["serve", "nowhere", "--port", "-1"],
        ["serve", "nowhere", "--port", "99999999"],
        ["serve", "nowhere", "--port", "http"],
        ["serve", "nowhere", "--window", "0"],
        ["serve"],
        ["simulate"],
        ["simulate", "made", "--seed", "-1"],
        ["simulate", "made", "--seed", "x"],
        ["simulate", "made", "--start", "tomorrow"],
        ["simulate", "made", "--start", "2026-10-01T00:00Z", "--end", "2026-09-01T00:00Z"],
        ["simulate", "made", "--schedules", "0"],
        ["simulate", "made", "--schedules", "3.5"],
        ["simulate", "made", "further"],
        ["sync"],
        ["sync", "a", "b"],
        ["sync", "a", "--token", "two words"],
        ["sync", "a", "--token", ""],
        ["sync", "a", "--runs=maybe"],
        ["fetch", "--token", "line\nbreak"],
        ["fetch", "--output"],
        ["fetch", "a", "--nothing"],
        ["config", "extra"],
        ["repor", "a"],
        ["--quiet"],
        ["-x"],
    ],
    ids=" ".join,
)
def test_odd_arguments_get_one_sentence(argv, capsys, monkeypatch, tmp_path):
    """Of every command: exit code 2, one sentence, nothing made."""
    for name in ("APIFY_TOKEN", "HOME", "PATH"):
        monkeypatch.setenv(name, str(tmp_path) if name != "APIFY_TOKEN" else "")
    monkeypatch.chdir(tmp_path)
    _fails(capsys, *argv)
    assert not list(tmp_path.iterdir())


def test_a_fault_of_the_program_has_its_own_exit_code(sample, capsys, monkeypatch):
    """One line says how to report it, without what may be secret; the traceback only comes when asked for."""

    def fail(*_, **__):
        raise KeyError("Bearer abcdef\nof 3 lines")

    monkeypatch.setattr("schedlog_analysis.sources.account.Source.read", fail)
    told = _fails(capsys, "show", str(sample.path), code=70)
    assert "KeyError" in told
    assert "SCHEDLOG_DEBUG=1 schedlog show" in told
    assert "abcdef" not in told
    monkeypatch.setenv("SCHEDLOG_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["show", str(sample.path)])


@pytest.mark.parametrize("package", ["uvicorn", "starlette"])
def test_serve_says_which_extra_it_needs(sample, capsys, monkeypatch, package):
    """In one sentence, with the command that brings it."""
    for name in [name for name in sys.modules if name.startswith((package, "schedlog_analysis.sources.server"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    told = _fails(capsys, "serve", str(sample.path))
    assert repr(package) in told
    assert "pip install 'schedlog-analysis[serve]'" in told


@pytest.mark.parametrize("command", ["show {sample}", "report {sample} -q -f -o -", "config"])
def test_a_reader_may_leave(sample, tmp_path, command):
    """`schedlog show | head -1` is no failure, and prints no complaint."""
    words = command.replace("-f", "--format json").format(sample=sample.path).split()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-m", "schedlog_analysis", *words], cwd=tmp_path, **pipes) as program:
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0


def test_quiet_says_nothing_where_all_is_well(sample, tmp_path, capsys):
    """Cron mails what is printed."""
    calm = ["--schedule", "daily-backup", "--now", "2026-11-01T01:00Z"]
    assert main(["report", str(sample.path), "-q", "-o", str(tmp_path / "r.md"), "--fail-under", "50", *calm]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_output_of_a_report_may_be_a_link(sample, tmp_path):
    """What it leads to is written, and its mode kept."""
    (tmp_path / "october.md").touch(mode=0o600)
    (tmp_path / "latest.md").symlink_to("october.md")
    assert main(["report", str(sample.path), "-q", "-o", str(tmp_path / "latest.md")]) == 0
    assert (tmp_path / "latest.md").is_symlink()
    assert (tmp_path / "october.md").stat().st_mode & 0o777 == 0o600
    assert "has not run since" in (tmp_path / "october.md").read_text(encoding="utf-8")


def test_usage_is_told_with_code_2(capsys):
    """An unknown option or command is usage: one sentence, and where the help is."""
    assert _fails(capsys, "report", "--bogus").endswith("No such option: --bogus; see `schedlog report --help`.")
    assert _fails(capsys, "dance").endswith("see `schedlog --help`.")
    assert _fails(capsys, "report").endswith("Missing argument 'SOURCE'; see `schedlog report --help`.")
    assert main([]) == 2
    assert "Usage: schedlog" in capsys.readouterr().out


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
    assert "pass `--token`, set APIFY_TOKEN" in _fails(capsys, "sync", str(tmp_path / "archive"))


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


def test_importing_loads_nothing_heavy(run_python):
    """Libraries are loaded when they are first needed, so that importing costs hardly anything."""
    heavy = {"matplotlib", "scipy", "requests", "jinja2", "typer"}
    code = f"import schedlog_analysis, sys; print(sorted({heavy} & set(sys.modules)))"
    assert run_python(code) == "[]"


def test_a_terminal_without_unicode_still_gets_the_summary(sample, tmp_path, run_cli):
    """What a terminal cannot show becomes a question mark, never a traceback."""
    environment = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"}
    done = run_cli("show", sample.path, env=environment, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("? Down now")
