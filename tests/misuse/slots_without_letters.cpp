// expect: slots: needs a communicator with mailboxes; see gamut/communicator/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/group.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/exchange/slots.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    using ranks = communicator::single<>;
#else
    using ranks = communicator::group<communicator::single<>>;  // pairs, and no letters
#endif
    return static_cast<int>(sizeof(exchange::slots<ranks>) == 0);
}
