// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/backend/program_run.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/gathered_rows.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/data/total_weight.hpp>
#include <gamut/solver/concept.hpp>

namespace gamut::solver {

/// The rows of a formula's problem, in groups: the blocks of the data's partition, contiguous and dealt to ranks. A group is one
/// thread's, and gives one partial of every global sum, so sums have the same bits on any number of ranks and threads; more ranks or
/// threads than groups have nothing to do. A program runs over at most `rows_at_once` rows of a group at a time.
template <class Program, class Dataset, class Backend, class C> class formula_rows {
    static_assert(Backend::host_memory, "formula_rows: programs run on the host; use backend::host<double>");

public:
    using T = typename Backend::value_type;
    using matrix_type = typename Dataset::matrix_type;
    using program_type = Program;
    using run_type = backend::program_run_for<T, Program>;
    using gathered_type = data::gathered_rows<matrix_type>;
    static_assert(std::is_same_v<typename Dataset::value_type, T>,
                  "formula_rows: data and backend differ in precision; write data::csv<float>{...} with "
                  "backend::host<float>{}");
    static constexpr std::size_t rows_at_once = 128;

    /// Collective: the sum of the sample weights is agreed.
    formula_rows(const Program& program, std::vector<autodiff::block_shape> blocks, const Dataset& data,
                 const Backend& machine, const C& ranks, data::standardization scaling)
        : program_(program),
          blocks_(std::move(blocks)),
          data_(data),
          ranks_(ranks),
          scaling_(std::move(scaling)),
          groups_(
              data.partition.blocks_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()))),
          total_weight_(data::total_weight(ranks, data)),
          outline_(program_, blocks_, data_.columns(), rows_at_once, false, backend::step_range{}) {
        if (data.has_offsets)
            throw core::option_error("formula: offsets (only models of one product know them) leave them out");
        const int threads = machine.threads_of(ranks.local_size());
        workspaces_.resize(std::clamp<std::size_t>(groups_.size(), 1, static_cast<std::size_t>(threads)));
    }

    const Dataset& data() const { return data_; }
    const C& ranks() const { return ranks_; }
    const data::standardization& scaling() const { return scaling_; }
    double total_weight() const { return total_weight_; }
    std::size_t dimension() const { return outline_.dimension(); }
    /// The program, of which no step can be run: shapes and offsets.
    const run_type& program() const { return outline_; }
    /// This rank's groups, and the threads that go over them.
    data::range groups() const { return groups_; }
    std::size_t threads() const { return workspaces_.size(); }
    /// What evaluations take when they begin, and keep; and it is given back, until the next one.
    std::size_t workspace_bytes() const {
        std::size_t bytes = partials_.capacity() * sizeof(double);
        for (const auto& work : workspaces_)
            if (work)
                bytes += work->run.workspace_bytes() + (work->twice ? work->twice->workspace_bytes() : 0) +
                         work->sums.size() * sizeof(T);
        return bytes;
    }
    void give_back() const {
        for (auto& work : workspaces_) work.reset();
        std::vector<double>().swap(partials_);
    }
    /// Memory for a program over rows_at_once rows, and for those rows.
    run_type make_run() const { return {program_, blocks_, data_.columns(), rows_at_once}; }
    gathered_type make_rows() const { return {data_, scaling_, rows_at_once}; }
    const Program& formula() const { return program_; }

    /// The loss of all rows; with gradient also that: [ gradient | loss ]. Collective, as what follows.
    void loss(const T* w, std::span<double> sums) const {
        globally(sums, [&](workspace& work, std::size_t group, double* partial) {
            each_part(work, group, [&](const backend::data_rows<T>& rows) {
                partial[0] += work.run.forward(rows, work.run.all(), work.run.flat(w));
            });
        });
    }
    void gradient(const T* w, std::span<double> sums) const {
        globally(sums, [&](workspace& work, std::size_t group, double* partial) {
            each_part(work, group,
                      [&](const backend::data_rows<T>& rows) { add_gradient<false>(work, rows, w, nullptr, partial); });
        });
    }
    /// H v.
    void hessian(const T* w, const T* v, std::span<double> sums) const {
        globally(sums, [&](workspace& work, std::size_t group, double* partial) {
            if (!work.twice) work.twice.emplace(program_, blocks_, data_.columns(), rows_at_once, true);
            each_part(work, group,
                      [&](const backend::data_rows<T>& rows) { add_gradient<true>(work, rows, w, v, partial); });
        });
    }

    /// Batches of about `size` rows in an epoch: each takes its share of every group, whose rows are shuffled for (seed, epoch, group).
    std::size_t batches(std::size_t size) const {
        return std::clamp<std::size_t>((data_.rows() + size / 2) / std::max<std::size_t>(size, 1), 1,
                                       std::max<std::size_t>(data_.rows(), 1));
    }
    /// The rows of a group, counted from its first, in the order of an epoch; any rank may ask for any group.
    std::vector<std::size_t> shuffled(std::size_t group, std::uint64_t seed, std::uint64_t epoch) const {
        return core::permutation({seed, epoch * data_.partition.blocks + group},
                                 data_.partition.block_rows(group).size());
    }
    /// Which of n rows in that order are in a batch.
    static data::range share_of(std::size_t n, std::size_t index, std::size_t batches) {
        return {n * index / batches, n * (index + 1) / batches};
    }
    /// [ gradient | loss ] of a batch, with what dropout drops for it, times the number of batches.
    void gradient(const T* w, const batch& wanted, std::span<double> sums) const {
        globally(sums, [&](workspace& work, std::size_t group, double* partial) {
            add_batch(work, group, w, wanted, partial);
        });
    }
    /// Part k of a group's share of a batch, as places in the group's order: at most rows_at_once, none beyond the share.
    data::range part_of(std::size_t group, const batch& wanted, std::size_t k) const {
        const data::range all = share_of(data_.partition.block_rows(group).size(), wanted.index, batches(wanted.size));
        const std::size_t begin = std::min(all.begin + k * rows_at_once, all.end);
        return {begin, std::min(begin + rows_at_once, all.end)};
    }
    /// Its rows, in `to`. One thread at a time for a group.
    backend::data_rows<T> batch_rows(gathered_type& to, std::size_t group, const batch& wanted, std::size_t k) const {
        const data::range part = part_of(group, wanted, k);
        auto rows = to(order_of(group, wanted).data() + part.begin, part.size());
        const std::size_t count = batches(wanted.size);
        rows.training = wanted.size != batch::all_rows;
        rows.seed = wanted.seed;
        rows.step = wanted.epoch * count + wanted.index;
        rows.share = static_cast<T>(static_cast<double>(count) / total_weight_);
        return rows;
    }

    /// Of one of this rank's groups alone, which never communicates: its part of the loss, and of [ gradient | loss ], of all its rows or
    /// of those in a batch.
    double group_loss(std::size_t group, const T* w) const {
        double loss = 0;
        workspace& work = workspace_of(0);
        each_part(work, group, [&](const backend::data_rows<T>& rows) {
            loss += work.run.forward(rows, work.run.all(), work.run.flat(w));
        });
        return loss;
    }
    void group_gradient(std::size_t group, const T* w, std::span<double> sums) const {
        std::fill(sums.begin(), sums.end(), 0.0);
        workspace& work = workspace_of(0);
        each_part(work, group,
                  [&](const backend::data_rows<T>& rows) { add_gradient<false>(work, rows, w, nullptr, sums.data()); });
    }
    void group_gradient(std::size_t group, const T* w, const batch& wanted, std::span<double> sums) const {
        std::fill(sums.begin(), sums.end(), 0.0);
        add_batch(workspace_of(0), group, w, wanted, sums.data());
    }

    /// The means over rows that the program takes (column_mean), themselves means over the parts in which the rows are passed over.
    std::vector<T> statistics(const T* w) const {
        std::vector<double> sums(program().statistics_size() + 1);
        if (sums.size() == 1) return {};
        globally(sums, [&](workspace& work, std::size_t group, double* partial) {
            std::vector<T> found(sums.size() - 1);
            each_part(work, group, [&](const backend::data_rows<T>& rows) {
                work.run.forward(rows, work.run.all(), work.run.flat(w));
                work.run.statistics(found.data());
                for (std::size_t k = 0; k < found.size(); ++k)
                    partial[k] += static_cast<double>(rows.rows) * static_cast<double>(found[k]);
                partial[found.size()] += static_cast<double>(rows.rows);
            });
        });
        std::vector<T> means;
        for (std::size_t k = 0; k + 1 < sums.size(); ++k) means.push_back(static_cast<T>(sums[k] / sums.back()));
        return means;
    }

