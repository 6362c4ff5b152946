"""What the pages on metrics show can be run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unspun.metrics.read_file import read_metrics

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_files_of_the_page_read(text: str) -> None:
    file = read_metrics(text)
    assert len(file.metrics) + len(file.metrics.sources) > 0


def test_the_python_of_the_page_prints_a_sentence_and_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "metrics.md", "exec"), {})
    told, *lines = capsys.readouterr().out.splitlines()
    assert told == "The number of events where event is 'login', over the 28 days to the as-of date."
    assert read_metrics("metrics:\n" + "\n".join(f"  {line}" for line in lines)).metrics.metric("logins_28d").description == "Logins."
