"""The customer's asset table: found by id or name, refused with file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_samples import MACHINE
from nhi_watch.context import assets
from nhi_watch.context.assets import UNKNOWN, Asset
from nhi_watch.core.errors import InputError

HEAD = "identity,criticality,owner,environment\n"


def table(folder: Path, rows: str, head: str = HEAD) -> Path:
    path = folder / "nhi_assets.csv"
    path.write_bytes((head + rows).encode())
    return path


def test_an_identity_is_found_by_id_before_its_name(tmp_path: Path) -> None:
    built = assets.load(table(tmp_path, f"{MACHINE.id}, HIGH ,pay team,prod\n{MACHINE.name},low,,\n"))
    assert assets.find(built, MACHINE) == Asset("high", "pay team", "prod")
    assert assets.find(built, MACHINE._replace(id="other")) == Asset("low", "", "")
    assert assets.find(built, MACHINE._replace(id="other", name="other")) == UNKNOWN


def test_a_byte_order_mark_and_missing_cells_do_no_harm(tmp_path: Path) -> None:
    built = assets.load(table(tmp_path, "x\ny,critical\n", "\ufeff" + HEAD))
    assert built == {"x": UNKNOWN, "y": Asset("critical", "", "")}


@pytest.mark.parametrize(
    ("rows", "said"),
    [("a,high,,\n,low,,\n", "line 3: needs an identity"), ("a,urgent,,\n", "line 2: .* found 'a', 'urgent'")],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(InputError, match=f"nhi_assets.csv, {said}"):
        assets.load(table(tmp_path, rows))


def test_a_missing_or_binary_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give a CSV file as shipped"):
        assets.load(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="give a CSV file as shipped"):
        assets.load(tmp_path / "binary.csv")


def test_a_table_without_the_column_of_identities_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        assets.load(table(tmp_path, "a,high\n", "name,criticality\n"))
