// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/all_gather.hpp>
#include <gamut/communicator/background_sum_scatter.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/reduce_scatter.hpp>
#include <gamut/communicator/sum_scatter.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/batch_parts.hpp>

namespace gamut::solver::detail {

/// The weights of a program in pieces: rank r has shares{size of b, ranks} of every block b, its pieces one after another in one array.
/// Also the whole weights where stages want them, and what the steps of the program ask for.
template <class P> class sharded_weights {
public:
    using A = typename P::array;
    using T = typename P::value_type;
    using C = std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>;
    using rows_type = std::remove_cvref_t<decltype(std::declval<const P&>().rows())>;

    sharded_weights(const P& p, const A& start, std::size_t batch_size, int stage)
        : p_(p),
          stage_(stage),
          ranks_(static_cast<std::size_t>(p.communicator().size())),
          rank_(static_cast<std::size_t>(p.communicator().rank())),
          parts_(p.rows(), batch_size, std::vector<bool>(p.blocks_of_parameters().size())),
          whole_(start) {
        std::size_t offset = 0, place = 0;
        for (std::size_t b = 0; b < parts_.blocks(); ++b) {
            const communicator::shares cut{parts_.block_size(b), ranks_};
            blocks_.push_back({cut, offset, place, {}, std::numeric_limits<double>::quiet_NaN()});
            offset += cut.numbers, place += cut.size(rank_);
        }
        pieces_ = A(place);
        gradient_ = A(place);
        sums_.resize(place);
        const auto& partition = p.rows().data().partition;
        for (std::size_t r = 0; r < ranks_; ++r) groups_of_ranks_.push_back(partition.blocks_of(r, ranks_).size());
        cut(whole_, pieces_);
    }

    /// From now on a block's gradient is on its way while those of earlier layers are computed. Collective.
    void overlap() requires communicator::PostalCommunicator<C> {
        std::vector<std::size_t> sizes;
        for (const block& one : blocks_) sizes.push_back(one.cut.numbers);
        background_ = std::make_unique<background>(p_.communicator(), sizes, groups_of_ranks_);
    }

    A& pieces() { return pieces_; }
    A& gradient() { return gradient_; }
    const tally& gradients() const { return parts_.held(); }
    const tally& fetched() const { return fetched_; }

    /// This rank's pieces of an array, and the array that all ranks' pieces are.
    void cut(const A& whole, A& pieces) const {
        for (const block& one : blocks_)
            std::copy_n(whole.data() + one.offset + one.cut.begin(rank_), one.cut.size(rank_),
                        pieces.data() + one.place);
    }
    void join(const A& pieces, A& whole) const {
        for (const block& one : blocks_) gather(one, pieces, whole.span().subspan(one.offset, one.cut.numbers));
    }

    /// The weights on all ranks, in stage 3 until drop_whole.
    const A& whole() {
        if (stage_ == 3 && whole_.size() == 0) {
            whole_ = A(p_.dimension());
            join(pieces_, whole_);
        }
        return whole_;
    }
    void drop_whole() {
        if (stage_ == 3) whole_ = A(0);
    }
    /// After an update of the pieces.
    void share_pieces() {
        if (stage_ < 3) join(pieces_, whole_);
    }
    /// All weights anew.
    void take_whole(A whole) {
        whole_ = std::move(whole);
        cut(whole_, pieces_);
    }

    /// gradient becomes this rank's pieces of a batch's; returns the batch's objective.
    double batch_gradient(const batch& wanted, A& gradient) {
        for (block& one : blocks_) one.penalty = std::numeric_limits<double>::quiet_NaN();
        std::fill(sums_.begin(), sums_.end(), 0.0);
        double objective = go_over_steps(parts_, wanted, *this);
        if (stage_ == 1)
            for (std::size_t b = parts_.blocks(); b-- > 0;)
                if (parts_.holds(b)) scatter(b);
        await_sums();
        for (std::size_t k = 0; k < sums_.size(); ++k) gradient[k] = static_cast<T>(sums_[k]);
        double penalty = 0;
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            p_.add_slopes(b, piece(blocks_[b], pieces_), piece(blocks_[b], gradient));
            if (!std::isnan(blocks_[b].penalty)) penalty += blocks_[b].penalty;
        }
        return objective + penalty;
    }

    // ---- what go_over_steps calls ----
    void fetch(std::size_t b) {
        block& one = blocks_[b];
        if (stage_ < 3) {
            parts_.set_weights(b, whole_.data() + one.offset);
        } else if (one.fetched.empty()) {
            one.fetched.resize(one.cut.numbers);
            fetched_.take(one.cut.numbers);
            gather(one, pieces_, one.fetched);
            parts_.set_weights(b, one.fetched.data());
        }
        if (std::isnan(one.penalty))
            one.penalty = p_.penalty_of(
                b, stage_ < 3 ? std::as_const(whole_).span().subspan(one.offset, one.cut.numbers) : one.fetched);
    }
    void release(std::size_t b) {
        if (stage_ < 3) return;
        fetched_.give(blocks_[b].cut.numbers);
        blocks_[b].fetched = {};
    }
    void complete(std::size_t b) {
        if constexpr (is_postal)
            if (background_) {
                background_->start(b, parts_.partials(b));
                parts_.drop(b);
                leaving_.push_back(b);
                return;
            }
        if (stage_ > 1) scatter(b);
    }

private:
    static constexpr bool is_postal = communicator::PostalCommunicator<C>;
    struct nothing {};
    using background = std::conditional_t<is_postal, communicator::background_sum_scatter<C>, nothing>;

    struct block {
        communicator::shares cut;
        std::size_t offset, place;  // in the whole, in the pieces
        std::vector<T> fetched;
        double penalty;  // at the weights of this batch
    };

    template <class Array> auto piece(const block& one, Array& of) const {
        return of.span().subspan(one.place, one.cut.size(rank_));
    }
    void gather(const block& one, const A& pieces, std::span<T> to) const {
        std::vector<std::size_t> counts;
        for (std::size_t r = 0; r < ranks_; ++r) counts.push_back(one.cut.size(r));
        communicator::all_gather(p_.communicator(), std::span<const T>(piece(one, pieces)), to,
                                 std::span<const std::size_t>(counts));
    }
    std::span<double> sums_of(const block& one) { return std::span(sums_).subspan(one.place, one.cut.size(rank_)); }
    void await_sums() {
        if constexpr (is_postal)
            for (const std::size_t b : leaving_) background_->wait(b, sums_of(blocks_[b]));
        leaving_.clear();
    }
    void scatter(std::size_t b) {
        const block& one = blocks_[b];
        communicator::sum_scatter(p_.communicator(), parts_.partials(b), one.cut.numbers,
                                  std::span<const std::size_t>(groups_of_ranks_), sums_of(one));
        parts_.drop(b);
    }

    const P& p_;
    int stage_;
    std::size_t ranks_, rank_;
    batch_parts<rows_type> parts_;
    A whole_, pieces_, gradient_;
    std::vector<double> sums_;  // of the pieces
    std::vector<block> blocks_;
    std::vector<std::size_t> groups_of_ranks_;
    tally fetched_;
    std::unique_ptr<background> background_;
    std::vector<std::size_t> leaving_;  // blocks whose gradients are on their way
};

}  // namespace gamut::solver::detail
