"""The search of an attacker: what he writes, what he may have, and that he finds what hides; and what floods cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench_bounds
import pytest

from core_samples import TODAY, record
from nhi_watch.core.errors import InputError
from nhi_watch_lab.evaluation import earlier, hiding
from nhi_watch_lab.evaluation.hiding import MEANS, TECHNIQUES, Choice, Outcome, Script, page, search

METHOD = Path(__file__).parents[1] / "docs" / "method"


class Weak:
    """A product that strangers' decoys hide a theft from."""

    today = TODAY
    victims = (record(TODAY - 1, "09:00"), record(TODAY - 1, "09:00", role="other"))

    def answer(self, records: Sequence[dict[str, Any]], theft: frozenset[str]) -> Outcome:
        assert theft <= {one["eventID"] for one in records} and len({one["eventID"] for one in records}) == len(records)
        strangers = sum(hiding.FOREIGN in str(one["userIdentity"]) for one in records)
        return Outcome(not strangers, 1 + len(records) // 100, 90.0)


def test_the_search_finds_what_hides_and_only_by_the_means_that_it_takes() -> None:
    found = [search(Weak(), "grant", means, 20) for means in range(len(MEANS))]  # type: ignore[arg-type]
    assert [told["hidden"] > 0 for told in found] == [False, False, True]
    assert found[2]["choice"]["decoys"] == "strangers" and found[0]["plain"] == [True, 1, 90.0]
    told = page({f"w/grant/{name}": one for name, one in zip(MEANS, found)}, {"w/grant/one key": found[0]}, "")
    assert "| w | grant | a key and an account | place 1, 90.0 |  |  |  | 20 |" in told and "| hidden |" in told


def test_a_choice_makes_the_records_of_the_theft_and_its_padding() -> None:
    choice = Choice(days=3, usual=2, looks=4, refused=3, decoys="repositories", number=2, before=1)
    script = Script(Weak(), TECHNIQUES["secrets"], choice)  # type: ignore[arg-type]
    records = script.records()
    assert len(script.theft) == 12 and len(records) == 12 + 24 + 4 + 3 + 2 * 4
    assert len({one["eventTime"][:10] for one in script.theft}) == 3


def test_the_page_was_written_by_its_command() -> None:
    text = (METHOD / "hiding.md").read_text("utf-8")
    assert hiding.is_written(text)
    assert not hiding.is_written(text.replace("| one key |", "| a key |", 1))


def test_the_page_of_bounds_was_written_by_its_command() -> None:
    about, _, rows = (METHOD / "bounds.md").read_text("utf-8").partition(bench_bounds.HEAD[0])
    assert about == bench_bounds.ABOUT.format(limit=bench_bounds.LIMITS[True])
    assert {row.split(" | ")[0][2:] for row in rows.splitlines()[2:]} <= {*bench_bounds.names()}


def test_an_earlier_version_lies_in_a_folder_with_what_it_is_measured_by() -> None:
    if not (earlier.ROOT / ".git").exists():
        pytest.skip("needs a clone of the repository")
    with earlier.tree("HEAD", "README.md") as folder:
        assert (folder / "README.md").read_bytes() == (earlier.ROOT / "README.md").read_bytes()
        told = earlier.run(folder, ["-c", "import nhi_watch; print(nhi_watch.__file__)"])
        assert told.startswith(str(folder))
    with pytest.raises(InputError, match="needs a whole clone"), earlier.tree("0" * 40):
        pass
