#!/usr/bin/env python3
"""Writes src/runtime/math/constants32.ts, more-constants32.ts, constants64.ts and test/fixtures/math64.json.

    python3 tools/fit_approximations.py && npm run format

Needs mpmath and NumPy (written with 1.2.1 and 1.24.2). Takes about a minute; seeded.

Each polynomial or rational is the minimax one, found with Remez's exchange in 40 digits, its
coefficients rounded. That is enough for float64, and for exp and log in float32, whose leading terms
are exact. tanh32 and erf32 are rationals of large terms, where the roundings of the evaluation
outweigh the error of the formula: there a search moves the coefficients by a few units in their last
place and keeps what makes the largest error of the *rounded* evaluation smaller.
"""

import json
import math
import random
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf

ROOT = Path(__file__).resolve().parent.parent
F = np.float32
mp.dps = 40


# ---------------------------------------------------------------------------------------- minimax


def horner(coefficients, x):
    result = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        result = result * x + c
    return result


def remez(f, low, high, m, n, weight, grid=1000):
    """P and Q, constant terms first, Q(0) = 1, with the least max |P/Q − f|·weight on [low, high]."""
    low, high = mpf(low), mpf(high)
    count = m + n + 2

    def nodes(k, offset):
        return [
            (low + high) / 2 - (high - low) / 2 * mpmath.cos(mp.pi * (i + offset) / k)
            for i in range(k)
        ]

    everywhere = nodes(grid, mpf(1) / 2)
    known = [(x, f(x), weight(x)) for x in everywhere]
    reference = nodes(count, mpf(1) / 2)
    q = [mpf(1)] + [mpf(0)] * n
    for _ in range(25):
        rows = [(x, f(x), weight(x)) for x in reference]
        # P − f·Q = ±E·Q/weight, linear but for the last product: there Q is that of the last round.
        for _ in range(10 if n else 1):
            a, b = mpmath.matrix(count, count), mpmath.matrix(count, 1)
            for i, (x, y, w) in enumerate(rows):
                for j in range(m + 1):
                    a[i, j] = x**j
                for j in range(n):
                    a[i, m + 1 + j] = -y * x ** (j + 1)
                a[i, count - 1] = -((-1) ** i) * horner(q, x) / w
                b[i] = y
            s = mpmath.lu_solve(a, b)
            p, q = [s[j] for j in range(m + 1)], [mpf(1)] + [s[m + 1 + j] for j in range(n)]
        errors = [(x, (horner(p, x) / horner(q, x) - y) * w) for x, y, w in known]
        peaks = []
        for x, e in errors:
            if peaks and (peaks[-1][1] > 0) == (e > 0):
                if abs(e) > abs(peaks[-1][1]):
                    peaks[-1] = (x, e)
            else:
                peaks.append((x, e))
        while len(peaks) > count:
            peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
        worst = max(abs(e) for _, e in errors)
        if len(peaks) < count:
            raise ArithmeticError(f'{m}/{n}: {len(peaks)} peaks of {count}')
        if worst < abs(s[count - 1]) * mpf('1.005'):
            break
        reference = [x for x, _ in peaks]
    print(f'    minimax {m}/{n}: {mpmath.nstr(worst, 3)}')
    return p, q


# ------------------------------------------------------------------- rounded evaluation in float32


