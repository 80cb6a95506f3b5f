// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/fwd.hpp>
#include <gamut/update/concept.hpp>
#include <gamut/update/plain.hpp>

namespace gamut::update {

/// Gradients no longer than `norm`, before another rule sees them.
///   g = g min(1, norm / |g|)
/// |g| is the Euclidean length of the whole gradient. A solver that holds all of it knows; who holds a piece adds the squares
/// up over the pieces (communicator::sum) and passes the length to update::direct. An infinite gradient becomes NaN.
/// Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, ICML 2013, algorithm 1.
template <class Rule> struct clip {
    static_assert(Update<Rule>, "clip: needs a rule; see gamut/update/concept.hpp");
    static_assert(!NeedsLength<Rule>,
                  "clip: its rule can't clip too (the length is known before, not between); use one");

    Rule rule{};
    double norm = 1;

    static constexpr std::size_t slots = Rule::slots;
    static constexpr bool adaptive = is_adaptive<Rule>;

    template <class T> auto at(std::size_t step, double length) const {
        return [direct = rule.template at<T>(step),
                factor = static_cast<T>(length > norm ? norm / length : 1)](const auto& w, auto& g, auto* memory) {
            g = factor * g;
            direct(w, g, memory);
        };
    }
    double gain() const { return update::gain(rule); }
    void validate() const {
        update::validate(rule);
        detail::check_positive("clip", "norm", norm, "1");
    }
};

}  // namespace gamut::update
