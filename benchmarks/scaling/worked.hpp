// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <ctime>
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sim.hpp>

/// A simulated rank whose work is measured: the processor seconds between two of its calls become virtual seconds. Ranks take turns on one
/// thread, so what is measured is theirs; what the simulation itself does within a call does not count.
namespace scaling {

using namespace gamut;

class worked {
public:
    using inner_type = communicator::sim<>;
    using sums = inner_type::sums;

    explicit worked(const inner_type& inner) : inner_(inner), since_(std::make_shared<double>(processor())) {}

    int rank() const { return inner_.rank(); }
    int size() const { return inner_.size(); }
    int local_size() const { return inner_.local_size(); }

    template <communicator::Element T> void all_reduce(std::span<T> values, communicator::operation combine) const {
        const call here(*this);
        inner_.all_reduce(values, combine);
    }
    template <communicator::Element T> void broadcast(std::span<T> values, int root) const {
        const call here(*this);
        inner_.broadcast(values, root);
    }
    template <communicator::Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        const call here(*this);
        inner_.gather(mine, all);
    }
    void barrier() const {
        const call here(*this);
        inner_.barrier();
    }
    template <communicator::Element T>
    void exchange(std::span<const communicator::parcel<const T>> out,
                  std::span<const communicator::parcel<T>> in) const {
        const call here(*this);
        inner_.exchange(out, in);
    }
    [[noreturn]] void fail(const std::exception_ptr& mine) const { inner_.fail(mine); }

    double now() const { return inner_.now(); }

private:
    static double processor() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    }
    struct call {
        explicit call(const worked& owner) : at(*owner.since_) { owner.inner_.work(processor() - at); }
        ~call() { at = processor(); }
        call(const call&) = delete;
        call& operator=(const call&) = delete;
        double& at;
    };

    inner_type inner_;
    std::shared_ptr<double> since_;
};

static_assert(communicator::PairwiseCommunicator<worked>);

}  // namespace scaling
