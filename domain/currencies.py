"""How many decimals Stripe's integer amounts have, by currency (docs.stripe.com/currencies, read 2026-11)."""

_ZERO_DECIMAL = frozenset(
    """
    BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF
    """.split()
)

_TWO_DECIMAL = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF
    CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF
    IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD
    SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS WST XCD YER ZAR ZMW
    """.split()
)

_THREE_DECIMAL = frozenset(
    """
    BHD JOD KWD OMR TND
    """.split()
)

# Whole units only, although the API speaks of them with two decimals; three-decimal ones end in 0 on card networks.
MULTIPLE_OF = {"UGX": 100, "ISK": 100} | dict.fromkeys(_THREE_DECIMAL, 10)


class UnknownCurrency(ValueError):
    """The code is in no table of ours: refused, never guessed to have two decimals."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"currency {code!r} is not in Stripe's table of currencies; update Throughline or refund the payment"
        )
        self.code = code


def exponent(code: str) -> int:
    """Decimals of one minor unit of the upper-case ISO code `code`: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises UnknownCurrency.
    """
    if code in _TWO_DECIMAL:
        return 2
    if code in _ZERO_DECIMAL:
        return 0
    if code in _THREE_DECIMAL:
        return 3
    raise UnknownCurrency(code)
