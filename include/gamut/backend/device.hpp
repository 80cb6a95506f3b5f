// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

#include <thrust/copy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/memory.h>
#include <thrust/system/cpp/execution_policy.h>
#include <thrust/system/cpp/vector.h>
#include <thrust/system_error.h>
#if defined(__CUDACC__)
#    include <thrust/system/cuda/execution_policy.h>
#    include <thrust/system/cuda/vector.h>
#elif defined(_OPENMP)
#    include <thrust/system/omp/execution_policy.h>
#    include <thrust/system/omp/vector.h>
#endif

#include <gamut/backend/array.hpp>
#include <gamut/backend/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// Where Thrust keeps memory and runs loops, chosen by naming a type.
///   accelerator    its memory is its own, and whatever fails there is a device_error
///   interleaved    neighbours in a loop should read neighbours in memory, as the threads of a warp do; otherwise each should
///                  read a piece of its own
///   vector         memory
///   policy()       how loops run
namespace gamut::backend::system {

/// One core of this process: what the device's code does, step by step, on any machine.
struct cpp {
    static constexpr bool accelerator = false, interleaved = false;
    template <class V> using vector = thrust::cpp::vector<V>;
    static auto policy() { return thrust::cpp::par; }
};

/// All cores of this process. Complete where the compiler has OpenMP switched on and is not nvcc.
struct omp;
#if defined(_OPENMP) && !defined(__CUDACC__)
struct omp {
    static constexpr bool accelerator = false, interleaved = false;
    template <class V> using vector = thrust::omp::vector<V>;
    static auto policy() { return thrust::omp::par; }
};
#endif

/// The current CUDA device, default stream. Complete where the compiler is nvcc with -std=c++20 --expt-relaxed-constexpr.
struct cuda;
#if defined(__CUDACC__)
struct cuda {
    static constexpr bool accelerator = true, interleaved = true;
    template <class V> using vector = thrust::cuda::vector<V>;
    static auto policy() { return thrust::cuda::par_nosync; }  // what reads the results waits, nothing else does
};
using standard = cuda;
#else
using standard = cpp;
#endif

}  // namespace gamut::backend::system

namespace gamut::backend {

namespace detail {

template <class System>
concept known_system = requires {
    System::accelerator;
};

/// Runs f; what an accelerator's library throws becomes a device_error.
template <class System, class F> auto checked(const char* action, F&& f) {
    if constexpr (!System::accelerator) {
        return f();
    } else {
        try {
            return f();
        } catch (const thrust::system_error& problem) {
            throw core::device_error(core::text("device: ", action, " failed (", problem.what(),
                                                ") check the GPU and its driver with nvidia-smi"));
        } catch (const std::bad_alloc& problem) {
            throw core::device_error(
                core::text("device: ", action, " failed (", problem.what(),
                           ") use more ranks, less data or float, or check the GPU with nvidia-smi"));
        }
    }
}

template <class T, class E> struct map_entry {
    E formula;
    T* out;
    constexpr void operator()(std::ptrdiff_t i) const {
        const index_reader<T> reader;
        out[i] = formula.value(reader, static_cast<std::size_t>(i));
    }
};

struct sum_of_entries {
    static constexpr double neutral() { return 0; }
    static constexpr double combine(double a, double b) { return a + b; }
};
struct largest_of_entries {
    static constexpr double neutral() { return -std::numeric_limits<double>::infinity(); }
    static constexpr double combine(double a, double b) {
        return a != a || b <= a ? a : b;
    }  // NaN stays, on either side
};

/// Lane l folds entries l, l + lanes, ... or the l-th of `lanes` pieces.
template <class T, class E, class Op, bool Interleaved> struct fold_lane {
    E formula;
    std::size_t n, lanes;
    double* out;
    constexpr void operator()(std::ptrdiff_t l) const {
        const index_reader<T> reader;
        const std::size_t lane = static_cast<std::size_t>(l), length = (n + lanes - 1) / lanes;
        const std::size_t step = Interleaved ? lanes : 1;
        const std::size_t begin = Interleaved ? lane : lane * length;
        const std::size_t end = Interleaved || begin + length > n ? n : begin + length;
        double a = Op::neutral();
        for (std::size_t i = begin; i < end; i += step)
            a = Op::combine(a, static_cast<double>(formula.value(reader, i)));
        out[lane] = a;
    }
};

}  // namespace detail

/// An accelerator, through Thrust. Data and weights live there; what it computes depends on no number of threads.
///   System    system::cuda (nvcc), system::omp or system::cpp (any compiler: the same code without a GPU)
/// Memory is never read directly from the host, not even where that would work, so that what runs on one system runs on all.
/// Every failure of the device is a core::device_error.
template <class T = double, class System = system::standard> struct device {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                  "device: needs float or double; write backend::device<double>");
    static_assert(
        detail::known_system<System>,
        "device: this system is not available to this compiler; system::cuda needs nvcc, system::omp needs -fopenmp");

