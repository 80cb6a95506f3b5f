// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn {

/// What labels are.
enum class target { none, classes, numbers };

namespace detail {

/// This rank's rows and their labels, for a fit.
template <communicator::Communicator C, data::DataSource S>
auto load_targets(const C& ranks, const S& source, learn::target target) {
    data::request wanted;
    wanted.labels = target != learn::target::none;
    wanted.classification = target == learn::target::classes;
    return source.load(ranks, wanted);
}

/// Rows for a fitted thing with features, classes and label.
template <communicator::Communicator C, data::DataSource S, class Fit>
auto load_targets(const C& ranks, const S& source, const Fit& fit, bool labels) {
    data::request wanted;
    wanted.labels = labels;
    wanted.classification = !fit.classes.empty();
    wanted.features = fit.features;
    wanted.classes = fit.classes;
    wanted.label = fit.label;
    return source.load(ranks, wanted);
}

/// Whether any row of any rank has a weight that is not 1.
template <communicator::Communicator C, class Dataset> bool has_weights(const C& ranks, const Dataset& rows) {
    std::int32_t weighted = 0;
    for (const auto weight : rows.weights)
        if (weight != 1) weighted = 1;
    ranks.all_reduce(std::span<std::int32_t>(&weighted, 1), communicator::operation::maximum);
    return weighted != 0;
}

/// accuracy of class indices, or r_squared and loss (half the mean square) of numbers. Collective: two exact sums.
template <communicator::Communicator C, class Dataset>
score score_values(const C& ranks, const Dataset& rows, const std::vector<std::string>& classes,
                   const std::vector<double>& values) {
    const shards by(ranks, rows.partition, 1);
    std::vector<double> first(3), second(1);
    by.sum(first, [&](std::size_t, data::range local, std::size_t, double* partial) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const auto w = static_cast<double>(rows.weight(i)), y = static_cast<double>(rows.y[i]);
            partial[0] += w;
            partial[1] += w * y;
            partial[2] += classes.empty() ? w * (y - values[i]) * (y - values[i]) : (y == values[i] ? w : 0);
        }
    });
    score result{.rows = rows.rows()};
    if (!classes.empty()) {
        result.accuracy = first[2] / first[0];
        return result;
    }
    const double mean = first[1] / first[0];
    by.sum(second, [&](std::size_t, data::range local, std::size_t, double* partial) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const double d = static_cast<double>(rows.y[i]) - mean;
            partial[0] += static_cast<double>(rows.weight(i)) * d * d;
        }
    });
    result.loss = first[2] / first[0] / 2;
    if (second[0] > 0) result.r_squared = 1 - first[2] / second[0];
    return result;
}

}  // namespace detail

}  // namespace gamut::learn
