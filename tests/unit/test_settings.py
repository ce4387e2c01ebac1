import ipaddress
import re
from dataclasses import replace
from pathlib import Path

import pytest

from service.settings import PREFIX, Settings, SettingsError, data_dir, log_options

EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINE = re.compile(r"^(#?)([A-Z_]+)=(.*)$", re.MULTILINE)
REQUIRED = {
    "PROOFHOUSE_DATABASE_URL": "sqlite:///test.db",
    "PROOFHOUSE_REDIS_URL": "redis://localhost",
    "PROOFHOUSE_SECRET_KEY": "made-up",
}
OF_TESTS_ALONE = {"PROOFHOUSE_FAILPOINTS"}


class Recorder(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked.add(key)
        return super().get(key, default)


@pytest.fixture(scope="module")
def example() -> str:
    return EXAMPLE.read_text()


@pytest.fixture(scope="module")
def defaults(example: str) -> dict[str, str]:
    """What the example file leaves commented out: names with their defaults."""
    return {name: value for mark, name, value in LINE.findall(example) if mark}


@pytest.fixture(scope="module")
def read_names() -> set[str]:
    """Every name that the settings read."""
    environ = Recorder(REQUIRED)
    Settings.from_env(environ)
    data_dir(environ)
    log_options(environ)
    return environ.asked


def test_the_example_names_everything_that_is_read(example: str, read_names: set[str]) -> None:
    assert read_names - {name for _, name, _ in LINE.findall(example)} == OF_TESTS_ALONE


def test_what_the_tests_alone_are_told_stands_in_the_contributors_page_and_in_no_example(example: str) -> None:
    asked = re.compile(r'environ(?:\.get\(|\[)"(PROOFHOUSE_[A-Z_]+)"|"(PROOFHOUSE_[A-Z_]+)" not in os\.environ')
    tests = (EXAMPLE.parent / "tests").rglob("*.py")
    read = {"".join(found) for path in tests for found in asked.findall(path.read_text())} | OF_TESTS_ALONE
    explained = set(re.findall(r"PROOFHOUSE_[A-Z_]+", (EXAMPLE.parent / "CONTRIBUTING.md").read_text()))
    assert read == explained
    assert {name for name in explained if name in example} == set()


def test_the_example_names_nothing_twice(example: str) -> None:
    names = [name for _, name, _ in LINE.findall(example)]
    assert sorted(names) == sorted(set(names))


def test_the_example_says_a_sentence_about_every_setting(example: str) -> None:
    paragraphs = [block for block in example.split("\n\n") if LINE.search(block)]
    assert [block for block in paragraphs if not re.match(r"# \S.*\.$", block.splitlines()[-2])] == []


def test_the_example_leaves_open_just_what_has_no_default(example: str) -> None:
    assert {name: value for mark, name, value in LINE.findall(example) if not mark} == dict.fromkeys(REQUIRED, "")


def test_the_defaults_of_the_example_are_those_of_the_settings(defaults: dict[str, str]) -> None:
    assert Settings.from_env({**defaults, **REQUIRED}) == Settings.from_env(REQUIRED)


def test_every_default_that_the_settings_have_stands_in_the_example(
    defaults: dict[str, str], read_names: set[str]
) -> None:
    written = {
        name: as_written(getattr(Settings, name.removeprefix(PREFIX).lower()))
        for name in read_names - set(REQUIRED) - OF_TESTS_ALONE
        if hasattr(Settings, name.removeprefix(PREFIX).lower())
    }
    assert written == {name: defaults[name] for name in written}


def as_written(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()


def test_the_data_folder_of_the_example_is_the_default(defaults: dict[str, str]) -> None:
    assert data_dir(defaults) == data_dir({})


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_what_has_no_default_is_asked_for_by_name(name: str, value: str | None) -> None:
    environ = {key: given for key, given in REQUIRED.items() if key != name} | ({} if value is None else {name: value})
    with pytest.raises(SettingsError, match=rf"^{name} is not set\. .*\.env\.example.*`proofhouse up`"):
        Settings.from_env(environ)


@pytest.mark.parametrize("value", ["yes", "1", "", "on"])
def test_a_boolean_that_is_none_is_named_with_what_it_may_be(value: str) -> None:
    with pytest.raises(SettingsError, match=f"^PROOFHOUSE_METRICS_PUBLIC must be true or false, not '{value}'.$"):
        Settings.from_env({**REQUIRED, "PROOFHOUSE_METRICS_PUBLIC": value})


@pytest.mark.parametrize(("value", "public"), [("true", True), ("False", False), ("TRUE", True), ("false", False)])
def test_a_boolean_is_read_in_any_case(value: str, public: bool) -> None:
    assert Settings.from_env({**REQUIRED, "PROOFHOUSE_METRICS_PUBLIC": value}).metrics_public is public


@pytest.mark.parametrize("value", ["-1", "65536", "http", "", "91.5", " 9100"])
def test_a_port_that_is_none_is_named_with_what_it_may_be(value: str) -> None:
    message = f"^PROOFHOUSE_WORKER_METRICS_PORT must be a port from 0 to 65535, not '{value}'.$"
    with pytest.raises(SettingsError, match=message):
        Settings.from_env({**REQUIRED, "PROOFHOUSE_WORKER_METRICS_PORT": value})


@pytest.mark.parametrize("value", [0, 65535])
def test_the_lowest_and_the_highest_port_are_ports(value: int) -> None:
    environ = {**REQUIRED, "PROOFHOUSE_WORKER_METRICS_PORT": str(value)}
    assert Settings.from_env(environ).worker_metrics_port == value


@pytest.mark.parametrize("value", ["localhost", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8;::1", "*"])
def test_a_network_that_is_none_is_named_with_what_it_may_be(value: str) -> None:
    with pytest.raises(SettingsError, match=r"^PROOFHOUSE_ALLOWED_NETWORKS must be networks such as 10\.1\.0\.0/16"):
        Settings.from_env({**REQUIRED, "PROOFHOUSE_ALLOWED_NETWORKS": value})


def test_several_secret_keys_stand_in_their_order() -> None:
    assert Settings.from_env({**REQUIRED, "PROOFHOUSE_SECRET_KEY": "new,old,"}).secret_keys == ("new", "old")


def test_every_setting_is_read_from_its_own_variable() -> None:
    environ = {
        **REQUIRED,
        "PROOFHOUSE_QUEUE": "other",
        "PROOFHOUSE_METRICS_PUBLIC": "false",
        "PROOFHOUSE_WORKER_METRICS_PORT": "9200",
        "PROOFHOUSE_ALLOWED_NETWORKS": "10.1.0.0/16, ::1",
        "PROOFHOUSE_WORKER_NAME": "second",
        "PROOFHOUSE_FAILPOINTS": "call=kill",
        "PROMETHEUS_MULTIPROC_DIR": "metrics",
    }
    assert Settings.from_env(environ) == replace(
        Settings("sqlite:///test.db", "redis://localhost", ("made-up",)),
        queue="other",
        metrics_public=False,
        worker_metrics_port=9200,
        allowed_networks=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("::1")),
        worker_name="second",
        failpoints="call=kill",
        metrics_dir="metrics",
    )


def test_the_data_folder_is_read_from_its_variable() -> None:
    assert data_dir({"PROOFHOUSE_DATA_DIR": "elsewhere"}) == Path("elsewhere")


def test_the_log_of_the_example_is_the_default(defaults: dict[str, str]) -> None:
    assert log_options(defaults) == log_options({}) == ("auto", "info")


def test_the_log_is_read_from_its_variables() -> None:
    assert log_options({"PROOFHOUSE_LOG_FORMAT": "json", "PROOFHOUSE_LOG_LEVEL": "debug"}) == ("json", "debug")


@pytest.mark.parametrize(
    ("name", "choices"), [("LOG_FORMAT", "auto, json, console"), ("LOG_LEVEL", "debug, info, warning, error")]
)
@pytest.mark.parametrize("value", ["", "JSON", "trace"])
def test_a_choice_that_is_none_is_named_with_those_that_there_are(name: str, choices: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^PROOFHOUSE_{name} must be one of {choices}, not '{value}'.$"):
        log_options({f"PROOFHOUSE_{name}": value})
