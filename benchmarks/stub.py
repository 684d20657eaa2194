"""The yardstick: dnspython's own stub resolver, one question after another.

`python -m benchmarks.stub FILE PORT`: FILE has a JSON array a line, [server, name,
type, transport]. Nothing is validated, compared, kept or retried.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dns.exception
import dns.flags
import dns.resolver


def main(path: Path, port: int) -> int:
    """Ask every question; return how many had no answer at all."""
    silent = 0
    resolvers: dict[str, dns.resolver.Resolver] = {}
    for line in path.read_text().splitlines():
        server, name, rdtype, transport = json.loads(line)
        resolver = resolvers.get(server)
        if resolver is None:
            resolver = resolvers[server] = dns.resolver.Resolver(configure=False)
            resolver.nameservers = [server]
            resolver.port = port
            resolver.use_edns(0, dns.flags.DO, 1232)
        try:
            resolver.resolve(
                name, rdtype, tcp=transport == "tcp", raise_on_no_answer=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoNameservers):
            continue
        except dns.exception.DNSException:
            silent += 1
    return silent


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), int(sys.argv[2])), "without answer")
