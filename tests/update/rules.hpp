// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tuple>

#include <gamut/update/adagrad.hpp>
#include <gamut/update/adam.hpp>
#include <gamut/update/adamw.hpp>
#include <gamut/update/amsgrad.hpp>
#include <gamut/update/clip.hpp>
#include <gamut/update/concept.hpp>
#include <gamut/update/momentum.hpp>
#include <gamut/update/nesterov.hpp>
#include <gamut/update/plain.hpp>
#include <gamut/update/rmsprop.hpp>

/// A rule as the documentation tells users to write one: a running mean of gradients.
struct running_mean {
    static constexpr std::size_t slots = 1;
    template <class T> auto at(std::size_t) const {
        return [](const auto&, auto& g, auto* memory) {
            auto& m = memory[0];
            m = T(0.5) * m + T(0.5) * g;
            g = m;
        };
    }
};

inline const auto rules = std::make_tuple(
    gamut::update::plain{}, gamut::update::momentum{}, gamut::update::momentum{.momentum = 0},
    gamut::update::nesterov{}, gamut::update::nesterov{.momentum = 0.5}, gamut::update::adagrad{},
    gamut::update::rmsprop{}, gamut::update::rmsprop{.decay = 0.99, .epsilon = 1e-3}, gamut::update::adam{},
    gamut::update::adam{.first = 0, .second = 0.5}, gamut::update::adamw{}, gamut::update::adamw{.decay = 0.5},
    gamut::update::amsgrad{}, gamut::update::amsgrad{.corrected = false}, gamut::update::clip{.norm = 0.5},
    gamut::update::clip{.rule = gamut::update::adam{}, .norm = 0.25}, running_mean{});

template <class F> void for_each_rule(F&& f) {
    std::apply([&](const auto&... rule) { (f(rule), ...); }, rules);
}
