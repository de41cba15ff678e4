#!/usr/bin/env python3
"""pow10.py - write lib/base/pow10.inc: the leading 128 bits of powers of ten.

    python3 tools/dev/pow10.py > lib/base/pow10.inc
"""

FIRST, LAST = -342, 324
ONES = 2 ** 64 - 1


def leading_bits(exponent):
    """floor(m), where 10**exponent = m * 2**s and 2**127 <= m < 2**128"""
    if exponent >= 0:
        power = 10 ** exponent
        return (power << 128) >> power.bit_length()
    power = 10 ** -exponent
    return (1 << (127 + power.bit_length())) // power


def main():
    print("/* pow10.inc - made by tools/dev/pow10.py: 10^%d to 10^%d. */" % (FIRST, LAST))
    for exponent in range(FIRST, LAST + 1):
        m = leading_bits(exponent)
        assert m.bit_length() == 128
        assert m & ONES != ONES, "adding one must not carry"
        print("{ 0x%016x, 0x%016x }," % (m >> 64, m & ONES))


if __name__ == "__main__":
    main()
