// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/quadratic/lazy_products.hpp>
#include <gamut/quadratic/objective.hpp>
#include <gamut/quadratic/support_model.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/polish.hpp>

namespace gamut::solver::detail {

/// The second-order model of a problem at `at`, in terms of the candidates `pool`; see quadratic/support_model.hpp. slopes: of the loss
/// there, if they are known. One pass for the slopes, one for the second derivatives, which costs a sum of |candidates|^2 numbers; or a
/// gather of the rows where they are few. Exact for least squares. Collective.
template <Cardinality P>
requires SecondDerivatives<P>
[[gnu::cold]] quadratic::support_model support_model_of(const P& p, const typename P::array& at,
                                                        std::vector<typename P::array::value_type> slopes,
                                                        std::span<const std::size_t> pool, quadratic::objective shape) {
    if (slopes.empty()) {
        typename P::array gradient(p.dimension());
        p.value_and_gradient(at, gradient);
        slopes = gradient.download();
    }
    const bool are_entries = shape.unit.empty();
    const auto given = at.download();
    quadratic::support_model model(p.penalty_term(), p.layout(), std::vector<double>(given.begin(), given.end()), pool,
                                   std::move(shape));
    const std::vector<std::size_t>& entries = model.entries();
    std::vector<double> of_entries;
    for (const std::size_t e : entries) of_entries.push_back(static_cast<double>(slopes[e]));
    if constexpr (requires { p.gathers_rows(entries.size()); })
        if (are_entries && p.gathers_rows(entries.size())) {
            const std::vector<std::size_t>&inside = model.inside(), &outside = model.outside();
            const std::size_t f = outside.size(), n = p.rows();
            const std::vector<double>& w = model.at();
            std::vector<std::size_t> used;
            for (std::size_t k = 0; k < w.size(); ++k)
                if (w[k] != 0) used.push_back(k);
            std::shared_ptr<quadratic::lazy_products> h;
            std::vector<std::vector<double>> always;
            std::vector<double> product;
            communicator::agree(p.communicator(), [&] {
                h = std::make_shared<quadratic::lazy_products>(n + f, inside.size(), p.penalty_term().l2,
                                                               static_cast<std::size_t>(p.threads()));
                always.assign(f, std::vector<double>(n + f));
                product.resize(n + f);
                for (std::size_t a = 0; a < f; ++a) h->set_row(n + a, [](std::size_t) { return 0.0; });
            });
            p.visit_rows(entries, h->threads(), [&](std::size_t i, const double* row, double root) {
                h->set_row(i, [&](std::size_t k) { return root * row[inside[k]]; });
                for (std::size_t a = 0; a < f; ++a) always[a][i] = root * row[outside[a]];
                for (const std::size_t k : used) product[i] += root * row[k] * w[k];
            });
            model.set_rows(std::move(h), std::move(always), product, of_entries);
            return model;
        }
    model.set(p.second_derivatives(at, entries), of_entries);
    return model;
}

}  // namespace gamut::solver::detail
