// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/table/detail/ledger.hpp>
#include <gamut/table/managed.hpp>

namespace gamut::table::detail {

template <class Rows> double squared_norm(const typename Rows::values& all) {
    double total = 0;
    Rows::visit(all, [&](double x) { total += x * x; });
    return total;
}

/// When a worker's line is free, and for which of its rows; see table::managed.
template <class Rows> class early_line {
public:
    static constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();

    early_line(const managed& rule, std::uint64_t worker) : rule_(rule), draws_{.seed = rule.seed, .stream = worker} {}

    bool is_on() const { return rule_.bandwidth > 0; }
    bool is_free(double now) const { return now >= free_at_; }
    void used(double now, std::size_t bytes) {
        free_at_ = now + rule_.idle + static_cast<double>(bytes) / rule_.bandwidth;
    }
    void saw(std::uint64_t row, const typename Rows::values& values) {
        if (rule_.priority == priority::magnitude) seen_[row] = squared_norm<Rows>(values);
    }

    /// The entry that goes first of those that are unsent.
    std::size_t next(const std::vector<typename ledger<Rows>::entry>& all) {
        std::vector<std::size_t> unsent;
        for (std::size_t k = 0; k < all.size(); ++k)
            if (all[k].unsent) unsent.push_back(k);
        if (unsent.empty()) return nothing;
        if (rule_.priority == priority::random) return unsent[draws_.below(drawn_++, unsent.size())];
        if (rule_.priority == priority::fifo) return unsent.front();
        std::size_t best = unsent.front();
        double most = -1;
        for (const std::size_t k : unsent) {
            const double size = relative_size(all[k]);
            if (size > most) best = k, most = size;
        }
        return best;
    }

private:
    double relative_size(const typename ledger<Rows>::entry& one) const {
        const double update = squared_norm<Rows>(one.sum);
        const auto seen = seen_.find(one.row);
        const double values = seen == seen_.end() ? 0 : seen->second;
        return values > 0 ? update / values : update > 0 ? std::numeric_limits<double>::infinity() : 0;
    }

    managed rule_;
    core::random draws_;
    std::uint64_t drawn_ = 0;
    double free_at_ = 0;
    std::unordered_map<std::uint64_t, double> seen_;  // squared norms of rows as they were read last
};

}  // namespace gamut::table::detail
