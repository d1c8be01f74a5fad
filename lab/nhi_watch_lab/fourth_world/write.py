"""From events to the files on disk."""
import json
import struct
import zlib
from pathlib import Path
from typing import Any, Dict, List, Tuple

from .dice import Dice
from .model import Event
from .render_aws import render as cloudtrail
from .render_other import PAIRED, RENDER
from .world import World

Places = Dict[int, List[Tuple[str, int]]]


class Gzip:
    """A gzip member without name, time or system, so that the same text gives the same bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._crc, self._size, self.lines = 0, 0, 0

    def line(self, record: Dict[str, Any]) -> None:
        data = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        self._crc, self._size, self.lines = zlib.crc32(data, self._crc), self._size + len(data), self.lines + 1
        self._file.write(self._deflate.compress(data))

    def close(self) -> None:
        self._file.write(self._deflate.flush() + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
        self._file.close()


def _pair(record: Dict[str, Any]) -> List[Dict[str, Any]]:
    """A request line before the response line, as an audit device writes them."""
    asked = {k: v for k, v in record.items() if k not in ("response", "error")}
    return [dict(asked, type="request"), record]


def write(world: World, folder: Path) -> Places:
    """Write every product's file in time order; say where each incident's records are."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.ndjson.gz"):
        old.unlink()
    mix, tenant, places = world.tenant.dice("order"), world.tenant, {}  # type: Tuple[Dice, Any, Places]
    by_product: Dict[str, List[Tuple[int, float, int, Event]]] = {}
    for i, event in enumerate(world.events):
        by_product.setdefault(event.who.product, []).append((event.t, mix.random(), i, event))
    for product in tenant.products:
        rows, dice = sorted(by_product.get(product, []), key=lambda row: row[:3]), tenant.dice("write", product)
        name = f"{product}.ndjson.gz"
        out = Gzip(folder / name)
        render = RENDER.get(product, cloudtrail)
        for _, _, _, event in rows:
            record = render(event, dice, tenant)
            for line in _pair(record) if product in PAIRED else [record]:
                out.line(line)
                if event.tag >= 0:
                    places.setdefault(event.tag, []).append((name, out.lines))
        out.close()
    return places
