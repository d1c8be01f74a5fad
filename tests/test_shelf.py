"""Models that are installed: verified, switched, rolled back, compared; and gates on what a later version made."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core_samples import run
from desk_samples import asked, desk
from nhi_watch.cli import main
from nhi_watch.core.errors import InputError, ModelError
from nhi_watch.detect import model
from nhi_watch.detect.model import shelf
from nhi_watch.hosts.files import models
from nhi_watch.state.sqlite import SqliteStore
from test_pipeline import quiet, raid

CARD = model.load()
NOW = "2026-03-01T12:00:00Z"


def variant(folder: Path, weight: float, offset: float = 0.0, **manifest: Any) -> Path:
    """A model in which one signal has another weight, or all scores are lower, with a manifest that fits."""
    folder.mkdir(parents=True)
    plain = json.loads((model.FOLDER / model.SCORECARD).read_bytes())
    row = next(row for row in plain["signals"] if row["name"] == "new_action")
    row["weight"] = weight
    plain["calibration"]["offset"] += offset
    plain["id"] = f"nhi-test{weight:g}"
    raw = json.dumps(plain).encode()
    (folder / model.SCORECARD).write_bytes(raw)
    told = {"id": plain["id"], "sha256": sha256(raw).hexdigest(), "format": model.FORMAT, **manifest}
    (folder / model.MANIFEST).write_text(json.dumps(told))
    return folder


def switch(what: str, out: Path, *words: object) -> dict[str, Any]:
    return asked(models, what, *words, "--by", "ann", "--now", NOW, out=out)


def test_switching_and_going_back_through_all_that_was_in_use(tmp_path: Path) -> None:
    out, one, two = tmp_path / "out", variant(tmp_path / "a", 1.0), variant(tmp_path / "b", 2.0)
    place = shelf.beside(out / "state.sqlite")
    assert shelf.in_use(place) == model.FOLDER
    first, second = switch("use", out, one), switch("use", out, two)
    assert model.load(shelf.in_use(place)).sha256 == second["sha256"] == model.load(two).sha256
    shutil.rmtree(one)
    two.rename(place / "candidate")
    assert switch("rollback", out)["sha256"] == first["sha256"], "the shelf has copies of its own"
    assert model.load(shelf.in_use(place)).id == "nhi-test1"
    assert switch("use", out, second["sha256"][:8])["id"] == "nhi-test2"
    assert [switch("rollback", out)["sha256"] for _ in range(2)] == [first["sha256"], CARD.sha256]
    with pytest.raises(InputError, match="there is none before it"):
        switch("rollback", out)
    told = asked(models, "history", out=out)
    assert [row["what"] for row in told["history"]] == ["use", "use", "rollback", "use", "rollback", "rollback"]
    assert told["in_use"] == CARD.sha256
    lines = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    assert [(line["what"], line["facts"]["what"]) for line in lines] == [("model", s["what"]) for s in told["history"]]


def test_a_damaged_model_is_neither_installed_nor_used(tmp_path: Path) -> None:
    out, one = tmp_path / "out", variant(tmp_path / "a", 1.0)
    (one / model.SCORECARD).write_bytes((one / model.SCORECARD).read_bytes().replace(b"test1", b"test7"))
    with pytest.raises(ModelError, match="the manifest says"):
        switch("use", out, one)
    assert shelf.in_use(shelf.beside(out / "state.sqlite")) == model.FOLDER
    good = switch("use", out, variant(tmp_path / "b", 2.0))
    kept = shelf.in_use(shelf.beside(out / "state.sqlite"))
    (kept / model.SCORECARD).write_bytes(b"{}")
    with pytest.raises(ModelError, match="the manifest says"):
        asked(models, "verify", out=out)
    shutil.rmtree(kept)
    with pytest.raises(ModelError, match=f"{good['sha256'][:12]} is not there any more"):
        asked(models, "show", out=out)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"format": model.FORMAT + 1}, f"format {model.FORMAT + 1}"),
        ({"versions": {"nhi_watch": "99.1.0"}}, "made by nhi_watch 99.1.0"),
        ({"signals": ["new_action"]}, "name other signals"), ({"id": "nhi-else"}, "another id"),
    ],
)  # fmt: skip
def test_what_a_later_version_made_or_does_not_fit_is_refused(tmp_path: Path, manifest: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        model.load(variant(tmp_path / "a", 1.0, **manifest))


def test_an_earlier_patch_of_this_version_is_fine(tmp_path: Path) -> None:
    assert model.load(variant(tmp_path / "a", 1.0, versions={"nhi_watch": "0.0.9"})).id == "nhi-test1"


# ---- comparing


def scored(out: Path) -> Path:
    out.mkdir()
    store = SqliteStore(out / "state.sqlite")
    run(store, quiet(20) + raid())
    store.close()
    return out


def test_a_diff_names_the_signal_and_the_stored_episodes_that_change(tmp_path: Path) -> None:
    out = scored(tmp_path / "out")
    told = asked(models, "diff", variant(tmp_path / "a", -6.0, offset=-1000.0), out=out)
    rows = {row["signal"]: row for row in told["signals"]}
    # what is worth a line by itself is so at any offset: its points move the other way
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(
        ("new_action", "mass_by_stranger"), "changed"
    )
    row = rows["new_action"]
    assert row["points"] < 0 and row["at"] > 0
    assert (told["old"], told["new"], told["episodes"]) == (CARD.id, "nhi-test-6", 21)
    changed = {(c["day"], c["identity"].rpartition(":")[2]) for c in told["most"]}
    assert ("2024-10-04", "AROApayments-api") in changed and told["changed"] >= len(told["most"]) >= 1
    (raided,) = [c for c in told["most"] if c["day"] == "2024-10-04"]
    assert raided["new"] < raided["old"]
    same = asked(models, "diff", "shipped", out=out)
    assert same["signals"] == [] and same["changed"] == 0
    assert "1 signals changed" in desk(models, "diff", variant(tmp_path / "b", 1.0), out=out)


def test_which_model_is_meant_must_be_clear(tmp_path: Path) -> None:
    for words in (["diff"], ["use"], ["use", "nothing-like-it"]):
        with pytest.raises(InputError):
            asked(models, *words, out=tmp_path / "out")


# ---- shadow


def test_shadow_scores_beside_and_touches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.ndjson").write_text("".join(json.dumps(r) + "\n" for r in quiet(20) + raid()))
    plain, shadowed = tmp_path / "plain", tmp_path / "out"
    assert main(["score", str(logs), "--out", str(plain), "--json"]) == 0
    capsys.readouterr()
    other = variant(tmp_path / "a", -30.0, offset=-1000.0)
    assert main(["score", str(logs), "--out", str(shadowed), "--shadow", str(other), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["shadow"]
    for name in ("notables.jsonl",):
        assert (plain / name).read_bytes() == (shadowed / name).read_bytes()
    assert (told["old"], told["new"]) == (CARD.id, "nhi-test-30")
    (lost,) = told["lost"] or [{"id": ""}]
    (moved,) = told["moved"] or [{"id": ""}]
    assert (lost["id"] or moved["id"]) and told["gained"] == []
    assert json.loads((shadowed / "shadow.json").read_text()) == told
    assert main(["score", str(logs), "--out", str(shadowed), "--shadow", "shipped", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)["shadow"]
    assert again["moved"] == again["gained"] == again["lost"] == []


def test_shadow_cannot_read_standard_input_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "-", "--out", str(tmp_path / "o"), "--shadow", "shipped"]) == 2
    assert "reads the paths twice" in capsys.readouterr().err
