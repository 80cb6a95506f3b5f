// expect: table::shared: needs letters, not collectives (a communicator with open, post, wait, look, settle); see gamut/communicator/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/table/sum.hpp>

using namespace gamut;

struct collectives_only {  // what a communicator is at least
    using sums = core::exact;
    int rank() const { return 0; }
    int size() const { return 1; }
    int local_size() const { return 1; }
    template <class T> void all_reduce(std::span<T>, communicator::operation) const {}
    template <class T> void broadcast(std::span<T>, int) const {}
    template <class T> void gather(std::span<const T>, std::span<T>) const {}
    void barrier() const {}
};
static_assert(communicator::Communicator<collectives_only>);

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const communicator::single<> ranks;
#else
    const collectives_only ranks;
#endif
    table::shared t{ranks, {.rows = 2}, table::sum{}, consistency::asynchronous{}};
    t.run(1, [](auto& me) { me.get(0); });
}
