"""How many decimals Stripe's integer amounts have, by currency (docs.stripe.com/currencies, read 2026-11)."""

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF
    CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF
    IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD
    SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS WST XCD YER ZAR ZMW
    """,
    3: "BHD JOD KWD OMR TND",
}
_EXPONENTS = {code: places for places, codes in _BY_EXPONENT.items() for code in codes.split()}

# Whole units only, though the API speaks of two decimals; three-decimal ones end in 0 (card networks).
MULTIPLE_OF = {"UGX": 100, "ISK": 100, "BHD": 10, "JOD": 10, "KWD": 10, "OMR": 10, "TND": 10}


class UnknownCurrency(ValueError):
    """The code is in no table of ours: refused, never guessed to have two decimals."""

    def __init__(self, code: str) -> None:
        super().__init__(f"currency {code!r} is not in Stripe's table of currencies; update Throughline or refund it")
        self.code = code


def exponent(code: str) -> int:
    """Decimals of one minor unit of the upper-case ISO code `code`: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises UnknownCurrency.
    """
    try:
        return _EXPONENTS[code]
    except KeyError:
        raise UnknownCurrency(code) from None
