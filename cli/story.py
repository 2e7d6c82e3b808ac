"""The payments that the demo makes, each with what it shows. Buyers are invented."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Purchase:
    """One payment to make: `wish` is what the Stripe sandbox's `/_pay` takes.

    `resend` delivers each of its events once more; `buyer` marks purchases of one known customer. What happens to it
    then: `answer` is what a person answers when it waits, `canceled` says that a person cancels it once it is paid,
    `late_fee` that Stripe knows its fee only after the payment's run has closed, `refunds` are the amounts, in minor
    units, that somebody gives back in Stripe's dashboard once everything is booked; 0 is all that is left. `returns`
    are the pieces, by SKU, that come back to the shop once it has shipped them. `lost` says that the buyer's bank then
    takes the money, and keeps it; `unheard` that every webhook of the payment is lost, so that a sweep has to find it.
    """

    shows: str
    wish: dict[str, Any]
    resend: bool = False
    buyer: str = ""
    answer: dict[str, Any] | None = None
    canceled: bool = False
    late_fee: bool = False
    refunds: tuple[int, ...] = ()
    returns: tuple[tuple[str, int], ...] = ()

    lost: bool = False
    unheard: bool = False

    @property
    def gives_back(self) -> bool:
        """Whether money of it goes back."""
        return bool(self.refunds or self.returns)

    def sold(self) -> Counter[str]:
        """Pieces by SKU of what is bought; shipping is not on the shelf, so it is not counted here."""
        pieces: Counter[str] = Counter()
        for number, line in enumerate([] if self.canceled else self.wish["lines"], 1):
            pieces[self._corrected(number) or line["sku"]] += line.get("quantity", 1)
        return pieces

    def _corrected(self, number: int) -> str:
        amendments = (self.answer or {}).get("amendments", [])
        return next((one["value"] for one in amendments if (one["line"], one["field"]) == (str(number), "sku")), "")


def _line(sku: str, name: str, unit_amount: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "name": name, "unit_amount": unit_amount, "quantity": quantity, **more}


def _person(name: str, line1: str, city: str, postal_code: str, country: str) -> dict[str, Any]:
    email = f"{name.lower().replace(' ', '.')}@example.com"
    address = {"line1": line1, "city": city, "postal_code": postal_code, "country": country}
    return {"name": name, "email": email, "address": address}


MIRA = _person("Mira Sand", "Lindenweg 4", "Freiburg", "79098", "DE")
ANNA = _person("Anna Keller", "Hafenstraße 12", "Hamburg", "20457", "DE")
LIAM = _person("Liam Moore", "88 Alder Street", "Portland", "97205", "US")
YUKI = _person("Yuki Tanaka", "Jingumae 3-1", "Tokyo", "150-0001", "JP")
NOURA = _person("Noura Sabah", "Gulf Road 9", "Kuwait City", "13001", "KW")
JONAS = _person("Jonas Brandt", "Am Markt 2", "Bremen", "28195", "DE")
EMMA = _person("Emma Weiss", "Rosengasse 7", "Köln", "50667", "DE")

STORY = (
    Purchase(
        "one line, a guest, told by three events at once",
        {"currency": "eur", "guest": ANNA, "lines": [_line("LAMP-01", "Desk lamp", 4900)]},
        resend=True,
    ),
    Purchase(
        "many lines, US dollars",
        {
            "currency": "usd",
            "guest": LIAM,
            "lines": [
                _line("LAMP-01", "Desk lamp", 5300, 2),
                _line("BULB-E27", "Light bulb E27", 495, 12),
                _line("CORD-3M", "Textile cord, 3 m", 1333, 3),
                _line("SHADE-L", "Linen shade, large", 3799, 2),
                _line("THROW-W", "Woven throw", 6499),
            ],
        },
    ),
    Purchase(
        "a known customer's first order",
        {"currency": "eur", "customer": MIRA, "lines": [_line("RUG-160", "Wool rug 160 cm", 22000)]},
        buyer="mira",
    ),
    Purchase(
        "yen, which have no decimals",
        {"currency": "jpy", "guest": YUKI, "lines": [_line("SHADE-L", "Linen shade, large", 5980, 3)]},
    ),
    Purchase(
        "dinars, which have three",
        {"currency": "kwd", "guest": NOURA, "lines": [_line("THROW-W", "Woven throw", 18750, 2)]},
    ),
    Purchase(
        "discount, tax on top, taxed shipping",
        {
            "currency": "eur",
            "guest": JONAS,
            "lines": [
                _line("LAMP-01", "Desk lamp", 4117, 3, tax_percent=19),
                _line("CORD-3M", "Textile cord, 3 m", 1008, 5, tax_percent=19),
            ],
            "discount": 1000,
            "shipping": {"amount": 490, "tax_percent": 19},
            "shipping_details": {"name": JONAS["name"], "address": JONAS["address"]},
        },
    ),
    Purchase(
        "prices with tax inside, two rates",
        {
            "currency": "eur",
            "guest": EMMA,
            "lines": [
                _line("THROW-W", "Woven throw", 5999, 1, tax_percent=19, tax_inclusive=True),
                _line("BULB-E27", "Light bulb E27", 449, 7, tax_percent=7, tax_inclusive=True),
            ],
        },
    ),
    Purchase(
        "the known customer again: no new contact",
        {"currency": "eur", "customer": MIRA, "lines": [_line("BULB-E27", "Light bulb E27", 450, 4)]},
        buyer="mira",
    ),
    Purchase(
        "lines from the payment's metadata",
        {
            "currency": "eur",
            "via": "metadata",
            "guest": ANNA,
            "lines": [_line("CORD-3M", "Textile cord, 3 m", 1200, 2), _line("LAMP-01", "Desk lamp", 4900)],
        },
    ),
    Purchase(
        "a Stripe invoice, paid",
        {
            "currency": "eur",
            "via": "invoice",
            "customer": EMMA,
            "lines": [_line("RUG-160", "Wool rug 160 cm", 21500, 2, tax_percent=19)],
        },
    ),
    Purchase(
        "an unknown SKU: waits, and a person corrects it",
        {"currency": "eur", "guest": EMMA, "lines": [_line("LAMP-1", "Desk lamp", 4900, 2)]},
        answer={"action": "amend", "amendments": [{"line": "1", "field": "sku", "value": "LAMP-01"}], "by": "demo"},
    ),
    Purchase(
        "paid, then cancelled: everything is taken back",
        {"currency": "eur", "guest": JONAS, "lines": [_line("SHADE-L", "Linen shade, large", 3500, 5)]},
        canceled=True,
    ),
    Purchase(
        "a fee that Stripe tells late",
        {"currency": "eur", "guest": ANNA, "lines": [_line("CORD-3M", "Textile cord, 3 m", 1200, 6)]},
        late_fee=True,
    ),
    Purchase(
        "cancelled before it was shipped: refunded as a whole",
        {"currency": "eur", "guest": EMMA, "lines": [_line("SHADE-L", "Linen shade, large", 3500, 3, tax_percent=19)]},
        refunds=(0,),
    ),
    Purchase(
        "refunded in part, twice at once: two rates shared out",
        {
            "currency": "eur",
            "guest": JONAS,
            "lines": [
                _line("THROW-W", "Woven throw", 5999, 1, tax_percent=19, tax_inclusive=True),
                _line("BULB-E27", "Light bulb E27", 449, 3, tax_percent=7, tax_inclusive=True),
            ],
        },
        refunds=(1000, 1777),
    ),
    Purchase(
        "shipped, and one of two comes back: refunded when it is here",
        {"currency": "eur", "guest": JONAS, "lines": [_line("RUG-160", "Wool rug 160 cm", 21999, 2, tax_percent=19)]},
        returns=(("RUG-160", 1),),
    ),
    Purchase(
        "disputed, and the bank decides for the buyer: credited",
        {"currency": "eur", "guest": ANNA, "lines": [_line("RUG-160", "Wool rug 160 cm", 22000, tax_percent=19)]},
        lost=True,
    ),
    Purchase(
        "its webhooks are lost: a sweep finds it",
        {"currency": "eur", "guest": EMMA, "lines": [_line("CORD-3M", "Textile cord, 3 m", 1200, 3)]},
        unheard=True,
    ),
)
