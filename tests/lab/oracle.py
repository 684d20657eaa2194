"""Debian's Unbound as a second opinion on what the laboratory serves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

UNBOUND = shutil.which("unbound") or shutil.which("unbound", path="/usr/sbin")
CAN_RUN = pytest.mark.skipif(
    UNBOUND is None or os.geteuid() != 0,
    reason="Unbound is missing, or we may not listen on port 53",
)
CONFIGURATION = """\
server:
  interface: 127.0.0.1@{port}
  do-not-query-localhost: no
  do-ip6: no
  root-hints: "{lab.root_hints}"
  trust-anchor-file: "{lab.anchors}"
  trust-anchor-signaling: no
  module-config: "validator iterator"
  qname-minimisation: yes
  infra-cache-min-rtt: 50
  chroot: ""
  directory: "{folder}"
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/unbound.log"
  local-zone: "test." nodefault
  local-zone: "example." nodefault
remote-control:
  control-enable: no
"""


class Resolver:
    """One running Unbound, with an empty cache at first."""

    def __init__(self, port):
        self.port = port

    def says(self, name, rdtype):
        """Return "secure", "insecure", or the rcode of a failure."""
        query = dns.message.make_query(name, rdtype, want_dnssec=True)
        response, _ = dns.query.udp_with_fallback(
            query, "127.0.0.1", port=self.port, timeout=10
        )
        if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return dns.rcode.to_text(response.rcode())
        return "secure" if response.flags & dns.flags.AD else "insecure"


@contextmanager
def unbound(lab, folder):
    """Run Unbound with the laboratory's hints and anchor."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = folder / "unbound.conf"
    configuration.write_text(CONFIGURATION.format(port=port, lab=lab, folder=folder))
    process = subprocess.Popen([UNBOUND or "unbound", "-d", "-c", str(configuration)])
    try:
        _wait_for(port)
        yield Resolver(port)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("Unbound does not answer")