def horner32(coefficients, x, fused):
    result = F(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = fma(result, x, F(c)) if fused else result * x + F(c)
    return result


def fma(a, b, c):
    """The product of two float32 is exact in float64; only the sum is, rarely, rounded twice."""
    return np.add(np.multiply(a, b, dtype=np.float64), c, dtype=np.float64).astype(F)


def double_angle(p, q, x, limit, fused=False):
    """2NQ / (Q² + N²), as js/math32.ts has it; P(0) = 1 is not multiplied."""
    a = np.minimum(x, F(limit))
    z = a * a
    big_q = horner32(q, z, fused)
    if p[0] == 1:
        t, az = horner32(p[1:], z, fused), a * z
        n = fma(az, t, a) if fused else a + az * t
    else:
        n = a * horner32(p, z, fused)
    square = big_q * big_q
    return ((n + n) * big_q) / (fma(n, n, square) if fused else square + n * n)


def single(p, q, x, limit, fused=False):
    """x·P(x²)/Q(x²), an alternative to double_angle."""
    a = np.minimum(x, F(limit))
    z = a * a
    return (a * horner32(p, z, fused)) / horner32(q, z, fused)


def two_divisions(p, q, x, limit, fused=False):
    """4t / (4 + t²), t = x·P/Q: more exact, and slower, because division is."""
    a = np.minimum(x, F(limit))
    z = a * a
    t = (a * horner32(p, z, fused)) / horner32(round32(c / 2 for c in q), z, fused)
    return (F(4) * t) / (fma(t, t, F(4)) if fused else t * t + F(4))


def sample(low, high, count):
    """float32 numbers evenly spread over the bit patterns from low to high."""
    first, last = (int(F(v).view(np.int32)) for v in (low, high))
    return np.linspace(first, last, count).astype(np.int64).astype(np.int32).view(np.float32)


def errors32(y, exact):
    """Largest absolute error, and largest error in ulp of the exact result's binade."""
    e = np.abs(y.astype(np.float64) - exact)
    ulp = 2.0 ** (np.floor(np.log2(exact)) - 23)
    return e.max(), (e / ulp).max()


def search(name, p, q, limit, function, absolute, ulps, rounds):
    """Moves coefficients until max(error / absolute, error in ulp / ulps) stops shrinking."""
    rng = random.Random(20)
    few, many = sample(2**-7, limit, 12_000), sample(2**-9, limit, 300_000)
    # Every float32 from where the result is within a few ulp of 1.
    first, last = (int(F(v).view(np.int32)) for v in (limit * 0.85, limit))
    end = np.arange(first, last + 1, dtype=np.int32).view(F)
    exact_few, exact_many = function(few), function(many)
    free = [(p, i) for i in range(1 if p[0] == 1 else 0, len(p))]
    free += [(q, i) for i in range(1 if p[0] == 1 else 0, len(q))]

    def score(x, exact):
        a, u = errors32(double_angle(p, q, x, limit), exact)
        return max(a / absolute, u / ulps)

    def saturates():
        """Never above one, and one from the limit on; fused too."""
        for x in (end[-1:], end[::50], end):
            for fused in (False, True):
                y = double_angle(p, q, x, limit, fused)
                if y.max() > 1 or (len(x) == 1 and y[0] != 1):
                    return False
        return True

    best = math.inf
    for step in range(rounds):
        kept = [(c, i, c[i]) for c, i in rng.sample(free, rng.choice((1, 1, 2, 3)))] if step else []
        reach = rng.choice((1, 2, 5, 20, 100))
        for c, i, value in kept:
            bits = int(F(value).view(np.int32)) + rng.randint(-reach, reach)
            c[i] = float(np.int32(bits).view(np.float32))
        s = score(few, exact_few)
        # A table that does not saturate loses against every one that does.
        if s < best:
            s = max(s, score(many, exact_many))
        if s < best:
            s += 0 if saturates() else 10
        if s < best:
            best = s
        else:
            for c, i, value in reversed(kept):
                c[i] = value
    y = double_angle(p, q, many, limit)
    print(f'    {name}: %.3g absolute, %.2f ulp; saturates: {saturates()}' % errors32(y, exact_many))


# ---------------------------------------------------------------------------------------- the fits


def round32(coefficients):
    return [float(F(float(c))) for c in coefficients]


def round64(coefficients):
    return [float(c) for c in coefficients]


def erf_array(x):
    return np.array([math.erf(v) for v in x.astype(np.float64)])


def tanh_array(x):
    return np.tanh(x.astype(np.float64))


def half_tanh(z):
    """tanh(x/2)/x at z = x²."""
    x = mpmath.sqrt(z)
    return mpmath.tanh(x / 2) / x


def half_erf(z):
    """t/x at z = x², where 2t/(1 + t²) = erf(x)."""
    x = mpmath.sqrt(z)
    e = mpmath.erf(x)
    return e / (1 + mpmath.sqrt(mpmath.erfc(x) * (1 + e))) / x


def fit():
    t = {}
    reduced = mpmath.log(2) / 2 * mpf('1.0005')

    def exp_rest(r):
        return (mpmath.expm1(r) - r) / r**2

    print('exp')
    t['EXP32'] = round32(remez(exp_rest, -reduced, reduced, 4, 0, abs)[0])
    t['EXP64'] = round64(remez(exp_rest, -reduced, reduced, 10, 0, abs)[0])

    print('log')
    low, high = mpmath.sqrt(mpf(1) / 2) - 1, mpmath.sqrt(2) - 1
    t['LOG32'] = round32(
        remez(
            lambda f: (mpmath.log1p(f) - f + f * f / 2) / f**3, low, high, 7, 0, lambda f: f * f
        )[0]
    )

    def log_rest(z):
        s = mpmath.sqrt(z)
        return (2 * mpmath.atanh(s) / s - 2) / z

    t['LOG64'] = round64(remez(log_rest, 0, (high / (2 + high)) ** 2, 6, 0, lambda z: z)[0])

    print('tanh32')
    # tanh(8.75) = 1 − 5e-8. At a larger limit, roundings lift some results above 1 on the way to it.
    limit = 8.75
    # An error of tanh(x/2) shrinks by 1/cosh(x) on its way to tanh(x): this is why the rational can
    # be small, and why the rounding errors of P and Q do not count where tanh is large.
    p, q = remez(half_tanh, 0, limit**2, 2, 3, lambda z: mpmath.sech(mpmath.sqrt(z)) / half_tanh(z))
    # P(0) = 1 and Q(0) = 2: tanh of a tiny x is x itself.
    p, q = [1.0] + round32(2 * c for c in p[1:]), round32(2 * c for c in q)
    search('tanh32', p, q, limit, tanh_array, 1.6e-7, 3.7, 6000)
    t['TANH32'] = (limit, p, q)

    print('erf32')
    limit = 3.9375

    def damping(z):
        return mpmath.sqrt(2 * mpmath.erfc(mpmath.sqrt(z))) / half_erf(z)

    p, q = remez(half_erf, 0, limit**2, 4, 3, damping)
    # 1.75: at small x both P and Q then lie at the upper end of a binade, where roundings are small.
    p, q = round32(1.75 * c for c in p), round32(1.75 * c for c in q)
    search('erf32', p, q, limit, erf_array, 1.8e-7, 3.2, 2500)
    t['ERF32'] = (limit, p, q)

    print('erf64')
    p, q = remez(
        lambda z: mpmath.erf(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1, 0, 1, 5, 5, lambda z: mpf(1)
    )
    t['ERF64'] = (1, round64(p), round64(q))
    p, q = remez(
        lambda x: mpmath.exp(x * x) * mpmath.erfc(x), 1, 6, 5, 6, lambda x: mpmath.exp(-x * x)
    )
    t['ERFC64'] = (6, round64(p), round64(q))
    return t


def compare():
    """The rationals x·P(x²)/Q(x²) for tanh that were tried, in a table (docs/functions.md)."""
    x = sample(2**-9, 9.5, 2_000_000)
    exact = tanh_array(x)

    def whole(z):
        return mpmath.tanh(mpmath.sqrt(z)) / mpmath.sqrt(z)

    print('formula, degrees, operations (fused), absolute error, ulp (fused)')
    for limit, m, n in ((8, 3, 3), (8, 4, 3), (8.6, 3, 4), (8.6, 4, 4), (8.6, 5, 3), (8.6, 6, 3)):
        p, q = remez(whole, 0, limit**2, m, n, lambda z: 1 / whole(z))
        row = [errors32(single(round32(p), round32(q), x, limit, k), exact) for k in (False, True)]
        print(
            f'x·P/Q {2*m+1}/{2*n}: {2*m+2*n+5} ({m+n+5})  %.2e %.1f (%.2e %.1f)' % (*row[0], *row[1])
        )
    for m, n in ((1, 3), (2, 2), (2, 3), (3, 2)):
        p, q = remez(
            half_tanh, 0, mpf('8.75') ** 2, m, n, lambda z: mpmath.sech(mpmath.sqrt(z)) / half_tanh(z)
        )
        p, q = [1.0] + round32(2 * c for c in p[1:]), [2.0] + round32(2 * c for c in q[1:])
        row = [errors32(double_angle(p, q, x, 8.75, k), exact) for k in (False, True)]
        print(
            f'double angle {2*m+1}/{2*n}: {2*m+2*n+10} ({m+n+9})  %.2e %.1f (%.2e %.1f)'
            % (*row[0], *row[1])
        )
        row = [errors32(two_divisions(p, q, x, 8.75, k), exact) for k in (False, True)]
        print(
            f'  two divisions {2*m+1}/{2*n}: {2*m+2*n+9} ({m+n+8})  %.2e %.1f (%.2e %.1f)'
            % (*row[0], *row[1])
        )


# -------------------------------------------------------------------------------------- the output

HEADER = """\
/**
 * Holds the numbers of the elementary functions in float%(bits)s: the JavaScript kernels and the writers of
 * the WebAssembly ones read the same tables. The formulas stand in `js/math%(bits)s.ts`.
 *
 * Written by `tools/fit_approximations.py`. Polynomials start at the constant term.%(more)s
 */
"""

LN32 = """\
/** ln 2 in two parts; HIGH has so few bits that n · HIGH is exact for the exponents that occur. */
export const LN2_HIGH32 = %r
export const LN2_LOW32 = %r
"""

LN64 = """\
/** ln 2 in two parts, the first with so few bits that its products with exponents are exact. */
export const LN2_HIGH64 = %r
export const LN2_LOW64 = %r
"""


def split_ln2(bits):
    """ln 2 as a number of so many bits, and the rest."""
    ln2 = mpmath.log(2)
    high = mpmath.floor(ln2 * mpf(2) ** bits) / mpf(2) ** bits
    return float(high), ln2 - high


def listing(values):
    return '[' + ', '.join('%d' % v if v == int(v) else repr(v) for v in values) + ']'


def typescript(t):
    """The two files, by precision."""
    def array(name, doc):
        return f'/** {doc} */\nexport const {name} = {listing(t[name])} as const\n'

    def rational(name, doc):
        limit, p, q = t[name]
        shown = '%d' % limit if limit == int(limit) else repr(limit)
        return (
            f'/** {doc} */\nexport const {name} = {{\n  limit: {shown},\n'
            f'  p: {listing(p)},\n  q: {listing(q)},\n}} as const\n'
        )

    high32, low32 = split_ln2(16)
    high64, low64 = split_ln2(33)
    in32 = [
        HEADER % {'bits': 32, 'more': ' Every number is\n * exactly a float32.'},
        LN32 % (high32, float(F(float(low32)))),
        array('EXP32', 'e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2.'),
        rational(
            'TANH32', 'tanh(x) = 2NQ / (Q² + N²), N = x·P(x²), Q = Q(x²); 1 from the limit on.'
        ),
    ]
    more32 = [
        HEADER % {'bits': 32, 'more': ' Every number is\n * exactly a float32. Few models need these.'},
        array('LOG32', 'log(1 + f) = f − f²/2 + f³·P(f) for √½ ≤ 1 + f < √2.'),
        rational('ERF32', 'erf(x), by the formula of tanh.'),
    ]
    in64 = [
        HEADER % {'bits': 64, 'more': ''},
        LN64 % (high64, float(low64)),
        array('EXP64', 'e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2.'),
        array('LOG64', 'log(1 + f) = 2s + s³·P(s²), s = f / (2 + f), for √½ ≤ 1 + f < √2.'),
        rational('ERF64', 'erf(x) = x + x·P(x²)/Q(x²) for |x| < limit.'),
        rational('ERFC64', 'erfc(x) = e^(−x²)·P(x)/Q(x) for 1 ≤ x ≤ limit; erf is 1 beyond it.'),
    ]
    return '\n'.join(in32), '\n'.join(more32), '\n'.join(in64)


def samples64():
    """{function: [[x, y, rest], …]}: f(x) from 400 digits is y + rest·ulp(y)."""
    functions = {
        'tanh64': (mpmath.tanh, -25, 25),
        'sigmoid64': (lambda x: 1 / (1 + mpmath.exp(-x)), -745, 40),
        'exp64': (mpmath.exp, -745, 709.7),
        'expm1_64': (mpmath.expm1, -45, 709.7),
        'log64': (mpmath.log, 0.4, 3),
        'log1p64': (mpmath.log1p, -0.999, 3),
        'softplus64': (lambda x: mpmath.log1p(mpmath.exp(x)), -745, 45),
        'erf64': (mpmath.erf, -6.5, 6.5),
    }
    rng = random.Random(64)
    result = {}
    for name, (f, low, high) in functions.items():
        xs = [5e-324, 2.2250738585072014e-308, 1e-300, 2.0**-53, 2.0**-26, 0.5, 1.0, 2.0]
        xs += [0.34657359027997264, 0.34657359027997270, 1.0397207708399179, 0.9999999999999999]
        if name not in ('log64', 'log1p64'):
            xs += [-x for x in xs]
        xs += [rng.uniform(low, high) for _ in range(80)]
        xs += [rng.uniform(max(low, -2), min(high, 2)) for _ in range(50)]
        xs += [2.0 ** rng.uniform(-60, 1) * (1 if name == 'log64' else rng.choice((-1, 1)))
               for _ in range(35)]
        if name == 'log64':
            xs += [1 + rng.choice((-1, 1)) * 2.0 ** rng.uniform(-52, -2) for _ in range(35)]
            xs += [2.0 ** rng.uniform(-1074, 1024) for _ in range(35)]
        if name == 'log1p64':
            xs = [x for x in xs if x > -1] + [2.0 ** rng.uniform(1, 1024) for _ in range(35)]
            xs += [-1 + 2.0 ** rng.uniform(-53, -2) for _ in range(20)]
        mp.dps = 400
        result[name] = []
        for x in xs:
            exact = f(mpf(x))
            y = float(exact)
            result[name].append([x, y, round(float((exact - y) / math.ulp(y)), 3)])
        mp.dps = 40
    return result


def write_samples64():
    lines = [
        f'  "{name}": [\n'
        + ',\n'.join('    ' + json.dumps(sample) for sample in samples)
        + '\n  ]'
        for name, samples in samples64().items()
    ]
    (ROOT / 'test/fixtures/math64.json').write_text('{\n' + ',\n'.join(lines) + '\n}\n')


def main():
    for name, text in zip(('constants32', 'more-constants32', 'constants64'), typescript(fit())):
        (ROOT / f'src/runtime/math/{name}.ts').write_text(text)
    write_samples64()
    compare()


if __name__ == '__main__':
    main()
