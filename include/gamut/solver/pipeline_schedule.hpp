// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <gamut/fwd.hpp>

/// Who does what when in a pipeline: for each stage a list, which follows from numbers alone. Stage s of K runs the lines of its list in
/// their order, each as soon as what it needs has come: a forward, the activations of stage s - 1; a backward, the adjoints of s + 1.
/// With forwards of f and backwards of b seconds, alike on all stages, and messages that take no time, a batch of M micro-batches takes
///   one_after_another          M K (f + b)            one stage works at a time; 1 input kept
///   gpipe                      (M + K - 1) (f + b)    M inputs kept
///   one_forward_one_backward   (M + K - 1) (f + b)    min(M, K - s) inputs kept
///   pipedream                  f + b, and K - 1 times that once an epoch; K - s inputs and versions of the weights kept
/// Micro-batch m of batch i has the number i M + m, counted from the beginning of an epoch.
namespace gamut::solver::pipeline_schedule {

enum class work { forward, backward, update };

/// forward and backward of a micro-batch, or the update that follows a batch.
struct task {
    work what = work::forward;
    std::size_t number = 0;
    friend bool operator==(const task&, const task&) = default;
};

/// A stage, and what an epoch is.
struct place {
    std::size_t stages = 1, stage = 0, micro_batches = 1, batches = 1;
};

/// A schedule is a function of the place: any struct with tasks(place) is one.
///   flushes   all micro-batches of a batch have been back before the update, and the next batch begins after it, so all of them
///             read the same weights
template <class S>
concept Schedule = std::copyable<S> && requires(const S& s, const place& at) {
    { s.tasks(at) } -> std::same_as<std::vector<task>>;
    { std::bool_constant<S::flushes>::value } -> std::convertible_to<bool>;
};

/// The most micro-batches that have been forward and not back: inputs that a stage keeps.
inline std::size_t most_in_flight(const std::vector<task>& tasks) {
    std::size_t now = 0, most = 0;
    for (const task& one : tasks) {
        if (one.what == work::forward) most = std::max(most, ++now);
        if (one.what == work::backward) --now;
    }
    return most;
}

namespace detail {

/// As many forwards ahead as `ahead` says, then one and one, then the backwards that are left; the numbers from `first` on.
inline void interleave(std::vector<task>& list, std::size_t first, std::size_t count, std::size_t ahead) {
    std::size_t forward = 0, back = 0;
    for (; forward < std::min(ahead, count); ++forward) list.push_back({work::forward, first + forward});
    for (; back < count; ++back) {
        if (forward < count) list.push_back({work::forward, first + forward++});
        list.push_back({work::backward, first + back});
    }
}
/// Batch after batch, each with an update at its end.
inline std::vector<task> with_flushes(const place& at, std::size_t ahead) {
    std::vector<task> list;
    list.reserve(at.batches * (2 * at.micro_batches + 1));
    for (std::size_t i = 0; i < at.batches; ++i) {
        interleave(list, i * at.micro_batches, at.micro_batches, ahead);
        list.push_back({work::update, i});
    }
    return list;
}

}  // namespace detail

/// A network that is too large for a rank, and no more: a micro-batch goes through all stages and back before the next one begins.
struct one_after_another {
    static constexpr bool flushes = true;
    std::vector<task> tasks(const place& at) const { return detail::with_flushes(at, 0); }
};

/// All micro-batches forward, then all back. Huang et al., GPipe, 2019.
struct gpipe {
    static constexpr bool flushes = true;
    std::vector<task> tasks(const place& at) const { return detail::with_flushes(at, at.micro_batches); }
};

/// A stage sends K - 1 - s micro-batches ahead, and then one for each that comes back: the time of gpipe, and fewer inputs kept.
/// Narayanan et al. 2019, 2021, with a flush.
struct one_forward_one_backward {
    static constexpr bool flushes = true;
    std::vector<task> tasks(const place& at) const { return detail::with_flushes(at, at.stages - 1 - at.stage); }
};

/// One forward, one backward, and an update after each backward, without waiting: batch i goes through stage s with the weights after
/// max(0, i - (K - 1 - s)) updates of the epoch, and comes back with the same ones. Nobody idles but at the ends of an epoch. Other
/// mathematics than sgd's: gradients of weights that are up to K - 1 updates old. Batches go whole.
/// Narayanan et al., PipeDream, 2019.
struct pipedream {
    static constexpr bool flushes = false;
    std::vector<task> tasks(const place& at) const {
        std::vector<task> list, all;
        detail::interleave(list, 0, at.batches, at.stages - 1 - at.stage);
        for (const task& one : list) {
            all.push_back(one);
            if (one.what == work::backward) all.push_back({work::update, one.number});
        }
        return all;
    }
};

static_assert(Schedule<one_after_another> && Schedule<gpipe> && Schedule<one_forward_one_backward> &&
              Schedule<pipedream> && !Schedule<int>);

}  // namespace gamut::solver::pipeline_schedule
