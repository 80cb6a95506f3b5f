// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

/// The rules as their papers write them, one weight at a time, in long double: what the library's are compared with.
namespace reference {

using number = long double;

/// gradients[k] is the gradient at step k + 1; what is returned are the weights after each step from w, each of w - rate d.
template <class Rule> std::vector<number> run(Rule rule, number w, number rate, const std::vector<double>& gradients) {
    std::vector<number> path;
    int t = 0;
    for (const double g : gradients) {
        w = rule.next(w, static_cast<number>(g), rate, ++t);
        path.push_back(w);
    }
    return path;
}

struct plain {
    number next(number w, number g, number rate, int) { return w - rate * g; }
};

struct heavy_ball {  // Polyak: w_{t+1} = w_t - rate g_t + mu (w_t - w_{t-1}), for a constant rate
    number mu, before = 0;
    number next(number w, number g, number rate, int t) {
        const number inertia = t == 1 ? 0 : mu * (w - before);
        before = w;
        return w - rate * g + inertia;
    }
};

/// Sutskever et al.: v_{t+1} = mu v_t - rate g(theta_t + mu v_t), theta_{t+1} = theta_t + v_{t+1}; the weights the library
/// shows are the points theta_t + mu v_t where gradients are taken.
struct nesterov {
    number mu, v = 0;
    number next(number w, number g, number rate, int) {
        const number theta = w - mu * v;
        v = mu * v - rate * g;
        return theta + v + mu * v;
    }
};

struct adagrad {
    number epsilon, sum = 0;
    number next(number w, number g, number rate, int) {
        sum += g * g;
        return w - rate * g / (std::sqrt(sum) + epsilon);
    }
};

struct rmsprop {
    number decay, epsilon, mean = 0;
    number next(number w, number g, number rate, int) {
        mean = decay * mean + (1 - decay) * g * g;
        return w - rate * g / (std::sqrt(mean) + epsilon);
    }
};

struct adam {  // algorithm 1 of Kingma and Ba, with the moments as sums over all gradients so far
    number first, second, epsilon, decay = 0;
    std::vector<number> seen{};
    number next(number w, number g, number rate, int t) {
        seen.push_back(g);
        number m = 0, v = 0;
        for (int i = 1; i <= t; ++i) {
            const number x = seen[static_cast<std::size_t>(i - 1)];
            m += (1 - first) * std::pow(first, static_cast<number>(t - i)) * x;
            v += (1 - second) * std::pow(second, static_cast<number>(t - i)) * x * x;
        }
        m /= 1 - std::pow(first, static_cast<number>(t));
        v /= 1 - std::pow(second, static_cast<number>(t));
        return w - rate * decay * w - rate * m / (std::sqrt(v) + epsilon);
    }
};

struct amsgrad {  // algorithm 2 of Reddi, Kale and Kumar, with Adam's corrections or without
    number first, second, epsilon;
    bool corrected;
    number m = 0, v = 0, largest = 0;
    number next(number w, number g, number rate, int t) {
        m = first * m + (1 - first) * g;
        v = second * v + (1 - second) * g * g;
        if (v > largest) largest = v;
        const number mean = corrected ? m / (1 - std::pow(first, static_cast<number>(t))) : m;
        const number square = corrected ? largest / (1 - std::pow(second, static_cast<number>(t))) : largest;
        return w - rate * mean / (std::sqrt(square) + epsilon);
    }
};

}  // namespace reference
