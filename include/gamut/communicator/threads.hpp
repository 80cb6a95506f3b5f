// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/contribution.hpp>
#include <gamut/communicator/detail/meeting.hpp>
#include <gamut/communicator/detail/parcels.hpp>
#include <gamut/communicator/detail/post_office.hpp>
#include <gamut/communicator/detail/quiesce.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

/// Ranks that are threads of this process: communicator::threads<>::run(4, [&](const auto& c) { ... }).
/// Reductions combine in rank order. For tests, and where MPI is missing: a collective costs two rendezvous.
/// A collective whose rank, size or type differs between ranks throws on all of them.
template <class Sums> class threads {
public:
    using sums = Sums;

    /// Calls f(communicator) on `ranks` threads, rank 0 on this one, and waits for all. A rank that fails makes the others
    /// throw the same error, by its type in core/error.hpp, from wherever they wait or will wait; run rethrows the
    /// exception of the lowest rank that failed by itself. A rank that has waited for longer than `deadline` seconds
    /// fails.
    template <class F> static void run(int ranks, F&& f, double deadline = 60) {
        if (ranks < 1) throw core::option_error(core::text("threads: ", ranks, " ranks (at least one is needed)"));
        if (!(deadline > 0))
            throw core::option_error(core::text("threads: deadline is ", deadline, " seconds (it must be positive)"));
        const auto meeting = std::make_shared<detail::meeting>(ranks, deadline);
        std::vector<std::exception_ptr> failures(static_cast<std::size_t>(ranks));
        const auto work = [&](int rank) {
            try {
                f(threads(meeting, rank));
            } catch (...) {
                failures[static_cast<std::size_t>(rank)] = std::current_exception();
            }
            meeting->leave(rank, failures[static_cast<std::size_t>(rank)]);
        };
        {
            std::vector<std::jthread> crew;
            std::exception_ptr lonely;
            try {
                crew.reserve(static_cast<std::size_t>(ranks));
                for (int rank = 1; rank < ranks; ++rank) crew.emplace_back(work, rank);
            } catch (const std::system_error& problem) {
                const int missing = static_cast<int>(crew.size()) + 1;
                failures[static_cast<std::size_t>(missing)] =
                    std::make_exception_ptr(core::communicator_error(core::text(
                        "threads: rank ", missing, " cannot be started (", problem.what(), ") use fewer ranks")));
                meeting->leave(missing, failures[static_cast<std::size_t>(missing)]);
            }
            work(0);
        }
        for (const bool secondary : {false, true})
            for (int rank = 0; rank < ranks; ++rank)
                if (failures[static_cast<std::size_t>(rank)] && meeting->is_outcast(rank) == secondary)
                    std::rethrow_exception(failures[static_cast<std::size_t>(rank)]);
    }

    int rank() const { return rank_; }
    int size() const { return static_cast<int>(meeting_->contributions.size()); }
    int local_size() const { return size(); }

    template <Element T> void all_reduce(std::span<T> values, operation combine) const {
        const char* const what = detail::all_reduce_name(combine);
        collective({what, values.size(), sizeof(T), 0, nullptr, values.data()}, [&] { reduce_part<T>(combine); });
    }

    template <Element T> void broadcast(std::span<T> values, int root) const {
        check_root(root);
        collective({"broadcast", values.size(), sizeof(T), root, nullptr, values.data()}, [&] {
            if (rank_ == root || values.empty()) return;
            std::memcpy(values.data(), meeting_->contributions[static_cast<std::size_t>(root)].shared,
                        values.size_bytes());
        });
    }

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (all.size() != mine.size() * static_cast<std::size_t>(size()))
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (", size(),
                                               " ranks bring ", mine.size(), " each)"));
        collective({"gather", mine.size(), sizeof(T), 0, mine.data(), nullptr}, [&] {
            if (mine.empty()) return;
            T* to = all.data();
            for (const auto& other : meeting_->contributions) {
                std::memcpy(to, other.mine, mine.size_bytes());
                to += mine.size();
            }
        });
    }

    void barrier() const {
        collective({"barrier", 0, 0, 0, nullptr, nullptr}, [] {});
    }

    /// Parcels are copied on their way: sending waits for nobody.
    template <Element T> void exchange(std::span<const parcel<const T>> out, std::span<const parcel<T>> in) const {
        detail::check_ranks(out, in, size());
        for (const auto& one : out) {
            detail::meeting::bytes copy(one.values.size_bytes());
            if (!copy.empty()) std::memcpy(copy.data(), one.values.data(), copy.size());
            meeting_->put(rank_, one.rank, std::move(copy));
        }
        for (const auto& one : in) {
            const auto bytes = meeting_->take(one.rank, rank_);
            detail::check_length(one.rank, rank_, bytes.size() / sizeof(T), one.values.size());
            if (!bytes.empty()) std::memcpy(one.values.data(), bytes.data(), bytes.size());
        }
    }

    /// Letters are taken at once, on the thread that posts them.
    class mailbox {
    public:
        mailbox(const mailbox&) = delete;
        mailbox& operator=(const mailbox&) = delete;
        ~mailbox() { office_->attach(c_.rank(), {}); }

        void post(int to, std::vector<std::uint8_t> bytes) const {
            detail::check_addressee(to, c_.size());
            office_->post(c_.rank(), to, std::move(bytes));
        }
        template <class Done> void wait(Done done) const {
            c_.meeting_->check(c_.rank_);
            office_->wait(c_.rank_, done,
                          [&](double seconds) { c_.meeting_->check_patience(c_.rank_, "mailbox", seconds); });
        }
        template <class F> auto look(F f) const {
            c_.meeting_->check(c_.rank_);
            return office_->look(c_.rank_, f);
        }
        void settle() const {
            detail::quiesce(c_, [&](std::int64_t& posted, std::int64_t& taken) {
                posted = office_->posted(c_.rank_);
                taken = office_->taken(c_.rank_);
            });
        }

    private:
        friend class threads;
        mailbox(const threads& c, std::shared_ptr<detail::post_office> office, detail::any_receiver receiver)
            : c_(c),
              office_(std::move(office)) {
            office_->attach(c_.rank_, receiver);
            c_.barrier();
        }
        threads c_;
        std::shared_ptr<detail::post_office> office_;
    };

    template <Receiver H> mailbox open(H& receiver) const {
        std::shared_ptr<detail::post_office> office;
        if (rank_ == 0) office = std::make_shared<detail::post_office>(size());
        collective({"open", 0, 0, 0, &office, nullptr}, [&] {
            if (rank_ != 0)
                office = *static_cast<const std::shared_ptr<detail::post_office>*>(meeting_->contributions[0].mine);
        });
        return mailbox(*this, std::move(office), detail::any_receiver::of(receiver));
    }

    /// This group will never be whole again: all its ranks throw `mine`, by its type in core/error.hpp, from every call
    /// that waits; if another rank said so before, all throw that rank's error instead.
    [[noreturn]] void fail(const std::exception_ptr& mine) const { meeting_->fail(rank_, mine); }

    /// The same, unless all ranks call it with the same words: then all throw their own, and the group can go on.
    [[noreturn]] void fail_together(const std::exception_ptr& mine) const { meeting_->fail_together(rank_, mine); }

