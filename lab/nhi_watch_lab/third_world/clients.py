"""What calls the interfaces, and the user-agent string it sends. Versions are drawn and move up."""
import re
from typing import Dict, List, Tuple

from .rand import Rand
from nhi_watch_lab.tables import table

OPEN = table(__file__, "tables.json/open")
KERNELS = ["5.10.2{x}-2{y}.9{x}.amzn2.x86_64", "6.1.1{x}-1{y}.2{y}.amzn2023.x86_64", "6.8.0-10{x1}-aws", "6.12.{x}-7{y}."
           "amzn2023.aarch64", "5.15.0-1{x}-generic"]
DESK = ["darwin#24.{patch}.0", "windows#11", "linux#6.8.0-{x}-generic", "darwin#23.{patch}.0"]
KALI = ["linux#6.1{minor2}.{x1}-amd64", "linux#6.8.11-amd64", "linux#5.15.0-{x}-generic", "windows#10", "darwin#23.{patch}.0"]
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Client:
    """One installed program: its family, and a version that stays until it is upgraded."""

    def __init__(self, rand: Rand, family: str, runtime: str = "", own: bool = False) -> None:
        self.family = family
        self.runtime = runtime
        self.own = own
        self._parts = self._draw(rand)
        self._cache: Dict[Tuple[str, str], str] = {}

    def _draw(self, rand: Rand) -> Dict[str, str]:
        small = {"x": str(rand.whole(20, 79)), "y": str(rand.whole(10, 60)), "x1": str(rand.whole(0, 19)),
                 "minor": str(rand.whole(1, 9)), "minor1": str(rand.whole(7, 13)), "minor2": str(rand.whole(0, 4)),
                 "patch": str(rand.whole(0, 7))}
        arm = rand.chance(0.25)
        kernel = rand.pick(KERNELS).format(**small)
        lane = rand.whole(0, 40)
        parts = dict(small, k=kernel, arch="aarch64" if arm else "x86_64", ga="arm64" if arm else "amd64",
                     py=f"3.{rand.whole(9, 13)}.{small['x1']}", b=f"1.{rand.whole(34, 42)}.{rand.whole(0, 130)}",
                     g=f"1.{rand.whole(28, 41)}.{rand.whole(0, 7)}", go=f"1.{rand.whole(21, 25)}.{rand.whole(0, 9)}",
                     gm=f"1.{rand.whole(30, 290)}.{rand.whole(0, 4)}", g1=f"{rand.whole(44, 55)}.{rand.whole(0, 300)}",
                     j=f"{rand.whole(20, 41)}.{rand.whole(0, 60)}", jv=rand.pick(["11.0.2", "17.0.1", "21.0."]) + str(
                     rand.whole(0, 9)), j1=str(rand.whole(500, 790)), n3=str(480 + lane * 11), n2=str(1400 + lane * 6),
                     node=f"{rand.pick(['18', '20', '22'])}.{small['minor']}.{small['patch']}", r=small["patch"],
                     r1=str(rand.whole(40, 110)), r2=str(rand.whole(74, 92)), r3=str(rand.whole(64, 72)), c=str(
                     rand.whole(13, 33)), tf=str(rand.whole(4, 14)), tp=rand.pick(["5", "5", "6"]), h7=rand.hex(7),
                     m=rand.pick(["Z,b,n", "D,Z,b,E", "b,Z", "n,Z,E", "E,b,Z,D"]), retry=rand.pick(["legacy", "standard"]),
                     os=rand.pick(DESK if not self.own else KALI).format(**small), h32=rand.hex(32), tty="True",
                     tty2="False", desk=rand.pick(["Macintosh; Intel Mac OS X 10_15_7", "Windows NT 10.0; Win64; x64",
                     "X11; Linux x86_64"]), plat=rand.pick(["darwin/arm64", "linux/amd64", "windows/amd64"]),
                     app="controller")
        env = f"exec-env/{self.runtime} " if self.runtime else ""
        parts["env"] = env
        parts["env1"] = env
        return parts

    def upgrade(self, rand: Rand) -> "Client":
        newer = Client(rand, self.family, self.runtime, self.own)
        keep = ("k", "arch", "ga", "os", "desk", "plat", "app")
        newer._parts.update({name: self._parts[name] for name in keep})
        return newer

    def named(self, app: str) -> "Client":
        self._parts["app"] = app
        return self

    def string(self, service: str, name: str) -> str:
        found = self._cache.get((service, name))
        if found is None:
            command = f"{service}.{_WORD.sub('-', name).lower()}"
            found = OPEN[self.family].format(svc=service, cmd=command, **self._parts)
            if service == "s3":
                found = f"[{found}]"
            self._cache[(service, name)] = found
        return found


MACHINE_SDKS = ["boto3", "boto3", "go2", "go2", "java2", "js3", "js3", "go1", "java1", "js2", "rust", "php", "ruby",
                "dotnet", "boto3-old"]
ATTACK_SDKS: List[Tuple[str, float]] = [("cli2", 5), ("boto3", 5), ("cli1", 1), ("go2", 2), ("rclone", 1), ("js3", 1),
                                        ("s3browser", 0.7), ("powershell", 0.5), ("java2", 0.5), ("terraform", 0.3)]
