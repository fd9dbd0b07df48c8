"""A binary tree of numbers."""


def insert(tree, number):
    if tree is None:
        return (None, number, None)
    left, here, right = tree
    if number < here:
        return (insert(left, number), here, right)
    return (left, here, insert(right, number))


def numbers(tree):
    if tree is not None:
        yield from numbers(tree[0])
        yield tree[1]
        yield from numbers(tree[2])
