// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/topology/mixing_matrix.hpp>

namespace gamut::exchange {

/// What a slot holds before anybody wrote to it.
enum class slot_begins { with_own_value, with_zeros };

/// Meeting without waiting: every node has a value, and a slot for each node that it hears, which that one may write to or add to
/// while this one computes. What BlueFog's windows do, on letters.
///     put(i, to, w)         slot of `to` for i = w value_i            accumulate(i, to, w)   it += w value_i
///     get(i, from, w)       slot of i for `from` = w value_from, some time later
///     update(i)             value_i = W_ii value_i + sum of W_ij slot_j, in the order of the sources; versions begin at 0 again
///     collect(i)            value_i += sum of slots, which become 0: what is not there yet comes later, and nothing is lost
///     version(i, from)      writes to a slot since the last update or collect
///     settle()              collective: all that was sent has arrived
/// i is one of this rank's nodes. One letter for each put, accumulate and get, and one for the answer to a get.
template <class C> class slots {
    static_assert(communicator::PostalCommunicator<C>,
                  "slots: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");

public:
    /// values: of this rank's nodes, all of the same width on all ranks. w: who hears whom, and the weights of update. Collective.
    slots(const nodes<C>& all, const topology::mixing_matrix& w, std::vector<std::vector<double>> values,
          slot_begins how = slot_begins::with_own_value)
        : taker_(all, w, std::move(values), how),
          box_(all.ranks().open(taker_)) {
        taker_.send = {&box_, [](void* box, int to, std::vector<std::uint8_t> bytes) {
                           static_cast<box_type*>(box)->post(to, std::move(bytes));
                       }};
        all.ranks().barrier();  // nobody writes before everybody can answer
    }
    slots(const slots&) = delete;
    slots& operator=(const slots&) = delete;

    void put(std::size_t i, std::size_t to, double weight) { write(kind::put, i, to, weight); }
    void accumulate(std::size_t i, std::size_t to, double weight) { write(kind::accumulate, i, to, weight); }
    void get(std::size_t i, std::size_t from, double weight) {
        taker_.slot_of(taker_.mine(i), from);  // it must be heard
        box_.post(taker_.all.owner(from), letter_of({kind::get, from, i, weight}, {}));
    }
    void settle() { box_.settle(); }

    void update(std::size_t i) {
        node& mine = taker_.mine(i);
        box_.look([&] {
            std::vector<double> mixed(mine.value.size());
            bool own_done = false;
            const auto add = [&](double weight, const std::vector<double>& from) {
                for (std::size_t j = 0; j < mixed.size(); ++j) mixed[j] += weight * from[j];
            };
            for (slot& one : mine.heard) {
                if (!own_done && one.from > i) add(mine.own_weight, mine.value), own_done = true;
                add(one.weight, one.content);
                one.version = 0;
            }
            if (!own_done) add(mine.own_weight, mine.value);
            mine.value = std::move(mixed);
            return true;
        });
    }
    void collect(std::size_t i) {
        node& mine = taker_.mine(i);
        box_.look([&] {
            for (slot& one : mine.heard) {
                for (std::size_t j = 0; j < mine.value.size(); ++j) mine.value[j] += one.content[j];
                std::fill(one.content.begin(), one.content.end(), 0.0);
                one.version = 0;
            }
            return true;
        });
    }

    std::vector<double> value(std::size_t i) {
        node& mine = taker_.mine(i);
        return box_.look([&] { return mine.value; });
    }
    void set(std::size_t i, std::span<const double> value) {
        node& mine = taker_.mine(i);
        if (value.size() != mine.value.size())
            throw core::shape_error(
                core::text("slots: ", value.size(), " numbers for a node's value (it has ", mine.value.size(), ")"));
        box_.look([&] { return std::copy(value.begin(), value.end(), mine.value.begin()), true; });
    }
    void scale(std::size_t i, double factor) {
        node& mine = taker_.mine(i);
        box_.look([&] {
            for (double& x : mine.value) x *= factor;
            return true;
        });
    }
    std::uint64_t version(std::size_t i, std::size_t from) {
        slot& one = taker_.slot_of(taker_.mine(i), from);
        return box_.look([&] { return one.version; });
    }
    /// Until somebody has written to a slot of node i since the last update or collect.
    void wait_for_news(std::size_t i) {
        node& mine = taker_.mine(i);
        box_.wait([&] {
            return std::any_of(mine.heard.begin(), mine.heard.end(), [](const slot& one) { return one.version > 0; });
        });
    }

private:
    enum class kind : std::uint64_t { put, accumulate, get };
    struct header {
        kind what = kind::put;
        std::uint64_t from = 0, to = 0;
        double weight = 0;
    };
    struct slot {
        std::size_t from = 0;
        double weight = 0;
        std::vector<double> content{};
        std::uint64_t version = 0;
    };
    struct node {
        std::vector<double> value{};
        double own_weight = 0;
        std::vector<slot> heard{};  // by source
    };

    static std::vector<std::uint8_t> letter_of(const header& head, std::span<const double> values) {
        std::vector<std::uint8_t> bytes(sizeof head + values.size_bytes());
        std::memcpy(bytes.data(), &head, sizeof head);
        if (!values.empty()) std::memcpy(bytes.data() + sizeof head, values.data(), values.size_bytes());
        return bytes;
    }

    struct taker {
        taker(const nodes<C>& of, const topology::mixing_matrix& w, std::vector<std::vector<double>> values,
              slot_begins how)
            : all(of) {
            if (values.size() != all.size() || w.size() != all.count())
                throw core::shape_error(core::text("slots: ", values.size(), " values and weights of ", w.size(),
                                                   " nodes (", all.size(), " of ", all.count(), " nodes are here)"));
            const std::size_t width = values.empty() ? 0 : values[0].size();
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (values[i].size() != width)
                    throw core::shape_error(core::text("slots: values of ", width, " and ", values[i].size(),
                                                       " numbers (all must have as many)"));
                node& one = own.emplace_back();
                for (const topology::link& l : w.row(all.first() + i)) {
                    if (l.from == all.first() + i) {
                        one.own_weight = l.weight;
                        continue;
                    }
                    std::vector<double> content = values[i];
                    if (how == slot_begins::with_zeros) std::fill(content.begin(), content.end(), 0.0);
                    one.heard.push_back({l.from, l.weight, std::move(content)});
                }
                one.value = std::move(values[i]);
            }
        }

        node& mine(std::size_t i) {
            if (!all.is_mine(i))
                throw core::option_error(core::text("slots: node ", i, " (this rank's are ", all.first(), " to ",
                                                    all.first() + all.size(), ", the last one not among them)"));
            return own[i - all.first()];
        }
        static slot& slot_of(node& one, std::size_t from) {
            const auto found =
                std::find_if(one.heard.begin(), one.heard.end(), [&](const slot& s) { return s.from == from; });
            if (found == one.heard.end())
                throw core::option_error(core::text("slots: node ", from, " is not heard (the topology says who is)"));
            return *found;
        }

        void letter(int sender, std::span<const std::uint8_t> bytes) {
            header head;
            if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
            const std::uint64_t here = head.what == kind::get ? head.from : head.to;
            const std::size_t length = bytes.size() < sizeof head ? 0 : (bytes.size() - sizeof head) / sizeof(double);
            if (bytes.size() < sizeof head || head.what > kind::get || !all.is_mine(here) ||
                (head.what == kind::get ? head.to >= all.count() : length != own[here - all.first()].value.size()))
                throw core::communicator_error(
                    core::text("slots: rank ", sender, " sent a letter of ", bytes.size(),
                               " bytes that is none of these slots' (all ranks must give the "
                               "same nodes and widths)"));
            if (head.what == kind::get) {
                send.call(send.box, all.owner(head.to),
                          letter_of({kind::put, head.from, head.to, head.weight}, own[here - all.first()].value));
                return;
            }
            slot& to = slot_of(own[here - all.first()], head.from);
            const std::uint8_t* at = bytes.data() + sizeof head;
            for (double& old : to.content) {
                double x = 0;
                std::memcpy(&x, at, sizeof x);
                at += sizeof x;
                old = head.what == kind::put ? head.weight * x : old + head.weight * x;
            }
            ++to.version;
        }

        nodes<C> all;
        std::vector<node> own{};
        struct {
            void* box = nullptr;
            void (*call)(void*, int, std::vector<std::uint8_t>) = nullptr;
        } send{};
    };
    using box_type = decltype(std::declval<const C&>().open(std::declval<taker&>()));

    void write(kind what, std::size_t i, std::size_t to, double weight) {
        if (to >= taker_.all.count())
            throw core::option_error(
                core::text("slots: node ", to, " (there are nodes 0 to ", taker_.all.count() - 1, ")"));
        box_.post(taker_.all.owner(to), letter_of({what, i, to, weight}, value(i)));
    }

    taker taker_;
    box_type box_;
};

}  // namespace gamut::exchange
