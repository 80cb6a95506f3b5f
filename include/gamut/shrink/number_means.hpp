// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

/// k-means of numbers: at most k of them, ascending, near to which many lie. Neither needs a start, nor draws.
namespace gamut::shrink {

namespace detail {

/// The distinct numbers, ascending, how often each is there, and what sums over a range of them need.
class sorted_numbers {
public:
    explicit sorted_numbers(std::vector<double> all) {
        std::sort(all.begin(), all.end());
        const double middle = all.empty() ? 0 : all[all.size() / 2];  // sums of squares about it lose fewer digits
        count_.push_back(0), sum_.push_back(0), square_.push_back(0);
        for (std::size_t i = 0, end = 0; i < all.size(); i = end) {
            while (end < all.size() && all[end] == all[i]) ++end;
            const double n = static_cast<double>(end - i), x = all[i] - middle;
            value_.push_back(all[i]);
            count_.push_back(count_.back() + n);
            sum_.push_back(sum_.back() + n * x);
            square_.push_back(square_.back() + n * x * x);
        }
    }
    std::size_t size() const { return value_.size(); }
    const std::vector<double>& values() const { return value_; }

    /// Of the numbers begin <= i < end: the sum of squared distances to their mean, and that mean.
    double spread(std::size_t begin, std::size_t end) const {
        const double s = sum_[end] - sum_[begin], n = count_[end] - count_[begin];
        return std::max(square_[end] - square_[begin] - s * s / n, 0.0);
    }
    double mean(std::size_t begin, std::size_t end) const {
        if (end - begin == 1) return value_[begin];
        double sum = 0;
        for (std::size_t i = begin; i < end; ++i) sum += (count_[i + 1] - count_[i]) * (value_[i] - value_[begin]);
        return value_[begin] + sum / (count_[end] - count_[begin]);
    }

private:
    std::vector<double> value_, count_, sum_, square_;
};

}  // namespace detail

/// minimise over c_1 < ... < c_k   sum over i of  min over j  (x_i - c_j)^2:   the least there is, to rounding.
///   D(j, i) = min over m of  D(j - 1, m) + spread(m, i)      the first i numbers in j groups
/// The best m never falls when i grows, so halves of the i have halves of the m: k n log n steps, and k n places of 4 bytes, for n
/// different numbers. Where these are at most k, they are the result.
/// Wang and Song, Ckmeans.1d.dp, The R Journal 2011; Gronlund et al. 2017.
inline std::vector<double> optimal_means(std::span<const double> numbers, std::size_t k) {
    const detail::sorted_numbers x(std::vector<double>(numbers.begin(), numbers.end()));
    const std::size_t n = x.size();
    if (n <= k) return x.values();
    std::vector<double> before(n + 1), now(n + 1);
    std::vector<std::vector<std::uint32_t>> begins(k + 1, std::vector<std::uint32_t>(n + 1));
    for (std::size_t i = 1; i <= n; ++i) before[i] = x.spread(0, i);
    struct part {
        std::size_t first, last, least, most;  // of i, and of m
    };
    std::vector<part> parts;
    for (std::size_t j = 2; j <= k; ++j) {
        parts.push_back({j, n, j - 1, n - 1});
        while (!parts.empty()) {
            const part p = parts.back();
            parts.pop_back();
            const std::size_t i = p.first + (p.last - p.first) / 2;
            std::size_t best = p.least;
            now[i] = std::numeric_limits<double>::infinity();
            for (std::size_t m = p.least; m <= std::min(p.most, i - 1); ++m)
                if (const double all = before[m] + x.spread(m, i); all < now[i]) now[i] = all, best = m;
            begins[j][i] = static_cast<std::uint32_t>(best);
            if (i > p.first) parts.push_back({p.first, i - 1, p.least, best});
            if (i < p.last) parts.push_back({i + 1, p.last, best, p.most});
        }
        std::swap(before, now);
    }
    std::vector<double> means(k);
    for (std::size_t j = k, end = n; j > 0; --j) {
        const std::size_t begin = j > 1 ? begins[j][end] : 0;
        means[j - 1] = x.mean(begin, end);
        end = begin;
    }
    return means;
}

/// Lloyd's steps from k centres at equal distances between the least and the largest number, which keeps centres for large weights that
/// are few; a local minimum. Centres that are nearest to no number are left out. n log n, then k log n a step, 300 at most.
/// Han, Mao, Dally, Deep compression, ICLR 2016, section 3.1 (linear initialisation).
inline std::vector<double> linear_means(std::span<const double> numbers, std::size_t k) {
    const detail::sorted_numbers x(std::vector<double>(numbers.begin(), numbers.end()));
    const auto& values = x.values();
    if (x.size() <= k) return values;
    std::vector<double> means(k);
    for (std::size_t j = 0; j < k; ++j)
        means[j] =
            values.front() + (values.back() - values.front()) * (static_cast<double>(j) + 0.5) / static_cast<double>(k);
    std::vector<std::size_t> ends, last;
    for (int step = 0; step < 300; ++step) {
        ends.clear();
        for (std::size_t j = 0; j + 1 < means.size(); ++j)
            ends.push_back(static_cast<std::size_t>(
                std::upper_bound(values.begin(), values.end(), means[j] + (means[j + 1] - means[j]) / 2) -
                values.begin()));
        ends.push_back(x.size());
        if (ends == last) break;
        last = ends;
        for (std::size_t j = 0; j < means.size(); ++j)
            if (const std::size_t begin = j == 0 ? 0 : ends[j - 1]; begin < ends[j]) means[j] = x.mean(begin, ends[j]);
    }
    std::vector<double> used;
    for (std::size_t j = 0; j < means.size(); ++j)
        if ((j == 0 ? 0 : ends[j - 1]) < ends[j]) used.push_back(means[j]);
    return used;
}

/// The place of the nearest of some ascending numbers, the lower one if two are as near.
inline std::size_t nearest_of(std::span<const double> means, double x) {
    const auto above = std::lower_bound(means.begin(), means.end(), x);
    if (above == means.begin()) return 0;
    const auto i = static_cast<std::size_t>(above - means.begin());
    return i < means.size() && means[i] - x < x - means[i - 1] ? i : i - 1;
}

}  // namespace gamut::shrink
