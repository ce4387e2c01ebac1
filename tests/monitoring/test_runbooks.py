"""What the runbooks name is there. That their commands and queries work is part of the story in test_watched.py."""

import re

import pytest
import yaml

from tests.deploy.chart import VALUES, documents, pods
from tests.e2e.pages import ROOT
from tests.monitoring.runbooks import PAGES, commands, expressions, inline, inline_commands
from tests.unit.test_settings import EXAMPLE

RUN = ("proofhouse", "rq", "curl")
"""Programs that test_watched.py runs."""


def test_every_page_has_commands_and_a_query_that_says_when_it_is_over() -> None:
    assert {name.partition(":")[0] for name in expressions()} == set(PAGES)
    assert len(commands()) > len(PAGES)


def test_every_command_of_a_block_is_of_a_program_that_is_run() -> None:
    assert {one.commands.split()[0] for one in commands()} <= set(RUN)


@pytest.mark.parametrize("command", inline_commands("docker"))
def test_the_service_whose_log_is_read_is_one_of_compose(command: str) -> None:
    found = re.fullmatch(r"docker compose logs --tail \d+ (\w+)", command)
    assert found
    assert found[1] in yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize("command", inline_commands("kubectl"))
def test_the_pods_whose_log_is_read_are_the_charts(command: str) -> None:
    found = re.fullmatch(r"kubectl logs --selector (\S+)=(\S+) --tail \d+", command)
    assert found
    labelled = [pod["metadata"]["labels"].get(found[1]) for pod in pods(documents(VALUES["needed"]))]
    assert found[2] in labelled


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_a_page_names_is_known(page: str) -> None:
    named = set(re.findall(r"PROOFHOUSE_[A-Z_]+", (ROOT / page).read_text()))
    assert {name for name in named if name not in EXAMPLE.read_text()} == set()


def test_every_code_that_looks_like_a_command_is_taken_for_one() -> None:
    taken = {code for program in (*RUN, "docker", "kubectl") for code in inline_commands(program)}
    spoken = {code for page in PAGES for code in inline(page) if re.match(r"[a-z]+ [a-z]", code)}
    assert spoken == taken
