// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <semaphore>
#include <system_error>
#include <thread>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// N flows of control of which one runs at a time: threads that hand a token on. See fibers, which are faster.
class token_threads {
public:
    explicit token_threads(int flows) {
        for (int flow = 0; flow <= flows; ++flow) turns_.push_back(std::make_unique<std::binary_semaphore>(0));
    }

    /// Runs body(flow) for every flow, `first` first; it returns who goes on after it, or -1 when it is the last.
    template <class Body> void run(int first, Body body) {
        const int flows = static_cast<int>(turns_.size()) - 1;
        bool cancelled = false;
        std::vector<std::jthread> crew;
        try {
            crew.reserve(turns_.size());
            for (int flow = 0; flow < flows; ++flow)
                crew.emplace_back([this, flow, flows, &body, &cancelled] {
                    at(flow).acquire();
                    if (cancelled) return;
                    const int next = body(flow);
                    at(next < 0 ? flows : next).release();
                });
        } catch (const std::system_error& problem) {
            cancelled = true;
            const std::size_t started = crew.size();
            for (int flow = 0; flow < static_cast<int>(started); ++flow) at(flow).release();
            throw core::communicator_error(core::text("sim: rank ", started, " cannot be started (", problem.what(),
                                                      ") use fewer ranks, or fibers"));
        }
        at(first).release();
        at(flows).acquire();
    }

    void hand_over(int from, int to) {
        at(to).release();
        at(from).acquire();
    }

private:
    std::binary_semaphore& at(int flow) { return *turns_[static_cast<std::size_t>(flow)]; }

    std::vector<std::unique_ptr<std::binary_semaphore>> turns_;  // the last: who called run
};

}  // namespace gamut::communicator::detail
