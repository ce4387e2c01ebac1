"""What the command line takes from its environment, and where the embedded stack's files lie."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from service.settings import PREFIX, SettingsError, data_dir

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The embedded stack's folder."""

    path: Path

    @classmethod
    def here(cls) -> "DataFolder":
        """The one that PROOFHOUSE_DATA_DIR names, or .proofhouse."""
        return cls(data_dir())

    @property
    def admin_key(self) -> Path:
        """The first key, by which the client commands find in."""
        return self.path / "admin.key"

    @property
    def secret_key(self) -> Path:
        """The key that encrypts what jobs keep secret."""
        return self.path / "secret.key"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "proofhouse.db"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.path / "logs"

    @property
    def metrics(self) -> Path:
        """The metric files that all processes share."""
        return self.path / "metrics"


def given(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The variable PROOFHOUSE_`name`, if it is set and not empty."""
    return environ.get(PREFIX + name) or None


def without_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without anything that configures Proofhouse."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}


def service_url() -> str:
    """Where the client commands find the service.

    Raises:
        SettingsError: PROOFHOUSE_URL is no such address.
    """
    url = (given("URL") or DEFAULT_URL).rstrip("/")
    if not re.match(r"https?://[^/]", url):
        raise SettingsError(f"PROOFHOUSE_URL must begin with http:// or https:// and a host, not be {url!r}.")
    return url


def api_key(url: str) -> str | None:
    """PROOFHOUSE_API_KEY, or else the key that `proofhouse up` made, which no other machine gets to see."""
    if key := given("API_KEY"):
        return key
    file = DataFolder.here().admin_key
    local = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    return file.read_text().strip() if local and file.is_file() else None
