// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>

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
    struct ranks : collectives<double>,
                   collectives<float>,
                   collectives<std::int64_t>,
                   collectives<std::int32_t>,
                   collectives<std::uint8_t> {
        virtual int rank() const = 0;
        virtual int size() const = 0;
        virtual int local_size() const = 0;
        virtual void barrier() const = 0;
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

private:
    template <class T> const collectives<T>& of() const { return *ranks_; }
    std::shared_ptr<const ranks> ranks_;
};

static_assert(gamut::communicator::PairwiseCommunicator<any_communicator>);

}  // namespace fits
