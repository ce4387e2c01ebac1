"""A real model, tested for real."""

import json
from pathlib import Path

from service.cli.demo import specification
from service.localmodel import MODEL
from tests.e2e.stack import up


def test_a_job_on_the_local_model_completes(tmp_path: Path) -> None:
    with up(tmp_path, "--workers", "1", "--local-model", "--model-port", "0") as stack:
        assert stack.model_url
        spec = specification(6, stack.model_url)
        spec["target"]["parameters"]["max_tokens"] = 24
        submitted = stack.submit(spec)
        assert submitted.code == 0, submitted.err
        job = json.loads(submitted.out)
        assert job["target"] == {"type": "openai", "base_url": stack.model_url, "model": MODEL}
        assert job["progress"]["done"] == 6
        assert job["progress"]["errors"] == 0
        assert 0 < job["usage"]["target"]["completion_tokens"] <= 6 * 24
        assert stack.run("results", job["id"], "--json", "--content").out.count('"response"') == 6
    assert not stack.left_behind(seconds=1)