private:
    struct workspace {
        run_type run;
        std::optional<run_type> twice;  // with room for derivatives in a direction
        gathered_type gathered;
        std::vector<T> sums;  // of a part, where partials have another type
        explicit workspace(const formula_rows& r)
            : run(r.program_, r.blocks_, r.data_.columns(), rows_at_once),
              gathered(r.data_, r.scaling_, rows_at_once) {
            if (!std::is_same_v<T, double>) sums.resize(run.dimension());
        }
    };

    /// Of a thread, taken when it is wanted first: whoever runs the steps elsewhere (pipelines, stores) needs none here.
    workspace& workspace_of(std::size_t thread) const {
        auto& own = workspaces_[thread];
        if (!own) own = std::make_unique<workspace>(*this);
        return *own;
    }
    /// f(workspace, group, partial) for this rank's groups; then the sum over all. If it throws on one rank, all throw.
    template <class F> void globally(std::span<double> sums, const F& f) const {
        std::exception_ptr failure;
        std::span<double> own;
        try {
            if (partials_.size() < groups_.size() * sums.size()) partials_.resize(groups_.size() * sums.size());
            own = std::span(partials_).first(groups_.size() * sums.size());
            std::fill(own.begin(), own.end(), 0.0);
            backend::parallel_for(
                groups_.begin, groups_.end, workspaces_.size(), [&](std::size_t group, std::size_t thread) {
                    f(workspace_of(thread), group, own.data() + (group - groups_.begin) * sums.size());
                });
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks_, own, groups_.size(), sums, failure);
    }
    /// Local rows of a group.
    data::range rows_of(std::size_t group) const {
        const data::range all = data_.partition.block_rows(group);
        return {all.begin - data_.first_row, all.end - data_.first_row};
    }
    template <class F> void each_part(workspace& work, std::size_t group, const F& f) const {
        const data::range rows = rows_of(group);
        for (std::size_t i = rows.begin; i < rows.end; i += rows_at_once) {
            auto part = work.gathered(i, std::min(rows_at_once, rows.end - i));
            part.share = static_cast<T>(1 / total_weight_);
            f(part);
        }
    }
    void add_batch(workspace& work, std::size_t group, const T* w, const batch& wanted, double* partial) const {
        for (std::size_t k = 0; part_of(group, wanted, k).size() > 0; ++k)
            add_gradient<false>(work, batch_rows(work.gathered, group, wanted, k), w, nullptr, partial);
    }
    template <bool Dual>
    void add_gradient(workspace& work, const backend::data_rows<T>& rows, const T* w, const T* v,
                      double* partial) const {
        auto& run = [&]() -> run_type& {
            if constexpr (Dual)
                return *work.twice;
            else
                return work.run;
        }();
        double loss;
        if constexpr (std::is_same_v<T, double>) {
            loss = run.template gradient<Dual>(rows, run.flat(w, v, partial));
        } else {  // long sums in float would lose digits
            std::fill(work.sums.begin(), work.sums.end(), T(0));
            loss = run.template gradient<Dual>(rows, run.flat(w, v, work.sums.data()));
            for (std::size_t k = 0; k < work.sums.size(); ++k) partial[k] += static_cast<double>(work.sums[k]);
        }
        if constexpr (!Dual) partial[run.dimension()] += loss;
    }
    /// The rows of a group in the order of an epoch; drawn once for all of its batches.
    const std::vector<std::size_t>& order_of(std::size_t group, const batch& wanted) const {
        epoch_order& known = orders_[group - groups_.begin];
        if (known.rows.empty() || known.seed != wanted.seed || known.epoch != wanted.epoch) {
            const data::range rows = rows_of(group);
            known = {wanted.seed, wanted.epoch, shuffled(group, wanted.seed, wanted.epoch)};
            for (std::size_t& i : known.rows) i += rows.begin;
        }
        return known.rows;
    }
    struct epoch_order {
        std::uint64_t seed = 0, epoch = 0;
        std::vector<std::size_t> rows{};
    };

    Program program_;
    std::vector<autodiff::block_shape> blocks_;
    const Dataset& data_;
    C ranks_;
    data::standardization scaling_;
    data::range groups_;
    double total_weight_;
    run_type outline_;
    mutable std::vector<std::unique_ptr<workspace>> workspaces_;
    mutable std::vector<double> partials_;
    mutable std::vector<epoch_order> orders_ = std::vector<epoch_order>(groups_.size());
};

}  // namespace gamut::solver
