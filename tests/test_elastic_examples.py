"""The examples for schedulers are what those take, and every command in them is one of ours."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml

import nhi_watch.hosts.elastic.client  # noqa: F401   the commands need its libraries; bare Pythons lack them
from elastic_server import cached
from need import need
from nhi_watch import __version__, cli

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "elastic"
PROGRAM = "/opt/nhi_watch/.venv/bin/nhi"
UNITS = sorted(path for path in FOLDER.iterdir() if path.suffix in (".service", ".timer"))
LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
Tree = dict[str, Any]


def accept(arguments: list[str]) -> None:
    """The command line takes them."""
    told = cli.parser().parse_args(arguments)
    assert told.command == "elastic"
    assert told.api_key_file and not {"--api-key", "--password"} & set(arguments), "no secret among the arguments"


# ---- cron


def crontab() -> list[str]:
    lines = (FOLDER / "nhi.cron").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def within(field: str, low: int, high: int) -> bool:
    found = re.fullmatch(r"(\*|\d+)(?:/(\d+))?", field)
    return found is not None and (found.group(1) == "*" or low <= int(found.group(1)) <= high)


def test_the_crontab_has_a_user_five_times_and_our_commands() -> None:
    jobs = [line for line in crontab() if not re.match(r"[A-Z_]+=", line)]
    assert len(jobs) == 3
    for line in jobs:
        *times, user, command = line.split(None, 6)
        assert user == "nhi" and "%" not in command, "cron takes % for the end of the line"
        assert all(within(field, *limits) for field, limits in zip(times, LIMITS))
        words = shlex.split(re.split(r" >>? | \|\| ", command)[0])
        assert words[0] == PROGRAM
        accept(words[1:])


def test_the_crontab_ends_with_a_line_feed_and_names_the_cluster() -> None:
    assert (FOLDER / "nhi.cron").read_text("utf-8").endswith("\n"), "else cron ignores the last line"
    assert [line for line in crontab() if line.startswith("NHI_ELASTIC_URL=https://")]


# ---- systemd


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(path.read_text("utf-8"))
    return read


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_that_systemd_takes(path: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert unit(path).sections()  # where there is no systemd, that it parses has to do
        return
    for each in UNITS:
        text = (
            each.read_text("utf-8")
            .replace(PROGRAM, shutil.which("true") or "/bin/true")
            .replace("User=nhi", "User=root")
        )
        (tmp_path / each.name).write_text(text)
    done = subprocess.run([analyze, "verify", str(tmp_path / path.name)], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if path.stem in line or "Unknown" in line]
    assert (done.returncode, told) == (0, []), done.stderr


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".service"], ids=lambda path: path.name)
def test_a_service_runs_our_command_as_its_own_user_with_the_key_as_a_credential(path: Path) -> None:
    service = unit(path)["Service"]
    words = shlex.split(service["ExecStart"])
    assert (words[0], service["User"]) == (PROGRAM, "nhi")
    accept([word.replace("${CREDENTIALS_DIRECTORY}", "/run/x") for word in words[1:]])
    assert service["LoadCredential"].split(":")[0] in service["ExecStart"]
    assert service["Type"] == "oneshot"


def test_the_timer_starts_the_service_that_is_shipped() -> None:
    timer = unit(FOLDER / "nhi-run.timer")["Timer"]
    assert (FOLDER / timer["Unit"]).exists()
    assert timer["Persistent"] == "true"


# ---- Kubernetes

QUANTITY = {"type": "string", "pattern": r"^\d+(m|Mi|Gi)?$"}


def _closed(required: list[str], **fields: Any) -> Tree:
    return {"type": "object", "required": required, "properties": fields, "additionalProperties": False}


_TEXT, _WHOLE = {"type": "string"}, {"type": "integer", "minimum": 0}
_META = _closed([], name={"type": "string", "pattern": "^[a-z0-9-]{1,52}$"}, labels={"type": "object"})
_RESOURCES = _closed(["limits"], requests={"additionalProperties": QUANTITY}, limits={"additionalProperties": QUANTITY})
_CONTAINER = _closed(
    ["name", "image", "command", "securityContext", "resources"],
    name=_TEXT, image=_TEXT, command={"type": "array", "items": _TEXT}, resources=_RESOURCES,
    env={"type": "array", "items": _closed(["name", "value"], name=_TEXT, value=_TEXT)},
    securityContext=_closed(
        ["allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"],
        allowPrivilegeEscalation={"const": False}, readOnlyRootFilesystem={"const": True},
        capabilities=_closed(["drop"], drop={"const": ["ALL"]}),
    ),
    volumeMounts={"type": "array", "items": _closed(
        ["name", "mountPath"], name=_TEXT, mountPath=_TEXT, readOnly={"type": "boolean"})},
)  # fmt: skip
_POD = _closed(
    ["restartPolicy", "containers"],
    restartPolicy={"enum": ["Never", "OnFailure"]}, automountServiceAccountToken={"const": False},
    securityContext={"type": "object", "required": ["runAsNonRoot", "seccompProfile"]},
    containers={"type": "array", "items": _CONTAINER, "minItems": 1},
    volumes={"type": "array", "items": _closed(
        ["name"], name=_TEXT, secret=_closed(["secretName"], secretName=_TEXT, defaultMode=_WHOLE),
        emptyDir={"type": "object"})},
)  # fmt: skip
CRONJOB = _closed(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "batch/v1"}, kind={"const": "CronJob"}, metadata=_META,
    spec=_closed(
        ["schedule", "jobTemplate", "concurrencyPolicy"],
        schedule=_TEXT, concurrencyPolicy={"const": "Forbid"},
        startingDeadlineSeconds={"type": "integer", "minimum": 10},
        successfulJobsHistoryLimit=_WHOLE, failedJobsHistoryLimit=_WHOLE,
        jobTemplate=_closed(["spec"], spec=_closed(
            ["template"], backoffLimit=_WHOLE, activeDeadlineSeconds=_WHOLE,
            template=_closed(["spec"], metadata=_META, spec=_POD))),
    ),
)  # fmt: skip
"""As much of batch/v1 as the example uses; what it does not name is a mistake."""


CHART = FOLDER / "chart"
VALUES: Tree = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
TWO = [{"namespace": "default"}, {"namespace": "payments", "index": "logs-aws.cloudtrail-payments"}]
HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"


@cache
def helm() -> str:
    """The program: the one that is there, or built by Go once and kept."""
    found = shutil.which("helm")
    if found is None:
        need(shutil.which("go"), "needs helm, or Go to build it")
        found = str(cached(f"helm-{HELM.rpartition('@')[2]}", _built) / "helm")
    return found


def _built(folder: Path) -> None:
    subprocess.run(["go", "install", HELM], check=True, env={**os.environ, "GOBIN": str(folder)})


def rendered(values: Tree, folder: Path) -> list[Tree]:
    """What Helm makes of the chart."""
    (folder / "values.json").write_bytes(orjson.dumps(values))
    command = [helm(), "template", "test", str(CHART), "--values", str(folder / "values.json")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def chart() -> Tree:
    return dict(yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8")))


@pytest.mark.parametrize("jobs", [VALUES["jobs"], TWO], ids=["as shipped", "two namespaces"])
def test_the_chart_makes_a_cronjob_for_each_namespace_with_least_privilege(jobs: list[Tree], tmp_path: Path) -> None:
    made = rendered({**VALUES, "jobs": jobs}, tmp_path)
    assert [each["metadata"]["name"] for each in made] == [f"nhi-run-{job['namespace']}" for job in jobs]
    for job, each in zip(jobs, made):
        jsonschema.validate(each, CRONJOB)
        assert all(within(field, *limits) for field, limits in zip(each["spec"]["schedule"].split(), LIMITS))
        pod = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["command"][0] == "nhi"
        accept(container["command"][1:])
        told = cli.parser().parse_args(container["command"][1:])
        assert told.namespace == job["namespace"] and ("index" not in job or told.index == job["index"])
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert container["image"] == f"{VALUES['image']}:{__version__}"


def test_the_chart_is_one_that_helm_takes() -> None:
    told = chart()
    assert (told["appVersion"], told["name"]) == (__version__, "nhi-watch")
    subprocess.run([helm(), "lint", "--strict", str(CHART)], check=True, capture_output=True)


@pytest.mark.parametrize(
    "wrong", [{"jobs": []}, {"jobs": [{"namespace": "Upper"}]}, {"url": "es:9200"}, {"colour": "red"}], ids=str
)
def test_helm_refuses_values_that_cannot_be_right(wrong: Tree, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        rendered({**VALUES, **wrong}, tmp_path)
    assert "values don't meet the specifications of the schema" in refused.value.stderr


def test_the_image_is_made_of_what_is_there() -> None:
    lines = (FOLDER / "Dockerfile").read_text("utf-8").splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied and all((ROOT / name).exists() for name in copied)
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)
