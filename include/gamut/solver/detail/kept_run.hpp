// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <gamut/core/checkpoint.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// What a checkpoint has beside a solver's state and its history: what tells the problem.
namespace gamut::solver::detail {

/// What stands in every checkpoint, so that nobody goes on with another problem, and a fit can be made of it without the data.
template <class P> [[gnu::cold]] void put_problem(core::checkpoint& to, const P& p) {
    to.put("problem.dimension", std::vector<std::uint64_t>{p.dimension()});
    if constexpr (requires {
                      p.scaling().means;
                      p.layout().outputs;
                  }) {
        to.put("problem.outputs", std::vector<std::uint64_t>{p.layout().outputs});
        to.put("problem.means", p.scaling().means);
        to.put("problem.scales", p.scaling().scales);
        to.put("problem.rows", std::vector<std::uint64_t>{p.rows()});
    }
    if constexpr (requires { p.dataset().classes; }) {
        to.put_words("problem.features", p.dataset().features);
        to.put_words("problem.classes", p.dataset().classes);
        to.put("problem.label", p.dataset().label);
    } else if constexpr (requires { p.class_names(); }) {
        to.put_words("problem.features", p.feature_names());
        to.put_words("problem.classes", p.class_names());
        to.put("problem.label", p.label());
    }
}

template <class P> [[gnu::cold]] void check_problem(const core::checkpoint& from, std::string_view solver, const P& p) {
    if (from.kind != solver)
        throw core::data_error(core::text(from.path(), ": a checkpoint of '", core::visible(from.kind, 40), "' (",
                                          solver, " is to go on) name one of the same solver"));
    const auto other = [&](const char* what) {
        throw core::data_error(core::text(from.path(), ": made with other data (", what,
                                          ") resume with the data and the preparation of the run, or without resume"));
    };
    if (from.get<std::uint64_t>("problem.dimension") != std::vector<std::uint64_t>{p.dimension()})
        other("another number of weights");
    if constexpr (requires {
                      p.scaling().means;
                      p.layout().outputs;
                  }) {
        if (from.get<std::uint64_t>("problem.rows") != std::vector<std::uint64_t>{p.rows()})
            other("another number of rows");
        if (from.get<double>("problem.means") != p.scaling().means ||
            from.get<double>("problem.scales") != p.scaling().scales)
            other("columns have other means or deviations");
    }
}

}  // namespace gamut::solver::detail
