"""Ready-made worlds: the demo's, and one of any size for measurements."""

from __future__ import annotations

from typing import Final

from .recipes import SILENT_OPERATOR, UNSIGNED, Recipe, SignalRecipe, ZoneRecipe
from .worlds import Child, Operator, Parent, World

LANTERN: Final = "lantern.example"
HARBOUR: Final = "harbour.test"
BOTH: Final = (LANTERN, HARBOUR)
DELETE: Final = ZoneRecipe(cds=("raw:0000000000",), cdnskey=("raw:0000030000",))
"""Delete sentinels (RFC 8078, section 4, erratum 5049)."""
EXPIRED: Final = SignalRecipe(defects=("expired:@:CDS", "expired:@:CDNSKEY"))
ROLLING: Final = ZoneRecipe(
    keys=("old:csk:13", "new:csk:13"), cds=("new:2",), cdnskey=("new",)
)
RSA: Final = ZoneRecipe(keys=("k1:ksk:8", "z1:zsk:8"))

GOOD: Final = Recipe()
DEMO_AUTO: Final = {
    "bakery": GOOD,
    "garden": Recipe(nameservers=("a1", "a2")),
    "museum": Recipe(nameservers=("b1", "b2"), zone=RSA),
    "library": Recipe(nameservers=("a1", "b1", "b2"), signals={"b2": SILENT_OPERATOR}),
    "cinema": Recipe(signals={"b1": EXPIRED}),
    "forest": Recipe(zone=UNSIGNED),
    "castle": Recipe(ds=("k1:2",)),
    "market": Recipe(zone=ROLLING, ds=("old:2",)),
}
"""Children of the zone that approves by itself, by label."""
DEMO_REVIEW: Final = {
    "school": GOOD,
    "theatre": Recipe(nameservers=("a1", "a2", "b1", "b2")),
    "station": Recipe(signals={"a1": SignalRecipe(cds=("k1:4",))}),
    "bridge": Recipe(zone=DELETE),
    "island": Recipe(nameservers=("in1", "in2")),
    "tower": Recipe(zone=DELETE, ds=("k1:2",)),
}
"""Children of the zone that asks its staff, by label."""


def demo_world() -> World:
    """Return two parent zones and a dozen children, each with a story of its own."""
    scenes = (("alpha.test", DEMO_AUTO), ("beta.test", DEMO_REVIEW))
    return World(
        parents=(
            Parent(name="alpha.test", policy="auto"),
            Parent(name="beta.test", policy="review", denial="nsec3"),
        ),
        operators=(
            Operator(zone=LANTERN),
            Operator(zone=HARBOUR, algorithm=15),
        ),
        children=tuple(
            Child(name=f"{label}.{parent}", operators=BOTH, recipe=recipe)
            for parent, recipes in scenes
            for label, recipe in recipes.items()
        ),
    )


def many(count: int, *, parent: str = "alpha.test", share_good: int = 100) -> World:
    """Return `count` children of one parent on two operators, sharing one key.

    The first `share_good` per cent may be bootstrapped; the others are unsigned.
    """
    good = count * share_good // 100
    return World(
        parents=(Parent(name=parent),),
        operators=(Operator(zone=LANTERN), Operator(zone=HARBOUR, algorithm=15)),
        children=tuple(
            Child(
                name=f"d{number:06}.{parent}",
                operators=BOTH,
                recipe=GOOD if number < good else Recipe(zone=UNSIGNED),
                key_label="shared",
            )
            for number in range(count)
        ),
    )
