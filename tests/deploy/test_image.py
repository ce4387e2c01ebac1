"""The Dockerfile agrees with what is around it. What its steps come to: test_image_install.py."""

import json
import re
import tomllib

import pytest
from click.testing import CliRunner

from service.cli.commands import cli
from tests.deploy.dockerfile import ROOT, Instruction, environment, instructions, words
from tests.unit.test_settings import EXAMPLE

ALL = instructions()
LAST = max(one.stage for one in ALL)


def last(name: str) -> list[Instruction]:
    """The instructions of that name in the stage that becomes the image."""
    return [one for one in ALL if (one.stage, one.name) == (LAST, name)]


def pins(name: str) -> set[str]:
    """What a file of requirements/ pins, each with its hashes."""
    return set(re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{name}.txt").read_text().rstrip()))


def test_a_step_on_several_lines_is_read_as_one() -> None:
    text = "FROM a AS b\n# why\nRUN one \\\n    && two\nFROM c\nUSER 1\n"
    assert [(one.stage, one.name, one.rest) for one in instructions(text)] == [
        (0, "FROM", "a AS b"),
        (0, "RUN", "one && two"),
        (1, "FROM", "c"),
        (1, "USER", "1"),
    ]


def test_everything_that_is_copied_is_there_and_not_left_out_by_dockerignore() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for one in ALL if one.name == "COPY" and "--from" not in one.rest for source in words(one)[:-1]}
    assert copied == sent
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_what_is_installed_is_pinned_with_hashes_as_make_install_does() -> None:
    [pinned] = [one.rest for one in ALL if one.name == "RUN" and "requirements" in one.rest]
    for wanted in ("--require-hashes", "-r requirements/otel.txt", "--only-binary=:all:", "--no-cache-dir"):
        assert wanted in pinned
    makefile = (ROOT / "Makefile").read_text()
    assert "--require-hashes -r requirements/runtime.txt" in makefile
    assert pins("runtime") <= pins("otel")
    [ours] = [one.rest for one in ALL if one.name == "RUN" and re.search(r"install .* \.( |$)", one.rest)]
    assert "--no-deps --no-build-isolation" in ours


def test_the_image_has_what_traces_need() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = {re.split(r"[>=]", each)[0] for each in extras["otel"]}
    assert wanted <= {each.partition("==")[0] for each in pins("otel")}


def test_nothing_is_run_in_the_stage_that_becomes_the_image() -> None:
    assert last("RUN") == []


def test_both_stages_have_the_same_base_so_that_the_virtual_environment_finds_its_python() -> None:
    assert len({one.rest.split()[0] for one in ALL if one.name == "FROM"}) == 1


def test_the_user_is_a_number_other_than_root_so_that_orchestrators_can_tell() -> None:
    [user] = last("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.rest)


@pytest.mark.parametrize("arguments", [["serve", "--help"], ["worker", "--help"], ["db", "upgrade", "--help"]])
def test_the_entry_point_knows_the_commands_of_a_deployment(arguments: list[str]) -> None:
    assert [json.loads(one.rest) for one in last("ENTRYPOINT")] == [["proofhouse"]]
    assert CliRunner().invoke(cli, arguments).exit_code == 0


def test_the_default_command_is_one_that_the_command_line_takes() -> None:
    [command] = [json.loads(one.rest) for one in last("CMD")]
    assert CliRunner().invoke(cli, [*command, "--help"]).exit_code == 0


def test_every_setting_of_the_image_is_known() -> None:
    named = {name for name in environment(LAST) if name.startswith("PROOFHOUSE_")}
    assert {name for name in named if name not in EXAMPLE.read_text()} == set()


def test_there_is_a_health_check() -> None:
    assert "/healthz" in last("HEALTHCHECK")[0].rest
