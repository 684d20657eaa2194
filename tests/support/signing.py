"""Zones signed by BIND's own tools: an opinion that is not ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from tests.support.daemons import run


@dataclass
class Signer:
    """One CSK for one zone, made by dnssec-keygen."""

    folder: Path
    zone: str
    algorithm: str = "ECDSAP256SHA256"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ["-b", "2048"] if self.algorithm.startswith("RSA") else []
        made = run(
            "dnssec-keygen",
            "-q",
            "-K",
            self.folder,
            "-a",
            self.algorithm,
            *options,
            "-f",
            "KSK",
            self.zone,
        )
        self.key_file = self.folder / f"{made.strip()}.key"

    @property
    def dnskey(self) -> dns.rdata.Rdata:
        """The DNSKEY."""
        lines = [
            line
            for line in self.key_file.read_text().splitlines()
            if line and not line.startswith(";")
        ]
        text = lines[0].split("DNSKEY", 1)[1]
        return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DNSKEY, text)

    @property
    def ds(self) -> str:
        """DS rdata with SHA-256, in presentation form."""
        name = dns.name.from_text(self.zone)
        made = dns.dnssec.make_ds(name, self.dnskey, "SHA256")
        return made.to_text().upper()

    def request(self, owner: str) -> str:
        """Return the CDS and CDNSKEY records at `owner`, as zone file lines."""
        key = self.dnskey.to_text()
        return f"{owner} 60 IN CDS {self.ds}\n{owner} 60 IN CDNSKEY {key}\n"

    def sign(self, text: str, *options: str) -> str:
        """Return the signed zone; default inception an hour ago, 30 days of life."""
        name = self.zone.rstrip(".") or "root"
        source = self.folder / f"{name}.unsigned"
        signed = self.folder / f"{name}.signed"
        key = f"{self.zone} 60 IN DNSKEY {self.dnskey.to_text()}\n"
        source.write_text(text + key)
        run(
            "dnssec-signzone",
            "-q",
            "-z",
            "-P",
            "-O",
            "full",
            "-K",
            self.folder,
            "-o",
            self.zone,
            "-f",
            signed,
            *options,
            source,
            cwd=self.folder,
        )
        return signed.read_text()