    using value_type = T;
    using system = System;
    template <class V> using vector = typename System::template vector<V>;
    using storage = vector<T>;
    static constexpr bool host_memory = false;

    /// The system decides.
    static int threads_of(int) { return 1; }

    static storage allocate(std::size_t n, T value) {
        return detail::checked<System>("allocating memory", [&] { return storage(n, value); });
    }
    template <class V> static const V* data(const vector<V>& v) { return thrust::raw_pointer_cast(v.data()); }
    template <class V> static V* data(vector<V>& v) { return thrust::raw_pointer_cast(v.data()); }
    static std::size_t size(const storage& s) { return s.size(); }

    static void upload(std::span<const T> from, storage& to) { send(from.data(), from.size(), to); }
    static void download(const storage& from, std::span<T> to) { fetch(from, from.size(), to.data()); }

    /// out_i = formula(i); reads of out_i come before its write.
    template <class E> static void map(const E& formula, std::size_t n, T* out) {
        for_each(n, detail::map_entry<T, E>{formula, out});
    }
    /// Up to 8,192 running sums in double, added in order; how many follows from n alone.
    template <class E> static double sum(const E& formula, std::size_t n) {
        return fold<detail::sum_of_entries>(formula, n);
    }
    template <class E> static double maximum(const E& formula, std::size_t n) {
        return n == 0 ? 0 : fold<detail::largest_of_entries>(formula, n);
    }

    /// Runs f(i) for 0 <= i < n, in any order and side by side. f: a functor of pointers and numbers, its operator()
    /// constexpr; no lambda and no private type, which nvcc refuses.
    template <class F> static void for_each(std::size_t n, const F& f) {
        if (n == 0) return;
        detail::checked<System>("running a loop", [&] {
            thrust::for_each_n(System::policy(), thrust::counting_iterator<std::ptrdiff_t>(0),
                               static_cast<std::ptrdiff_t>(n), f);
        });
    }
    /// Copies n numbers to the start of a vector, which grows if it must.
    template <class V> static void send(const V* from, std::size_t n, vector<V>& to) {
        reserve(to, n);
        detail::checked<System>("copying to the device", [&] { thrust::copy(from, from + n, to.begin()); });
    }
    /// Copies the first n numbers of a vector to the host, when all that was asked before is done.
    template <class V> static void fetch(const vector<V>& from, std::size_t n, V* to) {
        detail::checked<System>("copying from the device",
                                [&] { thrust::copy(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n), to); });
    }
    /// Makes room for n numbers; what was there is lost if there was too little.
    template <class V> static V* reserve(vector<V>& memory, std::size_t n) {
        if (memory.size() < n)
            detail::checked<System>("allocating memory", [&] {
                memory = vector<V>();  // first give back, then take
                memory = vector<V>(n);
            });
        return data(memory);
    }

private:
    template <class Op, class E> static double fold(const E& formula, std::size_t n) {
        const std::size_t lanes = std::clamp<std::size_t>(n / 32, 1, 8192);
        vector<double> memory;
        double* folded = reserve(memory, lanes);
        for_each(lanes, detail::fold_lane<T, E, Op, System::interleaved>{formula, n, lanes, folded});
        std::vector<double> results(lanes);
        fetch(memory, lanes, results.data());
        double a = Op::neutral();
        for (const double b : results) a = Op::combine(a, b);
        return a;
    }
};

static_assert(Backend<device<double, system::cpp>> && Backend<device<float, system::standard>>);

}  // namespace gamut::backend
