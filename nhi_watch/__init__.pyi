from nhi_watch.context.context import Context as Context
from nhi_watch.core.event import Event as Event
from nhi_watch.core.event import Identity as Identity
from nhi_watch.core.notable import Notable as Notable
from nhi_watch.core.notable import from_json as notable_of
from nhi_watch.detect.model import load as load_model
from nhi_watch.detect.run import Result as Result
from nhi_watch.detect.session import Session as Session
from nhi_watch.detect.signals import Signal as Signal
from nhi_watch.hosts.files.library import score as score
from nhi_watch.intake.batch import IntakeBatch as IntakeBatch
from nhi_watch.intake.sources import Source as Source
from nhi_watch.intake.sources import build_event as build_event
from nhi_watch.intake.sources import every as sources
from nhi_watch.state.sqlite import SqliteStore as SqliteStore
from nhi_watch.state.state import State as State
from nhi_watch.state.store import MemoryStore as MemoryStore
from nhi_watch.state.store import Store as Store

__version__: str
__all__ = ["Context", "Event", "Identity", "IntakeBatch", "MemoryStore", "Notable", "Result", "Session", "Signal",
           "Source", "SqliteStore", "State", "Store", "__version__", "build_event", "load_model", "notable_of", "score",
           "sources"]  # fmt: skip
