from math import pi


def area(radius):
    return pi * radius**2


def length(radius):
    return 2 * pi * radius
