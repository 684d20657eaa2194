"""What the Makefile calls: environment, demo, tests, checks, benchmarks.

Standard library only, so that it runs on a fresh machine, and no newer syntax
than Python 3.7 has, so that an old one can be told what it lacks. Each command
builds the virtual environment when it is missing or older than its lock files.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"

DEBIAN = {
    "knotd": "knot",
    "kdig": "knot-dnsutils",
    "named": "bind9",
    "dnssec-signzone": "bind9-utils",
    "delv": "bind9-dnsutils",
    "nsd": "nsd",
    "pdns_server": "pdns-server",
    "pdnsutil": "pdns-backend-bind",
    "unbound": "unbound",
    "pg_ctlcluster": "postgresql",
    "chromium": "chromium",
    "ip": "iproute2",
    "faketime": "faketime",
    "dnsperf": "dnsperf",
    "nft": "nftables",
    "systemd-analyze": "systemd",
    "openssl": "openssl",
    "go": "golang-go golang-golang-x-mod-dev",
}
"""Program looked for, and the Debian packages that bring it."""


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(f"· {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, **environment: str) -> int:
    """Run a command in the project's folder; return its exit status."""
    parts = [str(part) for part in command]
    env = os.environ | environment
    return subprocess.run(parts, cwd=ROOT, env=env, check=False).returncode  # noqa: S603 - our own commands


