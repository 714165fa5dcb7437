# SPDX-License-Identifier: Apache-2.0
"""Renyi divergence of the subsampled Gaussian, integrated with 30 digits (needs mpmath).

The numbers of accountant_test.cpp: python3 renyi_divergence.py
"""
from mpmath import exp, log, mp, mpf, nstr, pi, quad, sqrt

mp.dps = 30


def rdp(q, sigma, order):
    """D_order of (1-q) N(0, sigma^2) + q N(1, sigma^2) from N(0, sigma^2)."""
    q, sigma = mpf(q), mpf(sigma)

    def integrand(z):
        ratio = 1 - q + q * exp((2 * z - 1) / (2 * sigma**2))
        return exp(-z * z / (2 * sigma**2)) / (sigma * sqrt(2 * pi)) * ratio**order

    low, high, pieces = -40 * sigma, order + 40 * sigma, 60
    points = [low + (high - low) * i / pieces for i in range(pieces + 1)]
    return log(quad(integrand, points)) / (order - 1)


for case in [("0.01", "1", 2), ("0.01", "1", 8), ("0.01", "4", 32), ("0.04", "1.5", 5),
             ("0.0025", "1.3", 17), ("0.2", "0.7", 3), ("0.5", "10", 64), ("0.001", "1", 11),
             ("0.9", "2", 256)]:
    print(*case, nstr(rdp(*case), 17))
