// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/data/gathered_rows.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/solver/detail/pipeline_crew.hpp>

namespace gamut::solver::detail {

/// What batches and micro-batches are.
struct pipeline_batches {
    std::size_t size = 32, micro_batches = 1;
    std::uint64_t seed = 1;
};

/// The rows of a problem where its pipelines need them. Replica r of R has the groups G r / R ... of the rows; a rank that has stages of r
/// is sent their labels and sample weights, and, if one of those stages reads the data, the rows themselves, dense and
/// standardised: once, in the beginning. A batch takes its share of each group, and its micro-batches are runs of that, in the
/// order of the groups.
template <class P> class pipeline_rows {
    using T = typename P::value_type;
    using matrix_type = std::remove_cvref_t<decltype(std::declval<const P&>().dataset().x)>;

public:
    /// needs[s]: whether stage s reads the data. Collective.
    pipeline_rows(const P& p, const pipeline_grid& grid, const std::vector<bool>& needs, const pipeline_batches& how)
        : problem_(p),
          grid_(grid),
          how_(how),
          batches_(p.batches(how.size)) {
        const auto& c = p.communicator();
        const auto& rows = p.dataset();
        std::array<std::int32_t, 2> has{rows.y.empty() ? 0 : 1, rows.weights.empty() ? 0 : 1};
        c.all_reduce(std::span<std::int32_t>(has), communicator::operation::maximum);
        has_labels_ = has[0] != 0, has_weights_ = has[1] != 0;
        send(rows, needs);
        std::size_t most = 0;
        for (const auto& [replica, held] : held_)
            for (std::size_t i = 0; i < batches_; ++i) most = std::max(most, most_rows(replica, i));
        most_rows_ = most;
        const bool reads =
            std::any_of(held_.begin(), held_.end(), [](const auto& one) { return !one.second.x.empty(); });
        x_.resize(reads ? most * rows.columns() : 0);
        y_.resize(most);
        omega_.resize(most);
        numbers_.resize(most);
    }

    std::size_t batches() const { return batches_; }
    std::size_t micro_batches() const { return how_.micro_batches; }
    /// Of a micro-batch of this rank's replicas.
    std::size_t most_rows() const { return most_rows_; }

    /// Shuffles the rows for an epoch.
    void begin(std::size_t epoch) {
        epoch_ = epoch;
        for (auto& [replica, held] : held_) {
            held.order.clear();
            held.starts.assign(1, 0);
            const data::range groups = groups_of(replica);
            std::vector<std::vector<std::size_t>> shuffled;
            for (std::size_t g = groups.begin; g < groups.end; ++g)
                shuffled.push_back(problem_.rows().shuffled(g, how_.seed, epoch));
            for (std::size_t i = 0; i < batches_; ++i) {
                for (std::size_t g = groups.begin; g < groups.end; ++g) {
                    const auto& order = shuffled[g - groups.begin];
                    const std::size_t first = first_row(g) - first_row(groups.begin);
                    const data::range mine = problem_.rows().share_of(order.size(), i, batches_);
                    for (std::size_t k = mine.begin; k < mine.end; ++k) held.order.push_back(first + order[k]);
                }
                held.starts.push_back(held.order.size());
            }
        }
    }
    /// The rows of a micro-batch, for training. Valid until the next call.
    backend::data_rows<T> operator()(std::size_t replica, std::size_t number) {
        const rows_of_replica& held = held_.at(replica);
        const std::size_t i = number / how_.micro_batches, m = number % how_.micro_batches;
        const std::size_t start = held.starts[i], n = held.starts[i + 1] - start,
                          columns = problem_.dataset().columns();
        const std::size_t begin = n * m / how_.micro_batches, end = n * (m + 1) / how_.micro_batches;
        const std::size_t first = first_row(groups_of(replica).begin);
        for (std::size_t k = begin; k < end; ++k) {
            const std::size_t row = held.order[start + k], to = k - begin;
            if (!held.x.empty()) std::copy_n(held.x.data() + row * columns, columns, x_.data() + to * columns);
            if (has_labels_) y_[to] = held.y[row];
            if (has_weights_) omega_[to] = held.omega[row];
            numbers_[to] = first + row;
        }
        return {.x = x_.data(),
                .stride = columns,
                .rows = end - begin,
                .y = has_labels_ ? y_.data() : nullptr,
                .omega = has_weights_ ? omega_.data() : nullptr,
                .share = static_cast<T>(static_cast<double>(batches_) / problem_.rows().total_weight()),
                .training = true,
                .seed = how_.seed,
                .step = epoch_ * batches_ + i,
                .numbers = numbers_.data()};
    }

private:
    struct rows_of_replica {
        backend::aligned_vector<T> x{};
        std::vector<T> y{}, omega{};
        std::vector<std::size_t> order{}, starts{};  // places in these of an epoch's rows; of each batch
    };

    const data::partition& partition() const { return problem_.dataset().partition; }
    std::size_t first_row(std::size_t group) const { return partition().block_rows(group).begin; }
    data::range groups_of(std::size_t replica) const {
        return {partition().blocks * replica / grid_.replicas, partition().blocks * (replica + 1) / grid_.replicas};
    }
    std::size_t most_rows(std::size_t replica, std::size_t batch) const {
        const data::range groups = groups_of(replica);
        std::size_t n = 0;
        for (std::size_t g = groups.begin; g < groups.end; ++g)
            n += problem_.rows().share_of(partition().block_rows(g).size(), batch, batches_).size();
        return (n + how_.micro_batches - 1) / how_.micro_batches;
    }

    /// Groups of rows to the ranks that need them, in the order of groups.
    void send(const data::dataset<matrix_type>& rows, const std::vector<bool>& needs) {
        const auto& c = problem_.communicator();
        const auto ranks = static_cast<std::size_t>(c.size()), me = static_cast<std::size_t>(c.rank());
        const data::range mine = partition().blocks_of(me, ranks);
        // who has stages of a replica, and who has some that read data
        std::vector<std::set<int>> all(grid_.replicas), readers(grid_.replicas);
        for (std::size_t cell = 0; cell < grid_.cells(); ++cell) {
            all[grid_.replica_of(cell)].insert(grid_.rank_of(cell));
            if (needs[grid_.stage_of(cell)]) readers[grid_.replica_of(cell)].insert(grid_.rank_of(cell));
        }
        std::vector<T> packed = dense(rows);
        const std::size_t columns = rows.columns();
        const auto deal = [&](const std::vector<std::set<int>>& to, const T* from, std::size_t width, auto&& place) {
            std::vector<communicator::parcel<const T>> out;
            std::vector<communicator::parcel<T>> in;
            for (std::size_t r = 0; r < grid_.replicas; ++r) {
                const data::range groups = groups_of(r);
                const bool is_mine = to[r].count(c.rank()) != 0;
                T* const held =
                    is_mine ? place(held_[r],
                                    (partition().block_rows(groups.end - 1).end - first_row(groups.begin)) * width)
                            : nullptr;
                for (std::size_t g = groups.begin; g < groups.end; ++g) {
                    const data::range here = partition().block_rows(g);
                    if (g >= mine.begin && g < mine.end)
                        for (const int rank : to[r])
                            out.push_back({rank, {from + (here.begin - rows.first_row) * width, here.size() * width}});
                    if (is_mine)
                        in.push_back({owner(g, ranks),
                                      {held + (here.begin - first_row(groups.begin)) * width, here.size() * width}});
                }
            }
            c.exchange(std::span<const communicator::parcel<const T>>(out),
                       std::span<const communicator::parcel<T>>(in));
        };
        const auto sized = [](auto& values, std::size_t n) {
            values.resize(n);
            return values.data();
        };
        deal(readers, packed.data(), columns, [&](rows_of_replica& held, std::size_t n) { return sized(held.x, n); });
        if (has_labels_)
            deal(all, rows.y.data(), 1, [&](rows_of_replica& held, std::size_t n) { return sized(held.y, n); });
        if (has_weights_)
            deal(all, rows.weights.data(), 1,
                 [&](rows_of_replica& held, std::size_t n) { return sized(held.omega, n); });
    }
    int owner(std::size_t group, std::size_t ranks) const {
        std::size_t rank = 0;
        while (partition().blocks_of(rank, ranks).end <= group) ++rank;
        return static_cast<int>(rank);
    }
    /// This rank's rows, as programs read them.
    std::vector<T> dense(const data::dataset<matrix_type>& rows) const {
        constexpr std::size_t some = 128;
        const std::size_t columns = rows.columns();
        std::vector<T> packed(rows.local_rows() * columns);
        data::gathered_rows<matrix_type> gathered(rows, problem_.scaling(), some);
        for (std::size_t i = 0; i < rows.local_rows(); i += some) {
            const auto part = gathered(i, std::min(some, rows.local_rows() - i));
            for (std::size_t k = 0; k < part.rows; ++k)
                std::copy_n(part.x + k * part.stride, columns, packed.data() + (i + k) * columns);
        }
        return packed;
    }

    const P& problem_;
    pipeline_grid grid_;
    pipeline_batches how_;
    std::size_t batches_, most_rows_ = 0, epoch_ = 0;
    bool has_labels_ = false, has_weights_ = false;
    std::map<std::size_t, rows_of_replica> held_{};  // by replica
    backend::aligned_vector<T> x_{}, y_{}, omega_{};
    std::vector<std::size_t> numbers_{};
};

}  // namespace gamut::solver::detail