def stamp_of(locks: list[Path]) -> str:
    """Return what identifies an environment: interpreter and lock files."""
    digest = hashlib.sha256(sys.version.encode())
    for lock in locks:
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def environment(*, development: bool) -> None:
    """Create or refresh `.venv`; installed exactly as locked, by hash (S-118)."""
    if sys.version_info < (3, 11):  # noqa: UP036 - said to whoever starts it with an older one
        sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0])
    locks = [RUNTIME, DEVELOPMENT] if development else [RUNTIME]
    stamp = VENV / ("stamp-dev" if development else "stamp")
    wanted = stamp_of(locks)
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        say("creating .venv")
        make_venv()
    say("installing the locked dependencies")
    requirements = [part for lock in locks for part in ("-r", str(lock))]
    uv = shutil.which("uv")
    command: list[str | Path] = (
        [uv, "pip", "install", "--quiet", "--python", PYTHON]
        if uv
        else [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    )
    if run(*command, "--require-hashes", "--only-binary", ":all:", *requirements):
        sys.exit("The dependencies could not be installed; see the message above.")
    stamp.write_text(wanted)


def make_venv() -> None:
    """Create the virtual environment, or say the one line that is missing."""
    lacking = (
        "Python's venv module is incomplete here. On Debian or Ubuntu:"
        " apt-get install python3-venv"
    )
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(lacking)  # Debian's own venv would leave half an environment
    try:
        venv.create(VENV, with_pip=True, symlinks=True)
    except (subprocess.CalledProcessError, ImportError, OSError, SystemExit):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(lacking)
    except KeyboardInterrupt:
        shutil.rmtree(VENV, ignore_errors=True)
        raise


def debian() -> None:
    """Install the servers that the tests talk to, or say what is left out."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacking = [p for c, p in DEBIAN.items() if not shutil.which(c, path=path)]
    missing = sorted({package for packages in lacking for package in packages.split()})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say("not root, so tests that need these are left out: " + " ".join(missing))
        return
    say("installing " + " ".join(missing))
    run("apt-get", "update", "-qq")
    # The tests start the daemons themselves; the packages must not.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        run(*install, *missing, DEBIAN_FRONTEND="noninteractive")
    finally:
        if ours:
            policy.unlink()


def check() -> int:
    """Format, lint, types, layers, Django's own checks, templates."""
    environment(development=True)
    tools = VENV / "bin"
    templates = sorted((ROOT / "templates").rglob("*.html"))
    steps: list[list[str | Path]] = [
        [tools / "ruff", "format", "--check", "--quiet", "."],
        [tools / "ruff", "check", "--quiet", "."],
        [tools / "lint-imports", "--no-logo"],
        [PYTHON, "manage.py", "check", "--fail-level", "WARNING"],
        [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
        [tools / "djade", "--check", "--target-version", "5.2", *templates],
    ]
    key = "for-checks-only-" + "x" * 50
    types: list[str | Path] = [tools / "mypy"]
    # As long as all the others together, so beside them.
    beside = subprocess.Popen(types, cwd=ROOT, env=os.environ | {"SECRET_KEY": key})  # noqa: S603 - our own command
    failed = [step for step in steps if run(*step, SECRET_KEY=key)]
    failed += [types] if beside.wait() else []
    for step in failed:
        say("failed: " + " ".join(Path(part).name for part in step[:3]))
    return 1 if failed else 0


def test(arguments: argparse.Namespace) -> int:
    """Everything: packages, checks, and the suite on SQLite and on PostgreSQL."""
    environment(development=True)
    debian()
    if not arguments.only_tests and check():
        return 1
    long = {"TEST_LONG": "1"} if arguments.long else {}
    return run(PYTHON, "-m", "tests", *arguments.pytest, **long)


def lock() -> int:
    """Resolve the ranges of pyproject.toml anew; no host ends up in the files."""
    resolve = ["uv", "pip", "compile", "--universal", "--python-version", "3.11"]
    resolve += ["--generate-hashes", "--no-header", "--quiet", "--upgrade"]
    first = run(*resolve, "pyproject.toml", "-o", RUNTIME.name)
    development = ["--group", "dev", "-c", RUNTIME.name, "-o", DEVELOPMENT.name]
    return first or run(*resolve, *development)


def start_demo(port: str) -> NoReturn:
    """Become the demo, so that Ctrl-C and signals reach it and nothing in between."""
    environment(development=False)
    os.chdir(ROOT)
    command = [str(PYTHON), "manage.py", "demo", "--port", port]
    os.execv(command[0], command)  # noqa: S606 - our own command


def mutation(one_in: str) -> int:
    """Change the code of the core, one mutant at a time, and see who notices."""
    trial = ("tools.mutation", "--one-in", one_in)
    return module(*trial, "run", "--afresh") or module(*trial, "report")


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="a laboratory, the portal and workers")
    demo.add_argument("--port", default="8000")
    tests = commands.add_parser("test", help="install what is missing, run all tests")
    tests.add_argument("--long", action="store_true", help="long trials in full")
    tests.add_argument("--only-tests", action="store_true", help="without `check`")
    tests.add_argument("pytest", nargs="*", help="paths or options for pytest")
    commands.add_parser("check", help="format, lint, types, layers")
    commands.add_parser("bench", help="measure, print ratios")
    fuzz = commands.add_parser("fuzz", help="look for inputs that readers trip over")
    fuzz.add_argument("--seconds", default="60", help="for each target")
    commands.add_parser("conformance-mutants", help="leave out each rule in turn")
    mutate = commands.add_parser("mutation", help="do tests notice changed code?")
    mutate.add_argument("--one-in", default="24", help="tries one of so many mutants")
    commands.add_parser("lock", help="renew the lock files (needs uv)")
    arguments = parser.parse_args()
    commands_by_name = {
        "demo": lambda: start_demo(arguments.port),
        "test": lambda: test(arguments),
        "check": check,
        "bench": lambda: module("benchmarks"),
        "fuzz": lambda: module("fuzz", "--seconds", arguments.seconds),
        "conformance-mutants": lambda: module("omissions"),
        "mutation": lambda: mutation(arguments.one_in),
        "lock": lock,
    }
    return commands_by_name[arguments.command]()


def module(*arguments: str) -> int:
    """Run a module of ours that needs the tools of development."""
    environment(development=True)
    return run(PYTHON, "-m", *arguments)


if __name__ == "__main__":
    sys.exit(main())
