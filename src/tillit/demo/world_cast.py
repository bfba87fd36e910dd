"""Who is in the simulated world, and how each of them behaves. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tillit.demo.model import Partner

__all__ = ["BUYER", "DEFAULT_CAST", "SITE", "Character", "Item"]

BUYER = Partner("nordvik", "Nordvik Motor")
SITE = "nordvik-raufoss"
"""Where everything is wanted: the buyer's plant."""


@dataclass(frozen=True)
class Item:
    """What is bought: weekly demand ``base`` in ``unit``, at ``price`` each."""

    id: str
    name: str
    base: float
    price: float
    unit: str = "H87"


@dataclass(frozen=True)
class Character:
    """How a supplier behaves, and how the buyer behaves towards it; rates lie in 0..1.

    - ``forecast_accuracy``: how much of what its plan knows the buyer passes on; 1 is all.
    - ``coverage``: order lines that get a first commitment at all.
    - ``promise_honesty``: known troubles that the supplier tells before they hurt.
    - ``reliability``: order lines without late, short or rejected delivery.
    - ``inflation``: promised quantity over what the supplier expects to deliver; above 1 it
      delivers less on nearly every line than it says.
    - ``complaint_rate``: troubles that make the buyer complain; ``grumbles``: complaints a week of
      the supplier about the buyer.
    - ``ideas``: design ideas that the supplier offers in a year, ``ideas_back`` that the buyer
      does, ``acceptance`` of either.
    - ``goes_quiet``: when the trading year is half over both sides stop telling each other things:
      no revised promises, few forecasts, no complaints, no ideas, while deliveries get worse.
    - ``opens_up``: from then on both sides tell each other nearly all that they know.
    - ``milks``: from then on the supplier promises whatever is asked for, as punctually as before,
      and says no more of what it knows.
    """

    id: str
    name: str
    items: tuple[Item, ...]
    currency: str = "NOK"
    forecast_accuracy: float = 0.6
    coverage: float = 0.93
    promise_honesty: float = 0.6
    reliability: float = 0.86
    inflation: float = 1.0
    complaint_rate: float = 0.6
    grumbles: float = 0.12
    ideas: float = 6.0
    ideas_back: float = 3.0
    acceptance: float = 0.4
    goes_quiet: bool = False
    opens_up: bool = False
    milks: bool = False

    @property
    def later(self) -> Character:
        """Who it has become when the trading year is half over."""
        if self.opens_up:
            return replace(
                self,
                forecast_accuracy=0.97,
                coverage=0.99,
                promise_honesty=0.97,
                complaint_rate=0.95,
            )
        return replace(self, promise_honesty=0.0) if self.milks else self

    def in_week(self, week: int, half: int) -> Character:
        """Who it is in a week, when the year is half over with the week ``half``."""
        return self.later if week >= half else self


DEFAULT_CAST: tuple[Character, ...] = (
    Character(
        "fjordstal",
        "Fjordstål Casting",
        (
            Item("FS-4101", "steering knuckle", 620, 385.0),
            Item("FS-4102", "brake caliper housing", 1240, 142.0),
            Item("FS-4107", "gearbox housing", 310, 1180.0),
            Item("FS-4115", "wheel hub", 1480, 96.5),
        ),
        forecast_accuracy=0.4,
        coverage=0.8,
        promise_honesty=0.15,
        reliability=0.9,
        complaint_rate=0.4,
        grumbles=0.25,
        ideas=14.0,
        ideas_back=6.0,
        acceptance=0.6,
        opens_up=True,
    ),
    Character(
        "havglass",
        "Havglass",
        (
            Item("HG-71", "windscreen", 480, 52.0),
            Item("HG-74", "side window, front", 960, 17.5),
            Item("HG-79", "rear window", 450, 33.0),
        ),
        currency="EUR",
        forecast_accuracy=0.85,
        coverage=0.97,
        promise_honesty=0.8,
        reliability=0.88,
        complaint_rate=0.85,
        grumbles=0.2,
        ideas=10.0,
        ideas_back=5.0,
        acceptance=0.5,
        goes_quiet=True,
    ),
    Character(
        "brattplast",
        "Brattplast",
        (
            Item("BP-9001", "bumper, front", 500, 640.0),
            Item("BP-9004", "wheel arch liner", 1320, 58.0),
            Item("BP-9010", "instrument carrier", 510, 415.0),
        ),
        forecast_accuracy=0.65,
        coverage=0.97,
        promise_honesty=0.1,
        reliability=0.84,
        inflation=1.25,
        complaint_rate=0.5,
        grumbles=0.06,
        ideas=4.0,
        ideas_back=1.0,
        acceptance=0.25,
    ),
    Character(
        "elvkabel",
        "Elvkabel",
        (
            Item("EK-310", "wiring harness", 520, 295.0),
            Item("EK-314", "battery cable", 1050, 41.0),
            Item("EK-322", "sensor lead", 880, 12.5),
        ),
        forecast_accuracy=0.8,
        coverage=0.99,
        promise_honesty=0.97,
        reliability=0.7,
        complaint_rate=0.8,
        ideas=8.0,
        acceptance=0.5,
        milks=True,
    ),
)