private:
    threads(std::shared_ptr<detail::meeting> meeting, int rank) : meeting_(std::move(meeting)), rank_(rank) {}

    void check_root(int root) const {
        if (root < 0 || root >= size())
            throw core::communicator_error(core::text("broadcast: root ", root, " (ranks are 0..", size() - 1, ")"));
    }

    /// All bring something, check that it fits, do their part, and part when the last is done.
    template <class Work> void collective(const detail::contribution& mine, Work work) const {
        const auto& all = meeting_->contributions;
        meeting_->contributions[static_cast<std::size_t>(rank_)] = mine;
        meeting_->arrive(rank_);
        const std::string mismatch = detail::mismatch(all);
        if (mismatch.empty()) work();
        meeting_->arrive(rank_);
        if (!mismatch.empty()) throw core::communicator_error(mismatch);
    }

    /// This rank's share of the entries: combined over the ranks in rank order, written back to all of them.
    template <class T> void reduce_part(operation combine) const {
        const auto& all = meeting_->contributions;
        const auto share = [&](std::size_t r) {
            return all[0].count / all.size() * r + std::min(r, all[0].count % all.size());
        };
        const std::size_t first = share(static_cast<std::size_t>(rank_)),
                          last = share(static_cast<std::size_t>(rank_) + 1);
        constexpr std::size_t block = 512;
        for (std::size_t begin = first; begin < last; begin += block) {
            const std::size_t width = std::min(block, last - begin);
            T total[block];
            const T* const start = static_cast<const T*>(all[0].shared) + begin;
            std::copy(start, start + width, total);
            for (std::size_t r = 1; r < all.size(); ++r) {
                const T* const x = static_cast<const T*>(all[r].shared) + begin;
                detail::combine_into(total, x, width, combine);
            }
            for (const auto& one : all) std::copy(total, total + width, static_cast<T*>(one.shared) + begin);
        }
    }

    std::shared_ptr<detail::meeting> meeting_;
    int rank_;
};

static_assert(PostalCommunicator<threads<>> && Communicator<threads<core::fast>>);

}  // namespace gamut::communicator
