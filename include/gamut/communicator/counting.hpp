// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>

namespace gamut::communicator {

/// Any communicator, and how much this rank said: messages() collectives and bytes() of payload that it contributed
/// (for a broadcast only the root contributes). Every parcel sent is a message. Copies count together.
template <class C> class counting {
public:
    using sums = typename C::sums;

    counting() requires std::default_initializable<C> : counting(C{}) {}
    explicit counting(C inner) : inner_(std::move(inner)), counts_(std::make_shared<counts>()) {}

    std::uint64_t messages() const { return counts_->messages; }
    std::uint64_t bytes() const { return counts_->bytes; }
    void reset() const { counts_->messages = counts_->bytes = 0; }

    int rank() const { return inner_.rank(); }
    int size() const { return inner_.size(); }
    int local_size() const { return inner_.local_size(); }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        add(values.size_bytes());
        inner_.all_reduce(values, combine);
    }

    template <Element T> void broadcast(std::span<T> values, int root) const {
        add(rank() == root ? values.size_bytes() : 0);
        inner_.broadcast(values, root);
    }

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        add(mine.size_bytes());
        inner_.gather(mine, all);
    }

    void barrier() const {
        add(0);
        inner_.barrier();
    }

    template <Element T>
    void exchange(std::span<const parcel<const T>> out,
                  std::span<const parcel<T>> in) const requires PairwiseCommunicator<C> {
        for (const auto& one : out) add(one.values.size_bytes());
        inner_.exchange(out, in);
    }

    /// Every letter posted is a message.
    template <class Box> class mailbox {
    public:
        void post(int to, std::vector<std::uint8_t> bytes) const {
            const std::size_t size = bytes.size();
            box_.post(to, std::move(bytes));
            c_.add(size);
        }
        template <class Done> void wait(Done done) const { box_.wait(done); }
        template <class F> auto look(F f) const { return box_.look(f); }
        void settle() const { box_.settle(); }

    private:
        friend class counting;
        template <Receiver H> mailbox(const counting& c, H& receiver) : c_(c), box_(c.inner_.open(receiver)) {}
        counting c_;
        Box box_;
    };

    template <Receiver H> auto open(H& receiver) const requires PostalCommunicator<C> {
        return mailbox<decltype(inner_.open(receiver))>(*this, receiver);
    }

    [[noreturn]] void fail(const std::exception_ptr& mine) const requires requires(const C& c) { c.fail(mine); }
    { inner_.fail(mine); }

    [[noreturn]] void fail_together(const std::exception_ptr& mine) const requires requires(const C& c) {
        c.fail_together(mine);
    }
    { inner_.fail_together(mine); }

private:
    struct counts {
        std::atomic<std::uint64_t> messages{0}, bytes{0};
    };

    void add(std::size_t bytes) const {
        counts_->messages.fetch_add(1, std::memory_order_relaxed);
        counts_->bytes.fetch_add(bytes, std::memory_order_relaxed);
    }

    C inner_;
    std::shared_ptr<counts> counts_;
};

}  // namespace gamut::communicator
