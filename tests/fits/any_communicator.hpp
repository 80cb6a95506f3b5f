// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>

namespace fits {

/// Any communicator with exact sums behind virtual functions: what is compiled for this one runs on one rank, on threads
/// and under mpirun.
class any_communicator {
    template <class T> struct collectives {
        virtual ~collectives() = default;
        virtual void reduce(std::span<T>, gamut::communicator::operation) const = 0;
        virtual void cast(std::span<T>, int) const = 0;
        virtual void collect(std::span<const T>, std::span<T>) const = 0;
        virtual void swap(std::span<const gamut::communicator::parcel<const T>>,
                          std::span<const gamut::communicator::parcel<T>>) const = 0;
    };
    struct letters {
        virtual ~letters() = default;
        virtual void post(int, std::vector<std::uint8_t>) const = 0;
        virtual void wait(const std::function<bool()>&) const = 0;
        virtual void look(const std::function<void()>&) const = 0;
        virtual void settle() const = 0;
    };
    struct addressee {  // a receiver without its type
        void* self;
        void (*call)(void*, int, std::span<const std::uint8_t>);
        void letter(int from, std::span<const std::uint8_t> bytes) { call(self, from, bytes); }
    };
    template <class Box> struct letters_of final : letters {
        template <class C> letters_of(const C& c, addressee& to) : box(c.open(to)) {}
        Box box;
        void post(int to, std::vector<std::uint8_t> bytes) const override { box.post(to, std::move(bytes)); }
        void wait(const std::function<bool()>& done) const override { box.wait(done); }
        void look(const std::function<void()>& f) const override {
            box.look([&] { return f(), true; });
        }
        void settle() const override { box.settle(); }
    };
    struct ranks : collectives<double>,
                   collectives<float>,
                   collectives<std::int64_t>,
                   collectives<std::int32_t>,
                   collectives<std::uint8_t> {
        virtual int rank() const = 0;
        virtual int size() const = 0;
        virtual int local_size() const = 0;
        virtual void barrier() const = 0;
        virtual std::unique_ptr<letters> open(addressee&) const = 0;
    };

    template <class Base, class C, class T> struct forward : Base {
        using Base::Base;
        const C& of() const { return static_cast<const C&>(*this->inner); }
        void reduce(std::span<T> values, gamut::communicator::operation combine) const override {
            of().all_reduce(values, combine);
        }
        void cast(std::span<T> values, int root) const override { of().broadcast(values, root); }
        void collect(std::span<const T> mine, std::span<T> all) const override { of().gather(mine, all); }
        void swap(std::span<const gamut::communicator::parcel<const T>> out,
                  std::span<const gamut::communicator::parcel<T>> in) const override {
            if constexpr (gamut::communicator::PairwiseCommunicator<C>)
                of().exchange(out, in);
            else
                throw gamut::core::communicator_error(
                    "exchange: not for these ranks (they talk all together only) use others");
        }
    };
    template <class C> struct holder : ranks {
        explicit holder(const C& c) : inner(std::make_unique<C>(c)) {}
        std::unique_ptr<C> inner;
        int rank() const override { return inner->rank(); }
        int size() const override { return inner->size(); }
        int local_size() const override { return inner->local_size(); }
        void barrier() const override { inner->barrier(); }
        std::unique_ptr<letters> open(addressee& to) const override {
            if constexpr (gamut::communicator::PostalCommunicator<C>) {
                using box = decltype(inner->open(to));
                return std::make_unique<letters_of<box>>(*inner, to);
            } else {
                throw gamut::core::communicator_error("open: not for these ranks (they post no letters) use others");
            }
        }
    };
    template <class C>
    using whole =
        forward<forward<forward<forward<forward<holder<C>, C, double>, C, float>, C, std::int64_t>, C, std::int32_t>, C,
                std::uint8_t>;

public:
    using sums = gamut::core::exact;

    any_communicator() : any_communicator(gamut::communicator::single<>{}) {}
    template <class C>
    requires(!std::same_as<C, any_communicator> && gamut::communicator::Communicator<C>) any_communicator(const C& c)
        : ranks_(std::make_shared<whole<C>>(c)) {
        static_assert(std::same_as<typename C::sums, sums>);
    }

    int rank() const { return ranks_->rank(); }
    int size() const { return ranks_->size(); }
    int local_size() const { return ranks_->local_size(); }
    void barrier() const { ranks_->barrier(); }
    template <gamut::communicator::Element T>
    void all_reduce(std::span<T> values, gamut::communicator::operation combine) const {
        of<T>().reduce(values, combine);
    }
    template <gamut::communicator::Element T> void broadcast(std::span<T> values, int root) const {
        of<T>().cast(values, root);
    }
    template <gamut::communicator::Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        of<T>().collect(mine, all);
    }
    template <gamut::communicator::Element T>
    void exchange(std::span<const gamut::communicator::parcel<const T>> out,
                  std::span<const gamut::communicator::parcel<T>> in) const {
        of<T>().swap(out, in);
    }

    class mailbox {
    public:
        void post(int to, std::vector<std::uint8_t> bytes) const { box_->post(to, std::move(bytes)); }
        template <class Done> void wait(Done done) const { box_->wait(std::ref(done)); }
        template <class F> auto look(F f) const {
            decltype(f()) found{};
            box_->look([&] { found = f(); });
            return found;
        }
        void settle() const { box_->settle(); }

    private:
        friend class any_communicator;
        std::unique_ptr<addressee> to_;  // outlives the box
        std::unique_ptr<letters> box_;
    };
    template <gamut::communicator::Receiver H> mailbox open(H& receiver) const {
        mailbox made;
        made.to_ = std::make_unique<addressee>(
            addressee{&receiver, [](void* self, int from, std::span<const std::uint8_t> bytes) {
                          static_cast<H*>(self)->letter(from, bytes);
                      }});
        made.box_ = ranks_->open(*made.to_);
        return made;
    }

private:
    template <class T> const collectives<T>& of() const { return *ranks_; }
    std::shared_ptr<const ranks> ranks_;
};

static_assert(gamut::communicator::PostalCommunicator<any_communicator>);

}  // namespace fits
