// SPDX-License-Identifier: BSL-1.0
// write_events FOLDER: four records as core::tensorboard writes them; read_events.py reads them back.
#include <cstddef>

#include <gamut/core/tensorboard.hpp>

int main(int count, char** words) {
    if (count != 2) return 2;
    gamut::core::tensorboard board(words[1]);
    for (std::size_t k = 0; k < 4; ++k) {
        gamut::core::record now{.solver = "sgd", .iteration = 100 * k, .objective = 1.0 / static_cast<double>(1 + k)};
        if (k == 2) now.step = 0.125;
        now.nonzeros = k;
        board(now);
    }
}
