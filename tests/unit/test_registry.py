import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields

import service
from service.registry import Registry, join_secrets, split_secrets


class Plugin:
    class Options(Schema):
        """Two of three are secret."""

        model = fields.String()
        api_key = fields.String(load_default=None, metadata={"secret": True})
        proxy_key = fields.String(load_default=None, metadata={"secret": True})


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder of plug-ins under `service`, one module in it, that notes each import."""
    folder = tmp_path / "made_up_kind"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "base.py").write_text(
        "from service.registry import Registry\nplugins = Registry('made_up_kind')\nimports = []\n"
    )
    (folder / "inside.py").write_text(
        "from service.made_up_kind.base import imports, plugins\n"
        "imports.append(__name__)\n"
        "@plugins.register('inside')\n"
        "class Inside:\n"
        "    pass\n"
    )
    monkeypatch.setattr(service, "__path__", [*service.__path__, str(tmp_path)])
    yield folder.name
    for name in [name for name in sys.modules if name.startswith(f"service.{folder.name}")]:
        del sys.modules[name]
    vars(service).pop(folder.name, None)


@pytest.fixture
def base(kind: str) -> Any:
    return importlib.import_module(f"service.{kind}.base")


@pytest.fixture
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """An installed package that adds a plug-in by an entry point."""
    site = tmp_path / "site"
    (site / "outside-1.0.dist-info").mkdir(parents=True)
    (site / "outside-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (site / "outside-1.0.dist-info" / "entry_points.txt").write_text(
        f"[proofhouse.{kind}]\noutside = made_up_outside\n[proofhouse.another]\nother = made_up_missing\n"
    )
    (site / "made_up_outside.py").write_text(
        f"from service.{kind}.base import plugins\n@plugins.register('outside')\nclass Outside:\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "made_up_outside", raising=False)


def undiscovering() -> Registry[Any]:
    """A registry that looks nowhere."""
    registry = Registry[Any]("nowhere")
    registry._discovered = True
    return registry


def test_a_registered_class_is_had_by_its_name() -> None:
    registry = undiscovering()
    assert registry.register("mine")(Plugin) is Plugin
    assert registry.get("mine") is Plugin


def test_a_name_taken_by_another_class_is_refused_with_the_owner() -> None:
    registry = undiscovering()
    registry.register("mine")(Plugin)
    with pytest.raises(ValueError, match=rf"^nowhere: the name 'mine' is taken by {__name__}\.Plugin$"):
        registry.register("mine")(type("Other", (), {}))


def test_a_refused_class_does_not_replace_the_first() -> None:
    registry = undiscovering()
    registry.register("mine")(Plugin)
    with pytest.raises(ValueError, match="taken"):
        registry.register("mine")(type("Other", (), {}))
    assert registry.get("mine") is Plugin


def test_the_same_class_may_be_registered_again() -> None:
    registry = undiscovering()
    registry.register("mine")(Plugin)
    assert registry.register("mine")(Plugin) is Plugin


def test_a_class_may_have_two_names() -> None:
    registry = undiscovering()
    registry.register("b")(registry.register("a")(Plugin))
    assert list(registry.items()) == [("a", Plugin), ("b", Plugin)]


def test_names_are_sorted() -> None:
    registry = undiscovering()
    for name in ("c", "a", "b"):
        registry.register(name)(Plugin)
    assert registry.names() == ["a", "b", "c"]


@pytest.mark.parametrize("ask", [Registry.get, Registry.schema])
def test_an_unknown_name_is_a_key_error(ask: Any) -> None:
    with pytest.raises(KeyError, match="'unknown'"):
        ask(undiscovering(), "unknown")


def test_the_schema_is_the_options_of_the_class() -> None:
    registry = undiscovering()
    registry.register("mine")(Plugin)
    assert registry.schema("mine") is Plugin.Options


def test_every_module_of_the_folder_is_found(base: Any) -> None:
    assert base.plugins.names() == ["inside"]


@pytest.mark.usefixtures("_package")
def test_plugins_of_installed_packages_are_found_by_their_entry_points(base: Any) -> None:
    assert base.plugins.names() == ["inside", "outside"]


def test_nothing_is_imported_before_somebody_asks(base: Any) -> None:
    assert base.imports == []


def test_modules_are_imported_once_however_often_it_is_asked(base: Any, kind: str) -> None:
    base.plugins.names()
    del sys.modules[f"service.{kind}.inside"]
    base.plugins.get("inside")
    assert base.imports == [f"service.{kind}.inside"]


def test_a_module_that_fails_to_import_is_reported_again_the_next_time(base: Any, kind: str) -> None:
    broken = Path(base.__file__).parent / "broken.py"
    broken.write_text("raise ImportError('no such library')\n")
    for _ in range(2):
        with pytest.raises(ImportError, match="no such library"):
            base.plugins.names()


def test_secrets_are_parted_from_what_may_be_shown() -> None:
    options = {"model": "m", "api_key": "k", "proxy_key": "p"}
    assert split_secrets(Plugin.Options, options) == ({"model": "m"}, {"api_key": "k", "proxy_key": "p"})


def test_a_secret_that_was_not_given_is_neither_shown_nor_kept() -> None:
    assert split_secrets(Plugin.Options, {"model": "m", "api_key": None}) == ({"model": "m"}, {})


@settings(deadline=None)
@given(st.builds(dict, model=st.text(), api_key=st.none() | st.text(), proxy_key=st.none() | st.text()))
def test_joining_gives_back_what_splitting_has_parted(options: dict[str, Any]) -> None:
    assert join_secrets(Plugin.Options, *split_secrets(Plugin.Options, options)) == options


def test_a_secret_that_is_not_there_is_none_again() -> None:
    assert join_secrets(Plugin.Options, {"model": "m"}, {}) == {"model": "m", "api_key": None, "proxy_key": None}
