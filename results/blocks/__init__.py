"""Numbers of the documentation: each block is the result of the function of its name."""

from blocks.exercises import boston, cifar10, losses, wafer
from blocks.front_page import answers, output, twins
from blocks.speed import costs, faithfulness, fast, orders, seeds, training
from blocks.sweep import answer, as_a_whole, editions, pairs, random_splits, rule, sweep

BLOCKS = {
    each.__name__: each
    for each in (
        twins, output, answers, answer, editions, boston, cifar10, wafer, losses, sweep, rule,
        as_a_whole, pairs, random_splits, fast, training, seeds, costs,
        faithfulness, orders,
    )
}  # fmt: skip
