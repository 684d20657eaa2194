"""Bundles of the old tables in the form of the new ones; frozen with its migration.

A manifest refers to a packet by 58 20 and its SHA-256. Each reference is cut out and
the packet put in its place; packets that several bundles of a day have become pieces.
"""

import hashlib
import zlib
from array import array
from collections import defaultdict
from pathlib import Path

DICTIONARY = 1
WORDS = Path(__file__).parent.parent / 'models' / 'dictionaries' / f'{DICTIONARY}.bin'
LIMIT = 16 * 1024 * 1024
SLICE = 200
REFERENCE = b'\x58\x20'

PACKETS = """
SELECT link.evidence_id, packet.digest, packet.body FROM bootstrap_evidence_packets link
JOIN bootstrap_packet packet ON packet.digest = link.packet_id
WHERE link.evidence_id IN ({})
"""
USES = """
SELECT packet_id, count(*) FROM bootstrap_evidence_packets WHERE packet_id IN ({})
GROUP BY packet_id
"""


def squeeze(octets):
    writer = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=WORDS.read_bytes())
    return bytes((DICTIONARY,)) + writer.compress(octets) + writer.flush()


def opened(blob):
    """Return what the old store compressed, or nothing of what is damaged."""
    opener = zlib.decompressobj()
    try:
        octets = opener.decompress(blob, LIMIT)
    except zlib.error:
        return None
    return octets if opener.eof else None


def number(value, out):
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def packed(text, cuts, packets):
    """Return a text with holes: `cuts` are (start, end, filling) in order."""
    out, left, since = bytearray(), [], 0
    number(len(cuts), out)
    number(len(text) - sum(end - start for start, end, _ in cuts), out)
    for start, end, filling in cuts:
        number(start - since, out)
        number(filling, out)
        left.append(text[since:start])
        since = end
    return b''.join((out, *left, text[since:], *packets))


def piece(digest, packet):
    """Return a piece that is a reference to this packet and nothing else."""
    return packed(REFERENCE + digest, [(0, 34, len(packet) << 1)], [packet])


def keys(found):
    if not found:
        return b''
    least, most = min(found), max(found)
    code = next(c for c in 'BHIQ' if most - least < 1 << 8 * array(c).itemsize)
    offsets = array(code, [each - least for each in found])
    if array('H', [1]).tobytes() == b'\x00\x01':
        offsets.byteswap()
    return bytes((offsets.itemsize,)) + least.to_bytes(8, 'little') + offsets.tobytes()


def places(text, packets):
    """Return (start, digest) of every reference to one of these packets, in order."""
    found = []
    for digest in packets:
        start = text.find(REFERENCE + digest)
        while start >= 0:
            found.append((start, digest))
            start = text.find(REFERENCE + digest, start + 34)
    found.sort()
    apart, end = [], 0
    for start, digest in found:
        if start >= end:
            apart.append((start, digest))
            end = start + 34
    return apart


def pack(text, packets, shared):
    """Return (packed text, digests of pieces); `shared` says what becomes a piece."""
    cuts, kept, used = [], [], {}
    for start, digest in places(text, packets):
        if digest in shared:
            place = used.setdefault(digest, len(used))
            cuts.append((start, start + 34, place << 1 | 1))
        else:
            packet = packets[digest]
            cuts.append((start, start + 34, len(packet) << 1))
            kept.append(packet)
    return packed(text, cuts, kept), list(used)


def moments(value):
    """Return a time as its day in UTC; SQLite gives text."""
    return value[:10] if isinstance(value, str) else value.strftime('%Y-%m-%d')


class Filler:
    """Writes bodies and pieces of a slice of evidence."""

    def __init__(self, connection):
        self.connection = connection

    def rows(self, statement, values):
        with self.connection.cursor() as cursor:
            cursor.execute(statement.format(', '.join(['%s'] * len(values))), values)
            return cursor.fetchall()

    def many(self, statement, rows):
        with self.connection.cursor() as cursor:
            cursor.executemany(statement, rows)

    def fill(self, slice_):
        gone = [digest for digest, _, manifest in slice_ if not manifest]
        whole = [row for row in slice_ if row[2]]
        for digest in gone:
            self.many(
                'UPDATE bootstrap_evidence SET compacted = %s WHERE digest = %s',
                [(True, digest)],
            )
        packets = defaultdict(dict)
        if whole:
            for owner, digest, body in self.rows(PACKETS, [row[0] for row in whole]):
                octets = opened(bytes(body))
                # Damage stays damage: what is left out leaves its reference.
                if octets is not None:
                    packets[bytes(owner)][bytes.fromhex(digest)] = octets
        uses = self.uses({d for found in packets.values() for d in found})
        bodies = []
        for digest, created_at, manifest in whole:
            found = packets[bytes(digest)]
            shared = {d for d in found if uses[d] > 1}
            text = opened(bytes(manifest))
            if text is None:
                bodies.append((digest, created_at, b'', b''))
                continue
            octets, used = pack(text, found, shared)
            numbers = self.pieces(moments(created_at), {d: found[d] for d in used})
            bodies.append(
                (digest, created_at, keys([numbers[d] for d in used]), squeeze(octets))
            )
        self.many(
            'INSERT INTO bootstrap_evidencebody (evidence_id, created_at, pieces, packed)'
            ' VALUES (%s, %s, %s, %s)',
            bodies,
        )

    def uses(self, digests):
        ordered = sorted(digest.hex() for digest in digests)
        found = {}
        for start in range(0, len(ordered), SLICE):
            for digest, count in self.rows(USES, ordered[start : start + SLICE]):
                found[bytes.fromhex(digest)] = count
        return found

    def pieces(self, day, packets):
        """Return the keys of pieces of a day, made where they are missing."""
        named = {}
        for digest, packet in packets.items():
            text = REFERENCE + digest
            named[hashlib.sha256(text).digest()] = digest, packet
        self.many(
            'INSERT INTO bootstrap_evidencepiece (day, digest, packed)'
            ' VALUES (%s, %s, %s) ON CONFLICT DO NOTHING',
            [
                (day, name, squeeze(piece(digest, packet)))
                for name, (digest, packet) in sorted(named.items())
            ],
        )
        found = {}
        ordered = sorted(named)
        for start in range(0, len(ordered), SLICE):
            part = ordered[start : start + SLICE]
            for key, name in self.rows(
                'SELECT id, digest FROM bootstrap_evidencepiece'
                f" WHERE day = '{day}' AND digest IN ({{}})",
                part,
            ):
                found[named[bytes(name)][0]] = key
        return found
