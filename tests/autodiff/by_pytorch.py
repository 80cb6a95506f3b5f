#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What PyTorch finds, in double precision, for the formulas of tests/autodiff/formulas.cpp and the networks of tests/network/layers.cpp.

    tests/autodiff/by_pytorch.py [--write]

Compares by_pytorch.txt with what this PyTorch finds, to 1e-11; --write makes the file anew. A formula is its own text in the C++ file, with
the functions below; a network is written down here. Without PyTorch it checks that the names are the same, and says that it skips the rest.
"""
import argparse
import os
import re
import sys

root = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
table_file = os.path.join(root, "tests", "autodiff", "by_pytorch.txt")

try:
    import torch
except ImportError:
    torch = None


# ---- what is compared ----
def source(path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return re.sub(r"//[^\n]*", "", file.read())


def formulas():
    """The arguments of GAMUT_CHECK(...), parentheses matched, and the strings that are given to compare."""
    text, found = source("tests/autodiff/formulas.cpp"), []
    for match in re.finditer(r"^ *GAMUT_CHECK\(", text, re.M):
        depth, at = 1, match.end()
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        found.append(text[match.end(): at - 1])
    found += re.findall(r'compare\(\s*"([^"]*)"', text)
    return ["".join(formula.split()) for formula in found]


def network_names():
    return re.findall(r'check\([^;]*?,\s*\d+,\s*"([^"]*)"(?:,\s*\d+)?\)', source("tests/network/layers.cpp"), re.S)


def draw(stream, n):
    """by_pytorch::draw of tests/autodiff/by_pytorch.hpp."""
    mask, numbers = (1 << 64) - 1, []
    for i in range(n):
        x = ((i + 1) * 0x9E3779B97F4A7C15 + stream * 0xBF58476D1CE4E5B9) & mask
        x ^= x >> 31
        x = x * 0x94D049BB133111EB & mask
        x ^= x >> 29
        numbers.append((x >> 11) / 4503599627370496.0 - 1)
    return numbers


class Matrix:
    """A block of parameters: a table * it is their product."""

    def __init__(self, values):
        self.values = values

    def __rmul__(self, other):
        return torch.matmul(other, self.values)


class Blocks:
    """w: slices of one array, block after block."""

    def __init__(self, **shapes):
        self.shapes = shapes
        self.size = sum(r * c for _, r, c in shapes.values())

    def of(self, flat):
        named, at = Blocks(), 0
        for name, (kind, rows, columns) in self.shapes.items():
            values = flat[at: at + rows * columns]
            at += rows * columns
            setattr(named, name, Matrix(values.reshape(rows, columns)) if kind == "matrix" else values)
        return named


# ---- the grammar: one value per row is a column, what stretches over outputs is the last dimension ----
def tensor(a):
    return a if isinstance(a, torch.Tensor) else torch.tensor(float(a), dtype=torch.float64)


def patches(image, kernel, step, border, x):
    height, width, channels = image
    n = x.shape[0]
    x = torch.nn.functional.pad(x.reshape(n, height, width, channels), (0, 0, border, border, border, border))
    x = x.unfold(1, kernel, step).unfold(2, kernel, step)  # n, rows, columns, channels, kernel, kernel
    return x.permute(0, 1, 2, 4, 5, 3).reshape(n, x.shape[1] * x.shape[2], kernel * kernel * channels)


def pool(function):
    def pooled(image, window, step, x):
        height, width, channels = image
        n = x.shape[0]
        x = function(x.reshape(n, height, width, channels).permute(0, 3, 1, 2), window, step)
        return x.permute(0, 2, 3, 1).reshape(n, -1, channels)
    return pooled


def grammar():
    f = torch.nn.functional

    def row_sum(a):
        return a.sum(-1, keepdim=True)

    def over_rows(a):
        return tuple(range(a.dim() - 1))

    def log_sum_exp(a):
        return torch.logsumexp(a, -1, keepdim=True)

    def same(a):
        return a

    return {
        "exp": torch.exp, "log": torch.log, "log1p": torch.log1p, "expm1": torch.expm1, "sqrt": torch.sqrt, "square": torch.square,
        "abs": torch.abs, "sign": torch.sign, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh, "erf": torch.erf,
        "sigmoid": torch.sigmoid, "softplus": f.softplus, "relu": torch.relu, "gelu": f.gelu,
        "pow": lambda a, b: torch.pow(tensor(a), b), "min": lambda a, b: torch.minimum(tensor(a), tensor(b)),
        "max": lambda a, b: torch.maximum(tensor(a), tensor(b)), "clamp": torch.clamp,
        "choose": lambda c, a, b: torch.where(c, tensor(a), tensor(b)),
        "row_sum": row_sum, "row_mean": lambda a: a.mean(-1, keepdim=True), "row_max": lambda a: a.max(-1, keepdim=True).values,
        "log_sum_exp": log_sum_exp, "softmax": lambda a: torch.softmax(a, -1), "log_softmax": lambda a: torch.log_softmax(a, -1),
        "dot": lambda a, b: row_sum(a * b), "norm": lambda a: torch.linalg.vector_norm(a, dim=-1, keepdim=True),
        "square_norm": lambda a: row_sum(a * a), "pick": lambda a, y: a.gather(-1, y.long()),
        "one_hot": lambda y, n: f.one_hot(y.long().squeeze(-1), n).double(),
        "column_mean": lambda a: a.mean(over_rows(a)), "column_sum": lambda a: a.sum(over_rows(a)),
        "slice": lambda a, begin, end: a[..., begin:end], "concatenate": lambda a, b: torch.cat((a, b), -1),
        "reshape": lambda a, r, c: a.reshape(a.shape[0], r, c), "flatten": lambda a: a.reshape(a.shape[0], -1),
        "transpose": lambda a: Matrix(a.values.T) if isinstance(a, Matrix) else a.transpose(-1, -2),
        "lookup": lambda b, numbers: b.values[numbers.long()], "as_table": same, "keep": same, "keep_again": same,
        "dropout": lambda a, rate: a, "dropout_again": lambda a, rate: a, "stop_gradient": torch.Tensor.detach,
        "sum_of_squares": lambda b: (b.values if isinstance(b, Matrix) else b).square().sum(),
        "patches": patches, "largest": pool(f.max_pool2d), "averaged": pool(f.avg_pool2d),
        "mean": lambda a: a.sum() / a.shape[0], "sum": torch.sum, "total": lambda a: torch.sin(a).sum() / a.shape[0],
    }


def case_of_formula(text):
    names = grammar()
    if "maps" in text:
        blocks, rows, columns, numbers = Blocks(F=("matrix", 8, 3), f=("row", 1, 3), G=("matrix", 12, 2)), 5, 40, 0
        names["middle"] = (3, 4, 3)
    elif "w.words" in text:
        blocks, rows, columns, numbers = Blocks(words=("matrix", 3, 4), V=("matrix", 4, 2)), 6, 2, 3
    else:
        blocks = Blocks(A=("matrix", 5, 9), a=("row", 1, 9), B=("matrix", 9, 6), s=("row", 1, 1), u=("matrix", 6, 1))
        rows, columns, numbers = 5, 5, 0

    def loss(flat, x, y):
        w = blocks.of(flat)
        here = dict(names, X=x, y=y, w=w)
        if hasattr(w, "F"):
            here["maps"] = patches((4, 5, 2), 2, 1, 0, x) * w.F + w.f
        elif hasattr(w, "A"):
            here["z"] = x * w.A + w.a
            here["h"] = torch.sigmoid(here["z"])
            here["t"] = here["h"] * w.B
        return eval(text, {"__builtins__": {}}, here)  # pylint: disable=eval-used
    return loss, blocks.size, rows, columns, numbers


# ---- the networks ----
class Parameters:
    """Blocks in the order in which layers take them."""

    def __init__(self, flat):
        self.flat, self.at = flat, 0

    def __call__(self, *shape):
        size = 1
        for n in shape:
            size *= n
        self.at += size
        return self.flat[self.at - size: self.at].reshape(shape)


def networks():
    """name: (layers, columns, numbers); a picture is n x height x width x channels."""
    f = torch.nn.functional

    def dense(out):
        return lambda x, p: x @ p(x.shape[1], out) + p(out)

    def convolution(out, kernel, step=1, border=0):
        def layer(x, p):
            filters = p(kernel, kernel, x.shape[3], out).permute(3, 2, 0, 1)
            return f.conv2d(x.permute(0, 3, 1, 2), filters, p(out), step, border).permute(0, 2, 3, 1)
        return layer

    def batch_norm(x, p):
        flat = x.reshape(-1, x.shape[-1])
        return f.batch_norm(flat, None, None, p(x.shape[-1]), p(x.shape[-1]), training=True, eps=1e-5).reshape(x.shape)

    def layer_norm(x, p):
        return f.layer_norm(x, x.shape[-1:], p(x.shape[-1]), p(x.shape[-1]), 1e-5)

    def max_pool(window):
        return lambda x, p: f.max_pool2d(x.permute(0, 3, 1, 2), window).permute(0, 2, 3, 1)

    def average_pool(window, step):
        return lambda x, p: f.avg_pool2d(x.permute(0, 3, 1, 2), window, step).permute(0, 2, 3, 1)

    def residual(*layers):
        return lambda x, p: x + chain(*layers)(x, p)

    def chain(*layers):
        def run(x, p):
            for layer in layers:
                x = layer(x, p)
            return x
        return run

    def plain(function):
        return lambda x, p: function(x)

    def picture(height, width, channels):
        return plain(lambda x: x.reshape(x.shape[0], height, width, channels))

    def embedding(numbers, width):
        return lambda x, p: p(numbers, width)[x.long()]

    def swish(x, p):
        return x * torch.sigmoid(p(1) * x)

    relu, gelu, tanh, sigmoid = plain(torch.relu), plain(f.gelu), plain(torch.tanh), plain(torch.sigmoid)
    dropout, flatten = plain(lambda x: x), plain(lambda x: x.reshape(x.shape[0], -1))  # nothing is dropped outside training
    return {
        "lenet": (chain(picture(12, 12, 2), convolution(3, 3), max_pool(2), relu, convolution(4, 2), max_pool(2), relu, flatten, dense(5), relu,
                        dense(3)), 288, 0),
        "batch_norm": (chain(dense(9), batch_norm, tanh, dense(3)), 5, 0),
        "batch_norm of channels": (chain(picture(5, 5, 2), convolution(3, 3, border=1), batch_norm, gelu, average_pool(2, 1), flatten, dense(3)), 50, 0),
        "layer_norm": (chain(dense(9), layer_norm, sigmoid, dense(3)), 5, 0),
        "residual": (chain(dense(7), residual(relu, dense(7), gelu, dense(7)), dropout, swish, dense(3)), 5, 0),
        "regressor": (chain(dense(6), swish, dense(1)), 4, 0),
        "embedding": (chain(embedding(3, 4), flatten, dense(3)), 2, 3),
        "two hidden layers, squared": (chain(dense(5), tanh, dense(4), gelu, dense(1)), 4, 0),
        "convolution with steps": (chain(picture(6, 6, 1), convolution(2, 3, 2, 1), tanh, average_pool(2, 2), flatten, dense(3)), 36, 0),
        "nothing dropped": (chain(dense(6), gelu, dropout, dense(3)), 5, 0),
        "residual of channels": (chain(picture(4, 4, 1), convolution(2, 3, border=1), residual(convolution(2, 3, border=1), batch_norm, relu),
                                       max_pool(2), flatten, dense(3)), 16, 0),
        "embedding, normalised": (chain(embedding(3, 4), flatten, layer_norm, residual(dense(8), tanh), dense(3)), 2, 3),
    }


def case_of_network(name):
    layers, columns, numbers = networks()[name]
    squared = name == "regressor" or "squared" in name

    def loss(flat, x, y):
        z = layers(x, Parameters(flat))
        if squared:
            return 0.5 * (z - y).square().sum() / x.shape[0]
        return torch.nn.functional.cross_entropy(z, y.long().squeeze(-1))
    counter = Parameters(torch.zeros(100000, dtype=torch.float64))
    layers(torch.zeros(6, columns, dtype=torch.float64), counter)
    return loss, counter.at, 6, columns, numbers


# ---- what PyTorch finds ----
def answer(loss, size, rows, columns, numbers):
    def array(values):
        return torch.tensor(values, dtype=torch.float64)
    x = array([float(i * i % numbers) if numbers else 1.5 * e for i, e in enumerate(draw(1, rows * columns))]).reshape(rows, columns)
    y = array([float((7 * i + 1) % 3) for i in range(rows)]).reshape(rows, 1)
    w, v, u = array([0.6 * e for e in draw(2, size)]).requires_grad_(), array(draw(3, size)), array(draw(4, size))
    value = loss(w, x, y)
    gradient = torch.autograd.grad(value, w)[0]
    product = torch.autograd.functional.hvp(lambda at: loss(at, x, y), w, v)[1]
    return [float(value.detach()), float(v @ product), float(u @ product)] + gradient.tolist()


def all_answers():
    found = {text: answer(*case_of_formula(text)) for text in formulas()}
    found.update((name.replace(" ", ""), answer(*case_of_network(name))) for name in network_names())
    return found


def read_table():
    table = {}
    with open(table_file, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                name, *cells = line.rstrip("\n").split("|")
                table[name] = [float(e) for e in cells[:3]] + [float(e) for e in cells[3].split(" ")]
    return table


def main():
    parser = argparse.ArgumentParser(description="by_pytorch.txt beside what PyTorch finds.")
    parser.add_argument("--write", action="store_true", help="makes by_pytorch.txt anew")
    options = parser.parse_args()
    if options.write:
        with open(table_file, "w", encoding="utf-8") as file:
            file.write(f"# name|loss|v'Hv|u'Hv|gradient, by PyTorch {torch.__version__}; see by_pytorch.hpp. Written by by_pytorch.py.\n")
            for name, (value, along_v, along_u, *gradient) in all_answers().items():
                file.write(f"{name}|{value:.14g}|{along_v:.14g}|{along_u:.14g}|" + " ".join(f"{e:.13g}" for e in gradient) + "\n")
        return 0
    table = read_table()
    names = formulas() + [name.replace(" ", "") for name in network_names()]
    wrong = sorted(set(names) ^ set(table))
    if wrong:
        print("in the C++ files and by_pytorch.txt, not in both: " + ", ".join(wrong) + "; --write makes it anew", file=sys.stderr)
        return 1
    if torch is None:
        print(f"{len(table)} formulas and networks have answers; PyTorch is not here, so they are not found again")
        return 0
    for name, mine in all_answers().items():
        size = max(1.0, max(abs(e) for e in mine))
        apart = max(abs(a - b) for a, b in zip(mine, table[name])) if len(mine) == len(table[name]) else float("inf")
        if not apart <= 1e-11 * size:
            print(f"{name}: {apart:.2g} from by_pytorch.txt", file=sys.stderr)
            wrong.append(name)
    print(f"{len(table) - len(wrong)} of {len(table)} formulas and networks are what PyTorch {torch.__version__} finds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
